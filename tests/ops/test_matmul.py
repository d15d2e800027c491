"""Products of vectors and matrices against NumPy, and their gradients."""

import numpy as np
import pytest

import tinygrad_opt as tg


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((4, 2, 3), (3, 2)),
        ((5, 4, 2, 3), (3, 2)),
        ((2, 3), (4, 3, 2)),
        ((3,), (4, 3, 2)),
        ((4, 2, 3), (3,)),
        ((4, 1, 2, 3), (5, 3, 2)),
        ((2, 0), (0, 3)),
        ((4, 0, 3), (3, 2)),
        ((0, 2, 3), (3, 2)),
    ],
)
def test_matmul(left, right):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(left), rng.standard_normal(right)
    x, y = tg.tensor(a, requires_grad=True), tg.tensor(b, requires_grad=True)
    out = x @ y
    np.testing.assert_allclose(out.detach().numpy(), a @ b, rtol=1e-13)
    g = rng.standard_normal(out.shape)
    out.backward(g)
    # the definition: d/da Σ g·(a @ b), spelt with matrices only
    rows, columns = np.atleast_2d(a), b[:, None] if b.ndim == 1 else b
    full = g.reshape(np.matmul(rows, columns).shape)
    wanted_a, wanted_b = full @ columns.swapaxes(-1, -2), rows.swapaxes(-1, -2) @ full
    np.testing.assert_allclose(x.grad.numpy(), _fold(wanted_a, left), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(y.grad.numpy(), _fold(wanted_b, right), rtol=1e-12, atol=1e-14)


def _fold(gradient, shape):
    """Sum over leading axes that the operand does not have or has at extent 1."""
    wanted = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    if len(shape) == 1 and gradient.shape[-1] == 1:  # a vector on the right was a column
        wanted = (1,) * (gradient.ndim - 2) + (shape[0], 1)
    axes = tuple(i for i, n in enumerate(wanted) if n == 1 != gradient.shape[i])
    return gradient.sum(axes).reshape(shape)


def test_matmul_names_the_transpose():
    with pytest.raises(tg.errors.ShapeError, match=r"\(32, 784\) @ \(10, 784\).*b\.T"):
        tg.tensor(np.ones((32, 784))) @ np.ones((10, 784))
    with pytest.raises(tg.errors.ShapeError, match=r"0-d array"):
        tg.tensor(2.0) @ np.ones(3)
