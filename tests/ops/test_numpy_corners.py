"""Corners where NumPy's functions do what one would not guess, and calls that NumPy refuses: the same on Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

V = np.array([3.0, 1.0, 2.0])
M = np.array([V, V + 1])
INTS = np.array([1, 2])
LABELS = np.array([True, False, False])

SAME: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "linspace to whole numbers rounds down": (lambda x: np.linspace(x, 1.0, 4, dtype=int), np.float64(-1.0)),
    "concatenate, unsafe": (lambda x: np.concatenate([x], dtype=int, casting="unsafe"), V),
    "hstack, unsafe": (lambda x: np.hstack([x, x], dtype=int, casting="unsafe"), V),
    "no freedom left": (lambda x: np.cov(x, ddof=3), V[:2]),
    "an array of two is two numbers of bins": (lambda x: np.histogram2d(x, x, bins=np.array([2, 3])), V),
    "three numbers are edges for both": (lambda x: np.histogram2d(x, x, bins=[0.0, 1.5, 3.0]), V),
    "two vectors are edges for each": (lambda x: np.histogram2d(x, x, bins=[[0.0, 3.0], [0.0, 2.0, 3.0]]), V),
    "a period below 0": (lambda x: np.interp(x, np.array([1.0, 2.0]), np.array([1.0, 2.0]), period=-2.5), V),
    "conditions in one array": (lambda x: np.piecewise(x, np.array([LABELS, ~LABELS]), [lambda v: v * 2, -1.0]), V),
    "one condition": (lambda x: np.piecewise(x, LABELS, [lambda v: v * 2, -1.0]), V),
    "a mean of whole numbers is rounded": (lambda x: np.pad(x, 1, "mean"), INTS),
    "a ramp of whole numbers": (lambda x: np.pad(x, 2, "linear_ramp"), INTS),
    "a part for the statistic": (lambda x: np.pad(x, 1, "maximum", stat_length=(1, 2)), V),
    "a NumPy integer as axis": (lambda x: np.apply_over_axes(np.sum, x, np.int64(0)), M),
    "the first axis last": (lambda x: np.apply_over_axes(np.sum, x, [-1, 0]), M),
    "compress by numbers": (lambda x: np.compress([0, 1, 1], x), V),
}


@pytest.mark.filterwarnings("ignore:Degrees of freedom")
@pytest.mark.parametrize("name", SAME)
def test_numpys_habits(name: str) -> None:
    function, x = SAME[name]
    with np.errstate(all="ignore"):
        expected, found = function(x), function(tg.tensor(x))
    several = isinstance(expected, tuple)
    for a, b in zip(expected if several else [expected], found if several else [found], strict=True):
        assert b.dtype == a.dtype
        np.testing.assert_allclose(b.data, a, rtol=1e-14)


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "compress": (lambda x: np.compress([[True, False, True]], x), r"condition must be a vector, got shape \(1, 3\)"),
    "concatenate": (lambda x: np.concatenate([x, x], dtype=int), "float64 becomes no int64 by the rule 'same_kind'"),
    "stack": (lambda x: np.stack([x], dtype=int), 'give casting="unsafe"'),
    "hstack of nothing": (lambda x: np.hstack([x][:0]) if x is V else tg.hstack([]), "at least one array"),
    "split": (lambda x: np.split(x, 0), "number of parts must be at least 1, got 0"),
    "vsplit": (lambda x: np.vsplit(x, 3), r"at least two axes, got shape \(3,\); split takes a vector"),
    "edges that fall": (lambda x: np.histogram(x, bins=[3.0, 1.0, 2.0]), "must increase monotonically"),
    "one number of bins for two": (lambda x: np.histogram2d(x, x, bins=[5]), "2 dimensions, 1 bins"),
    "no period": (lambda x: np.interp(x, [1.0, 2.0], [1.0, 2.0], period=0), "the period must not be 0"),
    "no part for the statistic": (lambda x: np.pad(x, 1, "maximum", stat_length=0), "stat_length must be 1 or more"),
    "an option of another mode": (lambda x: np.pad(x, 1, "edge", end_values=3), "mode 'edge' takes no end_values="),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_refuses_is_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises((ValueError, TypeError, ZeroDivisionError)):
        call(V)
    with pytest.raises((ValueError, TypeError), match=message):
        call(tg.tensor(V, requires_grad=True))


@pytest.mark.parametrize("dtype", ["u1", "u8", "i1", "?"])
def test_one_hot_of_small_integers(dtype: str) -> None:
    assert tg.one_hot(np.array([1, 0], dtype)).tolist() == [[0, 1], [1, 0]]


def test_one_hot_beyond_a_small_integers_range() -> None:
    assert tg.one_hot(np.array([3], "u1"), 1000).shape == (1, 1000)
