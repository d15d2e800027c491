"""``np.emath``: functions that answer with a complex number where the real one does not exist."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.registry import implements, lookup
from ..autograd.tensor import Tensor, as_tensor
from .creation import together

__all__: list[str] = []


def _complex_if(outside: Any, x: Tensor) -> Any:
    if x.dtype.kind == "c" or not outside.any():
        return x
    return x.astype(np.complex64 if x.dtype in (np.float32, np.float16) else np.complex128)


def _extend(function: Any, ufunc: Any, outside: Callable[[Any], Any]) -> None:
    """Let a function of ``np.emath`` be its ufunc, on complex numbers when one of the real ones lies outside."""

    @implements(function)
    def extended(x: Any) -> Any:
        x = as_tensor(x)
        return lookup(ufunc)(_complex_if(outside(x.data) if x.dtype.kind != "c" else np.zeros(()), x))


def _negative(x: Any) -> Any:
    return x < 0


def _beyond_one(x: Any) -> Any:
    return np.abs(x) > 1


_extend(np.emath.sqrt, np.sqrt, _negative)
_extend(np.emath.log, np.log, _negative)
_extend(np.emath.log2, np.log2, _negative)
_extend(np.emath.log10, np.log10, _negative)
_extend(np.emath.arcsin, np.arcsin, _beyond_one)
_extend(np.emath.arccos, np.arccos, _beyond_one)
_extend(np.emath.arctanh, np.arctanh, _beyond_one)


@implements(np.emath.logn)
def _logn(n: Any, x: Any) -> Any:
    """log_n(x)."""
    natural = lookup(np.emath.log)
    return natural(x) / (natural(n) if isinstance(n, Tensor) else math.log(n))


@implements(np.emath.power)
def _power(x: Any, p: Any) -> Any:
    """xᵖ."""
    x, p = together(x, p)
    if p.dtype.kind in "iu" and p.data.min(initial=0) < 0:
        p = p.astype(np.float64)
    return np.power(_complex_if(_negative(x.data), x) if x.dtype.kind != "c" else x, p)
