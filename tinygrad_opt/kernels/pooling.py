"""The compiled twins of the pooling primitives, for images: one pass over the input instead of one for each tap.

A plane belongs to one thread, so the results are the same to the last bit for any number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .sharing import shared

__all__ = ["max_windows", "route", "spread_windows", "sum_windows"]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc"})
_LEAST = 1 << 15  # elements of the larger image that are worth a thread


@shared
@_jit
def _max_2x2(x, y, tap, odd, first, last):  # type: ignore[no-untyped-def]
    """Windows of 2 × 2 side by side, which come most often; `odd` is 0, or NaN where an element is not finite.

    Of such a plane the result is not to be used: tests for them would cost branches.
    """
    for p in range(first, last):
        zeros = x.dtype.type(0)
        for i in range(y.shape[1]):
            above, below, best, place = x[p, 2 * i], x[p, 2 * i + 1], y[p, i], tap[p, i]
            for j in range(y.shape[2]):
                a, b, c, d = above[2 * j], above[2 * j + 1], below[2 * j], below[2 * j + 1]
                zeros += (a * 0 + b * 0) + (c * 0 + d * 0)
                right = b > a  # the first of equal ones stays
                top = b if right else a
                far = d > c
                low = d if far else c
                down = low > top
                best[j] = low if down else top
                place[j] = np.uint8(2) + np.uint8(far) if down else np.uint8(right)
        odd[p] = zeros


@shared
@_jit
def _route(g, tap, x, width, stride, before, dilation, first, last):  # type: ignore[no-untyped-def]
    for p in range(first, last):
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                place = np.int64(tap[p, i, j])
                a = i * stride[0] - before[0] + place // width * dilation[0]
                b = j * stride[1] - before[1] + place % width * dilation[1]
                if 0 <= a < x.shape[1] and 0 <= b < x.shape[2]:
                    x[p, a, b] += g[p, i, j]


@shared
@_jit
def _route_2x2(g, tap, x, first, last):  # type: ignore[no-untyped-def]
    for p in range(first, last):
        plane = x[p]
        plane[:] = 0
        for i in range(g.shape[1]):
            given, place = g[p, i], tap[p, i]
            for j in range(g.shape[2]):
                k = place[j]
                plane[2 * i + (k >> 1), 2 * j + (k & 1)] = given[j]


@shared
@_jit
def _sum_2x2(x, y, first, last):  # type: ignore[no-untyped-def]
    for p in range(first, last):
        for i in range(y.shape[1]):
            above, below, target = x[p, 2 * i], x[p, 2 * i + 1], y[p, i]
            for j in range(target.size):
                target[j] = (above[2 * j] + below[2 * j]) + (above[2 * j + 1] + below[2 * j + 1])


@shared
@_jit
def _spread_2x2(g, x, first, last):  # type: ignore[no-untyped-def]
    for p in range(first, last):
        for i in range(g.shape[1]):
            source, above, below = g[p, i], x[p, 2 * i], x[p, 2 * i + 1]
            for j in range(source.size):
                above[2 * j] = source[j]
                above[2 * j + 1] = source[j]
            for j in range(above.size):
                below[j] = above[j]


@shared
@_jit
def _sum(x, y, kernel, stride, before, first, last):  # type: ignore[no-untyped-def]
    """Rows first, which is vector work, then along the row."""
    height, width = x.shape[1:]
    row = np.zeros(max(width + before[1], (y.shape[2] - 1) * stride[1] + kernel[1]), x.dtype)
    inner = row[before[1] : before[1] + width]
    for p in range(first, last):
        for i in range(y.shape[1]):
            a = i * stride[0] - before[0]
            inner[:] = 0
            for u in range(max(a, 0), min(a + kernel[0], height)):
                source = x[p, u]
                for t in range(width):
                    inner[t] += source[t]
            target = y[p, i]
            for j in range(target.size):
                target[j] = row[j * stride[1]]
            for v in range(1, kernel[1]):
                for j in range(target.size):
                    target[j] += row[j * stride[1] + v]


@shared
@_jit
def _spread(g, x, kernel, stride, before, first, last):  # type: ignore[no-untyped-def]
    """Along the row first, then onto the rows; windows side by side need no adding."""
    beside = kernel[0] <= stride[0]
    height, width = x.shape[1:]
    row = np.empty(max(width + before[1], (g.shape[2] - 1) * stride[1] + kernel[1]), x.dtype)
    inner = row[before[1] : before[1] + width]
    for p in range(first, last):
        for i in range(g.shape[1]):
            source = g[p, i]
            row[:] = 0
            for v in range(kernel[1]):
                for j in range(source.size):
                    row[j * stride[1] + v] += source[j]
            a = i * stride[0] - before[0]
            for u in range(max(a, 0), min(a + kernel[0], height)):
                target = x[p, u]
                if beside:
                    target[:] = inner
                    continue
                for t in range(width):
                    target[t] += inner[t]


def _is_halving(size: Any, out: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> bool:
    """Whether windows of 2 × 2 cover the image side by side, without remainder."""
    exact = all(n == 2 * m for n, m in zip(size, out, strict=True))
    return exact and tuple(kernel) == tuple(stride) == (2, 2) and not any(map(any, padding)) and max(dilation) == 1


def _fits(x: Any, kernel: Any) -> bool:
    return len(kernel) == 2 and x.ndim >= 2 and x.dtype in (np.float32, np.float64)


def _planes(x: Any) -> Any:
    """All leading axes as one, contiguous."""
    return np.ascontiguousarray(x.reshape((-1, *x.shape[-2:])))


def _before(padding: Any) -> tuple[int, ...]:
    return tuple(before for before, _ in padding)


def max_windows(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, out: Any) -> Any:
    """The twin of ``nn.pool.max_windows`` for windows of 2 × 2; None for others, where NumPy is the faster one."""
    if not _fits(x, kernel) or not _is_halving(x.shape[-2:], out, kernel, stride, padding, dilation):
        return None
    planes = _planes(x)
    y = np.empty((len(planes), *out), x.dtype)
    tap = np.empty(y.shape, np.uint8)
    odd = np.empty(len(planes), x.dtype)
    _max_2x2(len(planes), x.size, planes, y, tap, odd, least=_LEAST)
    if odd.any():
        return None
    shape = (*x.shape[:-2], *out)
    return y.reshape(shape), tap.reshape(shape)


def route(g: Any, tap: Any, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The twin of ``nn.pool.route``; None for what it does not cover."""
    if not _fits(g, kernel):
        return None
    planes, taps = _planes(g), _planes(tap)
    halving = _is_halving(size, g.shape[-2:], kernel, stride, padding, dilation)
    x = (np.empty if halving else np.zeros)((len(planes), *size), g.dtype)
    if halving:
        _route_2x2(len(planes), x.size, planes, taps, x, least=_LEAST)
    else:
        numbers = kernel[1], stride, _before(padding), dilation
        _route(len(planes), x.size, planes, taps, x, *numbers, least=_LEAST)
    return x.reshape((*g.shape[:-2], *size))


