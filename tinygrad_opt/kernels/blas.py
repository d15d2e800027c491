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
from .threads import workers

__all__ = ["product"]

_SHARED = 1 << 18  # multiplications from which OpenBLAS shares a product of matrices
_WORTH = 1 << 21  # from which two of our threads are clearly faster than one
_SPREAD = 1 << 22  # from which OpenBLAS's are, their waiting included


@functools.cache
def _library() -> tuple[ctypes.CDLL, str, str] | None:
    """NumPy's OpenBLAS, and what stands before and behind the names of its functions; None without an OpenBLAS."""
    home = Path(np.__file__).parent
    for path in (*home.parent.glob("numpy.libs/*openblas*"), *home.glob(".dylibs/*openblas*")):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            if hasattr(library, f"{prefix}openblas_set_num_threads{suffix}"):
                return library, prefix, suffix
    return None


@functools.cache
def _thread_count() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """How many threads NumPy's OpenBLAS uses, as two functions that get and set it; None without an OpenBLAS."""
    if (found := _library()) is None:
        return None
    library, prefix, suffix = found
    change = getattr(library, f"{prefix}openblas_set_num_threads{suffix}")
    change.restype = None
    return getattr(library, f"{prefix}openblas_get_num_threads{suffix}"), change


@functools.cache
def _addresses() -> dict[Any, int]:
    """Where its products of matrices are, by dtype; empty where its whole numbers are not of 64 bits."""
    found = _library()
    if found is None or found[2] != "64_":
        return {}
    names = {np.float32: "sgemm", np.float64: "dgemm"}
    functions = {np.dtype(kind): getattr(found[0], f"{found[1]}cblas_{name}64_", None) for kind, name in names.items()}
    return {kind: ctypes.cast(f, ctypes.c_void_p).value or 0 for kind, f in functions.items() if f is not None}


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


def _compiled() -> Any:
    """The module of compiled products; None where there is none, or no second thread."""
    return twin("gemm", _WORTH, 0) if workers() > 1 and _addresses() else None


def product(a: Any, b: Any, bias: Any = None) -> Any:
    """``a @ b`` of a matrix or a vector with a matrix, or ``a @ b + bias``, on as many threads as it is worth.

    Of arrays it is their method ``dot``: the same call of BLAS as the operator's, and found a microsecond sooner.
    """
    if a.__class__ is not ndarray or b.__class__ is not ndarray:
        y = a @ b
    elif (work := a.size * b.shape[1]) < _SHARED:
        y = a.dot(b)
    else:
        compiled = _compiled() if work >= _WORTH else None
        if compiled is not None and a.ndim == 2 and a.dtype == b.dtype and a.shape[1] == len(b):
            added = None if bias is None or bias.dtype is not a.dtype or bias.shape != b.shape[1:] else bias
            with _one_thread as usual:
                y = compiled.product(_addresses(), a, b, added, _WORTH // 2 if usual > 1 else work)
            if added is not None:
                return y
        elif compiled is None and work > _SPREAD:
            y = a.dot(b)
        else:
            with _one_thread:
                y = a.dot(b)
    if bias is None:
        return y
    if bias.dtype is not y.dtype or bias.ndim != 1:
        return y + bias
    y += bias
    return y
