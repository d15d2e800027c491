"""Elementwise arithmetic: a table of derivatives, a line for each argument."""

from __future__ import annotations

import numpy as np

from ..autograd.primitive import primitive
from .samples import binary, unary

__all__ = ["add", "divide", "multiply", "negative", "subtract"]

add = primitive(
    np.add,
    vjp=[lambda g, y, _a, _b: g, lambda g, y, _a, _b: g],
    formula="a + b",
    gradient=["g", "g"],
    samples=binary(),
)
subtract = primitive(
    np.subtract,
    vjp=[lambda g, y, _a, _b: g, lambda g, y, _a, _b: -g],
    formula="a − b",
    gradient=["g", "−g"],
    samples=binary(),
)
multiply = primitive(
    np.multiply,
    vjp=[lambda g, y, _a, b: g * b, lambda g, y, a, _b: g * a],
    formula="a · b",
    gradient=["g · b", "g · a"],
    samples=binary(),
)
divide = primitive(
    np.true_divide,
    vjp=[lambda g, y, _a, b: g / b, lambda g, y, a, b: -g * a / (b * b)],
    formula="a / b",
    gradient=["g / b", "−g · a / b²"],
    samples=binary(low2=0.5, high2=2.0),
)
negative = primitive(
    np.negative, vjp=[lambda g, y, _x: -g], formula="−x", gradient=["−g"], samples=unary()
)
