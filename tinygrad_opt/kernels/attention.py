"""The compiled twins of attention and of its gradient, in single precision: one head after the other, in the cache.

A head is worked on in blocks of queries, whose scores, weights and their gradients never leave a small array. Arrays
come as one line of memory with a step for each axis, so that the parts of one projection need not be cut out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .functions import any_order, compiled, exp, largest, total
from .products import add_product, lay_panels
from .threads import in_parts

__all__ = ["backward", "forward"]

_BLOCK = 64
"""Queries that are worked on together, a multiple of four."""

_f = np.float32
_ZERO, _HIDDEN = _f(0), _f(-np.inf)


@any_order
def _dot(row, other):  # type: ignore[no-untyped-def]
    sum_ = _ZERO
    for j in range(row.size):
        sum_ += row[j] * other[j]
    return sum_


@compiled
def _softmax(row):  # type: ignore[no-untyped-def]
    """The softmax in place; zeros where nothing is seen."""
    top = largest(row)
    if top == _HIDDEN:
        top = _ZERO
    for j in range(row.size):
        row[j] = exp(row[j] - top)
    whole = total(row)
    rate = _ZERO if whole == _ZERO else _f(1) / whole
    for j in range(row.size):
        row[j] *= rate


@compiled
def _copy(source, target):  # type: ignore[no-untyped-def]
    for j in range(target.size):
        target[j] = source[j]


@compiled
def _put(source, count, x, at, step, width):  # type: ignore[no-untyped-def]
    """Rows of a small array into a line of memory."""
    for i in range(count):
        _copy(source[i], x[at + i * step : at + i * step + width])


@compiled
def _forward(q, k, v, y, steps, mask, mask_steps, keep, p, sizes, causal, scale, first, last):  # type: ignore[no-untyped-def]
    """Heads first … last − 1 of `sizes`: heads in a row, queries, keys, their width, the values' width."""
    inner, queries, keys, width, wide = sizes
    room = (keys + 7) // 8 * 8
    panels_k, panels_v = np.empty(width * room, _f), np.empty(keys * ((wide + 7) // 8 * 8), _f)
    scores, asked = np.empty((_BLOCK, room), _f), np.empty((_BLOCK, width), _f)
    found = np.empty((_BLOCK, (wide + 7) // 8 * 8), _f)
    flat_scores, flat_asked = scores.reshape(-1), asked.reshape(-1)
    for head in range(first, last):
        a, b = head // inner, head % inner
        at_q, at_k, at_v, at_y = [a * step[0] + b * step[1] for step in steps]
        lay_panels(k, at_k, 1, steps[1][2], width, keys, panels_k)
        lay_panels(v, at_v, steps[2][2], 1, keys, wide, panels_v)
        for low in range(0, queries, _BLOCK):
            count = min(_BLOCK, queries - low)
            last_key = min(keys, low + count) if causal else keys
            for i in range(count):
                at = at_q + (low + i) * steps[0][2]
                source, target = q[at : at + width], asked[i]
                for j in range(width):
                    target[j] = source[j] * scale
            scores[:] = 0
            add_product(flat_asked, 0, width, 1, count, panels_k, width, width, scores, last_key)
            for i in range(count):
                row = scores[i, :keys]
                if mask.size:
                    at = a * mask_steps[0] + b * mask_steps[1] + (low + i) * mask_steps[2]
                    added = mask[at : at + keys]
                    for j in range(keys):
                        row[j] += added[j]
                seen = min(keys, low + i + 1) if causal else keys
                _softmax(row[:seen])
                row[seen:] = 0
                at = (head * queries + low + i) * keys
                _copy(row, p[at : at + keys])
                if keep.size:
                    factor = keep[at : at + keys]
                    for j in range(keys):
                        row[j] *= factor[j]
            found[:] = 0
            add_product(flat_scores, 0, room, 1, count, panels_v, keys, last_key, found, wide)
            _put(found, count, y, at_y + low * steps[3][2], steps[3][2], wide)


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
        at_g, at_q, at_k, at_v, to_q, to_k, to_v = [a * step[0] + b * step[1] for step in steps]
        lay_panels(v, at_v, 1, steps[3][2], wide, keys, panels_v)
        lay_panels(k, at_k, steps[2][2], 1, keys, width, panels_k)
        pull_k[:] = 0
        pull_v[:] = 0
        for low in range(0, queries, _BLOCK):
            count = min(_BLOCK, queries - low)
            last_key = min(keys, low + count) if causal else keys
            at_p, at, now = (head * queries + low) * keys, at_g + low * steps[0][2], at_q + low * steps[1][2]
            slope[:] = 0
            add_product(g, at, steps[0][2], 1, count, panels_v, wide, wide, slope, last_key)
            lay_panels(g, at, steps[0][2], 1, count, wide, panels_g)
            lay_panels(q, now, steps[1][2], 1, count, width, panels_q)
            for i in range(count):
                place = at_p + i * keys
                row, weights, dropped = slope[i, :keys], p[place : place + keys], kept[i]
                if keep.size:
                    factor = keep[place : place + keys]
                    for j in range(keys):
                        row[j] *= factor[j]
                    for j in range(keys):
                        dropped[j] = weights[j] * factor[j]
                mean = _dot(row, weights)
                for j in range(keys):
                    row[j] = scale * weights[j] * (row[j] - mean)
            pull_q[:] = 0
            add_product(flat_slope, 0, room, 1, count, panels_k, keys, last_key, pull_q, width)
            _put(pull_q, count, dq, to_q + low * steps[4][2], steps[4][2], width)
            add_product(flat_slope, 0, 1, room, last_key, panels_q, count, count, pull_k, width)
            if keep.size:
                add_product(flat_kept, 0, 1, room, last_key, panels_g, count, count, pull_v, wide)
            else:
                add_product(p, at_p, 1, keys, last_key, panels_g, count, count, pull_v, wide)
        _put(pull_k, keys, dk, to_k, steps[5][2], width)
        _put(pull_v, keys, dv, to_v, steps[6][2], wide)


def _line(x: Any) -> tuple[Any, Any]:
    """An array (…, rows, columns) of at most four axes as its memory in one line, and the steps of the first three."""
    if x.strides[-1] != 4 or min(x.strides) < 0 or any(step % 4 for step in x.strides):
        x = np.ascontiguousarray(x)
    shape, steps = (1,) * (4 - x.ndim) + x.shape, (0,) * (4 - x.ndim) + x.strides
    span = sum((n - 1) * step for n, step in zip(shape, steps, strict=True)) // 4 + 1
    return np.lib.stride_tricks.as_strided(x, (span,), (4,)), tuple(step // 4 for step in steps[:3])


def _lines(*arrays: Any) -> tuple[Any, Any]:
    """The memory of several, and their steps."""
    memory, steps = zip(*map(_line, arrays), strict=True)
    return memory, steps


def _like(a: Any, width: int) -> Any:
    """An empty array (…, rows, width), whose axes lie in memory in the order of those of `a`."""
    shape = (*a.shape[:-1], width)
    new = np.empty_like(a, shape=shape)
    return new if new.strides[-1] == 4 else np.empty(shape, a.dtype)


def _fits(*arrays: Any) -> bool:
    """Whether all have single precision, elements, and the same heads in at most two axes."""
    lead = arrays[0].shape[:-2]
    return len(lead) <= 2 and all(a.dtype == np.float32 and a.shape[:-2] == lead and a.size for a in arrays)


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
    weights, factor = p.reshape(-1), np.float32(scale)

    def run(first: int, last: int) -> None:
        _forward(*lines, steps, *added, kept, weights, sizes, causal, factor, first, last)

    in_parts(run, heads, p.size * (q.shape[-1] + v.shape[-1]))
    return y, p


def backward(g: Any, p: Any, q: Any, k: Any, v: Any, keep: Any, causal: bool, scale: float) -> Any:
    """The twin of its gradient: those of q, k and v, each laid in memory as what it belongs to; None if unfit."""
    if not _fits(g, q, k, v):
        return None
    found = tuple(_like(a, a.shape[-1]) for a in (q, k, v))
    lines, steps = _lines(g, q, k, v, *found)
    sizes, kept, heads = _common(q, v, keep)
    weights, factor = np.ascontiguousarray(p).reshape(-1), np.float32(scale)

    def run(first: int, last: int) -> None:
        _backward(*lines, steps, weights, kept, sizes, causal, factor, first, last)

    in_parts(run, heads, 2 * p.size * (q.shape[-1] + v.shape[-1]))
    return found
