"""The primitives behind the pooling layers: the largest element and the sum of each window, with their adjoints.

Where the largest element of each window lies is an output of its own (a tap number, without gradient). Given it,
picking and routing are linear and adjoint to each other: max-pooling's gradient routes, routing's gradient picks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..errors import ShapeError
from ..kernels import twin
from ..ops.masking import keep
from .windows import Pairs, output_sizes

__all__ = ["max_windows", "naive_max_windows", "pick", "route", "spread_windows", "sum_windows"]

_LEAST = 1 << 12  # elements from which the compiled form pays


def _taps(
    kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    """For each place in the window, in row-major order, the index of what all windows see there."""
    for place in itertools.product(*map(range, kernel)):
        yield (
            ...,
            *(
                slice(i * d, i * d + s * (m - 1) + 1, s)
                for i, d, s, m in zip(place, dilation, stride, out, strict=True)
            ),
        )


def _room(out: Sequence[int], kernel: Any, stride: Any, dilation: Any) -> tuple[int, ...]:
    """The extent of a plane in which every window has all its elements."""
    return tuple(s * (m - 1) + d * (k - 1) + 1 for m, k, s, d in zip(out, kernel, stride, dilation, strict=True))


def _inside(size: Sequence[int], room: Sequence[int], padding: Pairs) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The part of the image that a plane of extent `room` holds, as slices of the plane and of the image."""
    kept = [min(n, r - before) for n, r, (before, _) in zip(size, room, padding, strict=True)]
    plane = tuple(slice(before, before + n) for n, (before, _) in zip(kept, padding, strict=True))
    return (..., *plane), (..., *(slice(n) for n in kept))


def _padded(x: Any, room: tuple[int, ...], padding: Pairs, fill: float) -> Any:
    size = x.shape[x.ndim - len(room) :]
    if not any(map(any, padding)) and all(n >= r for n, r in zip(size, room, strict=True)):
        return x
    padded = np.full((*x.shape[: x.ndim - len(room)], *room), fill, x.dtype)
    plane, image = _inside(size, room, padding)
    padded[plane] = x[image]
    return padded


def _samples(rng: np.random.Generator) -> Any:
    plain = {"kernel": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,), "ceil_mode": False}
    yield ((rng.permutation(10) / 2.0).reshape(1, 2, 5),), plain
    yield ((rng.permutation(12) / 2.0).reshape(2, 6),), plain | {"kernel": (3,), "stride": (1,), "padding": ((1, 1),)}
    plain = {"kernel": (2, 2), "stride": (2, 1), "padding": ((0, 0), (1, 1)), "dilation": (1, 2), "ceil_mode": True}
    yield ((rng.permutation(15) / 2.0).reshape(1, 3, 5),), plain


@primitive(arrays=1, formula="max over windows", gradient=["g routed to the maxima"], samples=_samples)
def max_windows(x, *, kernel, stride, padding, dilation, ceil_mode):  # type: ignore[no-untyped-def]
    """The largest element of each window on the last axes, and its tap number in the window: the first one at a tie."""
    size = x.shape[x.ndim - len(kernel) :]
    out = output_sizes("max_pool", size, kernel, stride, padding, dilation, ceil_mode)
    if compiled := twin("pooling", x.size, _LEAST):
        found = compiled.max_windows(x, kernel, stride, padding, dilation, out)
        if found is not None:
            return found
    x = _padded(x, _room(out, kernel, stride, dilation), padding, -np.inf)
    tap_type = np.uint8 if math.prod(kernel) < 256 else np.int32
    best: Any = None
    for t, window in enumerate(_taps(kernel, stride, dilation, out)):
        seen = x[window]
        if best is None:
            best, tap = seen.copy(), np.zeros(seen.shape, tap_type)
            continue
        np.maximum(tap, np.multiply(seen > best, t, dtype=tap_type), out=tap)
        np.maximum(best, seen, out=best)
    return best, tap if np.isfinite(best).all() else _odd_taps(x, best, tap, size, kernel, stride, dilation, padding)


