"""Decompositions of matrices and their gradients: Cholesky, QR, eigenvalues.

Sources: Murray, "Differentiation of the Cholesky decomposition" (2016, arXiv:1602.07527); Walter & Lehmann,
"Algorithmic differentiation of linear algebra functions" (2010, QR). Vectors that belong to equal eigenvalues are not
unique: their gradient is infinite, as in PyTorch; the values' own gradient is right even there. Eigenvectors of
complex matrices have a free phase: a loss must not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from ..errors import GradientError
from .matmul import conjugate
from .systems import adjoint, square_samples

__all__ = ["cholesky", "eig", "eigh", "eigvals", "eigvalsh", "qr"]


def columns(values: Any) -> Any:
    """(…, k) as (…, 1, k): one factor a column."""
    return np.expand_dims(values, -2)


def rows(values: Any) -> Any:
    """(…, k) as (…, k, 1): one factor a row."""
    return np.expand_dims(values, -1)


def divide(a: Any, b: Any) -> Any:
    """a / b, with 0 / 0 = 0: a gradient that did not arrive gives none."""
    return a / np.where((a == 0) & (b == 0), 1.0, b)


def over_gaps(a: Any, values: Any) -> Any:
    """a_ij / (v_j − v_i) off the diagonal, 0 on it."""
    gaps = columns(values) - rows(values)
    return divide(a * (1.0 - np.eye(a.shape[-1], dtype=a.dtype)), gaps)


def _lower(a: Any, offset: int = 0) -> Any:
    """The part of each matrix on and below a diagonal."""
    return a * np.tri(a.shape[-2], a.shape[-1], offset, dtype=a.dtype)


def _hermitian(a: Any, triangle: str = "L") -> Any:
    """The Hermitian part of a; of a matrix that is not Hermitian, what one of its triangles makes."""
    ah = adjoint(a)
    if not a.size or np.abs(a - ah).max() <= 1e-5 * np.abs(a).max():
        return (a + ah) / 2
    lower = _lower(a if triangle == "L" else ah)
    return lower + adjoint(_lower(lower, -1))


def _positive_samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2)):
        a = rng.standard_normal(shape)
        yield (a @ a.swapaxes(-1, -2) + np.eye(shape[-1]),)


@primitive(
    name="cholesky",
    arrays=1,
    formula="L with A = L Lᵀ",
    gradient=["L⁻ᵀ Φ(Lᵀ g) L⁻¹, symmetric part"],
    samples=_positive_samples,
)
def _cholesky(a: Any) -> Any:
    return np.linalg.cholesky(_hermitian(a))


@_cholesky.vjp(0)
def _(g: Any, y: Any, _a: Any) -> Any:
    inner = adjoint(y) @ _lower(g)
    inner = _lower(inner) - inner * (0.5 * np.eye(inner.shape[-1], dtype=inner.dtype))
    left = np.linalg.solve(adjoint(y), inner)
    full = adjoint(np.linalg.solve(adjoint(y), adjoint(left)))
    return (full + adjoint(full)) / 2


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The lower triangular L with a = L Lᵀ (or the upper one with a = Uᵀ U) of positive definite matrices.

    Of a matrix that is not symmetric only the lower triangle is read. The gradient is that of a symmetric matrix, and
    symmetric itself, as in PyTorch. Shape: (…, n, n) → (…, n, n).

    Raises
    ------
    numpy.linalg.LinAlgError
        A matrix that is not positive definite.
    """
    lower = _cholesky(a)
    return adjoint(lower) if upper else lower


