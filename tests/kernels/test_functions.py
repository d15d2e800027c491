import math

import numpy as np
import pytest

numba = pytest.importorskip("numba")
functions = pytest.importorskip("tinygrad_opt.kernels.functions")

njit = numba.njit(error_model="numpy", fastmath=functions.FAST)


def run(function, x):
    @njit
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.empty_like(x)
    loop(x, y)
    return y


TINY = np.geomspace(1e-30, 1, 2000)
WHOLE = np.concatenate([np.linspace(-12, 12, 20001), TINY, -TINY])
BOUNDS = {  # the reference in double precision, where it is tried, the largest relative error
    "exp": (math.exp, np.linspace(-87.3, 88, 20001), 2e-7),
    "tanh": (math.tanh, WHOLE, 5e-7),
    "erf": (math.erf, WHOLE, 7e-7),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_error(name):
    reference, x, bound = BOUNDS[name]
    x = x.astype(np.float32)
    expected = np.array([reference(float(value)) for value in x])
    assert (np.abs(run(getattr(functions, name), x) - expected) <= bound * np.abs(expected)).all()


def test_ends():
    x = np.array([-np.inf, np.inf, np.nan, -1e30, 1e30], np.float32)
    for name in ("tanh", "erf"):
        np.testing.assert_array_equal(run(getattr(functions, name), x), np.array([-1, 1, np.nan, -1, 1], np.float32))
    low = np.array([-np.inf, -1e30, -88, np.nan, 0], np.float32)
    np.testing.assert_array_equal(run(functions.exp, low), np.array([0, 0, 0, np.nan, 1], np.float32))


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_never_beyond_one(name):
    x = np.linspace(-20, 20, 100001).astype(np.float32)
    assert np.abs(run(getattr(functions, name), x)).max() == 1
