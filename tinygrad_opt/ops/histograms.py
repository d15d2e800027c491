"""Histograms. How many values fall into a bin does not change with a small step; the edges and the weights do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_array, as_tensor
from ..errors import ShapeError
from .creation import beside, linspace, together
from .indexing import scattered, where

__all__ = ["histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


def _edges(a: Any, bins: Any, range: Any, weights: Any) -> Any:
    """The edges of the bins: those given, or evenly spaced between the ends of `range` or of the values."""
    bins = bins.item() if isinstance(bins, Tensor) and not bins.ndim else bins
    if not isinstance(bins, (str, int, np.integer)):
        np.histogram_bin_edges(a.data, as_array(bins))  # raises for edges that do not rise
        return beside(bins, a)
    plain = np.histogram_bin_edges(a.data, bins, range, None if weights is None else as_array(weights))
    if range is not None or not a.requires_grad or not a.size:
        return Tensor(plain)
    low, high = np.min(a), np.max(a)
    return linspace(low + (plain[0] - low.data), high + (plain[-1] - high.data), plain.size)


def _bin_of(values: Any, edges: Any) -> Any:
    """Each value's bin, −1 for those outside; the last edge belongs to the last bin."""
    place = np.searchsorted(edges, values, "right") - 1
    place = np.where(values == edges[-1], edges.size - 2, place)
    return np.where((values >= edges[0]) & (values <= edges[-1]), place, -1)


def _counted(places: Any, inside: Any, shape: tuple[int, ...], weights: Any) -> Any:
    """The weights added up by bin; without weights, the numbers of values."""
    index = tuple(place[inside] for place in places)
    if weights is None:
        counts = np.zeros(shape, np.intp)
        np.add.at(counts, index, 1)
        return Tensor(counts)
    return scattered(weights[inside], index, shape)


def _one_weight_each(weights: Any, shape: tuple[int, ...], like: Any, caller: str) -> Any:
    weights = beside(weights, like)
    if weights.shape != shape:
        raise ShapeError(f"{caller}: one weight a value is wanted: {shape}, got {weights.shape}.")
    return weights.reshape(-1)


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of a histogram's bins; those that lie at the least and the greatest value have their gradients."""
    return _edges(as_tensor(a).reshape(-1), bins, range, weights)


@implements(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None) -> Any:
    """Counts (or sums of weights) by bin and the edges of the bins, as :func:`numpy.histogram` gives them.

    Counts are whole numbers; sums of `weights` are differentiable in the weights, the edges and a `density` in the
    extreme values from which the edges were made.

    Returns
    -------
    hist : Tensor (bins,)
    edges : Tensor (bins + 1,)

    Raises
    ------
    ShapeError
        Weights that are not one a value.
    """
    a = as_tensor(a)
    weights = None if weights is None else _one_weight_each(weights, a.shape, a, "histogram")
    a = a.reshape(-1)
    edges = _edges(a, bins, range, weights)
    place = _bin_of(a.data, edges.data)
    if density and weights is None:
        weights = _ones_from(a)
    counts = _counted((place,), place >= 0, (edges.size - 1,), weights)
    return (counts / np.sum(counts) / np.diff(edges) if density else counts), edges


def _ones_from(values: Any) -> Any:
    """A weight of 1 for each value, with the values' gradient: 0, wherever there is one."""
    values = values if values.dtype.kind in "fc" else values.astype(np.float64)
    return where(np.ones(values.shape, bool), np.ones(values.shape, values.dtype), values)


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, tuple[Any, ...]]:
    """:func:`histogram` in D dimensions: sample (n, D), or D vectors (n,) → hist (bins, …) and D vectors of edges."""
    if isinstance(sample, (list, tuple)):
        columns = [column.reshape(-1) for column in together(*sample)]
    else:
        points: Any = as_tensor(sample)
        points = points if points.ndim == 2 else np.atleast_2d(points).T
        columns = [points[:, i] for i in np.arange(points.shape[1])]
    each = list(bins) if isinstance(bins, (list, tuple)) or np.ndim(bins) else [bins] * len(columns)
    ranges: Sequence[Any] = [None] * len(columns) if range is None else range
    if len(each) != len(columns) or len(ranges) != len(columns):
        raise ShapeError(f"histogramdd: {len(columns)} dimensions, {len(each)} bins and {len(ranges)} ranges.")
    edges = tuple(_edges(c, b, r, None) for c, b, r in zip(columns, each, ranges, strict=True))
    places = [_bin_of(c.data, e.data) for c, e in zip(columns, edges, strict=True)]
    if weights is None:
        weights = _ones_from(sum(columns[1:], columns[0]))
    else:
        weights = _one_weight_each(weights, columns[0].shape, columns[0], "histogramdd")
    inside = np.all(np.stack(places) >= 0, axis=0)
    hist = _counted(places, inside, tuple(e.size - 1 for e in edges), weights)
    if density:
        hist = hist / np.sum(hist)
        for axis, e in enumerate(edges):
            hist = hist / np.reshape(np.diff(e), (-1,) + (1,) * (len(edges) - axis - 1))
    return hist, edges


@implements(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """:func:`histogram` of points in the plane: x (n,), y (n,) → hist (bins, bins), edges of x, edges of y.

    `bins` is a number or edges for both axes, or a pair with one or the other for each.
    """
    x, y = together(x, y)
    if x.shape != y.shape:
        raise ShapeError(f"histogram2d: x and y must have the same shape, got {x.shape} and {y.shape}.")
    if (isinstance(bins, (list, tuple)) or np.ndim(bins)) and len(bins) not in (1, 2):
        bins = [bins, bins]
    hist, edges = histogramdd([x, y], bins, range, density, weights)
    return hist, *edges
