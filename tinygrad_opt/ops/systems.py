"""Linear systems and what hangs on them: inv, solve, det, slogdet, lstsq, pinv, expm, over stacks of matrices.

Rules follow Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008), with the transpose conjugated for complex matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError, missing_extra
from .creation import together
from .matmul import conjugate

__all__ = [
    "cond",
    "det",
    "expm",
    "inv",
    "lstsq",
    "matrix_rank",
    "pinv",
    "slogdet",
    "solve",
    "tensorinv",
    "tensorsolve",
]


def adjoint(a: Any) -> Any:
    """The conjugate transpose of each matrix in a stack."""
    return conjugate(np.swapaxes(a, -1, -2))


def square_samples(symmetric: bool = False) -> Callable[[np.random.Generator], Iterator[Any]]:
    """Well-conditioned square matrices: one, a stack, of extent 1, and none."""

    def samples(rng: np.random.Generator) -> Iterator[Any]:
        for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2)):
            a = rng.standard_normal(shape) + 3 * np.eye(shape[-1])
            yield (a + a.swapaxes(-1, -2) if symmetric else a,)

    return samples


inv = primitive(
    np.linalg.inv,
    numpy=np.linalg.inv,
    arrays=1,
    vjp=[lambda g, y, _a: -adjoint(y) @ g @ adjoint(y)],
    formula="A⁻¹",
    gradient=["−A⁻ᵀ g A⁻ᵀ"],
    samples=square_samples(),
)


def _solve_samples(rng: np.random.Generator) -> Iterator[Any]:
    draw = rng.standard_normal
    for shape, right in [
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((2, 2, 2), (2, 3)),
        ((2, 2), (3, 2, 1)),
        ((2, 2, 2), (2,)),
    ]:
        yield draw(shape) + 3 * np.eye(shape[-1]), draw(right)


def _solve_forward(a: Any, b: Any) -> Any:
    if a.ndim >= 2 and b.ndim and a.shape[-1] != (rows := b.shape[0] if b.ndim == 1 else b.shape[-2]):
        raise ValueError(f"the matrices have {a.shape[-1]} columns, the right-hand side {rows} rows")
    return np.linalg.solve(a, b)


solve = primitive(
    _solve_forward,
    name="solve",
    numpy=np.linalg.solve,
    arrays=2,
    formula="A⁻¹ b",
    gradient=["−(A⁻ᵀ g) yᵀ", "A⁻ᵀ g"],
    samples=_solve_samples,
)


@solve.vjp(0)
def _(g: Any, y: Any, a: Any, _b: Any) -> Any:
    if _b.ndim == 1:
        g, y = np.expand_dims(g, -1), np.expand_dims(y, -1)
    return -np.linalg.solve(adjoint(a), g) @ adjoint(y)


@solve.vjp(1)
def _(g: Any, y: Any, a: Any, _b: Any) -> Any:
    if _b.ndim == 1:
        return np.squeeze(np.linalg.solve(adjoint(a), np.expand_dims(g, -1)), -1)
    return np.linalg.solve(adjoint(a), g)


def _cofactors(a: Any) -> Any:
    """d det(A)/dA by A's singular value decomposition, which stays right where A has no inverse.

    With A = U S Vᵀ: det(U) det(V) · U diag(Π of the other singular values) Vᵀ.
    """
    u, s, vh = np.linalg.svd(a)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1.0, np.expand_dims(s, -2))
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return np.expand_dims(sign, (-1, -2)) * ((u * np.expand_dims(np.prod(others, axis=-1), -2)) @ vh)


det = primitive(
    np.linalg.det,
    numpy=np.linalg.det,
    arrays=1,
    formula="det A",
    gradient=["g · det(A) · A⁻ᵀ"],
    samples=square_samples(),
)


@det.vjp(0)
def _(g: Any, y: Any, a: Any) -> Any:
    values = a.data if isinstance(a, Tensor) else a
    g = np.expand_dims(g, (-1, -2))
    if not a.size:
        return g * np.zeros(a.shape, a.dtype)
    singular = np.linalg.cond(values) > 1 / np.finfo(a.dtype).eps
    if np.any(singular):
        return g * conjugate(_cofactors(a))
    return g * (conjugate(np.expand_dims(y, (-1, -2))) * np.linalg.inv(adjoint(a)))


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


_slogdet = primitive(
    lambda a: tuple(np.linalg.slogdet(a)),
    name="slogdet",
    arrays=1,
    formula="sign, ln |det A|",
    gradient=["g · A⁻ᵀ"],
    samples=square_samples(),
)


@_slogdet.vjp(0)
def _(g: Any, y: Any, a: Any) -> Any:
    weight, sign = g[1], y[0]
    if a.dtype.kind == "c":  # a complex sign turns with A
        weight = weight + 1j * np.imag(g[0] * conjugate(sign))
    singular = np.expand_dims((sign.data if isinstance(sign, Tensor) else sign) == 0, (-1, -2))
    if np.any(singular):
        regular = np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a)
        return np.expand_dims(weight, (-1, -2)) * np.where(singular, np.inf, np.linalg.inv(adjoint(regular)))
    return np.expand_dims(weight, (-1, -2)) * np.linalg.inv(adjoint(a))


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> SlogdetResult:
    """Sign and logarithm of |det|. Shape: (…, n, n) → (…), (…).

    The sign of a real matrix has gradient 0; the logarithm's is infinite where the matrix has no inverse.
    """
    return SlogdetResult(*_slogdet(a))


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """Moore and Penrose's pseudo-inverse: (…, m, n) → (…, n, m).

    Singular values up to ``rtol`` times the largest count as 0 (by default max(m, n) times the machine epsilon). The
    gradient holds where the rank does not change (Golub & Pereyra 1973).
    """
    a = as_tensor(a)
    cutoff = rtol if rcond is None else rcond
    return _pinv(a, max(a.shape[-2:]) * np.finfo(a.dtype).eps if cutoff is None else cutoff, hermitian)


def _pinv_samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape in ((3, 2), (2, 3), (2, 2, 2), (2, 3, 1)):
        yield rng.standard_normal(shape), 1e-10, False


def _pinv_forward(a: Any, cutoff: Any, hermitian: bool) -> Any:
    return np.linalg.pinv(a, cutoff, hermitian)


_pinv = primitive(
    _pinv_forward,
    name="pinv",
    arrays=1,
    formula="A⁺",
    gradient=["−A⁺ᵀ g A⁺ᵀ and two projections"],
    samples=_pinv_samples,
)


@_pinv.vjp(0)
def _(g: Any, y: Any, a: Any, cutoff: Any, hermitian: bool) -> Any:
    p, gh = y, adjoint(g)
    ph = adjoint(p)
    left = gh - a @ (p @ gh)
    right = gh - (gh @ p) @ a
    return -adjoint(p @ adjoint(g) @ p) + left @ p @ ph + ph @ p @ right


class LstsqResult(NamedTuple):
    """Solution, sums of squared residuals, rank and singular values, as NumPy returns them."""

    x: Any
    residuals: Any
    rank: Any
    s: Any


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> LstsqResult:
    """The x with the least ‖a x − b‖ (of those the shortest): (m, n), (m,) or (m, k) → (n,) or (n, k).

    Differentiable in a and b, by way of the pseudo-inverse; stacks of matrices work as well.
    """
    a, b = together(a, b)
    if a.ndim < 2 or b.shape[:1] == () or a.shape[-2] != b.shape[0 if b.ndim == 1 else -2]:
        raise ShapeError(f"lstsq: shapes {a.shape} and {b.shape} do not fit; b needs as many rows as a.")
    eps = np.finfo(a.dtype).eps
    cutoff = eps * max(a.shape[-2:]) if rcond is None else max(rcond, 0) or eps
    x = pinv(a, cutoff) @ b
    s: Any = np.linalg.svd(a, compute_uv=False)
    rank = np.sum(s.data > cutoff * s.data.max(initial=0, axis=-1, keepdims=True), axis=-1)
    full = np.all(rank == a.shape[-1]) and a.shape[-2] > a.shape[-1]
    residual = a @ x - b
    sums = np.sum(residual * residual, axis=-1 if b.ndim == 1 else -2) if full else Tensor(np.zeros(0, a.dtype))
    return LstsqResult(x, np.reshape(sums, (1,)) if full and sums.ndim == 0 else sums, Tensor(rank), s)


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The x with ``tensordot(a, x, x.ndim) == b``."""
    a, b = together(a, b)
    if axes is not None:
        rest = [k for k in range(a.ndim) if k not in axes]
        a = np.transpose(a, rest + list(axes))
    shape = a.shape[b.ndim :]
    if math.prod(shape) != b.size:
        raise ShapeError(f"tensorsolve: a of shape {a.shape} is not square for b of shape {b.shape}.")
    return solve(a.reshape(b.size, b.size), b.reshape(-1)).reshape(shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of a as a linear map from its last axes to its first `ind`."""
    a = as_tensor(a)
    rows, columns = a.shape[:ind], a.shape[ind:]
    if ind <= 0 or math.prod(rows) != math.prod(columns):
        raise ShapeError(f"tensorinv: axes {rows} and {columns} of shape {a.shape} do not make a square matrix.")
    return inv(a.reshape(math.prod(rows), -1)).reshape(*columns, *rows)


@implements(np.linalg.matrix_rank)
def matrix_rank(A: Any, *args: Any, **options: Any) -> Tensor:
    """The number of singular values that count as more than 0; a whole number, without gradient."""
    return Tensor(np.asarray(np.linalg.matrix_rank(as_tensor(A).data, *args, **options)))


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """The condition number ‖A‖ ‖A⁻¹‖ in a norm, by default the ratio of the extreme singular values."""
    x = as_tensor(x)
    if p in (None, 2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))


@primitive(
    arrays=1,
    formula="exp(A)",
    gradient=["the upper right block of exp [[Aᵀ, g], [0, Aᵀ]]"],
    samples=lambda rng: [(rng.standard_normal((2, 2)),), (rng.standard_normal((2, 3, 3)),), (np.ones((1, 1)),)],
)
def expm(a: Any) -> Any:
    """The matrix exponential Σ Aᵏ/k! of each matrix in a stack: (…, n, n) → (…, n, n).

    Needs SciPy (Al-Mohy & Higham 2009). The gradient is the exponential of a matrix twice the size (Van Loan 1978).
    """
    try:
        from scipy.linalg import expm as exponential
    except ImportError:
        raise missing_extra("scipy", "scipy", "expm") from None
    return exponential(a)


@expm.vjp(0)
def _(g: Any, y: Any, a: Any) -> Any:
    n, ah = a.shape[-1], adjoint(a)
    upper = np.concatenate([ah, g], axis=-1)
    lower = np.concatenate([np.zeros(a.shape, a.dtype), ah], axis=-1)
    return expm(np.concatenate([upper, lower], axis=-2))[..., :n, n:]
