"""Statistics: spread, order statistics and averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from .reduction import count, expand
from .samples import reduction

__all__ = ["std", "var"]

var = primitive(
    np.var,
    numpy=np.var,
    arrays=1,
    formula="Σ (x − x̄)² / (n − ddof)",
    gradient=["g · 2 (x − x̄) / (n − ddof)"],
    samples=reduction(empty=False),
)
std = primitive(
    np.std,
    numpy=np.std,
    arrays=1,
    formula="√(Σ (x − x̄)² / (n − ddof))",
    gradient=["g · (x − x̄) / ((n − ddof) · y), 0 where y = 0"],
    samples=reduction(empty=False),
)


def _deviation(x: Any, axis: Any, ddof: Any, where: Any) -> Any:
    """(x − x̄) / (n − ddof), zero where the mask leaves elements out."""
    if where is True:
        n = count(x.shape, axis) - ddof
        return (x - np.mean(x, axis=axis, keepdims=True)) * (1 / n if n > 0 else np.nan)
    n = np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=True, dtype=x.dtype) - ddof
    return np.where(where, (x - np.mean(x, axis=axis, keepdims=True, where=where)) / n, 0.0)


@var.vjp(0)
def _(
    g: Any,
    _y: Any,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    ddof = ddof if correction is None else correction
    return expand(g, x.shape, axis, keepdims) * 2 * _deviation(x, axis, ddof, where)


@std.vjp(0)
def _(
    g: Any,
    y: Any,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    ddof = ddof if correction is None else correction
    scaled = np.where(y == 0, 0.0, g / np.where(y == 0, 1.0, y))
    return expand(scaled, x.shape, axis, keepdims) * _deviation(x, axis, ddof, where)
