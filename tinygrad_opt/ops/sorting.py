"""Sorting and searching: the order is found on the plain values, and reading in that order has the gradient.

Functions that answer with places or counts are here too; they have no gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_tensor
from .indexing import getitem, on_axis, take_along_axis
from .inspection import ask

__all__ = [
    "argpartition",
    "argsort",
    "argwhere",
    "digitize",
    "flatnonzero",
    "lexsort",
    "nonzero",
    "partition",
    "searchsorted",
    "sort",
    "sort_complex",
    "topk",
    "unique",
]


argpartition = ask(np.argpartition)
argwhere = ask(np.argwhere)
digitize = ask(np.digitize)
flatnonzero = ask(np.flatnonzero)
lexsort = ask(np.lexsort)
nonzero = ask(np.nonzero)
searchsorted = ask(np.searchsorted)


def _order(x: Any, axis: int, kind: Any, stable: Any, descending: bool) -> Any:
    """The places that sort an array; in falling order too, equal elements stay in the order they had."""
    axis = normalize_axis_index(axis, x.ndim, "sort")
    if not descending:
        return np.argsort(x, axis, kind, stable=stable)
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)


@implements(np.argsort)
def argsort(
    a: Any,
    axis: int | None = -1,
    kind: Any = None,
    order: None = None,
    *,
    stable: Any = None,
    descending: bool = False,
) -> Tensor:
    """Like :func:`numpy.argsort`, without gradient; a 0-d array counts as one element, as in PyTorch."""
    x = as_tensor(a).data
    if x.ndim == 0 and axis in (0, -1):
        return Tensor(np.zeros((), np.intp))
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    return Tensor(_order(x, axis, kind, stable, descending))


@implements(np.sort)
def sort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: Any = None,
    descending: bool = False,
) -> Any:
    """The values of `a` in rising order along `axis` (NaN last); of equal ones each keeps its own gradient."""
    a = as_tensor(a)
    if a.ndim == 0 and axis in (0, -1):
        return np.copy(a)
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return take_along_axis(a, _order(a.data, axis, "stable", None, descending), axis)


@implements(np.sort_complex)
def sort_complex(a: Any) -> Any:
    """x as complex numbers, in the order of their real parts and, where those are equal, of their imaginary parts."""
    y = sort(a)
    return y if y.dtype.kind == "c" else y.astype(np.complex64 if y.dtype == np.float32 else np.complex128)


@implements(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: None = None) -> Any:
    """`a` arranged so that the element at `kth` is where sorting would put it, smaller ones before it."""
    a = as_tensor(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = normalize_axis_index(axis, a.ndim, "partition")
    return take_along_axis(a, np.argpartition(a.data, kth, axis=axis), axis)


class TopK(NamedTuple):
    """The chosen values and their places."""

    values: Any
    indices: Any


def topk(x: Any, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> TopK:
    """The k largest (or smallest) values along `axis`, best first, and their places; of equal ones the earliest.

    Raises
    ------
    ValueError
        A k that exceeds the axis.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.topk(tg.tensor([1.0, 4.0, 3.0]), 2)
    TopK(values=tensor([4., 3.]), indices=tensor([1, 2]))
    """
    x = as_tensor(x)
    if x.ndim == 0:
        return TopK(*[part[0] for part in topk(x.reshape(1), k, 0)])
    n = x.shape[axis]
    if not 0 <= k <= n:
        raise ValueError(f"topk: k={k}, but axis {axis} of shape {x.shape} has {n} elements.")
    order = _order(x.data, axis, "stable", None, largest)  # NaN counts as the largest
    places = np.take(order, np.arange(k), axis=axis)
    return TopK(take_along_axis(x, places, axis), Tensor(places))


@implements(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The different values of ar in rising order; of equal ones, the first has the gradient.

    With the flags, a tuple of the values, the places of first occurrence, each element's place among the values, and
    the counts, as NumPy returns them.
    """
    ar = as_tensor(ar)
    _, first, inverse, counts = np.unique(ar.data, True, True, True, axis, equal_nan=equal_nan)
    if axis is None:
        values = getitem(ar.reshape(-1), first)
    else:
        values = getitem(ar, on_axis(first, axis, ar.ndim))
    asked = zip((return_index, return_inverse, return_counts), (first, inverse, counts), strict=True)
    extra = tuple(Tensor(part) for wanted, part in asked if wanted)
    return (values, *extra) if extra else values
