"""Reductions: sums, means, products, extrema and counts over axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from .complex import holomorphic
from .masking import keep
from .options import no_out
from .samples import one_axis, reduction

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "sum",
]


_add_up: Any = np.add.reduce  # what np.sum and np.mean come to, without their way there


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` (None, an int or a tuple) as a tuple of axes counted from the front; 0-d counts as one element."""
    if ndim == 0 and axis in (0, -1, (0,), (-1,)):
        return ()
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def expand(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool = False) -> Any:
    """What a reduction of an array of this shape gave, with the reduced axes put back at extent 1."""
    if keepdims or not shape or (axis is None and g.ndim == 0):
        return g
    if axis.__class__ is int:
        a = axis % len(shape)
        return g.reshape((*shape[:a], 1, *shape[a + 1 :]))
    reduced = set(range(len(shape)) if axis is None else axes_of(axis, len(shape)))
    return g.reshape(tuple([1 if i in reduced else n for i, n in enumerate(shape)]))


def count(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements of an array of this shape go into each element of its reduction."""
    return math.prod(shape) if axis is None or not shape else math.prod([shape[a] for a in axes_of(axis, len(shape))])


def _sum_samples(rng: np.random.Generator) -> Any:
    yield from reduction()(rng)
    yield (rng.standard_normal((2, 3)),), {"axis": 1, "where": np.array([True, False, True]), "initial": 2.0}


@primitive(numpy=np.sum, formula="Σ x", gradient=["g, repeated"], samples=_sum_samples)
def sum(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    """The sum over `axis`: one, several as a tuple, or all of them by default."""
    return _add_up(x, axis, dtype, out, keepdims, initial, where)


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
    return g if where is True else keep(g, where)


def _mean_samples(rng: np.random.Generator) -> Any:
    yield from reduction(empty=False)(rng)
    yield (rng.standard_normal((2, 3)),), {"axis": 1, "where": np.array([True, False, True])}


@primitive(numpy=np.mean, formula="Σ x / n", gradient=["g / n, repeated"], samples=_mean_samples)
def mean(
    x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, where: Any = True
) -> Any:
    """The mean over `axis`: one, several as a tuple, or all of them by default."""
    if where is True and dtype is None and x.dtype.char in "fd" and x.size:
        total = _add_up(x, axis, None, out, keepdims)
        return total / (x.size // total.size)
    return np.mean(x, axis if x.ndim else None, dtype, out, keepdims, where=where)


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
        n = _x.size // g.size if g.size else 1
        return np.broadcast_to(expand(g / n, _x.shape, axis, keepdims), _x.shape)
    n = np.sum(np.broadcast_to(where, _x.shape), axis=axis, keepdims=True, dtype=g.dtype)
    return keep(np.broadcast_to(expand(g, _x.shape, axis, keepdims) / n, _x.shape), where)


def _prod_samples(rng: np.random.Generator) -> Any:
    yield from reduction()(rng)
    x = rng.uniform(0.5, 2.0, (2, 3))
    yield (x * [1, 0, 1],)
    yield (x * [1, 0, 0],), {"axis": -1, "keepdims": True}
    yield (x * [0, 0, 1],), {"axis": (0,), "initial": 2.0}
    yield (x * [1, 0, 1],), {"axis": 1, "where": np.array([True, False, True])}


prod = primitive(
    np.prod, numpy=np.prod, arrays=1, formula="Π x", gradient=["g · Π of the others"], samples=_prod_samples
)


@prod.vjp(0)
@holomorphic
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
    return gradient if where is True else keep(gradient, where)


def _product_of_others(x: Any, axis: Any) -> Any:
    """For each element, the product of the other ones along the axes, whatever is zero among them."""
    axes = axes_of(axis if x.ndim else None, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    order = [*kept, *axes]
    moved = np.transpose(x, order)
    rows = moved.reshape(*moved.shape[: len(kept)], -1)
    ones = np.ones((*rows.shape[:-1], 1), rows.dtype)
    before = np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    after = np.flip(np.cumprod(np.concatenate([ones, np.flip(rows, -1)[..., :-1]], axis=-1), axis=-1), -1)
    return np.transpose((before * after).reshape(moved.shape), np.argsort(order))


def _extremum_samples(rng: np.random.Generator) -> Any:
    yield from reduction(empty=False)(rng)
    x = rng.uniform(-2, 2, (2, 3))
    yield (x,), {"axis": 1, "where": np.array([True, False, True]), "initial": 0.0}


max = amax = primitive(
    np.max,
    numpy=(np.max, np.amax),
    arrays=1,
    name="max",
    formula="max x",
    gradient=["g, shared between the maxima"],
    samples=_extremum_samples,
)
min = amin = primitive(
    np.min,
    numpy=(np.min, np.amin),
    arrays=1,
    name="min",
    formula="min x",
    gradient=["g, shared between the minima"],
    samples=_extremum_samples,
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
    """The gradient of an extremum, in equal parts for the elements that attain it; NaN where the extremum is NaN."""
    attained = x == expand(y, x.shape, axis, keepdims)
    if where is not True:
        attained = attained & where
    n = np.maximum(np.sum(attained, axis=axis, keepdims=True, dtype=g.dtype), 1)  # 0 where `initial` won
    if np.any(unknown := np.isnan(y)):
        g = np.where(unknown, np.nan, g)
        attained = attained | expand(unknown, x.shape, axis, keepdims)
    return keep(expand(g, x.shape, axis, keepdims) / n, attained)


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


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """The range of the values, maximum − minimum."""
    no_out("ptp", out)
    return max(a, axis=axis, keepdims=keepdims) - min(a, axis=axis, keepdims=keepdims)