class EighResult(NamedTuple):
    """Eigenvalues, rising, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


@primitive(
    name="eigh",
    arrays=1,
    formula="λ, V with A = V diag(λ) Vᵀ",
    gradient=["V (diag(g_λ) + Vᵀ g_V / gaps) Vᵀ"],
    samples=square_samples(symmetric=True),
)
def _eigh(a: Any, triangle: str = "L") -> Any:
    return tuple(np.linalg.eigh(_hermitian(a, triangle)))


@_eigh.vjp(0)
def _(g: Any, y: Any, _a: Any, triangle: str = "L") -> Any:
    values, vectors = y
    inner = over_gaps(adjoint(vectors) @ g[1], values)
    inner = inner + rows(g[0]) * np.eye(values.shape[-1], dtype=values.dtype)
    full = vectors @ inner @ adjoint(vectors)
    return (full + adjoint(full)) / 2


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues (…, n), rising, and eigenvectors (…, n, n) of symmetric (Hermitian) matrices.

    Of a matrix that is not symmetric only one triangle, lower or upper, is read. The gradient is that of a symmetric
    matrix, and symmetric itself, as in PyTorch. A loss should not depend on the eigenvectors' arbitrary signs.
    """
    if UPLO.upper() not in ("L", "U"):
        raise ValueError(f"eigh: UPLO must be 'L' or 'U', got {UPLO!r}.")
    return EighResult(*_eigh(a, UPLO.upper()))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues (…, n), rising, of symmetric matrices; the gradient V diag(g) Vᵀ holds for equal ones too."""
    return eigh(a, UPLO).eigenvalues


class EigResult(NamedTuple):
    """Eigenvalues, in no order, and eigenvectors of length 1 as columns."""

    eigenvalues: Any
    eigenvectors: Any


def _separated_samples(rng: np.random.Generator) -> Iterator[Any]:
    yield (np.diag([1.0, 3.0, 6.0]) + 0.3 * rng.standard_normal((3, 3)),)
    yield (np.stack([np.diag([1.0, 4.0]), np.diag([-2.0, 2.0])]) + 0.2 * rng.standard_normal((2, 2, 2)),)
    yield (np.full((1, 1), 2.0),)


@primitive(
    name="eig",
    arrays=1,
    formula="λ, V with A V = V diag(λ)",
    gradient=["V⁻ᵀ (diag(g_λ) + (Vᵀ g_V, less what changes lengths) / gaps) Vᵀ"],
    samples=_separated_samples,
)
def _eig(a: Any) -> Any:
    return tuple(np.linalg.eig(a))


@_eig.vjp(0)
def _(g: Any, y: Any, _a: Any) -> Any:
    values, vectors = y
    unit = np.eye(values.shape[-1], dtype=values.dtype)
    vh = adjoint(vectors)
    inner = vh @ g[1]
    lengths = np.real(np.sum(inner * unit, axis=-1))
    inner = over_gaps(inner - vh @ (vectors * columns(lengths)), conjugate(values))
    return np.linalg.solve(vh, (inner + rows(g[0]) * unit) @ vh)


@implements(np.linalg.eig)
def eig(a: Any) -> EigResult:
    """Eigenvalues (…, n) and eigenvectors (…, n, n) of square matrices; complex unless all are real.

    For a matrix with a full set of eigenvectors and no two equal eigenvalues. A loss should not depend on the
    eigenvectors' arbitrary phases.
    """
    return EigResult(*_eig(a))


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """Eigenvalues (…, n) of square matrices; complex unless all are real."""
    return _eig(a)[0]


class QRResult(NamedTuple):
    """Q with orthonormal columns and the upper triangular R."""

    Q: Any
    R: Any


def _qr_samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1)):
        yield (rng.standard_normal(shape),)


@primitive(
    name="qr",
    arrays=1,
    formula="Q, R with A = Q R",
    gradient=["(g_Q + Q sym(R g_Rᵀ − g_Qᵀ Q)) R⁻ᵀ"],
    samples=_qr_samples,
)
def _qr(a: Any) -> Any:
    return tuple(np.linalg.qr(a))


def _qr_rule(q: Any, r: Any, gq: Any, gr: Any) -> Any:
    """The rule for matrices with at least as many rows as columns."""
    inner = r @ adjoint(gr) - adjoint(gq) @ q
    lower = _lower(inner, -1)
    diagonal = _lower(inner) - lower
    right = gq + q @ (lower + adjoint(lower) + (diagonal + adjoint(diagonal)) / 2)
    return adjoint(np.linalg.solve(r, adjoint(right)))


@_qr.vjp(0)
def _(g: Any, y: Any, a: Any) -> Any:
    (q, r), (gq, gr) = y, g
    m, n = a.shape[-2:]
    gr = gr - _lower(gr, -1)
    if m >= n:
        return _qr_rule(q, r, gq, gr)
    rest = gr[..., m:]  # a = [x | y], r = [u | qᵀ y]
    first = _qr_rule(q, r[..., :m], gq + a[..., m:] @ adjoint(rest), gr[..., :m])
    return np.concatenate([first, q @ rest], axis=-1)


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """QR decomposition: (…, m, n) → Q (…, m, k), R (…, k, n) with k = min(m, n); R alone for ``mode="r"``.

    Raises
    ------
    GradientError
        ``mode="complete"`` of a matrix with more rows than columns: the columns added to Q are arbitrary.
    """
    a = as_tensor(a)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}.")
    if mode == "complete" and a.shape[-2] > a.shape[-1]:
        if a.requires_grad:
            raise GradientError(
                f"qr: mode='complete' of shape {a.shape} has no gradient, since the columns it adds are arbitrary; "
                f"use mode='reduced'."
            )
        return QRResult(*[as_tensor(part) for part in np.linalg.qr(a.data, "complete")])
    result = QRResult(*_qr(a))
    return result.R if mode == "r" else result
