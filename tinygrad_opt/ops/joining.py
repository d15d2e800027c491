"""Joining arrays: end to end, along a new axis, in blocks, and with parts put in or left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from ..errors import ShapeError
from .creation import together

__all__ = [
    "append",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "delete",
    "dstack",
    "hstack",
    "insert",
    "stack",
    "trim_zeros",
    "vstack",
]


def _join_samples(rng: np.random.Generator) -> Any:
    x, y = rng.standard_normal((2, 3)), rng.standard_normal((1, 3))
    yield (x, y), {"axis": 0}
    yield (x, x), {"axis": -1}
    yield (x, y, x), {"axis": None}
    yield (np.zeros((0, 3)), x), {"axis": 0}
    yield (x,), {"axis": 1}


@primitive(
    name="concatenate",
    samples=_join_samples,
    formula="the arrays, end to end",
    gradient=["its part of g"],
)
def join(*arrays: Any, axis: Any = 0) -> Any:
    """The arrays end to end along an axis."""
    return np.concatenate(arrays, axis=axis)


@join.vjp_each
def _(position: int, g: Any, _y: Any, *_arrays: Any, axis: Any = 0) -> Any:
    extents = [a.size if axis is None else a.shape[axis] for a in _arrays]
    start = sum(extents[:position])
    part = slice(start, start + extents[position])
    if axis is None:
        return g[part].reshape(_arrays[position].shape)
    return g[(*(slice(None),) * (axis % g.ndim), part)]


@implements(np.concatenate, np.concat)
def concatenate(arrays: Any, /, axis: Any = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """The arrays end to end along `axis`; flattened first when it is None.

    Beside arrays of more axes an empty vector, shape (0,), is as nothing (PyTorch's rule; NumPy raises).
    """
    shapes = {np.shape(array) for array in arrays}
    if axis is not None and (0,) in shapes and any(len(shape) > 1 for shape in shapes):
        arrays = [array for array in arrays if np.shape(array) != (0,)]
    return _cast(join(*arrays, axis=axis), dtype, casting, "concatenate")


concat = concatenate


def _cast(joined: Any, dtype: Any, casting: str, caller: str) -> Any:
    if dtype is None:
        return joined
    if not np.can_cast(joined.dtype, dtype, casting):  # type: ignore[arg-type]
        raise TypeError(
            f'{caller}: {joined.dtype} becomes no {np.dtype(dtype)} by the rule {casting!r}; give casting="unsafe" '
            f"if numbers may be cut off."
        )
    return joined.astype(dtype)


def _pile_samples(rng: np.random.Generator) -> Any:
    x, y = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    yield (x, y), {"axis": 0}
    yield (x, y, x), {"axis": -1}
    yield (np.asarray(1.0), np.asarray(2.0)), {"axis": 0}
    yield (np.zeros((0, 3)), np.zeros((0, 3))), {"axis": 1}


@primitive(
    name="stack",
    samples=_pile_samples,
    formula="the arrays, along a new axis",
    gradient=["its slice of g"],
)
def pile(*arrays: Any, axis: int = 0) -> Any:
    """The arrays along a new axis."""
    return np.stack(arrays, axis=axis)


@pile.vjp_each
def _(position: int, g: Any, _y: Any, *_arrays: Any, axis: int = 0) -> Any:
    return g[(*(slice(None),) * (axis % g.ndim), position)]


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """The arrays, all of one shape, along a new axis."""
    return _cast(pile(*arrays, axis=axis), dtype, casting, "stack")


@implements(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """The arrays below each other; one of a single axis is a row."""
    return concatenate([np.atleast_2d(a) for a in together(*tup)], 0, dtype=dtype, casting=casting)


@implements(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """The arrays beside each other: along the second axis, or the first when there is only one."""
    parts = [np.atleast_1d(a) for a in together(*tup)]
    return concatenate(parts, 0 if not parts or parts[0].ndim == 1 else 1, dtype=dtype, casting=casting)


@implements(np.dstack)
def dstack(tup: Any) -> Any:
    """The arrays behind each other, along the third axis."""
    return concatenate([np.atleast_3d(a) for a in together(*tup)], 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Any:
    """The arrays beside each other; one of a single axis is a column."""
    parts = together(*tup)
    return concatenate([p if p.ndim > 1 else np.reshape(p, (-1, 1)) for p in parts], 1)


@implements(np.block)
def block(arrays: Any) -> Any:
    """One array from nested lists of blocks: the innermost lists side by side, the next ones below each other."""
    depth = _depth(arrays)
    ndim = max(depth, *[leaf.ndim for leaf in _leaves(arrays)])
    return _assemble(arrays, depth, ndim)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError("block: a list of blocks is empty.")
    depths = {_depth(part) for part in arrays}
    if len(depths) > 1:
        raise ValueError("block: the lists of blocks are nested to different depths.")
    return depths.pop() + 1


def _leaves(arrays: Any) -> list[Any]:
    if not isinstance(arrays, list):
        return [as_tensor(arrays)]
    return [leaf for part in arrays for leaf in _leaves(part)]


def _assemble(arrays: Any, depth: int, ndim: int) -> Any:
    if not isinstance(arrays, list):
        leaf = as_tensor(arrays)
        return np.reshape(leaf, (1,) * (ndim - leaf.ndim) + leaf.shape)
    return concatenate([_assemble(part, depth - 1, ndim) for part in arrays], axis=-depth)


@implements(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """`values` behind `arr` along an axis; both flattened first when it is None."""
    return concatenate(together(arr, values), axis=axis)


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    """Without the elements at the index, slice or mask `obj` along an axis; flattened first when it is None."""
    arr = as_tensor(arr) if axis is not None else np.reshape(as_tensor(arr), -1)
    axis = 0 if axis is None else axis
    kept = np.delete(np.arange(arr.shape[axis]), obj if isinstance(obj, slice) else as_array(obj))
    return np.take(arr, kept, axis=axis)


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """With `values` put in before the index or indices `obj` along an axis; flattened first when it is None.

    Raises
    ------
    IndexError
        An index lies outside of 0 to the extent of the axis.
    ShapeError
        The values do not fit beside the other axes of `arr`.
    """
    arr, values = together(arr, values)
    arr = arr if axis is not None else np.reshape(arr, -1)
    axis = normalize_axis_index(0 if axis is None else axis, arr.ndim, "insert")
    n = arr.shape[axis]
    places = np.arange(n)[obj] if isinstance(obj, slice) else as_array(obj)
    places = np.flatnonzero(places) if places.dtype == bool else places
    if places.ndim == 0 and values.ndim:  # NumPy's habit: the values' first axis lies along `axis`
        values = np.moveaxis(np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape), 0, axis)
    values = values.astype(arr.dtype)
    count = values.shape[axis] if values.ndim == arr.ndim else 1
    if np.any(outside := (places < -n) | (places > n)):
        raise IndexError(f"insert: index {places[outside][0]} is out of bounds for {n} elements on axis {axis}.")
    places = np.where(places < 0, places + n, places).reshape(-1)
    places = np.repeat(places, count) if places.size == 1 else places
    shape = (*arr.shape[:axis], places.size, *arr.shape[axis + 1 :])
    try:
        values = np.broadcast_to(values, shape)
    except ValueError:
        raise ShapeError(
            f"insert: values of shape {values.shape} do not fit the {places.size} places of shape {shape}."
        ) from None
    order = np.argsort(np.concatenate([np.arange(n) + 0.5, places]), kind="stable")
    return np.take(concatenate([arr, values], axis=axis), order, axis=axis)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Without the zeros at the front ("f") and the back ("b") of every axis, or of the given ones."""
    filt = as_tensor(filt)
    axes = range(filt.ndim) if axis is None else normalize_axis_tuple(axis, filt.ndim)
    parts = [slice(None)] * filt.ndim
    for a, places in enumerate(np.nonzero(filt.data)):
        if a in axes:
            first, last = (places.min(), places.max() + 1) if places.size else (0, 0)
            parts[a] = slice(first if "f" in trim.lower() else None, last if "b" in trim.lower() else None)
    return filt[tuple(parts)]
