"""Linear algebra at ordinary and at singular points: values and gradients are PyTorch's (frozen by make_linalg.py)."""

from pathlib import Path

import numpy as np
import pytest

import tinygrad_opt as tg

REFERENCE = Path(__file__).with_name("reference") / "linalg.npz"
RNG = np.random.default_rng(0)
A = RNG.standard_normal((2, 3, 3)) + 2 * np.eye(3)
S = A @ A.swapaxes(-1, -2)
TALL, WIDE = RNG.standard_normal((4, 2)), RNG.standard_normal((2, 4))
RANK1 = np.outer([1.0, 2.0, -1.0], [1.0, 0.5, 3.0])
RANK2 = RANK1 + np.outer([0.0, 1.0, 1.0], [2.0, 0.0, 1.0])
V = np.array([3.0, -4.0, 0.0, 4.0])
ZERO = np.zeros(3)
L = tg.linalg


def weight(shape):
    """Fixed upstream gradients of a shape."""
    return np.random.default_rng(1).standard_normal(shape)


def norms(order, axis=None, keepdims=False):
    return (
        lambda x: L.norm(x, order, axis, keepdims),
        lambda torch, x: torch.linalg.norm(x, order, axis, keepdims),
    )


CASES = {
    "inv": (L.inv, lambda torch, a: torch.linalg.inv(a), [A]),
    "solve": (L.solve, lambda torch, a, b: torch.linalg.solve(a, b), [A, RNG.standard_normal((2, 3, 2))]),
    "solve vector": (L.solve, lambda torch, a, b: torch.linalg.solve(a, b), [A[0], V[:3]]),
    "det": (L.det, lambda torch, a: torch.linalg.det(a), [A]),
    "det of rank 2": (L.det, lambda torch, a: torch.linalg.det(a), [RANK2]),
    "det of rank 1": (L.det, lambda torch, a: torch.linalg.det(a), [RANK1]),
    "logabsdet": (lambda a: L.slogdet(a).logabsdet, lambda torch, a: torch.linalg.slogdet(a).logabsdet, [A]),
    "pinv": (L.pinv, lambda torch, a: torch.linalg.pinv(a), [TALL]),
    "lstsq": (
        lambda a, b: L.lstsq(a, b).x,
        lambda torch, a, b: torch.linalg.lstsq(a, b).solution,
        [TALL, RNG.standard_normal((4, 2))],
    ),
    "expm": (L.expm, lambda torch, a: torch.linalg.matrix_exp(a), [A]),
    "matrix_power": (lambda a: L.matrix_power(a, -3), lambda torch, a: torch.linalg.matrix_power(a, -3), [A]),
    "cholesky": (L.cholesky, lambda torch, a: torch.linalg.cholesky(a), [S]),
    "cholesky upper": (
        lambda a: L.cholesky(a, upper=True),
        lambda torch, a: torch.linalg.cholesky(a, upper=True),
        [S],
    ),
    "q": (lambda a: L.qr(a).Q, lambda torch, a: torch.linalg.qr(a).Q, [TALL]),
    "r": (lambda a: L.qr(a).R, lambda torch, a: torch.linalg.qr(a).R, [WIDE]),
    "svdvals": (L.svdvals, lambda torch, a: torch.linalg.svdvals(a), [TALL]),
    "svdvals of rank 1": (lambda a: L.svdvals(a)[..., :1], lambda torch, a: torch.linalg.svdvals(a)[..., :1], [RANK1]),
    "svdvals, equal": (lambda a: L.svdvals(a).sum(), lambda torch, a: torch.linalg.svdvals(a).sum(), [2 * np.eye(3)]),
    "svd": (
        lambda a: np.abs(L.svd(a, False).U) @ np.abs(L.svd(a, False).Vh),
        lambda torch, a: torch.linalg.svd(a, False).U.abs() @ torch.linalg.svd(a, False).Vh.abs(),
        [TALL],
    ),
    "eigvalsh": (L.eigvalsh, lambda torch, a: torch.linalg.eigvalsh(a), [S]),
    "eigvalsh, equal": (
        lambda a: L.eigvalsh(a).sum(),
        lambda torch, a: torch.linalg.eigvalsh(a).sum(),
        [np.diag([1.0, 1.0, 2.0])],
    ),
    "eigh": (
        lambda a: np.abs(L.eigh(a).eigenvectors),
        lambda torch, a: torch.linalg.eigh((a + a.mT) / 2).eigenvectors.abs(),
        [S],
    ),
    "norm of zeros": (*norms(None), [ZERO]),
    "norm 1": (*norms(1), [V]),
    "norm 1 of zeros": (*norms(1), [ZERO]),
    "norm 3": (*norms(3), [V]),
    "norm 3 of zeros": (*norms(3), [ZERO]),
    "norm 1.5": (*norms(1.5), [V]),
    "norm 0.5": (*norms(0.5), [V]),
    "norm 0": (*norms(0), [V]),
    "norm inf, tie": (*norms(np.inf), [V]),
    "norm -inf": (*norms(-np.inf), [V]),
    "norm inf of zeros": (*norms(np.inf), [ZERO]),
    "norm -2": (*norms(-2), [V[:2]]),
    "norm rows": (*norms(2, 1, True), [TALL]),
    "norm fro": (*norms("fro"), [TALL]),
    "norm nuc": (*norms("nuc", (0, 2)), [A]),
    "norm 2": (*norms(2, (-2, -1)), [A]),
    "norm -2 of matrices": (*norms(-2, (-2, -1), True), [A]),
    "norm 1 of matrices": (*norms(1, (1, 2)), [A]),
    "norm -1 of matrices": (*norms(-1, (2, 1)), [A]),
    "norm inf of matrices": (*norms(np.inf, (1, 2), True), [A]),
}


@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name):
    function, _, arrays = CASES[name]
    with np.load(REFERENCE) as reference:
        expected = reference[f"{name}/value"]
        gradients = [reference[f"{name}/gradient{i}"] for i in range(len(arrays))]
    leaves = [tg.tensor(a, requires_grad=True) for a in arrays]
    out = function(*leaves)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-9, atol=1e-11)
    out.backward(weight(out.shape))
    for leaf, gradient in zip(leaves, gradients, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), gradient, rtol=1e-8, atol=1e-10)
