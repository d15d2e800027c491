"""Numbers as they are printed."""

import math

import pytest

from tinygrad_opt.study.tables import _grid, number, percent, plus_minus, rate, steps_cell


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"),
        (12.345, "12.3"),
        (1234.5, "1234"),
        (0.000123, "1.23e-4"),
        (1.5e7, "1.50e7"),
        (0, "0"),
        (-0.5, "-0.500"),
        (math.inf, "diverged"),
        (math.nan, "—"),
        (None, "—"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (0.1234, 0.0213, "0.123 ± 0.021"),
        (1.5, 0.27, "1.50 ± 0.27"),
        (120.4, 13.0, "120 ± 13"),
        (0.5, math.nan, "0.500"),
        (math.inf, math.nan, "diverged"),
        (1.2e-5, 3e-6, "1.20e-5 ± 3e-6"),
    ],
)
def test_mean_and_interval_are_rounded_to_the_same_place(mean, half, text):
    assert plus_minus({"mean": mean, "half": half}) == text


def test_percent():
    assert percent({"mean": 0.964, "half": 0.0041}) == "96.4 ± 0.4"
    assert percent({"mean": 0.964, "half": math.nan}) == "96.4"
    assert percent(None) == "—"


@pytest.mark.parametrize(
    ("reached", "lost", "text"), [(5, 0, "25 ± 3"), (5, 1, "25 ± 3*"), (2, 0, "2 of 5"), (2, 2, "2 of 5*"), (0, 0, "—")]
)
def test_steps(reached, lost, text):
    assert steps_cell({"mean": 25.2, "half": 3.1, "reached": reached, "lost": lost, "of": 5}) == text


def test_rates_on_the_grid_stay_apart():
    rates = [10 ** (e / 2) for e in range(-14, 5)]
    assert len({rate(r) for r in rates}) == len(rates)
    assert max(len(rate(r)) for r in rates) <= 7


def test_a_table_too_wide_gives_up_gaps_first_and_intervals_last():
    narrow = _grid(["a", "b"], [["x", "1 ± 2"]])
    assert narrow[2] == "x  1 ± 2"
    wide = _grid(["name", *"bcde"], [["x" * 20, *["12345.6789 ± 1.234"] * 4]])
    assert max(map(len, wide)) <= 80
    assert "12345.6789 ± 1.234" in wide[2]
    assert wide[2].endswith(" 12345.6789")
