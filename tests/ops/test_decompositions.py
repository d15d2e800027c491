"""Decompositions rebuild their matrix, have the values NumPy gives, and refuse what has no gradient."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import GradientError

RNG = np.random.default_rng(0)
A = RNG.standard_normal((2, 3, 3))
S = A @ A.swapaxes(-1, -2) + np.eye(3)
TALL = RNG.standard_normal((4, 2))


def test_each_rebuilds_its_matrix():
    u, s, vh = np.linalg.svd(tg.tensor(TALL), full_matrices=False)
    np.testing.assert_allclose(((u * s) @ vh).numpy(), TALL, atol=1e-14)
    q, r = np.linalg.qr(tg.tensor(TALL))
    np.testing.assert_allclose((q @ r).numpy(), TALL, atol=1e-14)
    w, v = np.linalg.eigh(tg.tensor(S))
    np.testing.assert_allclose((v * w[:, None] @ v.mT).numpy(), S, atol=1e-13)
    w, v = np.linalg.eig(tg.tensor(A))
    np.testing.assert_allclose((v * w[:, None]).numpy(), A @ v.numpy(), atol=1e-13)
    lower = np.linalg.cholesky(tg.tensor(S))
    np.testing.assert_allclose((lower @ lower.mT).numpy(), S, atol=1e-13)
    assert tg.linalg.qr(TALL, "complete").Q.shape == (4, 4)
    assert tg.linalg.qr(TALL, "r").shape == (2, 2)
    assert tg.linalg.svd(TALL).U.shape == (4, 4)


@pytest.mark.parametrize("triangle", ["L", "U"])
def test_one_triangle_is_read_of_an_unsymmetric_matrix(triangle):
    np.testing.assert_allclose(
        np.linalg.eigvalsh(tg.tensor(A), triangle).numpy(), np.linalg.eigvalsh(A, triangle), rtol=1e-12
    )


def test_general_eigenvalues_have_a_gradient():
    rotation = np.array([[0.0, -2.0], [3.0, 0.5]])
    found = tg.linalg.eigvals(tg.tensor(rotation))
    np.testing.assert_allclose(np.sort_complex(found.numpy()), np.sort_complex(np.linalg.eigvals(rotation)))
    # Σ λ² = tr A², Π λ = det A
    tg.gradcheck(lambda a: np.real((tg.linalg.eigvals(a) ** 2).sum()), [rotation])
    x = tg.tensor(rotation, requires_grad=True)
    np.real((tg.linalg.eigvals(x) ** 2).sum()).backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * rotation.T, atol=1e-12)


def test_equal_values_do_not_spoil_the_values_gradient():
    for function in (lambda a: tg.linalg.eigh(a).eigenvalues, lambda a: tg.linalg.svd(a, False).S):
        x = tg.tensor(2 * np.eye(3), requires_grad=True)
        function(x).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), np.eye(3), atol=1e-14)


def test_what_is_arbitrary_has_no_gradient():
    x = tg.tensor(TALL, requires_grad=True)
    with pytest.raises(GradientError, match="full_matrices=False"):
        (tg.linalg.svd(x).U ** 2).sum().backward()
    tg.linalg.svd(x).S.sum().backward()  # the values' gradient does not mind
    with pytest.raises(GradientError, match=r"mode='complete' of shape \(4, 2\) has no gradient.*mode='reduced'"):
        tg.linalg.qr(x, "complete")


def test_wrong_calls_are_named():
    with pytest.raises(np.linalg.LinAlgError):
        tg.linalg.cholesky(tg.tensor(-np.eye(2)))
    with pytest.raises(ValueError, match="'reduced', 'complete' or 'r', got 'raw'"):
        tg.linalg.qr(TALL, "raw")
    with pytest.raises(ValueError, match="'L' or 'U', got 'X'"):
        tg.linalg.eigh(S, "X")


def test_the_face_holds_what_numpy_holds():
    ours = set(tg.linalg.__all__)
    assert {name for name in np.linalg.__all__ if not name.startswith("_")} <= ours
    assert all(hasattr(tg.linalg, name) for name in ours)
