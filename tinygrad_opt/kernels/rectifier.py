"""The compiled twins of relu and of its gradient: one sweep each, shared among the threads.

Nothing is added up: the bits are NumPy's, for any number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .sharing import shared

__all__ = ["back", "relu"]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy")
_LEAST = 1 << 15  # elements that are worth a thread


@shared
@_jit
def _relu(y, x, first, last):  # type: ignore[no-untyped-def]
    zero, y, x = x.dtype.type(0), y[first:last], x[first:last]
    for i in range(x.size):
        v = x[i]
        y[i] = zero if v <= zero else v  # NaN goes through


@shared
@_jit
def _back(d, g, y, first, last):  # type: ignore[no-untyped-def]
    zero, d, g, y = y.dtype.type(0), d[first:last], g[first:last], y[first:last]
    for i in range(y.size):
        v, given = y[i], g[i]
        d[i] = given if v != zero else zero


def _run(loop: Any, *arrays: Any) -> Any:
    kinds = {a.dtype for a in arrays}
    if len(kinds) > 1 or not kinds <= {np.dtype(np.float32), np.dtype(np.float64)}:
        return None
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    out = np.empty_like(flat[0])
    loop(out.size, out.size, out, *flat, least=_LEAST)
    return out.reshape(arrays[0].shape)


def relu(x: Any) -> Any:
    """max(x, 0), the same bits as NumPy's; None for what is not covered."""
    return _run(_relu, x)


def back(g: Any, y: Any) -> Any:
    """g where y is not 0, else 0."""
    return _run(_back, g, y)
