"""Matrix products whose threads do not get into the way of the compiled kernels'.

OpenBLAS shares every product of more than 2¹⁸ multiplications among its threads. A thread of its that has nothing more
to do goes on asking for work for a tenth of a second, and takes half of a core from whatever runs then. So products of
middling size, where a second thread gains little, take one. And where long compiled loops run in between, large ones
are cut over threads of our own, which sleep when they have nothing to do but take a while to wake.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from .threads import in_parts

__all__ = ["long_loops", "product"]

_SHARED = 1 << 18  # multiplications from which OpenBLAS shares a product of matrices
_WORTH = 1 << 22  # multiplications from which two threads are clearly faster than one

_own = [False]  # whether large products are cut over our threads


def long_loops() -> None:
    """To be called before compiled loops that take milliseconds: from now on large products keep out of their way.

    It is for good, since products on other threads differ in their last bits: what a program computes must not depend
    on when.
    """
    _own[0] = True


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


class _OneThread:
    """While somebody is inside, OpenBLAS uses one thread; the last one out sets it back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.usual = 1

    def __enter__(self) -> int:
        """How many threads it would have used."""
        count = _thread_count()
        with self.lock:
            if not self.inside:
                self.usual = count[0]() if count else 1
                if count and self.usual > 1:
                    count[1](1)
            self.inside += 1
            return self.usual

    def __exit__(self, *_: object) -> None:
        count = _thread_count()
        with self.lock:
            self.inside -= 1
            if not self.inside and count and self.usual > 1:
                count[1](self.usual)


_one_thread = _OneThread()


def product(a: Any, b: Any) -> Any:
    """``a @ b`` of a matrix or a vector with a matrix, on as many threads as it is worth.

    Of arrays it is their method ``dot``: the same call of BLAS as the operator's, and found a microsecond sooner.
    """
    if a.__class__ is not ndarray or b.__class__ is not ndarray:
        return a @ b
    work = a.size * b.shape[1]
    if work < _SHARED or (work > _WORTH and not _own[0]):
        return a.dot(b)
    with _one_thread as usual:
        if work <= _WORTH or usual == 1 or a.ndim == 1 or a.dtype != b.dtype or a.shape[1] != len(b):
            return a.dot(b)
        y = np.empty((len(a), b.shape[1]), a.dtype)
        if len(a) >= b.shape[1]:
            in_parts(lambda i, j: np.matmul(a[i:j], b, out=y[i:j]), len(a), work, _WORTH)
        else:
            in_parts(lambda i, j: np.matmul(a, b[:, i:j], out=y[:, i:j]), b.shape[1], work, _WORTH)
        return y
