"""Exponentials, logarithms and powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from .samples import binary, unary

__all__ = ["exp", "log", "power", "sqrt", "square"]

exp = primitive(np.exp, vjp=[lambda g, y, _x: g * y], formula="exp(x)", gradient=["g · exp(x)"], samples=unary())
log = primitive(np.log, vjp=[lambda g, y, x: g / x], formula="ln(x)", gradient=["g / x"], samples=unary(0.5, 3.0))
sqrt = primitive(
    np.sqrt, vjp=[lambda g, y, _x: g / (2 * y)], formula="√x", gradient=["g / (2√x)"], samples=unary(0.5, 3.0)
)
square = primitive(np.square, vjp=[lambda g, y, x: g * (2 * x)], formula="x²", gradient=["g · 2x"], samples=unary())

power = primitive(np.power, formula="aᵇ", gradient=["g · b · aᵇ⁻¹", "g · aᵇ · ln(a)"], samples=binary(0.5, 2.0, -2.0, 2.0))


@power.vjp(0)
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * (b * np.power(a, np.where(b == 0, 1, b - 1)))


@power.vjp(1)
def _(g: Any, y: Any, a: Any, _b: Any) -> Any:
    return g * y * np.log(np.where(a == 0, 1, a))
