"""Whether large arrays hold a NaN or an infinity, found at the speed of the memory.

A sum says it: one number that is not finite makes the whole sum so. Added in any order, as many at once as the
processor can, and read from four places in turn, since the memory then hands out more than from one.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from .atomics import array_at
from .sharing import shared

__all__ = ["perhaps_not_finite"]

_PARTS = 16
_WORTH = 1 << 18  # elements that are worth a thread


@shared
@numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc"})
def _sum(places, column, sums, total, first, last):  # type: ignore[no-untyped-def]
    """The sums of some of the parts of vectors that are taken as if they lay end to end."""
    for part in range(first, last):
        begin, end = total * part // sums.size, total * (part + 1) // sums.size
        found = sums.dtype.type(0)
        start = 0
        for row in range(places.shape[0]):
            size = places[row, 0]
            low, high = max(begin - start, 0), min(end - start, size)
            start += size
            if low < high:
                piece = array_at(places[row, column], size, sums)[low:high]
                length = piece.size // 4
                rows = piece[: 4 * length].reshape((4, length))
                for i in range(length):
                    found += rows[0, i] + rows[1, i] + rows[2, i] + rows[3, i]
                for i in range(4 * length, piece.size):
                    found += piece[i]
        sums[part] = found


def perhaps_not_finite(places: Any, column: int, total: int, dtype: Any) -> bool:
    """False when all elements of these vectors are finite; True when one is not, or their sum is too large.

    Parameters
    ----------
    places : ndarray
        A row for each set of vectors of one size: the size, and their addresses.
    column : int
        Where the address of the one to look at stands.
    total : int
        The elements of all.
    dtype : dtype
        Theirs.
    """
    sums = np.empty(_PARTS, dtype)
    _sum(_PARTS, total, places, column, sums, total, least=_WORTH)
    return not all(map(math.isfinite, sums.tolist()))
