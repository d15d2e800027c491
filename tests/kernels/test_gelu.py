import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import kernels
from tinygrad_opt.nn.gelu import gelu, naive_gelu

SPECIAL = [0.0, -0.0, 1e-30, -1e-30, 50.0, -50.0, 5.5, -5.5]


@pytest.mark.parametrize("form", ["none", "tanh"])
@pytest.mark.parametrize("choice", ["numpy", "numba"])
@pytest.mark.parametrize("size", [3, 20000, 300000])
def test_is_its_definition(form, choice, size):
    if choice == "numba":
        pytest.importorskip("tinygrad_opt.kernels.gelu")
    rng = np.random.default_rng(0)
    x = np.concatenate([SPECIAL, rng.uniform(-8, 8, size)]).astype(np.float32)
    upstream = rng.standard_normal(x.shape).astype(np.float32)
    bound = 6e-6 if (choice, form) == ("numpy", "tanh") else 1e-6  # 1 − tanh² cancels there
    before = kernels()
    kernels(choice)
    try:
        t = Tensor(x, requires_grad=True)
        y = gelu(t, form)
        y.backward(upstream)
    finally:
        kernels(before)
    exact = Tensor(x.astype(float), requires_grad=True)
    expected = naive_gelu(exact, form)
    expected.backward(upstream.astype(float))
    for found, wanted in ((y.data, expected.data), (t.grad.data, exact.grad.data)):
        assert found.dtype == np.float32
        assert (np.abs(found - wanted) <= bound * (1 + np.abs(wanted))).all()


@pytest.mark.parametrize("choice", ["numpy", "numba"])
def test_nan_stays(choice):
    if choice == "numba":
        pytest.importorskip("tinygrad_opt.kernels.gelu")
    before = kernels()
    kernels(choice)
    try:
        assert np.isnan(gelu(np.full(2000, np.nan, np.float32)).data).all()
        assert np.isnan(gelu(np.full(2000, np.nan, np.float32), "tanh").data).all()
    finally:
        kernels(before)
