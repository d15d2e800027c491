"""Rounding, remainders and the parts of a number; piecewise constant functions have gradient 0, as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from .masking import keep
from .samples import binary, unary

__all__ = [
    "around",
    "ceil",
    "copysign",
    "divmod",
    "fix",
    "floor",
    "floor_divide",
    "fmod",
    "frexp",
    "heaviside",
    "ldexp",
    "mod",
    "modf",
    "nan_to_num",
    "nextafter",
    "remainder",
    "rint",
    "round",
    "sign",
    "spacing",
    "trunc",
]


def _zero(g: Any, *_: Any, **__: Any) -> Any:
    """The gradient of a step function."""
    return np.zeros_like(g)


def _step(function: Any, formula: str) -> Any:
    return primitive(function, vjp=[_zero], formula=formula, gradient=["0"], samples=unary())


floor = _step(np.floor, "⌊x⌋")
ceil = _step(np.ceil, "⌈x⌉")
trunc = _step(np.trunc, "x without its fraction")
rint = _step(np.rint, "x rounded")
spacing = _step(np.spacing, "distance from x to the next number")
fix = implements(np.fix)(trunc)
round = around = primitive(
    np.round,
    numpy=(np.round, np.around),
    arrays=1,
    vjp=[_zero],
    formula="x rounded",
    gradient=["0"],
    samples=unary(),
)
sign = primitive(np.sign, formula="sign(x)", gradient=["0"], samples=unary())


@sign.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    if g.dtype.kind != "c":
        return np.zeros_like(g)
    size = np.abs(x)  # a complex sign is x / |x|: it turns, at constant length
    turning = (g - y * np.real(np.conjugate(y) * g)) / np.where(size == 0, 1.0, size)
    return np.where(size == 0, 0.0, turning)


floor_divide = primitive(
    np.floor_divide,
    vjp=[_zero, _zero],
    formula="⌊a / b⌋",
    gradient=["0", "0"],
    samples=binary(low2=0.5, high2=2.0),
)
remainder = mod = primitive(
    np.remainder,
    vjp=[lambda g, _y, _a, _b: g, lambda g, _y, a, b: -g * np.floor_divide(a, b)],
    formula="a − b · ⌊a / b⌋",
    gradient=["g", "−g · ⌊a / b⌋"],
    samples=binary(low2=0.5, high2=2.0),
)
fmod = primitive(
    np.fmod,
    vjp=[lambda g, _y, _a, _b: g, lambda g, _y, a, b: -g * np.trunc(a / b)],
    formula="a − b · trunc(a / b)",
    gradient=["g", "−g · trunc(a / b)"],
    samples=binary(low2=0.5, high2=2.0),
)


@implements(np.divmod)
def divmod(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Quotient and remainder of the division that rounds down."""
    return floor_divide(x1, x2), remainder(x1, x2)


@implements(np.modf)
def modf(x: Any) -> tuple[Any, Any]:
    """The fraction and the whole part of x, both with its sign."""
    whole = trunc(x)
    endless = np.isinf(x)
    fraction = np.where(endless, 0.0, x - np.where(endless, 0.0, whole))
    return copysign(fraction, as_array(x)), whole


@implements(np.frexp)
def frexp(x: Any) -> tuple[Any, Any]:
    """Mantissa m, ½ ≤ |m| < 1, and whole exponent e of x = m · 2ᵉ."""
    exponent = np.frexp(as_array(x))[1]
    return ldexp(x, -exponent), as_tensor(exponent)


def _ldexp_samples(rng: np.random.Generator) -> Any:
    yield rng.standard_normal((2, 3)), np.array([1, 0, -2])
    yield np.asarray(1.5), np.asarray(3)
    yield np.zeros(0), np.asarray(1)


ldexp = primitive(
    np.ldexp,
    vjp=[lambda g, _y, _x, exponent: np.ldexp(g, exponent), None],
    formula="x · 2ᵉ",
    gradient=["g · 2ᵉ", ""],
    samples=_ldexp_samples,
)
nextafter = primitive(
    np.nextafter,
    vjp=[lambda g, _y, _a, _b: g, _zero],
    formula="the number after a towards b",
    gradient=["g", "0"],
    samples=binary(),
)
heaviside = primitive(
    np.heaviside,
    vjp=[_zero, lambda g, _y, a, _b: keep(g, a == 0)],
    formula="0, b or 1 as a < 0, a = 0 or a > 0",
    gradient=["0", "g where a = 0"],
    samples=binary(),
)
copysign = primitive(
    np.copysign,
    vjp=[lambda g, y, a, _b: g * (np.sign(a) * np.sign(y)), _zero],
    formula="|a| with the sign of b",
    gradient=["g · sign(a) · sign(b)", "0"],
    samples=binary(),
)


@primitive(
    numpy=np.nan_to_num,
    vjp=[lambda g, _y, x, *_, **__: keep(g, np.isfinite(x))],
    formula="x, with numbers for NaN and ±∞",
    gradient=["g where x is finite"],
    samples=unary(),
)
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """x with numbers in the place of NaN and of ±∞ (by default the largest there are); always a copy."""
    return np.nan_to_num(x, True, nan, posinf, neginf)
