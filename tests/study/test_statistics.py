"""Statistics against numbers worked out by hand or taken from tables."""

import math

import numpy as np
import pytest

from tinygrad_opt.study.statistics import (
    beats,
    bootstrap,
    expected_best,
    iqm,
    mean_interval,
    profile,
    profile_score,
    resample,
    tie_groups,
)


def test_interquartile_mean_leaves_out_a_quarter_at_each_end():
    assert iqm([1, 2, 3, 4, 5, 6, 7, 1000]) == 4.5
    assert iqm([5.0]) == 5.0
    assert iqm([1, 2, 3, 4, math.inf]) == 3.0
    assert iqm([1, 2, math.inf, math.inf]) == math.inf


def test_mean_and_t_interval():
    # Mean 3, standard deviation √2.5, n = 5: 2.776 · √2.5 / √5 = 1.963.
    mean, half = mean_interval([1, 2, 3, 4, 5])
    assert mean == 3
    assert half == pytest.approx(2.776 * math.sqrt(2.5) / math.sqrt(5))
    assert mean_interval([2.0]) == (2.0, pytest.approx(math.nan, nan_ok=True))
    assert mean_interval([1.0, math.inf])[0] == math.inf


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        mean, half = mean_interval(rng.standard_normal(5))
        hits += abs(mean) <= half
    assert 0.935 < hits / 2000 < 0.965


def test_resampling_is_within_tasks_and_repeatable():
    draws = resample(3, 5, 100)
    assert draws.shape == (100, 3, 5)
    assert draws.min() == 0
    assert draws.max() == 4
    assert (draws == resample(3, 5, 100)).all()


def test_bootstrap_of_equal_seeds_has_no_width():
    scores = np.array([[1.0] * 5, [3.0] * 5])
    assert bootstrap(scores, lambda x: x.mean(axis=-1), resample(2, 5)) == (2.0, 2.0, 2.0)


def test_bootstrap_agrees_with_the_normal_approximation():
    rng = np.random.default_rng(1)
    scores = rng.standard_normal((1, 400))
    mean, low, high = bootstrap(scores, lambda x: x.mean(axis=-1), resample(1, 400, 4000))
    error = scores.std() / 20
    assert mean == pytest.approx(scores.mean())
    assert low == pytest.approx(mean - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.15 * error)


def test_winning_is_counted_in_pairs():
    draws = resample(1, 4)
    a, b = np.array([[1.0, 2.0, 3.0, math.inf]]), np.array([[2.0, 2.0, 1.0, math.inf]])
    share, low, high = beats(a, b, draws)
    assert share == (1 + 0.5 + 0 + 0.5) / 4
    assert low < 0.5 < high
    # A seed that is hard for both must not hide that A is always better: pairing is what shows it.
    hard = np.array([[1.0, 10.0, 100.0, 1000.0]])
    assert beats(hard, hard * 1.01, draws) == (1.0, 1.0, 1.0)


def test_groups_hold_who_cannot_be_told_from_their_first():
    draws = resample(2, 5)
    rng = np.random.default_rng(2)
    good = rng.uniform(1, 2, (2, 5))
    same = good + np.array([0.1, -0.1, 0.1, -0.1, 0.1])
    losses = {"bad": good + 1, "good": good, "same": same, "diverged": np.full((2, 5), math.inf)}
    groups = tie_groups(losses, draws)
    assert sorted(groups[0]) == ["good", "same"]
    assert groups[1:] == [["bad"], ["diverged"]]
    assert tie_groups({"alone": good}, draws) == [["alone"]]


def test_two_that_diverged_everywhere_are_one_group():
    both = {name: np.full((1, 5), math.inf) for name in "ab"}
    assert tie_groups(both, resample(1, 5)) == [["a", "b"]]


def test_expected_best_of_k_by_enumeration():
    from itertools import combinations

    losses = [3.0, 1.0, 4.0, 1.5, 9.0]
    for k in range(1, 6):
        every = [min(group) for group in combinations(losses, k)]
        assert expected_best(losses, k) == pytest.approx(sum(every) / len(every))
    with pytest.raises(ValueError, match=r"1\.\.5"):
        expected_best(losses, 6)


def test_profile_counts_problems_within_a_ratio():
    times = {"a": [10, 10, math.inf, math.inf], "b": [20, 10, 50, math.inf]}
    shares = profile(times, [1.0, 1.9, 2.0])
    assert shares["a"] == [0.5, 0.5, 0.5]  # a problem that nobody solves counts for nobody
    assert shares["b"] == [0.5, 0.5, 0.75]


def test_profile_score_is_the_area_up_to_four():
    times = {"a": [10, 10, math.inf, math.inf], "b": [20, 10, 50, math.inf]}
    # b: ratios 2, 1, 1, ∞ → heights over [1, 4]: (4−2)/3, 1, 1, 0, averaged.
    assert profile_score(times) == pytest.approx({"a": 0.5, "b": (2 / 3 + 1 + 1) / 4})


def test_profile_score_equals_the_integral_of_the_profile():
    rng = np.random.default_rng(3)
    times = {name: rng.uniform(1, 10, 12) for name in "abc"}
    ratios = np.linspace(1, 4, 6001)
    shares = profile(times, ratios)
    score = profile_score(times)
    for name in "abc":
        assert np.trapezoid(shares[name], ratios) / 3 == pytest.approx(score[name], abs=1e-3)
