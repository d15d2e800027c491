"""The product of matrices in all its broadcasting forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..kernels.blas import product

__all__ = ["matmul"]


def _matmul_samples(rng: np.random.Generator) -> Iterator[Any]:
    draw = rng.standard_normal
    for a, b in [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((2, 2, 3), (3, 2)),
        ((2, 3), (2, 3, 2)),
        ((3,), (2, 3, 2)),
        ((2, 2, 3), (3,)),
        ((2, 1, 2, 3), (3, 3, 1)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 2)),
    ]:
        yield draw(a), draw(b)
    yield draw((3, 2)).T, draw((4, 3)).T


def _flat(a: Any) -> Any:
    """A stack of rows as one matrix: a product with one matrix then is one call of BLAS."""
    rows = 1
    for extent in a.shape[:-1]:
        rows *= extent
    return a.reshape(rows, a.shape[-1])


def _times_matrix(a: Any, b: Any) -> Any:
    """A stack of rows times one matrix."""
    return product(_flat(a), b).reshape(*a.shape[:-1], b.shape[1])


@primitive(numpy=np.matmul, arrays=2, formula="a @ b", gradient=["g @ bᵀ", "aᵀ @ g"], samples=_matmul_samples)
def matmul(a: Any, b: Any) -> Any:
    """Product of matrices, of stacks of matrices, or of a matrix and a vector.

    Shapes: (…, n, k) @ (…, k, m) → (…, n, m), where leading axes broadcast; a vector (k,) on the left is a row, on
    the right a column, and that axis is absent from the result.
    """
    if b.ndim == 2 and a.ndim and a.shape[-1] == b.shape[0]:
        return product(a, b) if a.ndim <= 2 else _times_matrix(a, b)
    return np.matmul(a, b)


def conjugate(a: Any) -> Any:
    """The complex conjugate; a real array as it is, not copied."""
    return np.conjugate(a) if a.dtype.kind == "c" else a


@matmul.vjp(0)
def _(g: Any, y: Any, _a: Any, b: Any) -> Any:
    b = conjugate(b)
    if b.ndim == 2:
        return product(g, b.T) if g.ndim <= 2 else _times_matrix(g, b.T)
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    if _a.ndim == 1:
        return np.squeeze(np.expand_dims(g, -2) @ np.swapaxes(b, -1, -2), -2)
    return g @ np.swapaxes(b, -1, -2)


@matmul.vjp(1)
def _(g: Any, y: Any, a: Any, _b: Any) -> Any:
    a = conjugate(a)
    if a.ndim == 1:
        return np.expand_dims(a, -1) * np.expand_dims(g, -2) if _b.ndim > 1 else g * a
    if _b.ndim == 1:
        return _flat(a).T @ g.reshape(-1)
    if _b.ndim == 2:
        return product(a.T, g) if a.ndim == 2 else product(_flat(a).T, _flat(g))
    return np.swapaxes(a, -1, -2) @ g


implements(np.linalg.matmul)(matmul)
