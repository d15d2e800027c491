"""Matrix products of middling size by one thread: where a second gains little, it costs what comes after.

OpenBLAS shares every product of more than 2¹⁸ multiplications among its threads. A thread that has nothing more to do
goes on asking for work for a tenth of a second, and takes half of a core from the threads of the compiled kernels.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["product"]

_SHARED = 1 << 18  # multiplications from which OpenBLAS shares a product
_WORTH = 1 << 22  # multiplications from which two threads are clearly faster than one


@functools.cache
def _thread_count() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """How many threads NumPy's OpenBLAS uses, as two functions that get and set it; None without an OpenBLAS."""
    home = Path(np.__file__).parent
    for path in (*home.parent.glob("numpy.libs/*openblas*"), *home.glob(".dylibs/*openblas*")):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            change = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if get is not None and change is not None:
                change.restype = None
                return get, change
    return None


def product(a: Any, b: Any) -> Any:
    """``a @ b`` of matrices: arrays of middling size by one thread, everything else as it comes."""
    if not _SHARED < a.size * b.shape[1] < _WORTH or a.__class__ is not np.ndarray:
        return a @ b
    count = _thread_count()
    before = count[0]() if count else 1
    if count is None or before == 1:
        return a @ b
    count[1](1)
    try:
        return a @ b
    finally:
        count[1](before)
