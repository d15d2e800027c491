"""The compiled twins of the convolution primitives, for images and lines.

Each works image by image on planes that stay in the cache: the padded image lies flat, so a tap of the window is the
same memory shifted, and a *term* is one tap of one channel: an offset into the planes and a weight for each output. The
tiles of ``tiles.py`` add up all terms for four outputs and a stretch of cells.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .threads import in_parts
from .tiles import TILE_BYTES, dot_tile, sum_tile

__all__ = ["convolve", "convolve_transpose", "convolve_weight"]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
_LEAST = 1 << 21  # multiplications that are worth a thread


@_jit
def _lay(x, planes, stride, before, plane):  # type: ignore[no-untyped-def]
    """An image (C, H, W) into the planes of its phases (s₁ · s₂ · C, length); what lies outside stays zero."""
    s1, s2 = stride
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            a = i + before[0]
            if a < 0 or a >= plane[0] * s1:
                continue
            source = x[c, i]
            if s2 == 1:
                first = max(0, -before[1])
                last = min(x.shape[2], plane[1] - before[1])
                start = a // s1 * plane[1] + before[1]
                target = planes[a % s1 * x.shape[0] + c]
                target[start + first : start + last] = source[first:last]
                continue
            for b in range(s2):  # each phase takes every s₂-th element
                target = planes[(a % s1 * s2 + b) * x.shape[0] + c, a // s1 * plane[1] : (a // s1 + 1) * plane[1]]
                for q in range(max(0, -(-(before[1] - b) // s2)), plane[1]):
                    j = q * s2 + b - before[1]
                    if j < source.size:
                        target[q] = source[j]


@_jit
def _lift(planes, rows, x, stride, before, plane):  # type: ignore[no-untyped-def]
    """The adjoint of :func:`_lay`: an image from planes (phases, any, length), channel c at row ``rows[c]``."""
    s1, s2 = stride
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            a = i + before[0]
            target = x[c, i]
            target[:] = 0
            if a < 0 or a >= plane[0] * s1:
                continue
            if s2 == 1:
                first = max(0, -before[1])
                last = min(x.shape[2], plane[1] - before[1])
                start = a // s1 * plane[1] + before[1]
                target[first:last] = planes[a % s1, rows[c], start + first : start + last]
                continue
            for b in range(s2):
                source = planes[a % s1 * s2 + b, rows[c], a // s1 * plane[1] : (a // s1 + 1) * plane[1]]
                for q in range(max(0, -(-(before[1] - b) // s2)), plane[1]):
                    j = q * s2 + b - before[1]
                    if j < target.size:
                        target[j] = source[q]


@_jit
def _spread(g, rows, lead, width):  # type: ignore[no-untyped-def]
    """Outputs (O, H, W) into rows of zeros, from `lead` on, a row of the plane being `width` long."""
    for o in range(g.shape[0]):
        for i in range(g.shape[1]):
            start = lead + i * width
            rows[o, start : start + g.shape[2]] = g[o, i]


@_jit
def _forward(x, w, offsets, bias, y, stride, before, plane, length, tile, first, last):  # type: ignore[no-untyped-def]
    """`w` (groups, blocks of four outputs, terms, 4), `offsets` (groups, terms)."""
    groups, blocks, terms = w.shape[:3]
    per = y.shape[1] // groups
    cells = y.shape[2] * plane[1]
    planes = np.zeros((stride[0] * stride[1] * x.shape[1], length), x.dtype)
    flat = planes.reshape(-1)
    sums = np.empty((4, (cells + tile - 1) // tile * tile), x.dtype)
    for n in range(first, last):
        _lay(x[n], planes, stride, before, plane)
        for group in range(groups):
            for block in range(blocks):
                o = group * per + 4 * block
                count = min(4, per - 4 * block)
                sums[:] = 0
                for i in range(count):
                    sums[i] = bias[o + i]
                for place in range(0, cells, tile):
                    sum_tile(flat, offsets[group], w[group, block], 0, terms, place, sums)  # type: ignore[call-arg]
                for i in range(count):
                    for r in range(y.shape[2]):
                        y[n, o + i, r] = sums[i, r * plane[1] : r * plane[1] + y.shape[3]]


@_jit
def _transpose(g, w, offsets, ends, rows, x, stride, before, plane, lead, tile, first, last):  # type: ignore[no-untyped-def]
    """`w` (groups, blocks of four channels, terms by phase, 4), `ends` where each phase's terms end."""
    groups, blocks = w.shape[:2]
    cells = plane[0] * plane[1]
    room = (cells + tile - 1) // tile * tile
    planes = np.empty((len(ends), groups * blocks * 4, room), x.dtype)
    given = np.zeros((g.shape[1], lead + room), x.dtype)
    flat = given.reshape(-1)
    for n in range(first, last):
        _spread(g[n], given, lead, plane[1])
        planes[:] = 0
        for group in range(groups):
            for block in range(blocks):
                start = 4 * (group * blocks + block)
                begin = 0
                for phase in range(len(ends)):
                    sums = planes[phase, start : start + 4]
                    for place in range(0, cells, tile):
                        count = ends[phase] - begin
                        sum_tile(flat, offsets[group], w[group, block], begin, count, place, sums)  # type: ignore[call-arg]
                    begin = ends[phase]
        _lift(planes, rows, x[n], stride, before, plane)


