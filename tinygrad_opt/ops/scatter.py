"""Adding into an array at an index, quickly: the work behind every gradient of indexing, on plain ndarrays.

A slice or a mask names each element once, so assignment does. Arrays of whole numbers may name one twice:
``np.add.at`` on flat positions has a fast loop in NumPy 2 and is five times quicker than on rows, and quicker than
sorting and ``np.add.reduceat``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["add_at", "last_writers", "may_repeat"]

Array = np.ndarray[Any, Any]


def may_repeat(index: Any) -> bool:
    """Whether an index can name an element more than once: only arrays of whole numbers can."""
    if index.__class__ is tuple:
        return any(map(may_repeat, index))
    return isinstance(index, np.ndarray) and index.dtype != bool and index.size > 1


def add_at(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with `values` added at `index`; repeated elements add up."""
    out = np.zeros(shape, values.dtype)
    if may_repeat(index):
        np.add.at(out.reshape(-1), _positions(index, shape).reshape(-1), values.reshape(-1))
    else:
        out[index] = values
    return out


def _whole(part: Any) -> bool:
    """Whether one part of an index is a whole number, or an array of them."""
    if isinstance(part, np.ndarray):
        return bool(part.dtype != bool)
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def _positions(index: Any, shape: tuple[int, ...]) -> Array:
    """The flat position of each element that an index names, in the shape of ``x[index]``."""
    parts = list(index) if index.__class__ is tuple else [index]
    while parts and parts[-1].__class__ is slice and parts[-1] == slice(None):
        parts.pop()
    if not all(_whole(part) for part in parts):
        return np.asarray(np.arange(math.prod(shape)).reshape(shape)[index])
    rows: Any = 0
    for part, extent in zip(parts, shape, strict=False):
        place = np.asarray(part, np.intp)
        rows = rows * extent + np.where(place < 0, place + extent, place)
    rest = shape[len(parts) :]
    rows = rows.reshape(*rows.shape, *[1] * len(rest)) * math.prod(rest)
    return np.asarray(rows + np.arange(math.prod(rest)).reshape(rest))


def last_writers(index: Any, shape: tuple[int, ...]) -> Array | None:
    """Which of the elements that an assignment writes are still there at its end; None when all are.

    Shape: that of ``x[index]``, bool.
    """
    if not may_repeat(index):
        return None
    writer = np.zeros(shape, np.intp)
    order = np.arange(writer[index].size).reshape(writer[index].shape)
    writer[index] = order
    kept: Array = writer[index] == order
    return None if kept.all() else kept
