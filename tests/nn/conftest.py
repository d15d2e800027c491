"""The implementations of fused operations that a comparison runs on."""

import pytest

from tinygrad_opt.kernels import kernels


@pytest.fixture(params=["numpy", "numba"])
def each_kernel(request):
    """Run a test on NumPy alone, as without Numba, and with every compiled twin, however small the arrays."""
    if request.param == "numba":
        pytest.importorskip("numba")
    before = kernels()
    yield kernels(request.param)
    kernels(before)
