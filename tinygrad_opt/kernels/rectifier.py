"""The compiled twins of relu and of its gradient: one sweep each, shared among the threads.

Nothing is added up: the bits are NumPy's, for any number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .threads import in_parts

__all__ = ["back", "relu"]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy")
_LEAST = 1 << 17  # elements that are worth a thread


@_jit
def _relu(y, x):  # type: ignore[no-untyped-def]
    zero = x.dtype.type(0)
    for i in range(x.size):
        v = x[i]
        y[i] = zero if v <= zero else v  # NaN goes through


@_jit
def _back(d, g, y):  # type: ignore[no-untyped-def]
    zero = y.dtype.type(0)
    for i in range(y.size):
        v, given = y[i], g[i]
        d[i] = given if v != zero else zero


def _run(loop: Any, *arrays: Any) -> Any:
    kinds = {a.dtype for a in arrays}
    if len(kinds) > 1 or not kinds <= {np.dtype(np.float32), np.dtype(np.float64)}:
        return None
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    out = np.empty_like(flat[0])
    in_parts(lambda i, j: loop(out[i:j], *[a[i:j] for a in flat]), out.size, out.size, _LEAST)
    return out.reshape(arrays[0].shape)


def relu(x: Any) -> Any:
    """max(x, 0), the same bits as NumPy's; None for what is not covered."""
    return _run(_relu, x)


def back(g: Any, y: Any) -> Any:
    """g where y is not 0, else 0."""
    return _run(_back, g, y)
