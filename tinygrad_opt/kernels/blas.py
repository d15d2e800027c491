"""Matrix products on the threads that the compiled kernels use too.

OpenBLAS shares every product of more than 2¹⁸ multiplications among threads of its own. One that has nothing more to do
goes on asking for work for a tenth of a second, and takes half of a core from whatever runs then. So a product of
middling size takes one thread; and where there are compiled kernels, a large one is cut over the threads of theirs.
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

from . import twin
from .threads import in_parts, spinning, workers

__all__ = ["product"]

_SHARED = 1 << 18  # multiplications from which OpenBLAS shares a product of matrices
_WORTH = 1 << 22  # from which two threads are clearly faster than one


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


def _compiled() -> bool:
    """Whether compiled kernels run here, on threads that do not sleep."""
    return workers() > 1 and bool(twin("threads", _WORTH, 0) and spinning())


def product(a: Any, b: Any, bias: Any = None) -> Any:
    """``a @ b`` of a matrix or a vector with a matrix, or ``a @ b + bias``, on as many threads as it is worth.

    Of arrays it is their method ``dot``: the same call of BLAS as the operator's, and found a microsecond sooner.
    """
    if a.__class__ is not ndarray or b.__class__ is not ndarray:
        y = a @ b
    elif (work := a.size * b.shape[1]) < _SHARED or (work > _WORTH and not _compiled()):
        y = a.dot(b)
    else:
        with _one_thread as usual:
            if work > _WORTH and usual > 1 and a.ndim == 2 and a.dtype == b.dtype and a.shape[1] == len(b):
                return _in_parts(a, b, bias, work)
            y = a.dot(b)
    if bias is None:
        return y
    if bias.dtype is not y.dtype or bias.ndim != 1:
        return y + bias
    y += bias
    return y


def _in_parts(a: Any, b: Any, bias: Any, work: int) -> Any:
    """The product cut over our threads, each of which adds the bias to what it has just written."""
    y = np.empty((len(a), b.shape[1]), a.dtype)
    along = bias is not None and bias.dtype is y.dtype and bias.shape == y.shape[1:]

    def rows(i: int, j: int) -> None:
        part = np.matmul(a[i:j], b, out=y[i:j])
        if along:
            part += bias

    def columns(i: int, j: int) -> None:
        part = np.matmul(a, b[:, i:j], out=y[:, i:j])
        if along:
            part += bias[i:j]

    if len(a) >= b.shape[1]:
        in_parts(rows, len(a), work, _WORTH // 2)
    else:
        in_parts(columns, b.shape[1], work, _WORTH // 2)
    return y if along or bias is None else y + bias
