"""Products by one thread: the same numbers, and the library's own count of threads is left as it was."""

import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import blas


@pytest.mark.parametrize("shape", [(3, 4, 5), (64, 1568, 10), (200, 300, 100)])
def test_it_is_the_product(shape):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape[:2]), rng.standard_normal(shape[1:])
    np.testing.assert_allclose(blas.product(a, b), a @ b, atol=1e-11)


def test_the_count_of_threads_is_set_and_set_back(monkeypatch):
    counts = [4]
    monkeypatch.setattr(blas, "_thread_count", lambda: (lambda: counts[-1], counts.append))
    blas.product(np.ones((64, 1568)), np.ones((1568, 10)))
    assert counts == [4, 1, 4]
    blas.product(np.ones((4, 4)), np.ones((4, 4)))
    blas.product(np.ones((600, 600)), np.ones((600, 600)))
    assert counts == [4, 1, 4]
    with pytest.raises(ValueError, match="mismatch"):
        blas.product(np.ones((64, 1568)), np.ones((1567, 10)))
    assert counts == [4, 1, 4, 1, 4]


def test_without_openblas_it_is_a_plain_product(monkeypatch):
    monkeypatch.setattr(blas, "_thread_count", lambda: None)
    assert blas.product(np.ones((64, 1568)), np.ones((1568, 10)))[0, 0] == 1568


def test_tensors_are_multiplied_as_tensors():
    x = Tensor(np.ones((64, 1568)), requires_grad=True)
    assert blas.product(x, np.ones((1568, 10))).requires_grad
