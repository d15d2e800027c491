"""How some operations write their result into a buffer that is there already, instead of returning a new array.

A ufunc does so by itself. The few here are those of every net; a test holds each to its forward function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops.masking import WHOLE

__all__ = ["writes"]

Thunk = tuple[Callable[..., Any], tuple[Any, ...]]


def writes(name: str, function: Callable[..., Any], inputs: tuple[Any, ...], kwargs: Any, out: Any) -> list[Thunk]:
    """Calls that put an operation's result into `out`; none where there is no such way."""
    if kwargs or not all(isinstance(value, (np.ndarray, int, float)) for value in inputs):
        return []
    if isinstance(function, np.ufunc):
        return [_into(out, function, inputs)]
    writer = _WRITERS.get(name)
    return writer(out, *inputs) if writer is not None and function.__module__.startswith(_PACKAGE) else []


def _into(out: Any, function: np.ufunc, inputs: tuple[Any, ...]) -> Thunk:
    """A ufunc with its result's place, by position, which NumPy finds sooner, where it allows that."""
    if function in (np.maximum, np.minimum):
        return functools.partial(function, out=out), _as_arrays(inputs)
    return function, (*_as_arrays(inputs), out)


def _as_arrays(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers beside floating-point arrays as arrays of their dtype, which is what NumPy makes of them at each call."""
    dtypes = {value.dtype for value in inputs if isinstance(value, np.ndarray)}
    if len(dtypes) != 1 or next(iter(dtypes)).kind != "f":
        return inputs
    return tuple([np.asarray(value, *dtypes) for value in inputs])


def _matmul(out: Any, a: Any, b: Any) -> list[Thunk]:
    if b.ndim == 2 < a.ndim and a.flags.c_contiguous and out.flags.c_contiguous:  # one product, as the forward does
        return _matmul(out.reshape(-1, out.shape[-1]), a.reshape(-1, a.shape[-1]), b)
    if a.ndim > 2 or b.ndim > 2:
        return []
    if a.dtype is b.dtype is out.dtype and out.ndim and out.flags.c_contiguous:
        return [(a.dot, (b, out))]  # the same call of BLAS, found sooner
    return [(np.matmul, (a, b, out))]


def _linear(out: Any, x: Any, weight: Any, bias: Any) -> list[Thunk]:
    return [*_matmul(out, x, weight.T), (np.add, (out, bias, out))] if x.ndim == 2 else []


def _relu(out: Any, x: Any) -> list[Thunk]:
    return [_into(out, np.maximum, (x, 0))]


def _keep(out: Any, x: Any, mask: Any) -> list[Thunk]:
    whole = WHOLE.get(x.dtype)
    if whole is None or not (x.flags.c_contiguous and out.flags.c_contiguous):
        return []
    factors = np.empty(np.shape(mask), whole)  # as whole numbers beforehand, since NumPy multiplies kinds apart slowly
    return [(factors.__setitem__, (..., mask)), (np.multiply, (x.view(whole), factors, out.view(whole)))]


_PACKAGE = __name__.partition(".")[0]
_WRITERS: dict[str, Callable[..., list[Thunk]]] = {"matmul": _matmul, "linear": _linear, "relu": _relu, "keep": _keep}