def sum_windows(x: Any, out: Any, kernel: Any, stride: Any, padding: Any) -> Any:
    """The twin of ``nn.pool.sum_windows``; None for what it does not cover."""
    if not _fits(x, kernel):
        return None
    planes = _planes(x)
    y = np.empty((len(planes), *out), x.dtype)
    halving = _is_halving(x.shape[-2:], out, kernel, stride, padding, (1, 1))
    if halving:
        _sum_2x2(len(planes), x.size, planes, y, least=_LEAST)
    else:
        _sum(len(planes), x.size, planes, y, kernel, stride, _before(padding), least=_LEAST)
    return y.reshape((*x.shape[:-2], *out))


def spread_windows(g: Any, size: Any, kernel: Any, stride: Any, padding: Any) -> Any:
    """The twin of ``nn.pool.spread_windows``; None for what it does not cover."""
    if not _fits(g, kernel):
        return None
    planes = _planes(g)
    halving = _is_halving(size, g.shape[-2:], kernel, stride, padding, (1, 1))
    x = (np.empty if halving else np.zeros)((len(planes), *size), g.dtype)
    if halving:
        _spread_2x2(len(planes), x.size, planes, x, least=_LEAST)
    else:
        _spread(len(planes), x.size, planes, x, kernel, stride, _before(padding), least=_LEAST)
    return x.reshape((*g.shape[:-2], *size))
