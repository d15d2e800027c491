"""Adding into an array at an index, quickly: the work behind every gradient of indexing, on plain ndarrays.

A slice or a mask names each element once, so assignment does. Arrays of whole numbers may name one twice:
``np.add.at`` on flat positions has a fast loop in NumPy 2 and is five times quicker than on rows, and quicker than
sorting and ``np.add.reduceat``.
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
        return any(map(_may_repeat, index))
    return isinstance(index, np.ndarray) and index.dtype != bool and index.size > 1


def add_at(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with `values` added at `index`; repeated elements add up."""
    out = np.zeros(shape, values.dtype)
    if _may_repeat(index):
        np.add.at(out.reshape(-1), _positions(index, shape).reshape(-1), values.reshape(-1))
    else:
        out[index] = values
    return out


def _positions(index: Any, shape: tuple[int, ...]) -> Array:
    """The flat position of each element that an index names, in the shape of ``x[index]``."""
    if index.__class__ is tuple and len(index) == 1:
        index = index[0]
    if index.__class__ is tuple:
        return np.asarray(np.arange(math.prod(shape)).reshape(shape)[index])
    width = math.prod(shape[1:])
    rows = index.astype(np.intp, copy=False)
    first = np.where(rows < 0, rows + shape[0], rows) * width
    first = first.reshape(*index.shape, *[1] * len(shape[1:]))
    return np.asarray(first + np.arange(width).reshape(shape[1:]))


def last_writers(index: Any, shape: tuple[int, ...]) -> Array | None:
    """Which of the elements that an assignment writes are still there at its end; None when all are.

    Shape: that of ``x[index]``, bool.
    """
    if not _may_repeat(index):
        return None
    writer = np.zeros(shape, np.intp)
    order = np.arange(writer[index].size).reshape(writer[index].shape)
    writer[index] = order
    kept: Array = writer[index] == order
    return None if kept.all() else kept
