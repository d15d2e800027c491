"""Numbers as arrays, for the rules of small arrays: NumPy takes a microsecond to make an array of a Python number."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

__all__: list[str] = []


@functools.lru_cache(maxsize=1024)
def constant(value: float, dtype: np.dtype[Any]) -> Any:
    """A number as a 0-d array of the dtype, made once. Nobody may write into it; −0.0 may come as 0.0."""
    array = np.asarray(value, dtype)
    array.flags.writeable = False
    return array
