"""New Tensors: constants, ranges, and in the likeness of another array. They start without a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.dtypes import get_default_dtype
from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_array, as_tensor, new_tensor
from .options import on_cpu

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tri",
    "zeros",
    "zeros_like",
]


def beside(value: Any, x: Any) -> Tensor:
    """A Tensor of a further argument: arrays keep their dtype, Python's floats get that of `x`, not the default."""
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return as_tensor(value)
    array = np.asarray(value)
    if array.dtype.kind == "f" and x.dtype.kind in "fc":
        return as_tensor(array.astype(x.dtype))
    return as_tensor(array if array.dtype.kind in "fc" else value)


def together(*values: Any) -> list[Tensor]:
    """Tensors of arguments that are worth the same: Python's floats take the precision of the arrays among them."""
    known = [v.dtype for v in values if isinstance(v, (Tensor, np.ndarray, np.generic)) and v.dtype.kind in "fc"]
    if not known or len(known) == len(values):
        return [as_tensor(value) for value in values]
    like = np.empty(0, np.result_type(*known))
    return [beside(value, like) for value in values]


def _made(array: Any, requires_grad: bool = False, device: Any = None) -> Tensor:
    on_cpu(device)
    made = new_tensor(array, None)
    return made.requires_grad_() if requires_grad else made


def zeros(shape: Any, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros of this shape, in the default dtype."""
    return _made(np.zeros(shape, dtype or get_default_dtype()), requires_grad, device)


def ones(shape: Any, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones of this shape, in the default dtype."""
    return _made(np.ones(shape, dtype or get_default_dtype()), requires_grad, device)


def empty(shape: Any, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Arbitrary values of this shape, in the default dtype."""
    return _made(np.empty(shape, dtype or get_default_dtype()), requires_grad, device)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> Any:
    """One value everywhere; a Python float gets the default dtype, a Tensor keeps its gradient."""
    if isinstance(fill_value, Tensor) and fill_value.requires_grad:
        return np.broadcast_to(fill_value.astype(dtype or fill_value.dtype), shape)
    value = as_array(fill_value, dtype)
    return _made(np.full(shape, value, value.dtype), requires_grad, device)


def eye(
    N: int, M: int | None = None, k: int = 0, dtype: Any = None, *, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere."""
    return _made(np.eye(N, M, k, dtype or get_default_dtype()), requires_grad, device)


def identity(n: int, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> Tensor:
    """The identity matrix."""
    return eye(n, dtype=dtype, requires_grad=requires_grad, device=device)


def tri(
    N: int, M: int | None = None, k: int = 0, dtype: Any = None, *, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Ones on and below the k-th diagonal, zeros above."""
    return _made(np.tri(N, M, k, dtype or get_default_dtype()), requires_grad, device)


def arange(
    start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Numbers from `start` (0 when only one is given) up to, not including, `stop`; whole when all arguments are."""
    first, end = (0, start) if stop is None else (start, stop)
    array: Any = np.arange(first, end, step)
    if dtype is not None or array.dtype.kind == "f":
        array = array.astype(dtype or get_default_dtype())
    return _made(array, requires_grad, device)


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    requires_grad: bool = False,
    device: Any = None,
) -> Any:
    """`num` evenly spaced numbers from `start` to `stop`; gradients flow to Tensors given as ends.

    With `endpoint` False `stop` itself is left out; with `retstep` the distance is returned as well.
    """
    on_cpu(device)
    if not isinstance(start, Tensor) and not isinstance(stop, Tensor):
        array = np.linspace(start, stop, num, endpoint, dtype=dtype or get_default_dtype(), axis=axis)
        step = (as_array(stop) - as_array(start)) / max(num - endpoint, 1)
        return (_made(array, requires_grad), _made(np.asarray(step))) if retstep else _made(array, requires_grad)
    width = np.subtract(stop, start)
    step = width / max(num - endpoint, 1)
    places = np.reshape(np.arange(num), (num,) + (1,) * step.ndim).astype(step.dtype)
    spaced = start + places * step
    if endpoint and num > 1:  # not the nearly equal start + width
        spaced = np.where(np.reshape(np.arange(num) == num - 1, places.shape), stop, spaced)
    spaced = np.moveaxis(spaced, 0, axis)
    if dtype is not None:
        spaced = (np.floor(spaced) if np.issubdtype(dtype, np.integer) else spaced).astype(dtype)
    return (spaced, step) if retstep else spaced


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
    *,
    requires_grad: bool = False,
) -> Any:
    """`num` numbers from baseˢᵗᵃʳᵗ to baseˢᵗᵒᵖ with a constant ratio; gradients flow to Tensors given."""
    if not any(isinstance(given, Tensor) for given in (start, stop, base)):
        array = np.logspace(start, stop, num, endpoint, base, dtype or get_default_dtype(), axis)
        return _made(array, requires_grad)
    places: Any = linspace(beside(start, base) if isinstance(base, Tensor) else start, stop, num, endpoint)
    places = places.reshape(num, *(1,) * (np.ndim(base) + 1 - places.ndim), *places.shape[1:])
    powers = np.moveaxis(np.power(base, places), 0, axis)
    return powers if dtype is None else powers.astype(dtype)


@implements(np.geomspace)
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
    *,
    requires_grad: bool = False,
) -> Any:
    """`num` numbers from `start` to `stop`, of one sign, with a constant ratio; gradients flow to both, if Tensors."""
    if not isinstance(start, Tensor) and not isinstance(stop, Tensor):
        array = np.geomspace(start, stop, num, endpoint, dtype or get_default_dtype(), axis)
        return _made(array, requires_grad)
    if not np.all(as_array(start) * as_array(stop) > 0):
        raise ValueError("geomspace: start and stop must be of one sign, and not 0.")
    ratio = np.true_divide(stop, start)
    places = np.arange(num) / max(num - endpoint, 1)
    powers = ratio ** np.reshape(places, (num,) + (1,) * ratio.ndim).astype(ratio.dtype)
    spaced = np.moveaxis(start * powers, 0, axis)
    return spaced if dtype is None else spaced.astype(dtype)


@implements(np.zeros_like)
def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Tensor:
    """Zeros of the shape and dtype of `a`."""
    return _made(np.zeros_like(as_array(a), dtype, order, subok, shape), device=device)


@implements(np.ones_like)
def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Tensor:
    """Ones of the shape and dtype of `a`."""
    return _made(np.ones_like(as_array(a), dtype, order, subok, shape), device=device)


@implements(np.empty_like)
def empty_like(
    prototype: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Tensor:
    """Arbitrary values in the shape and dtype of `prototype`."""
    return _made(np.empty_like(as_array(prototype), dtype, order, subok, shape), device=device)


@implements(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    """One value in the shape and dtype of `a`; the value may be a 0-d Tensor that requires a gradient."""
    like = as_array(a)
    if isinstance(fill_value, Tensor) and fill_value.requires_grad:
        return np.broadcast_to(fill_value.astype(dtype or like.dtype), like.shape if shape is None else shape)
    value = fill_value.data if isinstance(fill_value, Tensor) else fill_value
    return _made(np.full_like(like, value, dtype, order, subok, shape), device=device)
