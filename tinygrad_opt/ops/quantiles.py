"""Order statistics: medians, quantiles and percentiles, with and without NaN.

A quantile is a weighted mean of two neighbours in the sorted order: its gradient goes to these two, with the weights,
and to q by their difference.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from .options import no_out
from .reduction import axes_of

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

# Hyndman and Fan (1996), The American Statistician 50, 361-365: the place of quantile q among n sorted values,
# counted from 0, is q·n + α + q·(1 − α − β) − 1.
_CONTINUOUS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_DISCRETE = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}
_STEPS = ("inverted_cdf", "averaged_inverted_cdf", "closest_observation")


def _place(q: Any, n: Any, method: str) -> Any:
    """Where quantile q lies among n sorted values, counted from 0; between two when not whole."""
    if method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        place = q * n + alpha + q * (1 - alpha - beta) - 1
    elif method in _DISCRETE:
        place = _DISCRETE[method](q * (n - 1))
    elif method == "inverted_cdf":
        place = np.ceil(n * q - 1)
    elif method == "averaged_inverted_cdf":
        exact = n * q - 1
        place = np.where(exact.data == np.floor(exact.data), exact + 0.5, np.ceil(exact))
    elif method == "closest_observation":  # of two as close, the one that is even when counted from 1
        place = np.rint(n * q) - 1
    elif method == "midpoint":
        exact = q * (n - 1)
        place = 0.5 * (np.floor(exact) + np.ceil(exact))
    else:
        known = ", ".join([*_CONTINUOUS, *_DISCRETE, *_STEPS, "midpoint"])
        raise ValueError(f"quantile: method {method!r} is none of NumPy's; choose one of {known}.")
    return np.clip(place, 0, np.maximum(n - 1, 0))


def _quantile(a: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Any:
    a, q = as_tensor(a), as_tensor(q, np.float64)
    if q.size and not (q.data.min() >= 0 and q.data.max() <= 1):
        raise ValueError(f"quantile: q must lie between 0 and 1, got {q.data.min()} to {q.data.max()}.")
    axes = axes_of(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    rows = np.transpose(a, [*kept, *axes]).reshape((*(a.shape[i] for i in kept), -1))
    n = rows.shape[-1]
    if n == 0:
        raise ValueError(f"quantile: nothing to choose from in an array of shape {a.shape} along axis {axis}.")
    rows = np.take_along_axis(rows, np.argsort(rows.data, axis=-1, kind="stable"), -1)  # NaN last
    missing = np.isnan(rows.data).sum(-1, keepdims=True) if a.dtype.kind == "f" else np.zeros(1, int)
    present = n - missing if skip_nan else np.full_like(missing, n)
    place = _place(q.reshape(-1), present.astype(np.float64), method)
    place = np.broadcast_to(place, (*rows.shape[:-1], q.size))
    below = np.floor(place.data).astype(np.intp)
    low = np.take_along_axis(rows, below, -1)
    high = np.take_along_axis(rows, np.minimum(below + 1, n - 1), -1)
    kind = rows.dtype if a.dtype.kind == "f" else np.dtype(np.float64)
    part = (place - below).astype(kind)
    values = np.where(part == 0, low, low * (1 - part) + high * part)
    hopeless = (present == 0) if skip_nan else (missing > 0)
    if np.any(hopeless):
        values = np.where(hopeless, np.nan, values)
    shape = tuple(1 if i in axes else m for i, m in enumerate(a.shape)) if keepdims else rows.shape[:-1]
    return np.moveaxis(values, -1, 0).reshape((*q.shape, *shape))


def _weighted(a: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, skip_nan: bool) -> Any:
    """The elements that NumPy's weighted quantiles are, found among their equals."""
    a = as_tensor(a)
    function: Any = np.nanquantile if skip_nan else np.quantile
    chosen = function(a.data, as_array(q), axis, method=method, keepdims=True, weights=as_array(weights))
    axes = axes_of(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    rows = np.transpose(a, [*kept, *axes]).reshape((*(a.shape[i] for i in kept), -1))
    values = np.reshape(chosen, (-1, *(a.shape[i] for i in kept), 1))
    equal = (rows.data == values) | (np.isnan(rows.data) & np.isnan(values))
    place = np.moveaxis(np.argmax(equal, axis=-1), 0, -1)
    found = np.moveaxis(np.take_along_axis(rows, place, -1), -1, 0)
    return found.reshape(chosen.shape if keepdims else np.squeeze(chosen, tuple(i - a.ndim for i in axes)).shape)


@implements(np.quantile)
def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """The value below which the part `q` of the elements lies; NaN if there is one among them.

    `method` is one of NumPy's. With `weights`, which "inverted_cdf" alone allows, an element counts that often; a small
    step in the weights does not change which element is chosen, so that their gradient is 0.

    Raises
    ------
    ValueError
        `q` lies outside of 0 to 1, the method is not known or allows no weights, or there are no elements.
    """
    no_out("quantile", out)
    if weights is not None:
        return _weighted(a, q, axis, method, keepdims, weights, skip_nan=False)
    return _quantile(a, q, axis, method, keepdims, skip_nan=False)


@implements(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """:func:`quantile` of what is not NaN."""
    no_out("nanquantile", out)
    if weights is not None:
        return _weighted(a, q, axis, method, keepdims, weights, skip_nan=True)
    return _quantile(a, q, axis, method, keepdims, skip_nan=True)


def _hundredths(name: str, percent: Any) -> Any:
    percent = as_tensor(percent, np.float64)
    if np.any((percent < 0) | (percent > 100)):
        raise ValueError(f"{name}: q must lie between 0 and 100, got {percent.tolist()}.")
    return percent / 100


@implements(np.percentile)
def percentile(a: Any, q: Any, axis: Any = None, *args: Any, **options: Any) -> Any:
    """:func:`quantile` with `q` in percent."""
    return quantile(a, _hundredths("percentile", q), axis, *args, **options)


@implements(np.nanpercentile)
def nanpercentile(a: Any, q: Any, axis: Any = None, *args: Any, **options: Any) -> Any:
    """:func:`nanquantile` with `q` in percent."""
    return nanquantile(a, _hundredths("nanpercentile", q), axis, *args, **options)


@implements(np.median)
def median(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The middle of the sorted values, or the mean of the middle two; NaN where there are none."""
    a = as_tensor(a)
    if math.prod(a.shape[i] for i in axes_of(axis, a.ndim)) == 0:
        return np.mean(a, axis=axis, keepdims=keepdims)
    return quantile(a, 0.5, axis, out, keepdims=keepdims)


@implements(np.nanmedian)
def nanmedian(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The median of what is not NaN; NaN where nothing is left."""
    a = as_tensor(a)
    if math.prod(a.shape[i] for i in axes_of(axis, a.ndim)) == 0:
        return np.mean(a, axis=axis, keepdims=keepdims)
    return nanquantile(a, 0.5, axis, out, keepdims=keepdims)
