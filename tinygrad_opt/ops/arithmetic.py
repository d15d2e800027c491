"""Elementwise arithmetic: a table of derivatives, a line for each argument."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_array
from .masking import keep
from .samples import binary, unary

__all__ = [
    "abs",
    "absolute",
    "add",
    "clip",
    "divide",
    "fabs",
    "fmax",
    "fmin",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "positive",
    "subtract",
    "true_divide",
]

add = primitive(
    np.add,
    vjp=[lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: g],
    formula="a + b",
    gradient=["g", "g"],
    samples=binary(),
)
subtract = primitive(
    np.subtract,
    vjp=[lambda g, _y, _a, _b: g, lambda g, _y, _a, _b: -g],
    formula="a − b",
    gradient=["g", "−g"],
    samples=binary(),
)
multiply = primitive(
    np.multiply,
    vjp=[
        lambda g, _y, _a, b: g * b if g.dtype.kind != "c" else g * np.conjugate(b),
        lambda g, _y, a, _b: g * a if g.dtype.kind != "c" else g * np.conjugate(a),
    ],
    formula="a · b",
    gradient=["g · b", "g · a"],
    samples=binary(),
)
divide = true_divide = primitive(
    np.true_divide,
    vjp=[
        lambda g, _y, _a, b: g / b if g.dtype.kind != "c" else g / np.conjugate(b),
        lambda g, y, _a, b: -g * y / b if g.dtype.kind != "c" else -g * np.conjugate(y / b),
    ],
    formula="a / b",
    gradient=["g / b", "−g · a / b²"],
    samples=binary(low2=0.5, high2=2.0),
)
negative = primitive(np.negative, vjp=[lambda g, _y, _x: -g], formula="−x", gradient=["−g"], samples=unary())
positive = primitive(np.positive, vjp=[lambda g, _y, _x: g], formula="x", gradient=["g"], samples=unary())

abs = absolute = primitive(
    np.absolute,
    vjp=[lambda g, _y, x: g * np.sign(x)],
    formula="|x|",
    gradient=["g · sign(x), 0 at 0"],
    samples=unary(),
)
fabs = primitive(
    np.fabs,
    vjp=[lambda g, _y, x: g * np.sign(x)],
    formula="|x|",
    gradient=["g · sign(x), 0 at 0"],
    samples=unary(),
)

maximum = primitive(
    np.maximum,
    vjp=[
        lambda g, _y, a, b: np.where(a == b, 0.5 * g, keep(g, ~(a < b))),
        lambda g, _y, a, b: np.where(a == b, 0.5 * g, keep(g, ~(b < a))),
    ],
    formula="max(a, b)",
    gradient=["g where a > b, half of it at a tie", "g where b > a, half of it at a tie"],
    samples=binary(),
)
minimum = primitive(
    np.minimum,
    vjp=[
        lambda g, _y, a, b: np.where(a == b, 0.5 * g, keep(g, ~(a > b))),
        lambda g, _y, a, b: np.where(a == b, 0.5 * g, keep(g, ~(b > a))),
    ],
    formula="min(a, b)",
    gradient=["g where a < b, half of it at a tie", "g where b < a, half of it at a tie"],
    samples=binary(),
)
fmax = primitive(
    np.fmax,
    vjp=[
        lambda g, _y, a, b: keep(g, (a >= b) | np.isnan(b)),
        lambda g, _y, a, b: keep(g, ~((a >= b) | np.isnan(b))),
    ],
    formula="fmax(a, b)",
    gradient=["g where a ≥ b or b is NaN", "g elsewhere"],
    samples=binary(),
)
fmin = primitive(
    np.fmin,
    vjp=[
        lambda g, _y, a, b: keep(g, (a <= b) | np.isnan(b)),
        lambda g, _y, a, b: keep(g, ~((a <= b) | np.isnan(b))),
    ],
    formula="fmin(a, b)",
    gradient=["g where a ≤ b or b is NaN", "g elsewhere"],
    samples=binary(),
)


def _clip_samples(rng: np.random.Generator) -> Any:
    x = rng.uniform(-2, 2, (2, 3))
    yield x, np.asarray(-1.0), np.asarray(1.0)
    yield x, np.array([-1.0, -0.5, 0.0]), np.array([[0.5], [1.0]])
    yield x, np.asarray(1.0), np.asarray(-1.0)
    yield np.asarray(3.0), np.asarray(-1.0), np.asarray(1.0)
    yield np.zeros(0), np.asarray(-1.0), np.asarray(1.0)


clip_between = primitive(
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
    name="clip",
    vjp=[
        lambda g, _y, x, low, high: keep(g, (low <= x) & (x <= high)),
        lambda g, _y, x, low, high: keep(g, (x < low) & (low < high)),
        lambda g, _y, x, low, high: keep(g, (x > high) | (low > high)),
    ],
    formula="min(max(x, low), high)",
    gradient=["g where low ≤ x ≤ high", "g where x < low", "g where x > high"],
    samples=_clip_samples,
)


@implements(np.clip, np._core.umath.clip)  # type: ignore[attr-defined]  # an ndarray's method calls the second
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """`a` held between two bounds, either of which may be None. At a bound the gradient goes to `a`.

    Raises
    ------
    TypeError
        A bound is given twice, as `a_min` and as `min`.
    """
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise TypeError("clip: give each bound once, as a_min and a_max or as min and max.")
    a = a if isinstance(a, Tensor) else as_array(a)
    low = a_min if min is None else min
    high = a_max if max is None else max
    if a.dtype.kind in "iu":  # where a Python number may be out of range
        lowest, highest = np.iinfo(a.dtype).min, np.iinfo(a.dtype).max
        low = builtins.max(low, lowest) if low.__class__ is int else low
        high = builtins.min(high, highest) if high.__class__ is int else high
    else:
        lowest, highest = -np.inf, np.inf  # type: ignore[assignment]
    return clip_between(a, lowest if low is None else low, highest if high is None else high)
