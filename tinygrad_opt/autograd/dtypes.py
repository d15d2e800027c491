"""From Python numbers and lists to arrays: which dtype they get, and which dtypes can have a gradient."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..errors import GradientError

__all__ = ["as_array", "check_differentiable", "get_default_dtype", "set_default_dtype"]


class _Default(threading.local):
    real: np.dtype[Any] = np.dtype(np.float32)


_default = _Default()
_COMPLEX = {np.dtype(np.float16): np.complex64, np.dtype(np.float32): np.complex64}
_PYTHON = (bool, int, float, complex)


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the dtype that Python floats become in this thread: float16, float32 (at first) or float64."""
    new = np.dtype(dtype)
    if new.kind != "f":
        raise TypeError(f"set_default_dtype: expected a floating-point dtype, got {new}.")
    _default.real = new


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats become in this thread."""
    return _default.real


def as_array(data: Any, dtype: DTypeLike | None = None) -> np.ndarray[Any, Any]:
    """`data` as an ndarray: arrays as they are, Python floats in the default dtype."""
    if isinstance(data, np.ndarray):
        return data if dtype is None else np.asarray(data, dtype)
    values = getattr(data, "data", None)
    if isinstance(values, np.ndarray):  # a Tensor, which this file does not know
        return values if dtype is None else values.astype(dtype)
    if isinstance(data, np.generic) or dtype is not None:
        return _made(data, dtype)
    array = _made(data)
    if array.dtype.kind in "fc" and not _has_arrays(data):
        return array.astype(_default.real if array.dtype.kind == "f" else _COMPLEX.get(_default.real, np.complex128))
    return array


def _has_arrays(data: Any) -> bool:
    """Whether a nested list holds NumPy values, which keep their dtype."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return hasattr(data, "dtype")


def _made(data: Any, dtype: DTypeLike | None = None) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(data, dtype)
    except ValueError:
        raise ValueError(
            f"expected numbers, got a {type(data).__name__} that NumPy makes no array of; nested lists need rows of "
            f"one length."
        ) from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"expected numbers, got something NumPy makes an array of {array.dtype} from.")
    return array


def check_differentiable(dtype: np.dtype[Any]) -> None:
    """Raise GradientError for a dtype that cannot carry a gradient."""
    if dtype.kind not in "fc":
        raise GradientError(
            f"a Tensor of {dtype} cannot require a gradient: derivatives need real numbers. "
            f"Make it floating point, e.g. tg.tensor(3.0) instead of tg.tensor(3), or t.astype(np.float32)."
        )
