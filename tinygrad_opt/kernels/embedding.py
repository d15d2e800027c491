"""The compiled twin of the embedding's gradient: rows added one by one where they belong."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

__all__ = ["add_rows"]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add(g, index, table):  # type: ignore[no-untyped-def]
    for i in range(g.shape[0]):
        source, target = g[i], table[index[i]]
        for j in range(g.shape[1]):
            target[j] += source[j]


def add_rows(g: Any, index: Any, rows: int) -> Any:
    """A table (rows, width) with each row of g (count, width) added at its index (count,)."""
    table = np.zeros((rows, g.shape[1]), g.dtype)
    _add(np.ascontiguousarray(g), np.ascontiguousarray(index), table)
    return table