def _odd_taps(x: Any, best: Any, tap: Any, size: Any, kernel: Any, stride: Any, dilation: Any, padding: Pairs) -> Any:
    """The taps where a maximum is NaN (the last one) or −∞ (the first in the image): nothing there was greater."""
    windows = list(enumerate(_taps(kernel, stride, dilation, best.shape[best.ndim - len(kernel) :])))
    image = _padded(np.ones(size), x.shape[x.ndim - len(size) :], padding, 0.0)
    for t, window in reversed(windows):
        tap = np.where((best == -np.inf) & (image[window] > 0), tap.dtype.type(t), tap)
    for t, window in windows:
        tap = np.where(np.isnan(x[window]), tap.dtype.type(t), tap)
    return tap


@max_windows.vjp(0)
def _(g: Any, out: Any, _x: Any, *, kernel: Any, ceil_mode: bool, **geometry: Any) -> Any:
    size = _x.shape[_x.ndim - len(kernel) :]
    return route(g[0], out[1], size=size, kernel=kernel, **geometry)


def _route_samples(rng: np.random.Generator) -> Any:
    for (x,), options in _samples(rng):
        y, tap = (part.data for part in max_windows(x, **options))
        geometry = {key: value for key, value in options.items() if key != "ceil_mode"}
        yield (rng.standard_normal(y.shape), tap), {"size": x.shape[x.ndim - len(options["kernel"]) :], **geometry}


@primitive(arrays=2, formula="g routed to taps", gradient=["u picked at taps"], samples=_route_samples)
def route(g, tap, *, size, kernel, stride, padding, dilation):  # type: ignore[no-untyped-def]
    """Each element of g added at the tap of its window: the adjoint of :func:`pick`."""
    if tap.shape != g.shape:
        raise ShapeError("there must be one tap for each element of g.")
    out = g.shape[g.ndim - len(kernel) :]
    if compiled := twin("pooling", g.size * len(kernel), _LEAST):
        found = compiled.route(g, tap, size, kernel, stride, padding, dilation)
        if found is not None:
            return found
    room = _room(out, kernel, stride, dilation)
    x = np.zeros((*g.shape[: g.ndim - len(kernel)], *room), g.dtype)
    for t, window in enumerate(_taps(kernel, stride, dilation, out)):
        x[window] += keep(g, tap == t)
    return _cropped(x, size, room, padding)


def _cropped(x: Any, size: tuple[int, ...], room: tuple[int, ...], padding: Pairs) -> Any:
    """The adjoint of :func:`_padded`."""
    if tuple(size) == room and not any(map(any, padding)):
        return x
    image = np.zeros((*x.shape[: x.ndim - len(size)], *size), x.dtype)
    plane, inner = _inside(size, room, padding)
    image[inner] = x[plane]
    return image


@route.vjp(0)
def _(u: Any, x: Any, _g: Any, tap: Any, size: Any, **geometry: Any) -> Any:
    return pick(u, tap, **geometry)


def _pick_samples(rng: np.random.Generator) -> Any:
    for (g, tap), options in _route_samples(rng):
        size = options.pop("size")
        yield (rng.standard_normal((*g.shape[: g.ndim - len(size)], *size)), tap), options


@primitive(arrays=2, formula="x picked at taps", gradient=["u routed to taps"], samples=_pick_samples)
def pick(x, tap, *, kernel, stride, padding, dilation):  # type: ignore[no-untyped-def]
    """The element of each window at its tap."""
    out = tap.shape[tap.ndim - len(kernel) :]
    x = _padded(x, _room(out, kernel, stride, dilation), padding, 0.0)
    y = np.zeros(tap.shape, x.dtype)
    for t, window in enumerate(_taps(kernel, stride, dilation, out)):
        y += keep(x[window], tap == t)
    return y


@pick.vjp(0)
def _(u: Any, y: Any, _x: Any, tap: Any, kernel: Any, **geometry: Any) -> Any:
    return route(u, tap, size=_x.shape[_x.ndim - len(kernel) :], kernel=kernel, **geometry)


