"""What accumulates along an axis: running sums, products and extrema.

They are linear recurrences y[t] = a[t] · y[t−1] + b[t] or have one for a gradient, and the gradient of such a
recurrence is the same recurrence run backwards; so one primitive serves them all, at every order, zeros included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor, new_tensor
from .complex import holomorphic
from .samples import one_axis

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "linear_recurrence",
    "logcumsumexp",
]

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


def _cumprod_samples(rng: np.random.Generator) -> Any:
    yield from one_axis(0.5, 2.0)(rng)
    yield (rng.uniform(0.5, 2.0, (2, 3)) * [1, 0, 1], -1)
    yield (rng.uniform(0.5, 2.0, 4) * [0, 1, 0, 1],)


cumprod = primitive(
    np.cumprod,
    numpy=np.cumprod,
    arrays=1,
    formula="running Π x",
    gradient=["Σ of g · Π of the others, from here on"],
    samples=_cumprod_samples,
)


@cumprod.vjp(0)
@holomorphic
def _(g: Any, y: Any, x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
    shape = x.shape
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    if np.all(x != 0):
        return (_from_here_on(g * y, axis) / x).reshape(shape)
    x, y, g = np.moveaxis(x, axis, 0), np.moveaxis(y, axis, 0), np.moveaxis(g, axis, 0)
    one = np.ones((1, *x.shape[1:]), x.dtype)
    before = np.concatenate([one, y[:-1]])
    return np.moveaxis(before * _adjoint(g, x), 0, axis).reshape(shape)


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
@holomorphic
def _(g: Any, y: Any, a: Any, _b: Any) -> Any:
    start = np.zeros((1, *a.shape[1:]), a.dtype)
    return _adjoint(g, a) * np.concatenate([start, y[:-1]])


@linear_recurrence.vjp(1)
@holomorphic
def _(g: Any, _y: Any, a: Any, _b: Any) -> Any:
    return _adjoint(g, a)


@implements(np.cumulative_sum)
def cumulative_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """Running sums along an axis, with a leading zero if wanted."""
    return _cumulative(cumsum, 0, x, axis, dtype, include_initial)


@implements(np.cumulative_prod)
def cumulative_prod(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """Running products along an axis, with a leading one if wanted."""
    return _cumulative(cumprod, 1, x, axis, dtype, include_initial)


def _cumulative(function: Any, start: int, x: Any, axis: Any, dtype: Any, include_initial: bool) -> Any:
    x = as_tensor(x)
    if axis is None and x.ndim != 1:
        raise ValueError(f"a cumulative function needs an axis for an array of {x.ndim} axes.")
    along = normalize_axis_index(axis or 0, x.ndim, "cumulative")
    y = function(x, axis=along, dtype=dtype)
    if not include_initial:
        return y
    first = np.full((*x.shape[:along], 1, *x.shape[along + 1 :]), start, y.dtype)
    return np.concatenate([as_tensor(first), y], axis=along)


@primitive(
    arrays=1,
    formula="running ln Σ exp(x)",
    gradient=["Σ of g · exp(x − y) from here on"],
    samples=one_axis(),
)
def logcumsumexp(x: Any, axis: int = -1) -> Any:
    """ln Σ exp of the elements up to each one, without overflow."""
    return np.logaddexp.accumulate(x, axis=axis) if x.ndim else x.copy()


@logcumsumexp.vjp(0)
def _(g: Any, y: Any, x: Any, axis: int = -1) -> Any:
    if not x.ndim:
        return g
    # hₜ = gₜ + exp(yₜ − yₜ₊₁) · hₜ₊₁, whose factors are at most 1, and xₜ's share of yₜ is exp(xₜ − yₜ)
    g, y, x = np.moveaxis(g, axis, 0), np.moveaxis(y, axis, 0), np.moveaxis(x, axis, 0)
    factors = np.concatenate([np.ones_like(y[:1]), np.exp(y[:-1] - y[1:])])
    return np.moveaxis(np.exp(x - y) * _adjoint(g, factors), 0, axis)


def cummax(x: Any, axis: int = -1) -> tuple[Any, Any]:
    """The largest element so far along an axis, and its index: the latest at ties, as in PyTorch."""
    return _running_extremum(np.maximum, x, axis)


def cummin(x: Any, axis: int = -1) -> tuple[Any, Any]:
    """The smallest element so far along an axis, and its index: the latest at ties, as in PyTorch."""
    return _running_extremum(np.minimum, x, axis)


def _running_extremum(extremum: Any, x: Any, axis: int) -> tuple[Any, Any]:
    values = as_array(x)
    if not values.ndim:
        return as_tensor(x), new_tensor(np.zeros((), int), None)
    running = extremum.accumulate(values, axis=axis)
    places = np.expand_dims(np.arange(values.shape[axis]), tuple(range(1, values.ndim - axis % values.ndim)))
    attained = (values == running) | (np.isnan(values) & np.isnan(running))
    index = np.maximum.accumulate(np.where(attained, places, 0), axis=axis)
    return np.take_along_axis(as_tensor(x), index, axis), new_tensor(index, None)
