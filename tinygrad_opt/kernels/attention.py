"""The compiled twins of attention and of its gradient, in single precision: one head after the other, in the cache.

A head is worked on in blocks of queries, whose scores, weights and their gradients never leave a small array. Arrays
come as one line of memory with a step for each axis, so that the parts of one projection need not be cut out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .functions import any_order, compiled, exp, largest, total
from .products import NEXT, START, add_product, lay_panels
from .sharing import shared

__all__ = ["backward", "forward"]

_BLOCK = 32
"""Queries that are worked on together, a multiple of four."""

_f, _SINGLE = np.float32, np.dtype(np.float32)
_ZERO, _ONE, _HIDDEN = _f(0), _f(1), _f(-np.inf)


@any_order
def _dot(row, other):  # type: ignore[no-untyped-def]
    sum_ = _ZERO
    for j in range(row.size):
        sum_ += row[j] * other[j]
    return sum_


@compiled
def _weigh(row, factor):  # type: ignore[no-untyped-def]
    """Scores, to be multiplied by a positive factor, become exp(score − largest); what makes their sum 1 is returned.

    A row of −∞ becomes zeros.
    """
    top = largest(row)
    top = _ZERO if top == _HIDDEN else top
    for j in range(row.size):
        row[j] = exp((row[j] - top) * factor)
    whole = total(row)
    return _ZERO if whole == _ZERO else _ONE / whole


@compiled
def _start(step, a, b):  # type: ignore[no-untyped-def]
    """Where a head begins."""
    return a * step[0] + b * step[1]


@compiled
def _copy(source, target):  # type: ignore[no-untyped-def]
    for j in range(target.size):
        target[j] = source[j]


@compiled
def _put(source, count, x, at, step, width):  # type: ignore[no-untyped-def]
    """Rows of a small array into a line of memory."""
    for i in range(count):
        _copy(source[i], x[at + i * step : at + i * step + width])


@shared
@compiled
def _forward(q, k, v, y, steps, mask, mask_steps, keep, p, sizes, causal, scale, first, last):  # type: ignore[no-untyped-def]
    """Heads first … last − 1 of `sizes`: heads in a row, queries, keys, their width, the values' width."""
    inner, queries, keys, width, wide = sizes
    room = (keys + 7) // 8 * 8
    panels_k, panels_v = np.empty(width * room, _f), np.empty(keys * ((wide + 7) // 8 * 8), _f)
    scores, found = np.empty((_BLOCK, room), _f), np.empty((_BLOCK, (wide + 7) // 8 * 8), _f)
    flat, rates = scores.reshape(-1), np.empty(_BLOCK, _f)
    adds = mask.size > 0 or scale <= _ZERO
    factor = _ONE if adds else scale
    for head in range(first, last):
        a, b = head // inner, head % inner
        at_q, at_k = _start(steps[0], a, b), _start(steps[1], a, b)
        at_v, at_y = _start(steps[2], a, b), _start(steps[3], a, b)
        lay_panels(k, at_k, 1, steps[1][2], width, keys, panels_k)
        lay_panels(v, at_v, steps[2][2], 1, keys, wide, panels_v)
        for low in range(0, queries, _BLOCK):
            count = min(_BLOCK, queries - low)
            last_key = min(keys, low + count) if causal else keys
            scores[:] = 0
            at = at_q + low * steps[0][2]
            add_product(q, at, steps[0][2], NEXT, count, panels_k, width, width, scores, last_key)
            for i in range(count):
                seen = min(keys, low + i + 1) if causal else keys
                row = scores[i, :keys]
                if adds:
                    for j in range(seen):
                        row[j] *= scale
                if mask.size:
                    at = a * mask_steps[0] + b * mask_steps[1] + (low + i) * mask_steps[2]
                    added = mask[at : at + seen]
                    for j in range(seen):
                        row[j] += added[j]
                rate = rates[i] = _weigh(row[:seen], factor)
                row[seen:] = 0
                at = (head * queries + low + i) * keys
                weights = p[at : at + keys]
                for j in range(keys):
                    weights[j] = row[j] * rate
                if keep.size:
                    kept = keep[at : at + keys]
                    for j in range(keys):
                        row[j] *= kept[j]
            found[:] = 0
            add_product(flat, START, room, NEXT, count, panels_v, keys, last_key, found, wide)
            for i in range(count):
                row, rate = found[i], rates[i]
                for j in range(wide):
                    row[j] *= rate
            _put(found, count, y, at_y + low * steps[3][2], steps[3][2], wide)


@shared
@compiled
def _backward(g, q, k, v, dq, dk, dv, steps, p, keep, sizes, causal, scale, first, last):  # type: ignore[no-untyped-def]
    """Heads first … last − 1; `steps` are those of g, q, k, v, dq, dk and dv."""
    inner, queries, keys, width, wide = sizes
    room, room_k, room_v = (keys + 7) // 8 * 8, (width + 7) // 8 * 8, (wide + 7) // 8 * 8
    panels_v, panels_k = np.empty(wide * room, _f), np.empty(keys * room_k, _f)
    panels_q, panels_g = np.empty(_BLOCK * room_k, _f), np.empty(_BLOCK * room_v, _f)
    slope, kept = np.empty((_BLOCK, room), _f), np.empty((_BLOCK, room), _f)
    flat_slope, flat_kept = slope.reshape(-1), kept.reshape(-1)
    pull_q = np.empty((_BLOCK, room_k), _f)
    pull_k, pull_v = np.empty(((keys + 3) // 4 * 4, room_k), _f), np.empty(((keys + 3) // 4 * 4, room_v), _f)
    for head in range(first, last):
        a, b = head // inner, head % inner
        at_g, at_q = _start(steps[0], a, b), _start(steps[1], a, b)
        at_k, at_v = _start(steps[2], a, b), _start(steps[3], a, b)
        to_q, to_k, to_v = _start(steps[4], a, b), _start(steps[5], a, b), _start(steps[6], a, b)
        lay_panels(v, at_v, 1, steps[3][2], wide, keys, panels_v)
        lay_panels(k, at_k, steps[2][2], 1, keys, width, panels_k)
        pull_k[:] = 0
        pull_v[:] = 0
        for low in range(0, queries, _BLOCK):
            count = min(_BLOCK, queries - low)
            last_key = min(keys, low + count) if causal else keys
            at_p, at, now = (head * queries + low) * keys, at_g + low * steps[0][2], at_q + low * steps[1][2]
            slope[:] = 0
            add_product(g, at, steps[0][2], NEXT, count, panels_v, wide, wide, slope, last_key)
            lay_panels(g, at, steps[0][2], 1, count, wide, panels_g)
            lay_panels(q, now, steps[1][2], 1, count, width, panels_q)
            for i in range(count):
                place = at_p + i * keys
                row, weights, dropped = slope[i, :last_key], p[place : place + last_key], kept[i]
                if keep.size:
                    factor = keep[place : place + last_key]
                    for j in range(last_key):
                        row[j] *= factor[j]
                    for j in range(last_key):
                        dropped[j] = weights[j] * factor[j]
                mean = _dot(row, weights)
                for j in range(last_key):
                    row[j] = scale * weights[j] * (row[j] - mean)
            pull_q[:] = 0
            add_product(flat_slope, START, room, NEXT, count, panels_k, keys, last_key, pull_q, width)
            _put(pull_q, count, dq, to_q + low * steps[4][2], steps[4][2], width)
            add_product(flat_slope, START, NEXT, room, last_key, panels_q, count, count, pull_k, width)
            if keep.size:
                add_product(flat_kept, START, NEXT, room, last_key, panels_g, count, count, pull_v, wide)
            else:
                add_product(p, at_p, NEXT, keys, last_key, panels_g, count, count, pull_v, wide)
        _put(pull_k, keys, dk, to_k, steps[5][2], width)
        _put(pull_v, keys, dv, to_v, steps[6][2], wide)


def _line(x: Any) -> tuple[Any, Any]:
    """An array (…, rows, columns) of at most four axes as its memory in one line, and the steps of the first three."""
    base, steps, flags = x.base, x.strides, x.flags
    if flags.c_contiguous or base.__class__ is not np.ndarray or not (flags.aligned and base.flags.c_contiguous):
        regular = False
    else:
        regular = base.dtype is _SINGLE and steps[-1] == 4 and min(steps) >= 0
    if regular:
        start = x.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        line = base.reshape(-1)[start // 4 :]
    else:
        x = np.ascontiguousarray(x)
        line, steps = x.reshape(-1), x.strides
    return line, (*(0,) * (4 - x.ndim), *[step // 4 for step in steps[:-1]])


def _lines(*arrays: Any) -> tuple[Any, Any]:
    """The memory of several, and their steps."""
    memory, steps = zip(*map(_line, arrays), strict=True)
    return memory, steps


def _like(a: Any, width: int) -> Any:
    """An empty array (…, rows, width), whose axes lie in memory in the order of those of `a`."""
    shape = (*a.shape[:-1], width)
    order = sorted(range(a.ndim), key=a.strides.__getitem__, reverse=True)
    if order[-1] != a.ndim - 1:
        return np.empty(shape, np.float32)
    places = sorted(range(a.ndim), key=order.__getitem__)
    return np.empty([shape[i] for i in order], np.float32).transpose(places)


def _fits(*arrays: Any) -> bool:
    """Whether all have single precision, elements, and the same heads in at most two axes."""
    lead = arrays[0].shape[:-2]
    return len(lead) <= 2 and all(a.dtype is _SINGLE and a.shape[:-2] == lead and a.size for a in arrays)


def _common(q: Any, v: Any, keep: Any) -> tuple[Any, Any, int]:
    """What both passes take: the sizes, the factors in one line, and how many heads there are."""
    heads = q.shape[:-2]
    kept = np.empty(0, np.float32) if keep is None else np.ascontiguousarray(keep, np.float32).reshape(-1)
    return (heads[-1] if heads else 1, q.shape[-2], v.shape[-2], q.shape[-1], v.shape[-1]), kept, math.prod(heads)


def forward(q: Any, k: Any, v: Any, mask: Any, keep: Any, causal: bool, scale: float) -> Any:
    """The twin of ``nn.attend``'s forward pass: the result, laid in memory as q is, and the weights; None if unfit."""
    shape = (*q.shape[:-1], k.shape[-2])
    if not _fits(q, k, v) or (mask is not None and mask.ndim > q.ndim):
        return None
    p, y = np.empty(shape, np.float32), _like(q, v.shape[-1])
    lines, steps = _lines(q, k, v, y)
    added: Any = (np.empty(0, np.float32), (0, 0, 0))
    if mask is not None:
        added = _line(np.broadcast_to(mask.astype(np.float32, copy=False), shape))
    sizes, kept, heads = _common(q, v, keep)
    work = p.size * (q.shape[-1] + v.shape[-1])
    _forward(heads, work, *lines, steps, *added, kept, p.reshape(-1), sizes, causal, np.float32(scale))
    return y, p


def backward(g: Any, p: Any, q: Any, k: Any, v: Any, keep: Any, causal: bool, scale: float) -> Any:
    """The twin of its gradient: those of q, k and v, each laid in memory as what it belongs to; None if unfit."""
    if not _fits(g, q, k, v):
        return None
    found = tuple(_like(a, a.shape[-1]) for a in (q, k, v))
    lines, steps = _lines(g, q, k, v, *found)
    sizes, kept, heads = _common(q, v, keep)
    weights = np.ascontiguousarray(p).reshape(-1)
    work = 2 * p.size * (q.shape[-1] + v.shape[-1])
    _backward(heads, work, *lines, steps, weights, kept, sizes, causal, np.float32(scale))
    return found
