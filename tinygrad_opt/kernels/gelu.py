"""The compiled twins of GELU and of its gradient, in single precision: one pass each instead of twenty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .functions import compiled, erf, exp
from .sharing import shared

__all__ = ["exact", "exact_back", "tanh_form", "tanh_form_back"]

_f = np.float32
_ZERO, _HALF, _MINUS_HALF, _ONE, _TWO = _f(0), _f(0.5), _f(-0.5), _f(1), _f(2)
_ROOT_HALF, _DENSITY = _f(math.sqrt(0.5)), _f(1 / math.sqrt(2 * math.pi))
_FIRST, _THIRD = _f(math.sqrt(2 / math.pi)), _f(0.044715 * math.sqrt(2 / math.pi))
_THREE_THIRD = _f(3) * _THIRD
_WORK = 8  # an element costs as much as so many multiplications


@shared
@compiled
def _exact(y, x, first, last):  # type: ignore[no-untyped-def]
    y, x = y[first:last], x[first:last]
    for i in range(x.size):
        v = x[i]
        y[i] = _HALF * v * (_ONE + erf(v * _ROOT_HALF))


@shared
@compiled
def _exact_back(d, g, y, x, first, last):  # type: ignore[no-untyped-def]
    d, g, y, x = d[first:last], g[first:last], y[first:last], x[first:last]
    for i in range(x.size):
        v = x[i]
        share = _HALF if v == _ZERO else y[i] / v
        d[i] = g[i] * (share + v * (_DENSITY * exp(_MINUS_HALF * (v * v))))


@shared
@compiled
def _tanh(y, x, first, last):  # type: ignore[no-untyped-def]
    """x/2 · (1 + tanh z) = x · σ(2z), where nothing cancels."""
    y, x = y[first:last], x[first:last]
    for i in range(x.size):
        v = x[i]
        z = _TWO * ((v * v * _THIRD + _FIRST) * v)
        e = exp(-z if z > _ZERO else z)
        y[i] = v * (_ONE if z > _ZERO else e) / (_ONE + e)


@shared
@compiled
def _tanh_back(d, g, x, first, last):  # type: ignore[no-untyped-def]
    """g · (σ(2z) + x · σ(2z) (1 − σ(2z)) · d(2z)/dx)"""
    d, g, x = d[first:last], g[first:last], x[first:last]
    for i in range(x.size):
        v = x[i]
        square = v * v
        z = _TWO * ((square * _THIRD + _FIRST) * v)
        e = exp(-z if z > _ZERO else z)
        rate = _ONE / (_ONE + e)
        slope = _TWO * (square * _THREE_THIRD + _FIRST) * v
        d[i] = g[i] * (rate * (_ONE if z > _ZERO else e) + slope * (e * rate * rate))


def _run(loop: Any, *arrays: Any) -> Any:
    """``loop(out, *arrays)`` on the elements of arrays of one shape, shared among the threads."""
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    out = np.empty(flat[0].shape, np.float32)
    loop(out.size, out.size * _WORK, out, *flat)
    return out.reshape(arrays[0].shape)


def exact(x: Any) -> Any:
    """The twin of ``nn.gelu``'s x · Φ(x)."""
    return _run(_exact, x)


def exact_back(g: Any, y: Any, x: Any) -> Any:
    """The twin of its gradient g · (y/x + x · φ(x))."""
    return _run(_exact_back, g, y, x)


def tanh_form(x: Any) -> Any:
    """The twin of the form with tanh."""
    return _run(_tanh, x)


def tanh_form_back(g: Any, x: Any) -> Any:
    """The twin of that form's gradient."""
    return _run(_tanh_back, g, x)
