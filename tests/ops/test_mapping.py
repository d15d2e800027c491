"""Calling a function on parts of an array, with NumPy's values and a gradient through each part."""

import numpy as np
import pytest

import tinygrad_opt as tg

X = np.random.default_rng(0).standard_normal((2, 3, 4))


def test_piecewise():
    pieces = [lambda t: np.sqrt(-t), lambda t: t * t, 5.0]
    conditions = [X < 0, X > 1]
    found = np.piecewise(tg.tensor(X), conditions, pieces)
    np.testing.assert_allclose(found.numpy(), np.piecewise(X, conditions, pieces))
    x = tg.tensor([-4.0, 0.5, 3.0], requires_grad=True)
    np.piecewise(x, [x.data < 0, x.data > 1], pieces).sum().backward()  # √ is never called on what has none
    assert x.grad.tolist() == [-0.25, 0.0, 6.0]
    assert np.piecewise(tg.tensor(2.0), [True], [lambda t: t * 3]).item() == 6
    with pytest.raises(ValueError, match="2 conditions need as many functions, or one more; got 1"):
        np.piecewise(tg.tensor(X), conditions, [0])


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(
    "function",
    [lambda v: (v * v).sum(), lambda v: v[::-1] * 2, lambda v: np.outer(v, v[:2])],
    ids=["0-d", "1-d", "2-d"],
)
def test_apply_along_axis(function, axis):
    found = np.apply_along_axis(function, axis, tg.tensor(X))
    np.testing.assert_allclose(found.numpy(), np.apply_along_axis(function, axis, X))
    tg.gradcheck(lambda x: np.apply_along_axis(function, axis, x), [X[:, :2, :2]])
    with pytest.raises(ValueError, match="no vectors"):
        np.apply_along_axis(function, 0, tg.tensor(np.zeros((2, 0))))


def test_apply_over_axes():
    found = np.apply_over_axes(np.sum, tg.tensor(X), [0, -1])
    np.testing.assert_allclose(found.numpy(), np.apply_over_axes(np.sum, X, [0, -1]))
