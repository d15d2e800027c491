"""Adding into an array at an index, quickly: the work behind every gradient of indexing, on plain ndarrays.

``np.add.at`` is right but slow. A slice or a mask names each element once, so assignment does; rows named by one
array of whole numbers are sorted and added up by runs; everything else is one ``np.bincount`` over flat positions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["add_at", "last_writers"]

Array = np.ndarray[Any, Any]


def _may_repeat(index: Any) -> bool:
    """Whether an index can name an element more than once: only arrays of whole numbers can."""
    if index.__class__ is tuple:
        return any(_may_repeat(part) for part in index)
    return isinstance(index, np.ndarray) and index.dtype != bool and index.size > 1


def add_at(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with `values` added at `index`; repeated elements add up."""
    if not _may_repeat(index):
        out = np.zeros(shape, values.dtype)
        out[index] = values
        return out
    if index.__class__ is tuple and len(index) == 1:
        index = index[0]
    if index.__class__ is not tuple and math.prod(shape[1:]) >= 4 and values.size:
        return _add_rows(values, index, shape)
    if values.dtype in (np.float64, np.float32, np.float16):
        return _add_counted(values, index, shape)
    out = np.zeros(shape, values.dtype)
    np.add.at(out, index, values)
    return out


def _add_rows(values: Array, rows: Array, shape: tuple[int, ...]) -> Array:
    """Whole rows: sort by row, then add up each run."""
    out = np.zeros(shape, values.dtype)
    flat = rows.reshape(-1).astype(np.intp, copy=False)
    flat = np.where(flat < 0, flat + shape[0], flat)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    out[ordered[starts]] = np.add.reduceat(values.reshape(flat.size, *shape[1:])[order], starts, axis=0)
    return out


def _positions(index: Any, shape: tuple[int, ...]) -> Array:
    """The flat position of each element that an index names."""
    return np.asarray(np.arange(math.prod(shape)).reshape(shape)[index])


def _add_counted(values: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Any index: count flat positions, each weighted by its value (summed in float64)."""
    positions = _positions(index, shape).reshape(-1)
    total = np.bincount(positions, values.reshape(-1), math.prod(shape))
    return total.astype(values.dtype, copy=False).reshape(shape)


def last_writers(index: Any, shape: tuple[int, ...]) -> Array | None:
    """Which of the elements that an assignment writes are still there at its end; None when all are.

    Shape: that of ``x[index]``, bool.
    """
    if not _may_repeat(index):
        return None
    positions = _positions(index, shape)
    order = np.arange(positions.size).reshape(positions.shape)
    writer = np.zeros(math.prod(shape), np.intp)
    writer[positions] = order
    kept = writer[positions] == order
    return None if kept.all() else kept
