"""Rounding, remainders and the parts of a number; piecewise constant functions have gradient 0, as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from .samples import binary, unary

__all__ = [
    "ceil",
    "conj",
    "conjugate",
    "copysign",
    "divmod",
    "fix",
    "floor",
    "floor_divide",
    "fmod",
    "heaviside",
    "imag",
    "mod",
    "nan_to_num",
    "real",
    "remainder",
    "rint",
    "round",
    "sign",
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
sign = _step(np.sign, "sign(x)")
round = primitive(
    np.round,
    numpy=(np.round, np.around),
    arrays=1,
    vjp=[_zero],
    formula="x rounded",
    gradient=["0"],
    samples=unary(),
)
fix = implements(np.fix)(trunc)

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
    formula="a mod b",
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


heaviside = primitive(
    np.heaviside,
    vjp=[
        _zero,
        lambda g, _y, a, _b: np.where(a == 0, g, 0.0),
    ],
    formula="0, b or 1 as a < 0, a = 0 or a > 0",
    gradient=["0", "g where a = 0"],
    samples=binary(),
)
copysign = primitive(
    np.copysign,
    vjp=[
        lambda g, y, a, _b: g * np.sign(a) * np.sign(y),
        _zero,
    ],
    formula="|a| with the sign of b",
    gradient=["g · sign(a) · sign(b)", "0"],
    samples=binary(),
)
nan_to_num = primitive(
    np.nan_to_num,
    numpy=np.nan_to_num,
    arrays=1,
    vjp=[lambda g, _y, x, *_, **__: np.where(np.isfinite(x), g, 0.0)],
    formula="x, with numbers for NaN and ±∞",
    gradient=["g where x is finite"],
    samples=unary(),
)

real = primitive(
    np.real, numpy=np.real, arrays=1, vjp=[lambda g, _y, _x: g], formula="Re x", gradient=["g"], samples=unary()
)
imag = primitive(
    np.imag,
    numpy=np.imag,
    arrays=1,
    vjp=[lambda g, _y, _x: g * 1j if _x.dtype.kind == "c" else np.zeros_like(g)],
    formula="Im x",
    gradient=["i · g"],
    samples=unary(),
)
conjugate = conj = primitive(
    np.conjugate, vjp=[lambda g, _y, _x: np.conjugate(g)], formula="x*", gradient=["g*"], samples=unary()
)