@_jit
def _weight(x, g, w, offsets, stride, before, plane, length, tile, first, last):  # type: ignore[no-untyped-def]
    """Adds to `w` (groups, blocks of four outputs, 4, terms in threes)."""
    groups, blocks, _, terms = w.shape
    per = g.shape[1] // groups
    cells = g.shape[2] * plane[1]
    room = (cells + tile - 1) // tile * tile
    planes = np.zeros((stride[0] * stride[1] * x.shape[1], length), x.dtype)
    given = np.zeros((g.shape[1] + 1, room), x.dtype)  # the last row stays zero
    flat, flat_given = planes.reshape(-1), given.reshape(-1)
    rows = np.empty(4, np.int64)
    products = np.empty((12, tile // 3), x.dtype)
    for n in range(first, last):
        _lay(x[n], planes, stride, before, plane)
        _spread(g[n], given, 0, plane[1])
        for group in range(groups):
            for block in range(blocks):
                for i in range(4):
                    rows[i] = (group * per + 4 * block + i if 4 * block + i < per else g.shape[1]) * room
                total = w[group, block]
                for k in range(0, terms, 3):
                    dot_tile(flat_given, rows, flat, offsets[group, k : k + 3], cells, products)  # type: ignore[call-arg]
                    for i in range(4):
                        for j in range(3):
                            total[i, k + j] += products[3 * i + j].sum()


def _up(count: int, by: int) -> int:
    return -(-count // by) * by


class _Geometry:
    """A plan's numbers as the kernels take them; a line is an image of one row."""

    def __init__(self, plan: Any, dtype: Any) -> None:
        line = len(plan.size) == 1
        self.lead: tuple[int, ...] = (1,) if line else ()
        self.stride = (*self.lead, *plan.stride)
        self.before = ((0,) if line else ()) + tuple(before for before, _ in plan.padding)
        self.plane = (*self.lead, *plan.plane)
        self.tile = TILE_BYTES // dtype.itemsize
        self.length = _up(plan.cells, self.tile) + plan.tail
        self.phases = np.array([phase for phase, _ in plan.taps])
        self.shifts = np.array([shift for _, shift in plan.taps])

    def image(self, x: Any) -> Any:
        """x as (N, C, H, W), contiguous."""
        return np.ascontiguousarray(x.reshape((*x.shape[:2], *self.lead, *x.shape[2:])))

    def offsets(self, channels: int, groups: int) -> Any:
        """Where each term of a group lies in the planes of the input: (groups, channels of a group · taps)."""
        channel = np.arange(channels).reshape((groups, -1, 1))
        return ((self.phases * channels + channel) * self.length + self.shifts).reshape((groups, -1))


def _fits(plan: Any, *arrays: Any) -> bool:
    kinds = {a.dtype for a in arrays}
    return len(plan.size) <= 2 and len(kinds) == 1 and kinds <= {np.dtype(np.float32), np.dtype(np.float64)}


def _blocks_of_four(w: Any) -> Any:
    """Weights (groups, outputs, terms) as (groups, blocks, terms, 4), zero where there is no output."""
    groups, outs, terms = w.shape
    padded = np.zeros((groups, _up(outs, 4), terms), w.dtype)
    padded[:, :outs] = w
    return np.ascontiguousarray(padded.reshape((groups, -1, 4, terms)).swapaxes(2, 3))


def convolve(plan: Any, x: Any, w: Any, bias: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve``; None for what it does not cover."""
    if not _fits(plan, x, w):
        return None
    shape = _Geometry(plan, x.dtype)
    offsets = shape.offsets(x.shape[1], groups)
    weights = _blocks_of_four(w.reshape((groups, w.shape[0] // groups, -1)))
    added = np.zeros(w.shape[0], x.dtype) if bias is None else bias.astype(x.dtype, copy=False)
    x = shape.image(x)
    y = np.empty((x.shape[0], w.shape[0], *shape.lead, *plan.out), x.dtype)
    numbers = shape.stride, shape.before, shape.plane, shape.length, shape.tile
    work = len(x) * w.size * plan.cells
    in_parts(lambda i, j: _forward(x, weights, offsets, added, y, *numbers, i, j), len(x), work, _LEAST)
    return y.reshape((*y.shape[:2], *plan.out))


def convolve_transpose(plan: Any, g: Any, w: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve_transpose``: for each phase of the image, a sum over that phase's taps."""
    if not _fits(plan, g, w):
        return None
    shape = _Geometry(plan, g.dtype)
    outs, per = w.shape[0] // groups, w.shape[1]
    order = np.argsort(shape.phases, kind="stable")
    phases = shape.stride[0] * shape.stride[1]
    ends = np.cumsum(np.bincount(shape.phases, minlength=phases)) * outs
    weights = w.reshape((groups, outs, per, -1))[..., order].transpose((0, 2, 3, 1))
    weights = _blocks_of_four(weights.reshape((groups, per, -1)))
    row = plan.tail + _up(plan.cells, shape.tile)
    outputs = np.arange(groups * outs).reshape((groups, 1, outs))
    offsets = (outputs * row + (plan.tail - shape.shifts[order])[:, None]).reshape((groups, -1))
    rows = (np.arange(groups)[:, None] * _up(per, 4) + np.arange(per)).reshape(-1)
    g = shape.image(g)
    x = np.empty((len(g), groups * per, *shape.lead, *plan.size), g.dtype)
    numbers = shape.stride, shape.before, shape.plane, plan.tail, shape.tile
    work = len(g) * w.size * plan.cells
    in_parts(lambda i, j: _transpose(g, weights, offsets, ends, rows, x, *numbers, i, j), len(g), work, _LEAST)
    return x.reshape((*x.shape[:2], *plan.size))


def convolve_weight(plan: Any, x: Any, g: Any, kernel: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve_weight``; None for what it does not cover."""
    if not _fits(plan, x, g):
        return None
    shape = _Geometry(plan, x.dtype)
    outs, found = g.shape[1] // groups, shape.offsets(x.shape[1], groups)
    offsets = np.zeros((groups, _up(found.shape[1], 3)), np.int64)
    offsets[:, : found.shape[1]] = found
    x, g = shape.image(x), shape.image(g)
    numbers = shape.stride, shape.before, shape.plane, shape.length, shape.tile

    def part(first: int, last: int) -> Any:
        w = np.zeros((groups, _up(outs, 4) // 4, 4, offsets.shape[1]), x.dtype)
        _weight(x, g, w, offsets, *numbers, first, last)
        return w

    total = sum(in_parts(part, len(x), len(x) * g.shape[1] * found.shape[1] * plan.cells, _LEAST))
    kept = total.reshape((groups, -1, offsets.shape[1]))[:, :outs, : found.shape[1]]
    return kept.reshape((groups * outs, -1, *kernel))
