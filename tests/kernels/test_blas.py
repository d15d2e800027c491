"""Products by one thread or by our own: the same numbers, and the library's count of threads is left as it was."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import blas, kernels, threads


@pytest.mark.parametrize("shape", [(3, 4, 5), (64, 1568, 10), (200, 300, 100)])
def test_it_is_the_product(shape):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape[:2]), rng.standard_normal(shape[1:])
    np.testing.assert_allclose(blas.product(a, b), a @ b, atol=1e-11)


def test_the_count_of_threads_is_set_and_set_back(monkeypatch, numpy_alone):
    counts = [4]
    monkeypatch.setattr(blas, "_thread_count", lambda: (lambda: counts[-1], counts.append))
    blas.product(np.ones((64, 1568)), np.ones((1568, 10)))
    assert counts == [4, 1, 4]
    blas.product(np.ones((4, 4)), np.ones((4, 4)))
    blas.product(np.ones((600, 600)), np.ones((600, 600)))
    assert counts == [4, 1, 4]
    with pytest.raises(ValueError, match="not aligned"):
        blas.product(np.ones((64, 1568)), np.ones((1567, 10)))
    assert counts == [4, 1, 4, 1, 4]


@pytest.fixture
def three_threads(monkeypatch):
    """Our own threads, as on a machine of three cores with Numba."""
    pytest.importorskip("numba")
    for module in (blas, threads):
        monkeypatch.setattr(module, "workers", lambda: 3)
    threads._forget()
    yield
    threads._forget()


@pytest.fixture
def numpy_alone():
    before = kernels()
    kernels("numpy")
    yield
    kernels(before)


@pytest.mark.parametrize("shape", [(300, 200, 100), (100, 200, 301), (2, 1600, 1601)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_with_compiled_kernels_it_is_the_product_in_parts(three_threads, monkeypatch, shape, dtype):
    counts = [4]
    monkeypatch.setattr(blas, "_thread_count", lambda: (lambda: counts[-1], counts.append))
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape[:2]).astype(dtype), rng.standard_normal(shape[:0:-1]).astype(dtype)
    expected = a.astype(np.float64) @ b.T.astype(np.float64)
    found = blas.product(a, b.T)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=1e-3 if dtype == np.float32 else 1e-11)
    np.testing.assert_allclose(blas.product(a.T.copy().T, b.T), expected, atol=1e-3 if dtype == np.float32 else 1e-11)
    assert counts == [4, 1, 4, 1, 4]


def test_with_compiled_kernels_a_vector_is_multiplied_too(three_threads):
    g = np.random.default_rng(0).standard_normal((3000, 2000))
    np.testing.assert_allclose(blas.product(np.ones(3000), g), g.sum(0), atol=1e-9)
    with pytest.raises(ValueError, match="not aligned"):
        blas.product(np.ones((600, 601)), np.ones((600, 600)))


def test_the_count_is_right_again_after_products_in_several_threads(monkeypatch):
    counts = [4]
    monkeypatch.setattr(blas, "_thread_count", lambda: (lambda: counts[-1], counts.append))
    a, b = np.ones((64, 1568)), np.ones((1568, 10))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: blas.product(a, b), range(200)))
    assert counts[-1] == 4


def test_without_openblas_it_is_a_plain_product(monkeypatch):
    monkeypatch.setattr(blas, "_thread_count", lambda: None)
    assert blas.product(np.ones((64, 1568)), np.ones((1568, 10)))[0, 0] == 1568


def test_tensors_are_multiplied_as_tensors():
    x = Tensor(np.ones((64, 1568)), requires_grad=True)
    assert blas.product(x, np.ones((1568, 10))).requires_grad


@pytest.mark.parametrize("shape", [(3, 4, 5), (64, 1568, 10), (300, 200, 100), (100, 200, 301)])
@pytest.mark.parametrize("bias", [np.float32, np.float64, "matrix", "one"])
def test_a_bias_is_added(three_threads, shape, bias):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s).astype(np.float32) for s in (shape[:2], shape[1:]))
    c = rng.standard_normal({"matrix": (1, shape[2]), "one": 1}.get(bias, shape[2]))
    c = c.astype(np.float32 if isinstance(bias, str) else bias)
    found = blas.product(a, b, c)
    assert found.dtype == c.dtype
    np.testing.assert_allclose(found, a.astype(np.float64) @ b + c, atol=1e-3)
