"""Products that are matmul or einsum under another name: dot, inner, outer, tensordot, cross, kron, trace and kin."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from .creation import together
from .einsum import contract, einsum

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matrix_power",
    "matvec",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vdot",
    "vecdot",
    "vecmat",
]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@implements(np.dot)
def dot(a: Any, b: Any) -> Any:
    """Sum over the last axis of a and the second to last of b (the only one, for a vector); a product for numbers."""
    a, b = together(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return a @ b
    return tensordot(a, b, (-1, -2))


@implements(np.inner)
def inner(a: Any, b: Any) -> Any:
    """Sum over the last axes of both; a product for numbers."""
    a, b = together(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, (-1, -1))


@implements(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """Σ conj(a) · b over all elements, as of vectors."""
    a, b = together(a, b)
    return np.conjugate(a.reshape(-1)) @ b.reshape(-1)


@implements(np.outer, np.linalg.outer)
def outer(a: Any, b: Any) -> Any:
    """All products of an element of a and an element of b, both flattened: (n,), (m,) → (n, m)."""
    a, b = together(a, b)
    return a.reshape(-1, 1) * b.reshape(-1)


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum over pairs of axes: the last `axes` of a with the first of b, or ``axes=(of_a, of_b)``.

    Raises
    ------
    ShapeError
        Paired axes of different extent, or not the same number of axes on both sides.
    """
    a, b = together(a, b)
    if isinstance(axes, (tuple, list)):
        left, right = (list(part) if isinstance(part, (tuple, list)) else [part] for part in axes)
    else:
        left, right = list(range(-axes, 0)), list(range(axes))
    if len(left) != len(right) or max(len(left), len(right)) > min(a.ndim, b.ndim):
        raise ShapeError(f"tensordot: axes {left} of shape {a.shape} and {right} of shape {b.shape} do not pair up.")
    first = _LETTERS[: a.ndim]
    second = list(_LETTERS[a.ndim : a.ndim + b.ndim])
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise ShapeError(
                f"tensordot: axis {i} of shape {a.shape} and axis {j} of shape {b.shape} are paired, "
                f"but {a.shape[i]} is not {b.shape[j]}."
            )
        second[j] = first[i]
    out = "".join(c for c in first if c not in second) + "".join(c for c in second if c not in first)
    return contract(a, b, f"{first},{''.join(second)}->{out}")


@implements(np.vecdot, np.linalg.vecdot)
def vecdot(a: Any, b: Any, *, axis: int = -1) -> Any:
    """Σ conj(a) · b along `axis`, the others broadcast."""
    a, b = together(a, b)
    a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return einsum("...i,...i->...", np.conjugate(a) if a.dtype.kind == "c" else a, b)


@implements(np.matvec)
def matvec(a: Any, x: Any) -> Any:
    """Stacks of matrices times stacks of vectors: (…, n, m), (…, m) → (…, n)."""
    return einsum("...ij,...j->...i", a, x)


@implements(np.vecmat)
def vecmat(x: Any, a: Any) -> Any:
    """Stacks of vectors (conjugated) times stacks of matrices: (…, n), (…, n, m) → (…, m)."""
    x, a = together(x, a)
    return einsum("...i,...ij->...j", np.conjugate(x) if x.dtype.kind == "c" else x, a)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Any:
    """A chain of matrix products in the cheapest order; the first and the last may be vectors."""
    chain = together(*arrays)
    if len(chain) < 2:
        raise ValueError(f"multi_dot: expected at least two arrays, got {len(chain)}.")
    terms = [_LETTERS[i : i + 2] for i in range(len(chain))]
    if chain[0].ndim == 1:
        terms[0] = terms[0][1]
    if chain[-1].ndim == 1:
        terms[-1] = terms[-1][0]
    for term, a in zip(terms, chain, strict=True):
        if a.ndim != len(term):
            raise ShapeError(f"multi_dot: expected matrices (vectors only at the ends), got shape {a.shape}.")
    for a, b in itertools.pairwise(chain):
        if a.shape[-1] != b.shape[0]:
            raise ShapeError(
                f"multi_dot: {a.shape} @ {b.shape}: the inner sizes {a.shape[-1]} and {b.shape[0]} differ."
            )
    kept = terms[0][:-1] + terms[-1][1:]
    return einsum(f"{','.join(terms)}->{kept}", *chain, optimize="optimal" if len(chain) < 7 else "greedy")


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """a multiplied by itself n times, by repeated squaring; a negative n takes the inverse first.

    Shape: (…, m, m) → (…, m, m).
    """
    a, n = as_tensor(a), operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"matrix_power: expected square matrices, got shape {a.shape}.")
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return a * 0 + np.eye(a.shape[-1], dtype=a.dtype)
    while not n & 1:
        a, n = a @ a, n >> 1
    result = a
    while n := n >> 1:
        a = a @ a
        if n & 1:
            result = result @ a
    return result


@implements(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of three-dimensional vectors, over all other axes."""
    a, b = together(a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if a.shape[-1:] != (3,) or b.shape[-1:] != (3,):
        raise ShapeError(f"cross: expected vectors of extent 3, got shapes {a.shape} and {b.shape}.")
    forth, back = [1, 2, 0], [2, 0, 1]
    product: Any = a[..., forth] * b[..., back] - a[..., back] * b[..., forth]
    return np.moveaxis(product, -1, axisc)


@implements(np.linalg.cross)
def linalg_cross(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    """:func:`cross` with one axis for all, as ``np.linalg`` has it."""
    return cross(a, b, axis=axis)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    """Kronecker's product: b, once for each element of a and scaled by it, laid out like a."""
    a, b = together(a, b)
    rank = max(a.ndim, b.ndim)
    first = (1,) * (rank - a.ndim) + a.shape
    second = (1,) * (rank - b.ndim) + b.shape
    spread = a.reshape([n for extent in first for n in (extent, 1)])
    product = spread * b.reshape([n for extent in second for n in (1, extent)])
    return product.reshape([m * n for m, n in zip(first, second, strict=True)])


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """Sum of a diagonal; with more axes, of each matrix along `axis1` and `axis2`."""
    return np.sum(np.diagonal(as_tensor(a), offset, axis1, axis2), axis=-1, dtype=dtype)


@implements(np.linalg.trace)
def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """:func:`trace` of each matrix in a stack (…, m, n) → (…), as ``np.linalg`` has it."""
    return trace(x, offset, -2, -1, dtype)
