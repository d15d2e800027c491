"""Reductions: sums, products, extrema and what accumulates along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from .samples import one_axis, reduction

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "linear_recurrence",
    "max",
    "mean",
    "min",
    "prod",
    "sum",
]


def expand(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool = False) -> Any:
    """What a reduction of an array of this shape gave, with the reduced axes put back at extent 1."""
    if keepdims or not shape or (axis is None and g.ndim == 0):
        return g
    axes = range(len(shape)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    reduced = {a % len(shape) for a in axes}
    return g.reshape(tuple([1 if i in reduced else n for i, n in enumerate(shape)]))


def count(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements of an array of this shape go into each element of its reduction."""
    if axis is None:
        return math_prod(shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return math_prod([shape[a] for a in axes])


from math import prod as math_prod  # noqa: E402

sum = primitive(np.sum, numpy=np.sum, arrays=1, formula="Σ x", gradient=["g, repeated"], samples=reduction())


@sum.vjp(0)
def _(
    g: Any,
    _y: Any,
    _x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    g = np.broadcast_to(expand(g, _x.shape, axis, keepdims), _x.shape)
    return g if where is True else np.where(where, g, 0.0)


mean = primitive(
    np.mean,
    numpy=np.mean,
    arrays=1,
    formula="Σ x / n",
    gradient=["g / n, repeated"],
    samples=reduction(empty=False),
)


@mean.vjp(0)
def _(
    g: Any,
    _y: Any,
    _x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    where: Any = True,
) -> Any:
    if where is True:
        g = expand(g, _x.shape, axis, keepdims) / count(_x.shape, axis)
        return np.broadcast_to(g, _x.shape)
    n = np.sum(np.broadcast_to(where, _x.shape), axis=axis, keepdims=True, dtype=g.dtype)
    return np.where(where, expand(g, _x.shape, axis, keepdims) / n, 0.0)


prod = primitive(np.prod, numpy=np.prod, arrays=1, formula="Π x", gradient=["g · Π of the others"], samples=reduction())


@prod.vjp(0)
def _(
    g: Any,
    y: Any,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    g = expand(g, x.shape, axis, keepdims)
    if where is not True:
        x = np.where(where, x, 1.0)
    if np.all(x != 0):
        gradient = g * expand(y, x.shape, axis, keepdims) / x
    else:
        gradient = g * initial * _product_of_others(x, axis)
    return gradient if where is True else np.where(where, gradient, 0.0)


def _product_of_others(x: Any, axis: Any) -> Any:
    """For each element, the product of the other ones along the axes, whatever is zero among them."""
    axes = tuple(range(x.ndim)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    kept = [i for i in range(x.ndim) if i not in {a % x.ndim for a in axes}]
    order = kept + [a % x.ndim for a in axes]
    moved = np.transpose(x, order)
    rows = moved.reshape(*moved.shape[: len(kept)], -1)
    ones = np.ones((*rows.shape[:-1], 1), rows.dtype)
    before = np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    after = np.flip(np.cumprod(np.concatenate([ones, np.flip(rows, -1)[..., :-1]], axis=-1), axis=-1), -1)
    return np.transpose((before * after).reshape(moved.shape), np.argsort(order))


max = amax = primitive(
    np.max,
    numpy=(np.max, np.amax),
    arrays=1,
    name="max",
    formula="max x",
    gradient=["g, shared between the maxima"],
    samples=reduction(empty=False),
)
min = amin = primitive(
    np.min,
    numpy=(np.min, np.amin),
    arrays=1,
    name="min",
    formula="min x",
    gradient=["g, shared between the minima"],
    samples=reduction(empty=False),
)


def _share(
    g: Any,
    y: Any,
    x: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """The gradient of an extremum, in equal parts for the elements that attain it."""
    attained = (x == expand(y, x.shape, axis, keepdims)) & where
    n = np.sum(attained, axis=axis, keepdims=True, dtype=g.dtype)
    return np.where(attained, expand(g, x.shape, axis, keepdims) / np.maximum(n, 1), 0.0)


max.vjp(0)(_share)
min.vjp(0)(_share)

argmax = primitive(np.argmax, numpy=np.argmax, arrays=1, differentiable=False, samples=one_axis(), formula="argmax x")
argmin = primitive(np.argmin, numpy=np.argmin, arrays=1, differentiable=False, samples=one_axis(), formula="argmin x")
any = primitive(np.any, numpy=np.any, arrays=1, differentiable=False, samples=reduction(), formula="any x")
all = primitive(np.all, numpy=np.all, arrays=1, differentiable=False, samples=reduction(), formula="all x")
count_nonzero = primitive(
    np.count_nonzero,
    numpy=np.count_nonzero,
    arrays=1,
    differentiable=False,
    samples=reduction(),
    formula="number of x ≠ 0",
)

cumsum = primitive(
    np.cumsum,
    numpy=np.cumsum,
    arrays=1,
    formula="running Σ x",
    gradient=["Σ of g from here on"],
    samples=one_axis(),
)


def _from_here_on(g: Any, axis: int) -> Any:
    """Sums of g over this element and those behind it."""
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


@cumsum.vjp(0)
def _(g: Any, _y: Any, _x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
    if axis is None:
        return _from_here_on(g, 0).reshape(_x.shape)
    return _from_here_on(g, axis)


cumprod = primitive(
    np.cumprod,
    numpy=np.cumprod,
    arrays=1,
    formula="running Π x",
    gradient=["Σ of g · Π of the others, from here on"],
    samples=one_axis(),
)


@cumprod.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
    shape = x.shape
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    if np.all(x != 0):
        return (_from_here_on(g * y, axis) / x).reshape(shape)
    x, y, g = np.moveaxis(x, axis, 0), np.moveaxis(y, axis, 0), np.moveaxis(g, axis, 0)
    one = np.ones((1, *x.shape[1:]), x.dtype)
    before = np.concatenate([one, y[:-1]])
    coming = np.flip(linear_recurrence(np.flip(np.concatenate([x[1:], one]), 0), np.flip(g, 0)), 0)
    return np.moveaxis(before * coming, 0, axis).reshape(shape)


def _recurrence_samples(rng: np.random.Generator) -> Any:
    yield (rng.standard_normal(4), rng.standard_normal(4))
    yield (rng.standard_normal((3, 2)), rng.standard_normal((3, 2)))
    yield (np.zeros((0, 2)), np.zeros((0, 2)))


@primitive(
    formula="yₜ = aₜ · yₜ₋₁ + bₜ",
    gradient=["hₜ · yₜ₋₁, with hₜ = gₜ + aₜ₊₁ · hₜ₊₁", "hₜ"],
    samples=_recurrence_samples,
)
def linear_recurrence(a: Any, b: Any) -> Any:
    """y[t] = a[t] · y[t−1] + b[t] along the first axis, from y[−1] = 0; a and b have the same shape."""
    y = np.empty_like(b)
    state: Any = 0
    for t in range(len(b)):
        state = y[t] = a[t] * state + b[t]
    return y


def _adjoint(g: Any, a: Any) -> Any:
    """hₜ = gₜ + aₜ₊₁ · hₜ₊₁: what reaches bₜ, by the same recurrence run backwards."""
    end = np.zeros((1, *a.shape[1:]), a.dtype)
    return np.flip(linear_recurrence(np.flip(np.concatenate([a[1:], end]), 0), np.flip(g, 0)), 0)


@linear_recurrence.vjp(0)
def _(g: Any, y: Any, a: Any, _b: Any) -> Any:
    start = np.zeros((1, *a.shape[1:]), a.dtype)
    return _adjoint(g, a) * np.concatenate([start, y[:-1]])


@linear_recurrence.vjp(1)
def _(g: Any, _y: Any, a: Any, _b: Any) -> Any:
    return _adjoint(g, a)
