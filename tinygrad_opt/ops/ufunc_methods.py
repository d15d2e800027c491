"""What ``np.add.outer``, ``np.maximum.accumulate`` and the other methods of NumPy's ufuncs do with Tensors.

Where there is a function for it (``np.multiply.accumulate`` is ``np.cumprod``) that one answers. Else the ufunc itself
is applied step by step, so that any of two arguments has these methods, with its own gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.registry import implementations, lookup
from ..autograd.tensor import Tensor, as_array, as_tensor
from ..errors import DetachError
from .accumulation import cummax, cummin, cumprod, cumsum, logcumsumexp
from .activation import logsumexp
from .creation import beside, together
from .indexing import getitem, setitem
from .joining import stack

__all__: list[str] = []

_REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logaddexp: logsumexp,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
_ACCUMULATIONS: dict[Any, Callable[..., Any]] = {
    np.add: cumsum,
    np.multiply: cumprod,
    np.maximum: lambda x, axis: cummax(x, axis)[0],
    np.minimum: lambda x, axis: cummin(x, axis)[0],
    np.logaddexp: logcumsumexp,
}


def reduce(ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: None = None, **options: Any) -> Any:
    """``ufunc.reduce``: all elements along an axis put together, from the first to the last."""
    keepdims = options.pop("keepdims", False)
    array = as_tensor(array) if dtype is None else as_tensor(array).astype(dtype)
    if ufunc in _REDUCTIONS:
        return _REDUCTIONS[ufunc](array, axis=axis, keepdims=keepdims, **options)
    if options:
        raise TypeError(f"np.{ufunc.__name__}.reduce on Tensors takes no {', '.join(options)}=.")
    axes = range(array.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for a in sorted((normalize_axis_index(a, array.ndim) for a in axes), reverse=True):
        parts = np.unstack(array, axis=a)
        if not parts:
            raise ValueError(f"np.{ufunc.__name__}.reduce of shape {array.shape}: nothing to put together on axis {a}.")
        array = _running(ufunc, parts)[-1]
        array = np.expand_dims(array, a) if keepdims else array
    return array


def _running(ufunc: Any, parts: Any) -> list[Any]:
    """The parts put together up to each one."""
    apply = lookup(ufunc)
    results = [parts[0]]
    for part in parts[1:]:
        results.append(apply(results[-1], part))
    return results


def accumulate(ufunc: Any, array: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Any:
    """``ufunc.accumulate``: the elements along an axis put together up to each one."""
    array = as_tensor(array) if dtype is None else as_tensor(array).astype(dtype)
    if array.ndim == 0:
        raise TypeError(f"np.{ufunc.__name__}.accumulate: a 0-d Tensor has no axis to accumulate along.")
    if ufunc in _ACCUMULATIONS:
        return _ACCUMULATIONS[ufunc](array, axis=axis)
    return stack(_running(ufunc, np.unstack(array, axis=axis)), axis=axis) if array.shape[axis] else array


def outer(ufunc: Any, a: Any, b: Any, **options: Any) -> Any:
    """``ufunc.outer``: every element of a with every element of b; shape ``a.shape + b.shape``."""
    a, b = together(a, b)
    return lookup(ufunc)(a.reshape(a.shape + (1,) * b.ndim), b, **options)


def reduceat(ufunc: Any, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Any:
    """``ufunc.reduceat``: :func:`reduce` from each index up to the next one; a lone element where that is none."""
    array = as_tensor(array)
    starts = [int(i) for i in as_array(indices)]
    axis = normalize_axis_index(axis, array.ndim)
    n = array.shape[axis]
    if wrong := [i for i in starts if not 0 <= i < n]:
        raise IndexError(f"np.{ufunc.__name__}.reduceat: index {wrong[0]} is out of bounds for {n} elements.")
    front = (slice(None),) * axis
    ends = [*starts[1:], n]
    pieces = [
        reduce(ufunc, array[(*front, slice(i, j if i < j else i + 1))], axis, dtype)
        for i, j in zip(starts, ends, strict=True)
    ]
    return stack(pieces, axis=axis)


def at(ufunc: Any, array: Any, indices: Any, *operands: Any) -> None:
    """``ufunc.at``: the ufunc applied in place at some indices, once more for each time an index is repeated."""
    if not isinstance(array, Tensor):
        raise DetachError(
            f"np.{ufunc.__name__}.at cannot write a Tensor's values into an array that knows no gradient. "
            f"Make the array a Tensor first: tg.as_tensor(array)."
        )
    places = np.arange(array.size).reshape(array.shape)[indices.data if isinstance(indices, Tensor) else indices]
    flat: Any = array.reshape(-1)
    rounds = _nth_time(places.reshape(-1))
    spread = [np.broadcast_to(beside(operand, array), places.shape).reshape(-1) for operand in operands]
    for turn in np.arange(rounds.max(initial=-1) + 1):
        now = np.flatnonzero(rounds == turn)
        where = places.reshape(-1)[now]
        flat = setitem(flat, lookup(ufunc)(getitem(flat, where), *[getitem(part, now) for part in spread]), where)
    array._rebind(flat.reshape(array.shape), f"np.{ufunc.__name__}.at")


def _nth_time(places: Any) -> Any:
    """For each place in turn, how often it was named before."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    first = np.searchsorted(ordered, ordered, "left")
    times = np.empty_like(order)
    times[order] = np.arange(order.size) - first
    return times


for _method in (reduce, accumulate, outer, reduceat, at):
    implementations["ufunc", _method.__name__] = _method
