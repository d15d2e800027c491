"""The compiled twins of normalization: each slice is read once for its moments, once or twice for everything else.

Sums run over one row of the (A, B, L) view in the array's own precision, several lanes at a time, and from row to row
in double precision. A slice, or a row of features, belongs to one thread; sums that go across rows are made in a fixed
number of parts. So the results are the same to the last bit for any number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .sharing import shared

__all__ = ["feature_gradients", "mean_squares", "moments", "scale", "scale_features", "slice_gradients"]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
_LEAST = 1 << 15  # elements that are worth a thread
_SHORTEST = 8  # elements of a row from which vectors fill
_PARTS = 8  # of the rows, each with sums of its own


@shared
@_jit
def _moments(x, mean, variance, first, last):  # type: ignore[no-untyped-def]
    """Mean and variance of some slices: a row's own, joined to those of the rows before it (Chan et al. 1983)."""
    length = x.shape[2]
    zero = x.dtype.type(0)
    for b in range(first, last):
        centre, spread = 0.0, 0.0
        for a in range(x.shape[0]):
            row = x[a, b]
            total = zero
            for t in range(length):
                total += row[t]
            middle = total / x.dtype.type(length)
            squares, rest = zero, zero
            for t in range(length):
                away = row[t] - middle
                squares += away * away
                rest += away
            exact = np.float64(middle) + np.float64(rest) / length
            away_64 = exact - centre
            centre += away_64 / (a + 1)
            spread += squares + away_64 * away_64 * length * a / (a + 1)
        mean[b] = centre
        variance[b] = spread / (length * x.shape[0])


@shared
@_jit
def _mean_squares(x, squares, first, last):  # type: ignore[no-untyped-def]
    for b in range(first, last):
        row, total = x[b], x.dtype.type(0)
        for t in range(row.size):
            total += row[t] * row[t]
        squares[b] = total / row.size


@shared
@_jit
def _scale(x, mean, factor, shift, y, first, last):  # type: ignore[no-untyped-def]
    for a in range(x.shape[0]):
        for b in range(first, last):
            source, target, m, f, s = x[a, b], y[a, b], mean[b], factor[b], shift[b]
            for t in range(source.size):
                target[t] = (source[t] - m) * f + s


@shared
@_jit
def _scale_features(x, mean, rate, weight, bias, y, first, last):  # type: ignore[no-untyped-def]
    for b in range(first, last):
        source, target, m, r = x[b], y[b], mean[b], rate[b]
        for t in range(source.size):
            target[t] = (source[t] - m) * r * weight[t] + bias[t]


@shared
@_jit
def _slice_gradients(g, x, mean, rate, weight, dx, dw, db, first, last):  # type: ignore[no-untyped-def]
    """A channel's planes of a usual batch stay in the cache between the two sweeps."""
    zero = x.dtype.type(0)
    for b in range(first, last):
        m, r = mean[b], rate[b]
        along, plain = 0.0, 0.0
        for a in range(x.shape[0]):
            given, seen = g[a, b], x[a, b]
            one, two = zero, zero
            for t in range(seen.size):
                one += given[t] * (seen[t] - m)
                two += given[t]
            along += one
            plain += two
        along *= r
        dw[b], db[b] = along, plain
        if dx.size:
            count = x.shape[0] * x.shape[2]
            f = r * weight[b]
            level, slope = x.dtype.type(plain / count), x.dtype.type(along / count * r)
            for a in range(x.shape[0]):
                given, seen, target = g[a, b], x[a, b], dx[a, b]
                for t in range(seen.size):
                    target[t] = (given[t] - level - (seen[t] - m) * slope) * f


@_jit
def _feature_gradients(g, x, mean, rate, weight, centred, dx, dw, db, first, last):  # type: ignore[no-untyped-def]
    """The rows first … last − 1; dw and db are added to."""
    length = x.shape[1]
    zero, count = x.dtype.type(0), x.dtype.type(length)
    for b in range(first, last):
        given, seen, m, r = g[b], x[b], mean[b], rate[b]
        if dx.size:
            target = dx[b]
            along, plain = zero, zero
            for t in range(length):
                inner = given[t] * weight[t]
                along += inner * (seen[t] - m)
                plain += inner
            level, slope = plain / count if centred else zero, along / count * r * r
            for t in range(length):
                target[t] = (given[t] * weight[t] - level - (seen[t] - m) * slope) * r
        for t in range(length):
            dw[t] += given[t] * ((seen[t] - m) * r)
        if centred:
            for t in range(length):
                db[t] += given[t]


