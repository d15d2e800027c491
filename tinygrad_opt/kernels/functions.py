"""exp, tanh and erf in single precision as straight-line arithmetic, which a compiled loop turns into vectors.

The functions of the C library stand in the way of that: a loop that calls them is five to thirty times slower. The
coefficients are fits of our own, made in double precision.

========  ============================================  ======================
function  method                                        error, relative
========  ============================================  ======================
exp       2ⁿ · polynomial in r, |r| ≤ ½ ln 2            2e-7; 0 below −87.3
tanh      x · rational function of x², |x| ≤ 9          5e-7
erf       x · rational function of x², |x| ≤ 4          7e-7
========  ============================================  ======================
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from ..ops.special import BEND, BEND_END

__all__ = ["FAST", "any_order", "compiled", "erf", "exp", "largest", "tanh", "total"]

FAST = {"contract", "nsz"}
"""What a compiled loop may do to arithmetic: fuse a product with a sum, and take −0 for 0."""

compiled: Any = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=FAST)
"""Decorates the loops that use these functions."""

any_order: Any = numba.njit(nogil=True, error_model="numpy", fastmath=FAST | {"reassoc"})
"""Decorates sums, whose terms may then be added several at a time."""

_inline: Any = numba.njit(nogil=True, error_model="numpy", fastmath=FAST)
_f = np.float32
_ONE, _MINUS_ONE, _ZERO = _f(1), _f(-1), _f(0)

_LOG2_E = _f(1.4426950408889634)
_LN2_HIGH, _LN2_LOW = _f(0.693359375), _f(-2.12194440e-4)  # the first has few bits, so that n times it is exact
_ROUND = _f(12582912.0)  # 1.5 · 2²³: a sum with it has no room for a fraction, and n in its low bits
_ROUND_BITS = np.int32(0x4B400000)
_LEAST = _f(-87.33654)  # the logarithm of the smallest normal number
_E2, _E3, _E4 = _f(0.5000000013468899), _f(0.1666657696724491), _f(0.04166646490002881)
_E5, _E6 = _f(0.00836318154494189), _f(0.001393365217659092)

_T0, _T1, _T2 = _f(0.9999999794247539), _f(0.13381029892484478), _f(0.0034955930894065195)
_T3, _T4 = _f(2.0609159451407866e-05), _f(1.3354758929728372e-08)
_U1, _U2 = _f(0.4671434548321603), _f(0.025877001324869375)
_U3, _U4 = _f(0.00032856427465289867), _f(7.776600216168908e-07)
_NINE, _MINUS_NINE = _f(9), _f(-9)

_B0, _B1, _B2, _B3, _B4, _B5, _B6 = (_f(c) for c in BEND)
_END, _MINUS_END = _f(BEND_END), _f(-BEND_END)


def _reinterpret(source: Any, target: Any, code: Any) -> Any:
    """A function of one number that gives its bits another type."""

    def take(typing_context, x):  # type: ignore[no-untyped-def]
        return target(source), lambda context, builder, signature, args: builder.bitcast(args[0], code)

    return intrinsic(take)


_as_bits = _reinterpret(types.float32, types.int32, ir.IntType(32))
_as_number = _reinterpret(types.int32, types.float32, ir.FloatType())


@_inline
def exp(x):  # type: ignore[no-untyped-def]
    """eˣ for x ≤ 88; 0 for what would be less than any normal number, NaN for NaN."""
    z = _LEAST if x < _LEAST else x
    shifted = z * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (z - n * _LN2_HIGH) - n * _LN2_LOW
    y = (((_E6 * r + _E5) * r + _E4) * r + _E3) * r + _E2
    y = (y * (r * r) + r) + _ONE
    scale = _as_number((_as_bits(shifted) - _ROUND_BITS + np.int32(127)) << np.int32(23))
    return _ZERO if x < _LEAST else y * scale


@_inline
def tanh(x):  # type: ignore[no-untyped-def]
    """The hyperbolic tangent, never beyond ±1."""
    z = _NINE if x > _NINE else x
    z = _MINUS_NINE if z < _MINUS_NINE else z
    u = z * z
    y = z * ((((_T4 * u + _T3) * u + _T2) * u + _T1) * u + _T0)
    y = y / ((((_U4 * u + _U3) * u + _U2) * u + _U1) * u + _ONE)
    y = _ONE if y > _ONE else y
    return _MINUS_ONE if y < _MINUS_ONE else y


@_inline
def erf(x):  # type: ignore[no-untyped-def]
    """The error function, never beyond ±1: the fit of ``ops.special``."""
    z = _END if x > _END else x
    z = _MINUS_END if z < _MINUS_END else z
    u = z * z
    return tanh(z * ((((((_B6 * u + _B5) * u + _B4) * u + _B3) * u + _B2) * u + _B1) * u + _B0))


@numba.njit(nogil=True, error_model="numpy", fastmath=FAST | {"reassoc", "nnan"})
def largest(row):  # type: ignore[no-untyped-def]
    """The largest element of a row, −∞ of none; any number where there are NaNs."""
    top = _f(-np.inf)
    for j in range(row.size):
        top = max(top, row[j])
    return top


@any_order
def total(row):  # type: ignore[no-untyped-def]
    """The sum of a row."""
    sum_ = _ZERO
    for j in range(row.size):
        sum_ += row[j]
    return sum_
