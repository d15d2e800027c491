"""New Tensors: of constants, ranges and like another array. They start without a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.dtypes import get_default_dtype
from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_array, new_tensor

__all__ = [
    "arange",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def _made(array: Any, requires_grad: bool) -> Tensor:
    return new_tensor(array, None).requires_grad_() if requires_grad else new_tensor(array, None)


def zeros(shape: Any, dtype: Any = None, *, requires_grad: bool = False) -> Tensor:
    """Zeros of this shape, in the default dtype."""
    return _made(np.zeros(shape, dtype or get_default_dtype()), requires_grad)


def ones(shape: Any, dtype: Any = None, *, requires_grad: bool = False) -> Tensor:
    """Ones of this shape, in the default dtype."""
    return _made(np.ones(shape, dtype or get_default_dtype()), requires_grad)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, requires_grad: bool = False) -> Tensor:
    """One value everywhere; a Python float gets the default dtype."""
    value = as_array(fill_value, dtype)
    return _made(np.full(shape, value, value.dtype), requires_grad)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None, *, requires_grad: bool = False) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere."""
    return _made(np.eye(N, M, k, dtype or get_default_dtype()), requires_grad)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, requires_grad: bool = False) -> Tensor:
    """Numbers from `start` up to, not including, `stop`; integers when all arguments are."""
    array = np.arange(start, step=step, dtype=dtype) if stop is None else np.arange(start, stop, step, dtype)
    if dtype is None and array.dtype.kind == "f":
        array = array.astype(get_default_dtype())
    return _made(array, requires_grad)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, *, requires_grad: bool = False
) -> Tensor:
    """`num` evenly spaced numbers from `start` to `stop`."""
    return _made(np.linspace(start, stop, num, endpoint, dtype=dtype or get_default_dtype()), requires_grad)


@implements(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None, **options: Any) -> Tensor:
    """Zeros of the shape and dtype of `a`."""
    return new_tensor(np.zeros_like(as_array(a), dtype, **options), None)


@implements(np.ones_like)
def ones_like(a: Any, dtype: Any = None, **options: Any) -> Tensor:
    """Ones of the shape and dtype of `a`."""
    return new_tensor(np.ones_like(as_array(a), dtype, **options), None)


@implements(np.empty_like)
def empty_like(a: Any, dtype: Any = None, **options: Any) -> Tensor:
    """An array of the shape and dtype of `a` with arbitrary values."""
    return new_tensor(np.empty_like(as_array(a), dtype, **options), None)


@implements(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Tensor:
    """One value in the shape and dtype of `a`."""
    return new_tensor(np.full_like(as_array(a), fill_value, dtype, **options), None)
