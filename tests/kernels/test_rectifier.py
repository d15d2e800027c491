"""The compiled relu: the same bits as NumPy's, also at zero, infinity and NaN, and for any number of threads."""

import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import kernels, threads
from tinygrad_opt.ops import relu

pytest.importorskip("numba")


def both(x, g, choice):
    before = kernels()
    kernels(choice)
    try:
        leaf = Tensor(x, requires_grad=True)
        y = relu(leaf)
        y.backward(g)
        return y.data, leaf.grad.data
    finally:
        kernels(before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_bits_are_those_of_numpy(dtype):
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, 7, 31)).astype(dtype)
    x[0, :5] = 0, -0.0, np.nan, np.inf, -np.inf
    g[1, :3] = np.nan, np.inf, -np.inf
    for found, expected in zip(both(x, g, "numba"), both(x, g, "numpy"), strict=True):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)


def test_what_does_not_lie_in_a_row():
    x = np.random.default_rng(0).standard_normal((6, 8)).T
    y, dx = both(x, np.ones(x.shape), "numba")
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(dx, x > 0)


def test_in_threads(monkeypatch):
    x = np.random.default_rng(0).standard_normal((1 << 19) + 3).astype(np.float32)
    monkeypatch.setattr(threads, "workers", lambda: 3)
    threads._forget()
    y, dx = both(x, x, "numba")
    threads._forget()
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(dx, np.maximum(x, 0))
