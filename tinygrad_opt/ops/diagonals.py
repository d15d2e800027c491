"""Diagonals and triangles of matrices; reading a diagonal and writing one are each other's adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from ..errors import ShapeError

__all__ = ["diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "tril", "triu", "vander"]


def _diagonal_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((3, 4))
    yield (x,)
    yield x, 1
    yield x, -1
    yield x, 5
    yield (rng.standard_normal((2, 3, 2)),), {"axis1": -1, "axis2": 0}
    yield (np.zeros((0, 2)),)


diagonal = primitive(
    np.diagonal,
    numpy=(np.diagonal,),
    arrays=1,
    samples=_diagonal_samples,
    formula="the diagonal of x",
    gradient=["g on the diagonal, 0 elsewhere"],
)


@diagonal.vjp(0)
def _(g: Any, _y: Any, _x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return _on_diagonal(g, _x.shape, offset, axis1, axis2)


def _scatter_samples(rng: np.random.Generator) -> Any:
    yield rng.standard_normal(3), (3, 4)
    yield rng.standard_normal(2), (3, 3), -1
    yield rng.standard_normal((3, 2)), (2, 3, 2), 0, -1, 0


@primitive(
    name="on_diagonal",
    arrays=1,
    samples=_scatter_samples,
    formula="x on a diagonal, 0 elsewhere",
    gradient=["the diagonal of g"],
)
def _on_diagonal(x: Any, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros of a shape with `x` on the diagonal that :func:`diagonal` reads there."""
    made = np.zeros(shape, x.dtype)
    n = x.shape[-1]
    rows, columns = np.arange(n) + max(0, -offset), np.arange(n) + max(0, offset)
    np.moveaxis(made, (axis1, axis2), (-2, -1))[..., rows, columns] = x
    return made


@_on_diagonal.vjp(0)
def _(g: Any, _y: Any, _x: Any, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.diagonal(g, offset, axis1, axis2)


def diagonal_scatter(x: Any, source: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """x with `source` on the diagonal that :func:`diagonal` reads there; PyTorch's function of that name."""
    x, source = as_tensor(x), as_tensor(source)
    wanted = np.diagonal(x.data, offset, axis1, axis2).shape
    if source.shape != wanted:
        raise ShapeError(f"diagonal_scatter: the diagonal has shape {wanted}, the source {source.shape}.")
    there = _on_diagonal(np.ones(wanted, bool), x.shape, offset, axis1, axis2)
    return np.where(there, _on_diagonal(source, x.shape, offset, axis1, axis2), x)


def diag_embed(x: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Any:
    """Matrices with the vectors along x's last axis on a diagonal, zeros elsewhere: (…, n) → (…, n + |k|, n + |k|)."""
    x = as_tensor(x)
    n = x.shape[-1] + abs(offset)
    made = _on_diagonal(x, (*x.shape[:-1], n, n), offset, -2, -1)
    return np.moveaxis(made, (-2, -1), (axis1, axis2))


@implements(np.linalg.diagonal)
def _matrix_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals of a stack of matrices, which lie along the last two axes."""
    return diagonal(x, offset, -2, -1)


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix; or, of a vector, the matrix that has it there.

    Raises
    ------
    ShapeError
        `v` has neither one axis nor two.
    """
    v = as_tensor(v)
    if v.ndim == 1:
        n = v.shape[0] + abs(k)
        return _on_diagonal(v, (n, n), k)
    if v.ndim == 2:
        return diagonal(v, k)
    raise ShapeError(f"diag: expected a vector or a matrix, got shape {v.shape}.")


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with all elements of `v` on its k-th diagonal."""
    return diag(np.reshape(as_tensor(v), -1), k)


def _triangle_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((3, 4))
    yield (x,)
    yield x, 1
    yield rng.standard_normal((2, 3, 3)), -1
    yield (np.zeros((0, 2)),)


tril = primitive(
    np.tril,
    numpy=np.tril,
    arrays=1,
    vjp=[lambda g, _y, _x, k=0: np.tril(g, k)],
    samples=_triangle_samples,
    formula="x on and below the diagonal",
    gradient=["g there"],
)
triu = primitive(
    np.triu,
    numpy=np.triu,
    arrays=1,
    vjp=[lambda g, _y, _x, k=0: np.triu(g, k)],
    samples=_triangle_samples,
    formula="x on and above the diagonal",
    gradient=["g there"],
)


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix of powers of a vector's elements, the highest first unless `increasing`."""
    x = as_tensor(x)
    powers = np.arange(len(x) if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1])
