"""What the array API standard asks of a namespace besides mathematics: dtypes, constants, and arrays from elsewhere.

With these names ``import tinygrad_opt as xp`` serves a program that is written against the standard
(https://data-apis.org/array-api, 2024.12).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import (
    bool,  # noqa: A004
    broadcast_shapes,
    complex64,
    complex128,
    e,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    inf,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    nan,
    newaxis,
    pi,
    uint8,
    uint16,
    uint32,
    uint64,
)

from ..autograd.dtypes import as_array, get_default_dtype
from ..autograd.tensor import Tensor, as_tensor
from ..errors import DetachError
from .options import on_cpu

__all__ = [
    "__array_api_version__",
    "__array_namespace_info__",
    "asarray",
    "bool",
    "broadcast_shapes",
    "complex64",
    "complex128",
    "e",
    "finfo",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "iinfo",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "nan",
    "newaxis",
    "pi",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

__array_api_version__ = "2024.12"


def asarray(obj: Any, dtype: Any = None, *, device: str | None = None, copy: Any = None) -> Tensor:
    """`obj` as a Tensor: a Tensor as it is, with its gradient; memory is shared where it can be.

    Parameters
    ----------
    obj : array_like
        Python floats become the default dtype.
    dtype : dtype, optional
    device : {None, "cpu"}
    copy : bool, optional
        True always copies; False raises where sharing is impossible.

    Raises
    ------
    ValueError
        `copy` is False and the dtype would change, or another device is asked for.
    """
    on_cpu(device)
    shared = isinstance(obj, (Tensor, np.ndarray)) and (dtype is None or obj.dtype == dtype)
    if copy is False and not shared:
        raise ValueError(f"asarray: copy=False, but {type(obj).__name__} cannot be shared; leave copy away.")
    if copy and shared:
        obj = np.copy(obj)
    return as_tensor(obj, dtype)


def from_dlpack(x: Any, /, *, device: str | None = None, copy: Any = None) -> Tensor:
    """A Tensor of another library's array, through DLPack; memory is shared unless `copy` is True.

    Raises
    ------
    DetachError
        `x` is a Tensor that requires a gradient, which would be lost.
    """
    on_cpu(device)
    if isinstance(x, Tensor) and x.requires_grad:
        raise DetachError("from_dlpack: this Tensor requires a gradient, which would be lost; it is a Tensor already.")
    array = np.from_dlpack(x)
    return Tensor(array.copy() if copy else array)


class _Info:
    """What the namespace can do: the standard's ``__array_namespace_info__``."""

    def capabilities(self) -> dict[str, Any]:
        """Which optional behaviours there are."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where new arrays are."""
        return "cpu"

    def devices(self) -> list[str]:
        """All devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, Any]:
        """What Python's numbers become."""
        on_cpu(device)
        return {
            "real floating": get_default_dtype(),
            "complex floating": as_array(1j).dtype,
            "integral": np.dtype(np.intp),
            "indexing": np.dtype(np.intp),
        }

    def dtypes(self, *, device: str | None = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes of a kind, by name."""
        on_cpu(device)
        return np.__array_namespace_info__().dtypes(kind=kind)  # type: ignore[no-any-return]


def __array_namespace_info__() -> _Info:
    """The inspection interface of the array API standard."""
    return _Info()
