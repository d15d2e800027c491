"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from .samples import binary, unary

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "rad2deg",
    "radians",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]

sin = primitive(
    np.sin, vjp=[lambda g, _y, x: g * np.cos(x)], formula="sin(x)", gradient=["g · cos(x)"], samples=unary()
)
cos = primitive(
    np.cos,
    vjp=[lambda g, _y, x: -g * np.sin(x)],
    formula="cos(x)",
    gradient=["−g · sin(x)"],
    samples=unary(),
)
tan = primitive(
    np.tan,
    vjp=[lambda g, y, _x: g * (1 + y * y)],
    formula="tan(x)",
    gradient=["g · (1 + tan²(x))"],
    samples=unary(-1.2, 1.2),
)
arcsin = asin = primitive(
    np.arcsin,
    vjp=[lambda g, _y, x: g / np.sqrt(1 - x * x)],
    formula="arcsin(x)",
    gradient=["g / √(1 − x²)"],
    samples=unary(-0.9, 0.9),
)
arccos = acos = primitive(
    np.arccos,
    vjp=[lambda g, _y, x: -g / np.sqrt(1 - x * x)],
    formula="arccos(x)",
    gradient=["−g / √(1 − x²)"],
    samples=unary(-0.9, 0.9),
)
arctan = atan = primitive(
    np.arctan,
    vjp=[lambda g, _y, x: g / (1 + x * x)],
    formula="arctan(x)",
    gradient=["g / (1 + x²)"],
    samples=unary(),
)
arctan2 = atan2 = primitive(
    np.arctan2,
    vjp=[
        lambda g, _y, a, b: g * (b / (a * a + b * b)),
        lambda g, _y, a, b: g * (-a / (a * a + b * b)),
    ],
    formula="arctan2(a, b)",
    gradient=["g · b / (a² + b²)", "−g · a / (a² + b²)"],
    samples=binary(0.5, 2.0, -2.0, -0.5),
)
sinh = primitive(
    np.sinh,
    vjp=[lambda g, _y, x: g * np.cosh(x)],
    formula="sinh(x)",
    gradient=["g · cosh(x)"],
    samples=unary(),
)
cosh = primitive(
    np.cosh,
    vjp=[lambda g, _y, x: g * np.sinh(x)],
    formula="cosh(x)",
    gradient=["g · sinh(x)"],
    samples=unary(),
)
tanh = primitive(
    np.tanh,
    vjp=[lambda g, y, _x: g * (1 - y * y)],
    formula="tanh(x)",
    gradient=["g · (1 − tanh²(x))"],
    samples=unary(),
)
arcsinh = asinh = primitive(
    np.arcsinh,
    vjp=[lambda g, _y, x: g / np.sqrt(x * x + 1)],
    formula="arsinh(x)",
    gradient=["g / √(x² + 1)"],
    samples=unary(),
)
arccosh = acosh = primitive(
    np.arccosh,
    vjp=[lambda g, _y, x: g / np.sqrt(x * x - 1)],
    formula="arcosh(x)",
    gradient=["g / √(x² − 1)"],
    samples=unary(1.5, 3.0),
)
arctanh = atanh = primitive(
    np.arctanh,
    vjp=[lambda g, _y, x: g / (1 - x * x)],
    formula="artanh(x)",
    gradient=["g / (1 − x²)"],
    samples=unary(-0.9, 0.9),
)
deg2rad = primitive(
    np.deg2rad,
    vjp=[lambda g, _y, _x: g * (math.pi / 180)],
    formula="x · π / 180",
    gradient=["g · π / 180"],
    samples=unary(),
)
rad2deg = primitive(
    np.rad2deg,
    vjp=[lambda g, _y, _x: g * (180 / math.pi)],
    formula="x · 180 / π",
    gradient=["g · 180 / π"],
    samples=unary(),
)
radians = implements(np.radians)(deg2rad)
degrees = implements(np.degrees)(rad2deg)


@implements(np.sinc)
def sinc(x: Any) -> Any:
    """sin(πx) / (πx), and 1 at 0."""
    turned = math.pi * np.where(x == 0, 1.0, x)
    return np.where(x == 0, 1.0, np.sin(turned) / turned)
