import numpy as np
import pytest

from tinygrad_opt import nn
from tinygrad_opt.nn import functional as F

X = np.arange(3.0)


def test_widths_may_be_numpys_and_in_a_list():
    expected = [2.0, 1.0, 0.0, 1.0, 2.0, 1.0]
    for widths in ((2, 1), [2, 1], np.array([2, 1])):
        np.testing.assert_array_equal(F.pad(X, widths, "reflect").data, expected)
    assert nn.ZeroPad1d(np.int64(2)).padding == (2, 2)
    assert nn.ZeroPad1d((2, -1))(X).shape == (4,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: F.pad(X, 1), r"pad: the widths must be ints, \(left, right, top, bottom, ...\); got 1"),
        (lambda: F.pad(X, (1, "a")), r"pad: the widths must be ints, .* got \(1, 'a'\)"),
        (lambda: F.pad(X, (1.5, 1)), r"pad: the widths must be ints, .* got \(1.5, 1\)"),
        (lambda: F.pad(X, (1,)), r"pad: expected a pair of widths for each of at most 1 axes, got \(1,\)"),
        (lambda: F.pad(X, (1, 1), "mirror"), "pad: mode must be one of constant, reflect, replicate, circular"),
        (lambda: F.pad(X, (3, 0), "reflect"), r"pad: axis 0 of shape \(3,\) is too short for reflect padding of 3"),
        (lambda: nn.ZeroPad1d(1.5), "ZeroPad1d: padding must be an int or 2 ints, got 1.5"),
        (lambda: nn.ConstantPad2d((1, 2), 0.0), r"ConstantPad2d: padding must be an int or 4 ints, got \(1, 2\)"),
        (lambda: nn.ReflectionPad1d("ab"), "ReflectionPad1d: padding must be an int or 2 ints, got 'ab'"),
    ],
)
def test_wrong_options(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
