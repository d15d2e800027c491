"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from .complex import holomorphic
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
    np.sin,
    vjp=[lambda g, _y, x: g * np.cos(x) if g.dtype.kind != "c" else g * np.conjugate(np.cos(x))],
    formula="sin(x)",
    gradient=["g · cos(x)"],
    samples=unary(),
)
cos = primitive(
    np.cos,
    vjp=[lambda g, _y, x: -g * np.sin(x) if g.dtype.kind != "c" else -g * np.conjugate(np.sin(x))],
    formula="cos(x)",
    gradient=["−g · sin(x)"],
    samples=unary(),
)
tan = primitive(
    np.tan,
    vjp=[holomorphic(lambda g, y, _x: g * (1 + y * y))],
    formula="tan(x)",
    gradient=["g · (1 + tan²(x))"],
    samples=unary(-1.2, 1.2),
)


def _leg(x: Any) -> Any:
    """√(1 − x²); of complex x, on the side of the branch cut where arcsin's value lies."""
    return np.sqrt(1 - x * x if x.dtype.kind != "c" else -(x * x - 1))


arcsin = asin = primitive(
    np.arcsin,
    vjp=[holomorphic(lambda g, _y, x: g / _leg(x))],
    formula="arcsin(x)",
    gradient=["g / √(1 − x²)"],
    samples=unary(-0.9, 0.9),
)
arccos = acos = primitive(
    np.arccos,
    vjp=[holomorphic(lambda g, _y, x: -g / _leg(x))],
    formula="arccos(x)",
    gradient=["−g / √(1 − x²)"],
    samples=unary(-0.9, 0.9),
)
arctan = atan = primitive(
    np.arctan,
    vjp=[holomorphic(lambda g, _y, x: g / (1 + x * x))],
    formula="arctan(x)",
    gradient=["g / (1 + x²)"],
    samples=unary(),
)


def _square_distance(a: Any, b: Any) -> Any:
    """a² + b², infinite at the origin, so that a gradient divided by it is 0 there."""
    square = a * a + b * b
    return np.where(square == 0, np.inf, square)


arctan2 = atan2 = primitive(
    np.arctan2,
    vjp=[
        lambda g, _y, a, b: g * (b / _square_distance(a, b)),
        lambda g, _y, a, b: g * (-a / _square_distance(a, b)),
    ],
    formula="arctan2(a, b)",
    gradient=["g · b / (a² + b²), 0 at the origin", "−g · a / (a² + b²), 0 at the origin"],
    samples=binary(0.5, 2.0, -2.0, -0.5),
)
sinh = primitive(
    np.sinh,
    vjp=[holomorphic(lambda g, _y, x: g * np.cosh(x))],
    formula="sinh(x)",
    gradient=["g · cosh(x)"],
    samples=unary(),
)
cosh = primitive(
    np.cosh,
    vjp=[holomorphic(lambda g, _y, x: g * np.sinh(x))],
    formula="cosh(x)",
    gradient=["g · sinh(x)"],
    samples=unary(),
)
tanh = primitive(
    np.tanh,
    vjp=[lambda g, y, _x: g - g * y * y if g.dtype.kind != "c" else g * np.conjugate(1 - y * y)],
    formula="tanh(x)",
    gradient=["g · (1 − tanh²(x))"],
    samples=unary(),
)
arcsinh = asinh = primitive(
    np.arcsinh,
    vjp=[holomorphic(lambda g, _y, x: g / np.sqrt(x * x + 1))],
    formula="arsinh(x)",
    gradient=["g / √(x² + 1)"],
    samples=unary(),
)
arccosh = acosh = primitive(
    np.arccosh,
    vjp=[holomorphic(lambda g, _y, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))],
    formula="arcosh(x)",
    gradient=["g / √(x² − 1)"],
    samples=unary(1.5, 3.0),
)
arctanh = atanh = primitive(
    np.arctanh,
    vjp=[holomorphic(lambda g, _y, x: g / (1 - x * x))],
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


@primitive(
    numpy=np.sinc,
    formula="sin(πx) / (πx)",
    gradient=["g · (cos(πx) − sinc(x)) / x, 0 at 0"],
    samples=unary(0.3, 2.0),
)
def sinc(x: Any) -> Any:
    """sin(πx) / (πx), and 1 at 0."""
    return np.sinc(x)


@sinc.vjp(0)
@holomorphic
def _(g: Any, _y: Any, x: Any) -> Any:
    # Below 0.01 the series of the derivative, −π²x/3 + π⁴x³/30 − π⁶x⁵/840, is exact to 1e-13 and stays right at 0.
    near = np.abs(x) < 0.01
    far = np.where(near, 1.0, x)
    t = (math.pi * np.where(near, x, 0.0)) ** 2
    series = x * (-(math.pi**2) / 3 + math.pi**2 * t / 30 - math.pi**2 * t * t / 840)
    return g * np.where(near, series, (np.cos(math.pi * far) - np.sinc(far)) / far)
