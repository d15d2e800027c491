"""Whether large arrays hold a NaN or an infinity, found at the speed of the memory.

A sum says it: one number that is not finite makes the whole sum so. Added in any order, as many at once as the
processor can, and read from four places in turn, since the memory then hands out more than from one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from .sharing import shared

__all__ = ["perhaps_not_finite"]

_PARTS = 16
_WORTH = 1 << 18  # elements that are worth a thread


@shared
@numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc"})
def _sum(x, sums, first, last):  # type: ignore[no-untyped-def]
    """The sums of some of the parts of a vector."""
    for part in range(first, last):
        piece = x[x.size * part // sums.size : x.size * (part + 1) // sums.size]
        length = piece.size // 4
        rows = piece[: 4 * length].reshape((4, length))
        total = x.dtype.type(0)
        for i in range(length):
            total += rows[0, i] + rows[1, i] + rows[2, i] + rows[3, i]
        for i in range(4 * length, piece.size):
            total += piece[i]
        sums[part] = total


def perhaps_not_finite(arrays: Sequence[Any]) -> bool:
    """False when all elements of these vectors are finite; True when one is not, or their sum is too large."""
    for array in arrays:
        sums = np.empty(_PARTS, array.dtype)
        _sum(_PARTS, array.size, array, sums, least=_WORTH)
        if not np.isfinite(sums).all():
            return True
    return False
