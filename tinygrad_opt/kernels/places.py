"""Where arrays lie in memory: a table of addresses hands any number of them to one compiled loop."""

from __future__ import annotations

import ctypes
from typing import Any

__all__ = ["address_of"]


def address_of(array: Any) -> int:
    """The address of a contiguous array's first element. Who uses it keeps the array alive."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # a quarter of the time of NumPy's own
    except (TypeError, ValueError):  # it is read-only, or empty
        return int(array.__array_interface__["data"][0])
