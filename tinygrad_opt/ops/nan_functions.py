"""Reductions that leave NaN out: the ordinary ones, with a harmless value in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from .options import no_out
from .reduction import axes_of
from .samples import one_axis
from .statistics import std, var

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]

nanargmax = primitive(
    np.nanargmax, numpy=np.nanargmax, arrays=1, differentiable=False, samples=one_axis(), formula="argmax x"
)
nanargmin = primitive(
    np.nanargmin, numpy=np.nanargmin, arrays=1, differentiable=False, samples=one_axis(), formula="argmin x"
)


def _filled(a: Any, value: float) -> Any:
    """`a` with a number in the place of NaN, where no gradient flows."""
    a = as_tensor(a)
    return np.where(np.isnan(a), value, a) if a.dtype.kind in "fc" else a


@implements(np.nansum)
def nansum(a: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
    """The sum, NaN counted as 0."""
    return np.sum(_filled(a, 0.0), axis=axis, dtype=dtype, **options)


@implements(np.nanprod)
def nanprod(a: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
    """The product, NaN counted as 1."""
    return np.prod(_filled(a, 1.0), axis=axis, dtype=dtype, **options)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running sums, NaN counted as 0."""
    return np.cumsum(_filled(a, 0.0), axis=axis, dtype=dtype)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running products, NaN counted as 1."""
    return np.cumprod(_filled(a, 1.0), axis=axis, dtype=dtype)


def _masked(a: Any, where: Any) -> Any:
    """Which elements count: no NaN, and those of the mask."""
    a = as_tensor(a)
    present = ~np.isnan(a.data) if a.dtype.kind in "fc" else np.ones(a.shape, bool)
    return a, present if where is True else present & where


def _over_present(function: Any, a: Any, where: Any, options: dict[str, Any]) -> Any:
    """A reduction of what is not NaN; NaN where `ddof` leaves no freedom."""
    a, present = _masked(a, where)
    if options.get("mean") is not None:  # deviations are then taken of all, and 0 · NaN is NaN
        a = _filled(a, 0.0)
    y = function(a, where=present, **options)
    ddof = options.get("ddof", 0) if options.get("correction") is None else options["correction"]
    count = np.sum(present, axis=options["axis"], keepdims=options["keepdims"])
    return np.where(count <= ddof, np.nan, y) if ddof and np.any(count <= ddof) else y


@implements(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    """The mean of what is not NaN; NaN where nothing is left."""
    return _over_present(np.mean, a, where, {"axis": axis, "dtype": dtype, "keepdims": keepdims})


@implements(np.nanvar)
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    **options: Any,
) -> Any:
    """The variance of what is not NaN; `options` are the other ones of :func:`var`."""
    options |= {"axis": axis, "dtype": dtype, "out": out, "ddof": ddof, "keepdims": keepdims}
    return _over_present(var, a, where, options)


@implements(np.nanstd)
def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    **options: Any,
) -> Any:
    """The standard deviation of what is not NaN; `options` are the other ones of :func:`std`."""
    options |= {"axis": axis, "dtype": dtype, "out": out, "ddof": ddof, "keepdims": keepdims}
    return _over_present(std, a, where, options)


@implements(np.nanmax)
def nanmax(a: Any, axis: Any = None, out: None = None, keepdims: bool = False, **options: Any) -> Any:
    """The largest element that is not NaN; NaN where there is none."""
    no_out("nanmax", out)
    return _nan_extremum(np.max, -np.inf, a, axis, keepdims, options)


@implements(np.nanmin)
def nanmin(a: Any, axis: Any = None, out: None = None, keepdims: bool = False, **options: Any) -> Any:
    """The smallest element that is not NaN; NaN where there is none."""
    no_out("nanmin", out)
    return _nan_extremum(np.min, np.inf, a, axis, keepdims, options)


def _nan_extremum(function: Any, worst: float, a: Any, axis: Any, keepdims: bool, options: Any) -> Any:
    a, present = _masked(a, options.get("where", True))
    y = function(_filled(a, worst), axis=axis, keepdims=keepdims, **options)
    if "initial" in options:
        return y
    left = np.any(present, axis=None if axis is None else axes_of(axis, a.ndim), keepdims=keepdims)
    return y if np.all(left) else np.where(left, y, np.nan)
