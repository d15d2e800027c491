"""Differences, slopes and integrals of sampled functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from .creation import beside, together
from .indexing import on_axis
from .reduction import axes_of

__all__ = ["diff", "ediff1d", "gradient", "trapezoid", "unwrap"]

_NOT_GIVEN: Any = object()


def _part(x: Any, start: int | None, stop: int | None, axis: int) -> Any:
    return x[on_axis(slice(start, stop), axis, x.ndim)]


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = _NOT_GIVEN, append: Any = _NOT_GIVEN) -> Any:
    """a[i+1] − a[i] along an axis, `n` times over; of bool arrays, whether they differ."""
    a = as_tensor(a)
    if a.ndim == 0:
        raise ShapeError("diff: a 0-d array has no axis to take differences along.")
    axis = normalize_axis_index(axis, a.ndim, "diff")
    if n < 0:
        raise ValueError(f"diff: n must be 0 or more, got {n}.")
    if n == 0:
        return a
    ends = [a.shape[i] if i != axis else 1 for i in range(a.ndim)]
    parts = [p if p is a else beside(p, a) for p in (prepend, a, append) if p is not _NOT_GIVEN]
    parts = [p if p.ndim else np.broadcast_to(p, ends) for p in parts]
    x = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    for _ in range(n):
        after, before = _part(x, 1, None, axis), _part(x, None, -1, axis)
        x = after != before if x.dtype == bool else after - before
    return x


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of consecutive elements of the flattened array, with values put in front and behind."""
    steps = diff(np.reshape(as_tensor(ary), -1))
    parts = [np.reshape(beside(p, steps), -1) for p in (to_begin, steps, to_end) if p is not None]
    return np.concatenate(parts) if len(parts) > 1 else steps


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """∫ y dx by the trapezoidal rule, for samples at `x` or at distance `dx`."""
    y, x = (as_tensor(y), None) if x is None else together(y, x)
    axis = normalize_axis_index(axis, y.ndim, "trapezoid")
    if x is not None:
        dx = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            dx = np.reshape(dx, [-1 if i == axis else 1 for i in range(y.ndim)])
    return np.sum(dx * (_part(y, 1, None, axis) + _part(y, None, -1, axis)) * 0.5, axis=axis)


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes of a sampled function along each axis, by second-order central differences.

    Parameters
    ----------
    f : array_like
    *varargs : float or array_like
        The spacing for all axes or for each, or the coordinates along each axis.
    axis : int or tuple, optional
        All axes when left out; a tuple of results unless it is one.
    edge_order : {1, 2}
        The order of accuracy at the ends.
    """
    f, *spacings = together(f, *(varargs or [1.0]))
    axes = axes_of(axis, f.ndim)
    spacings = spacings * len(axes) if len(spacings) == 1 else spacings
    if len(spacings) != len(axes):
        raise TypeError(f"gradient: {len(varargs)} spacings were given for {len(axes)} axes.")
    slopes = [_slope(f, h, a, edge_order) for h, a in zip(spacings, axes, strict=True)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    f = np.moveaxis(f, axis, 0)
    n = len(f)
    if edge_order not in (1, 2) or n < edge_order + 1:
        raise ValueError(f"gradient: edge_order {edge_order} needs {edge_order + 1} samples, got {n} on axis {axis}.")
    if spacing.ndim == 0:
        steps = np.broadcast_to(spacing, (n - 1,))
    elif spacing.shape == (n,):
        steps = diff(spacing)
    else:
        raise ShapeError(f"gradient: {n} coordinates are wanted along axis {axis}, got shape {spacing.shape}.")
    h = np.reshape(steps, (-1,) + (1,) * (f.ndim - 1))
    rise = (f[1:] - f[:-1]) / h
    before, after = h[:-1], h[1:]
    inner = (after * rise[:-1] + before * rise[1:]) / (before + after)
    first, last = rise[:1], rise[-1:]
    if edge_order == 2:
        first = first + (rise[:1] - rise[1:2]) * h[:1] / (h[:1] + h[1:2])
        last = last + (rise[-1:] - rise[-2:-1]) * h[-1:] / (h[-1:] + h[-2:-1])
    return np.moveaxis(np.concatenate([first, inner, last]), 0, axis)


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """Angles with jumps of more than half a `period` (or `discont`) taken out by whole periods."""
    p = as_tensor(p)
    turns = np.unwrap(p.data, discont, axis, period=period) - p.data
    return p + turns
