"""Lets the tests of this folder import the helper modules beside them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def on_numpy():
    """NumPy's executor for one test, whatever is installed."""
    from tinygrad_opt.kernels import kernels

    before = kernels()
    kernels("numpy")
    yield
    kernels(before)


@pytest.fixture
def on_numba():
    """The compiled executor for one test; skips where Numba is not installed."""
    pytest.importorskip("numba")
    from tinygrad_opt.kernels import kernels

    before = kernels()
    kernels("numba")
    yield
    kernels(before)