@shared
@_jit
def _parts_of_features(g, x, mean, rate, weight, centred, dx, sums, first, last):  # type: ignore[no-untyped-def]
    """Some of the parts into which the rows are cut, each with sums of its own."""
    count, parts = x.shape[0], sums.shape[0]
    for i in range(first, last):
        dw, db = sums[i, 0], sums[i, 1]
        _feature_gradients(g, x, mean, rate, weight, centred, dx, dw, db, count * i // parts, count * (i + 1) // parts)


def _fits(*arrays: Any) -> bool:
    kinds = {a.dtype for a in arrays}
    return len(kinds) == 1 and kinds <= {np.dtype(np.float32), np.dtype(np.float64)}


def _column(values: Any, count: int, dtype: Any) -> Any:
    """One value for each slice, or one for all, as a flat array of that many."""
    flat = values.reshape(-1)
    return np.ascontiguousarray(flat if flat.size == count else np.broadcast_to(flat, (count,)), dtype)


def moments(x: Any, eps: float) -> Any:
    """Mean and 1/√(variance + eps) of each slice of an (A, B, L) array, both (B, 1); None for what is not covered."""
    if not _fits(x) or x.shape[2] < _SHORTEST or not x.size:
        return None
    x = np.ascontiguousarray(x)
    mean, variance = np.empty(x.shape[1]), np.empty(x.shape[1])
    _moments(x.shape[1], 2 * x.size, x, mean, variance, least=_LEAST)
    rate = 1 / np.sqrt(variance + eps)
    return mean.astype(x.dtype)[:, None], rate.astype(x.dtype)[:, None]


def mean_squares(x: Any) -> Any:
    """The mean square of each row of (B, L), as (B, 1); None for what is not covered."""
    if not _fits(x) or x.shape[1] < _SHORTEST:
        return None
    rows, squares = np.ascontiguousarray(x), np.empty(x.shape[0], x.dtype)
    _mean_squares(len(rows), x.size, rows, squares, least=_LEAST)
    return squares[:, None]


def scale(x: Any, mean: Any, rate: Any, weight: Any, bias: Any) -> Any:
    """(x − mean) · rate · weight + bias of an (A, B, L) array, everything else having B values or one."""
    if not _fits(x, mean, rate, weight, bias) or x.shape[2] < _SHORTEST:
        return None
    x, slices, dtype = np.ascontiguousarray(x), x.shape[1], x.dtype
    factor = _column(rate * weight.reshape((-1, 1)), slices, dtype)
    numbers = _column(mean, slices, dtype), factor, _column(bias, slices, dtype)
    y = np.empty_like(x)
    _scale(slices, x.size, x, *numbers, y, least=_LEAST)
    return y


def scale_features(x: Any, mean: Any, rate: Any, weight: Any, bias: Any) -> Any:
    """The same with weight and bias (L,) for rows of features, A being 1."""
    if not _fits(x, mean, rate, weight, bias) or x.shape[0] != 1 or x.shape[2] < _SHORTEST:
        return None
    rows, (count, length) = np.ascontiguousarray(x[0]), x.shape[1:]
    weight, bias = _column(weight, length, x.dtype), _column(bias, length, x.dtype)
    y = np.empty_like(rows)
    numbers = mean.reshape(-1), rate.reshape(-1), weight, bias
    _scale_features(count, x.size, rows, *numbers, y, least=_LEAST)
    return y[None]


def slice_gradients(g: Any, x: Any, mean: Any, rate: Any, weight: Any, wants_x: bool) -> Any:
    """dx (A, B, L), and for each slice Σ g · x̂ and Σ g, both (B, 1), of :func:`scale` where mean and rate are x's."""
    if not _fits(g, x, mean, rate, weight) or x.shape[2] < _SHORTEST:
        return None
    g, x, slices = np.ascontiguousarray(g), np.ascontiguousarray(x), x.shape[1]
    dx = np.empty(x.shape if wants_x else (0, 0, 0), x.dtype)
    dw, db = np.empty(slices, x.dtype), np.empty(slices, x.dtype)
    numbers = mean.reshape(-1), rate.reshape(-1), _column(weight, slices, x.dtype)
    _slice_gradients(slices, 2 * x.size, g, x, *numbers, dx, dw, db, least=_LEAST)
    return dx, dw[:, None], db[:, None]


def feature_gradients(g: Any, x: Any, mean: Any, rate: Any, weight: Any, wants_x: bool, centred: bool = True) -> Any:
    """dx (1, B, L), and for each feature Σ g · x̂ and Σ g, both (L,), of :func:`scale_features`.

    Where x is not `centred`, `mean` is not the rows' own but 0, and so is what is given for Σ g.
    """
    if not _fits(g, x, mean, rate, weight) or x.shape[0] != 1 or x.shape[2] < _SHORTEST:
        return None
    g, x = np.ascontiguousarray(g[0]), np.ascontiguousarray(x[0])
    count, length = x.shape
    dx = np.empty(x.shape if wants_x else (0, 0), x.dtype)
    numbers = mean.reshape(-1), rate.reshape(-1), _column(weight, length, x.dtype)
    parts = min(_PARTS, count)
    sums = np.zeros((parts, 2, length))
    _parts_of_features(parts, 3 * x.size, g, x, *numbers, centred, dx, sums, least=_LEAST)
    dw, db = sums.sum(0).astype(x.dtype)
    return dx[None], dw, db
