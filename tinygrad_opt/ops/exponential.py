"""Exponentials, logarithms, powers and roots."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from .complex import holomorphic
from .samples import binary, unary

__all__ = [
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "float_power",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "pow",
    "power",
    "reciprocal",
    "sqrt",
    "square",
    "xlogy",
]

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)

exp = primitive(
    np.exp,
    vjp=[lambda g, y, _x: g * y if g.dtype.kind != "c" else g * np.conjugate(y)],
    formula="exp(x)",
    gradient=["g · exp(x)"],
    samples=unary(),
)
exp2 = primitive(
    np.exp2,
    vjp=[holomorphic(lambda g, y, _x: g * (y * _LN2))],
    formula="2ˣ",
    gradient=["g · 2ˣ · ln 2"],
    samples=unary(),
)
expm1 = primitive(
    np.expm1,
    vjp=[holomorphic(lambda g, y, _x: g * (y + 1))],
    formula="exp(x) − 1",
    gradient=["g · exp(x)"],
    samples=unary(),
)
log = primitive(
    np.log,
    vjp=[lambda g, _y, x: g / x if g.dtype.kind != "c" else g / np.conjugate(x)],
    formula="ln(x)",
    gradient=["g / x"],
    samples=unary(0.5, 3.0),
)
log2 = primitive(
    np.log2,
    vjp=[holomorphic(lambda g, _y, x: g / (x * _LN2))],
    formula="log₂(x)",
    gradient=["g / (x · ln 2)"],
    samples=unary(0.5, 3.0),
)
log10 = primitive(
    np.log10,
    vjp=[holomorphic(lambda g, _y, x: g / (x * _LN10))],
    formula="log₁₀(x)",
    gradient=["g / (x · ln 10)"],
    samples=unary(0.5, 3.0),
)
log1p = primitive(
    np.log1p,
    vjp=[holomorphic(lambda g, _y, x: g / (x + 1))],
    formula="ln(1 + x)",
    gradient=["g / (1 + x)"],
    samples=unary(-0.5, 3.0),
)


def _share(a: Any, b: Any) -> Any:
    """exp(a) / (exp(a) + exp(b)) = σ(a − b), and ½ for infinite a = b."""
    return 0.5 + 0.5 * np.tanh(0.5 * np.where(np.isinf(a) & (a == b), 0.0, a - b))


logaddexp = primitive(
    np.logaddexp,
    vjp=[lambda g, _y, a, b: g * _share(a, b), lambda g, _y, a, b: g * _share(b, a)],
    formula="ln(exp(a) + exp(b))",
    gradient=["g · σ(a − b)", "g · σ(b − a)"],
    samples=binary(),
)
logaddexp2 = primitive(
    np.logaddexp2,
    vjp=[
        lambda g, _y, a, b: g * _share(a * _LN2, b * _LN2),
        lambda g, _y, a, b: g * _share(b * _LN2, a * _LN2),
    ],
    formula="log₂(2ᵃ + 2ᵇ)",
    gradient=["g · 2ᵃ / (2ᵃ + 2ᵇ)", "g · 2ᵇ / (2ᵃ + 2ᵇ)"],
    samples=binary(),
)
sqrt = primitive(
    np.sqrt,
    vjp=[lambda g, y, _x: g / (y + y) if g.dtype.kind != "c" else g / np.conjugate(y + y)],
    formula="√x",
    gradient=["g / (2√x)"],
    samples=unary(0.5, 3.0),
)
cbrt = primitive(
    np.cbrt,
    vjp=[lambda g, y, _x: g / (3 * y * y)],
    formula="∛x",
    gradient=["g / (3 ∛x²)"],
    samples=unary(0.5, 3.0),
)
square = primitive(
    np.square,
    vjp=[lambda g, _y, x: g * (x + x) if g.dtype.kind != "c" else g * np.conjugate(x + x)],
    formula="x²",
    gradient=["g · 2x"],
    samples=unary(),
)
reciprocal = primitive(
    np.reciprocal,
    vjp=[holomorphic(lambda g, y, _x: -g * (y * y))],
    formula="1 / x",
    gradient=["−g / x²"],
    samples=unary(0.5, 3.0),
)
power = pow = primitive(
    operator.pow,  # which knows the quick ways for 2, ½ and −1
    name="power",
    numpy=np.power,
    formula="aᵇ",
    gradient=["g · b · aᵇ⁻¹, 0 where b = 0", "g · aᵇ · ln(a), 0 where a = 0 and b ≥ 0"],
    samples=binary(0.5, 2.0, -2.0, 2.0),
)


@power.vjp(0)
@holomorphic
def _(g: Any, _y: Any, a: Any, b: Any) -> Any:
    if isinstance(b, (int, float)):
        return g * (b * a ** (b - 1)) if b != 0 else np.zeros_like(g)
    return g * np.where(b == 0, 0.0, b * a ** np.where(b == 0, 1.0, b - 1))


@power.vjp(1)
@holomorphic
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * y * np.log(a + ((a == 0) & (b >= 0)))  # the logarithm of 1 where a = 0


@implements(np.float_power)
def float_power(x1: Any, x2: Any) -> Any:
    """`x1` to the power `x2`, in float64 at least."""
    return power(_as_double(x1), _as_double(x2))


def _as_double(x: Any) -> Any:
    x = as_array(x, np.float64) if isinstance(x, (bool, int, float)) else x
    return x.astype(np.result_type(x.dtype, np.float64))


hypot = primitive(
    np.hypot,
    vjp=[lambda g, y, a, _b: g * (a / y), lambda g, y, _a, b: g * (b / y)],
    formula="√(a² + b²)",
    gradient=["g · a / y", "g · b / y"],
    samples=binary(),
)


def xlogy(x: Any, y: Any) -> Any:
    """x · ln(y), and 0 where x = 0 and y ≤ 0, so that 0 · ln 0 is 0."""
    return x * np.log(np.where((as_tensor(x) == 0) & (as_tensor(y) <= 0), 1.0, y))