def _sum_samples(rng: np.random.Generator) -> Any:
    for (x,), options in _samples(rng):
        if max(options["dilation"]) == 1:
            size = x.shape[x.ndim - len(options["kernel"]) :]
            yield (
                (x / 5,),
                {
                    "out": output_sizes("sum", size, *(v for k, v in options.items() if k != "ceil_mode")),
                    **{key: options[key] for key in ("kernel", "stride", "padding")},
                },
            )


@primitive(arrays=1, formula="Σ over windows", gradient=["g spread over windows"], samples=_sum_samples)
def sum_windows(x, *, out, kernel, stride, padding):  # type: ignore[no-untyped-def]
    """The sum of each of `out` windows on the last axes; outside of the image there are zeros."""
    if compiled := twin("pooling", x.size, _LEAST):
        found = compiled.sum_windows(x, out, kernel, stride, padding)
        if found is not None:
            return found
    ones = (1,) * len(kernel)
    x = _padded(x, _room(out, kernel, stride, ones), padding, 0.0)
    for axis, (k, s, m) in enumerate(zip(kernel, stride, out, strict=True), start=x.ndim - len(kernel)):
        before = (slice(None),) * axis
        total = x[(*before, slice(0, s * (m - 1) + 1, s))].copy()
        for i in range(1, k):
            total += x[(*before, slice(i, i + s * (m - 1) + 1, s))]
        x = total
    return x


@sum_windows.vjp(0)
def _(g: Any, y: Any, _x: Any, out: Any, kernel: Any, **geometry: Any) -> Any:
    return spread_windows(g, size=_x.shape[_x.ndim - len(kernel) :], kernel=kernel, **geometry)


def _spread_samples(rng: np.random.Generator) -> Any:
    for (x,), options in _sum_samples(rng):
        out = options.pop("out")
        axes = x.ndim - len(out)
        yield (rng.standard_normal((*x.shape[:axes], *out)),), {"size": x.shape[axes:], **options}


@primitive(arrays=1, formula="g spread over windows", gradient=["Σ u over windows"], samples=_spread_samples)
def spread_windows(g, *, size, kernel, stride, padding):  # type: ignore[no-untyped-def]
    """Each element of g added to every place of its window: the adjoint of :func:`sum_windows`."""
    if compiled := twin("pooling", g.size, _LEAST):
        found = compiled.spread_windows(g, size, kernel, stride, padding)
        if found is not None:
            return found
    out, ones = g.shape[g.ndim - len(kernel) :], (1,) * len(kernel)
    room = _room(out, kernel, stride, ones)
    for axis, (k, s, m) in enumerate(zip(kernel, stride, out, strict=True), start=g.ndim - len(kernel)):
        before = (slice(None),) * axis
        wide = np.zeros((*g.shape[:axis], s * (m - 1) + k, *g.shape[axis + 1 :]), g.dtype)
        for i in range(k):
            wide[(*before, slice(i, i + s * (m - 1) + 1, s))] += g
        g = wide
    return _cropped(g, size, room, padding)


@spread_windows.vjp(0)
def _(u: Any, x: Any, _g: Any, size: Any, kernel: Any, **geometry: Any) -> Any:
    return sum_windows(u, out=_g.shape[_g.ndim - len(kernel) :], kernel=kernel, **geometry)


def naive_max_windows(x: Any, *, kernel: Any, stride: Any, padding: Pairs, dilation: Any, ceil_mode: bool) -> Any:
    """The definition that :func:`max_windows` is held to: the maximum over the taps, of basic operations."""
    axes = x.ndim - len(kernel)
    out = output_sizes("max_pool", x.shape[axes:], kernel, stride, padding, dilation, ceil_mode)
    room = _room(out, kernel, stride, dilation)
    after = tuple(
        (before, max(0, r - n - before)) for n, r, (before, _) in zip(x.shape[axes:], room, padding, strict=True)
    )
    x = np.pad(x, ((0, 0),) * axes + after, constant_values=-np.inf)
    return np.max(np.stack([x[window] for window in _taps(kernel, stride, dilation, out)]), axis=0)
