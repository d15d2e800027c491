"""The compiled twins of the convolution primitives, for images and lines.

Each works image by image on planes that stay in the cache: the padded image lies flat, a tap of the window is the same
memory shifted, and four outputs take in three shifted rows at a time. Rows are cut out before the inner loops, which
index only by one variable and so become vector instructions; a fused multiply-add may replace the two operations.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .threads import in_parts

__all__ = ["convolve", "convolve_transpose", "convolve_weight"]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})


@_jit
def _add_4x3(y0, y1, y2, y3, a, b, c, w):  # type: ignore[no-untyped-def]
    """Four rows take in three: y += w @ (a, b, c)."""
    w00, w01, w02, w10, w11, w12 = w[0, 0], w[0, 1], w[0, 2], w[1, 0], w[1, 1], w[1, 2]
    w20, w21, w22, w30, w31, w32 = w[2, 0], w[2, 1], w[2, 2], w[3, 0], w[3, 1], w[3, 2]
    for t in range(y0.size):
        p, q, r = a[t], b[t], c[t]
        y0[t] += w00 * p + w01 * q + w02 * r
        y1[t] += w10 * p + w11 * q + w12 * r
        y2[t] += w20 * p + w21 * q + w22 * r
        y3[t] += w30 * p + w31 * q + w32 * r


@_jit
def _add_1x3(y, a, b, c, w0, w1, w2):  # type: ignore[no-untyped-def]
    for t in range(y.size):
        y[t] += w0 * a[t] + w1 * b[t] + w2 * c[t]


@_jit
def _dot_4x3(zero, g0, g1, g2, g3, a, b, c, w):  # type: ignore[no-untyped-def]
    """w += (g0, g1, g2, g3) @ (a, b, c)ᵀ."""
    s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = s30 = s31 = s32 = zero
    for t in range(g0.size):
        p, q, r = a[t], b[t], c[t]
        s00 += g0[t] * p
        s01 += g0[t] * q
        s02 += g0[t] * r
        s10 += g1[t] * p
        s11 += g1[t] * q
        s12 += g1[t] * r
        s20 += g2[t] * p
        s21 += g2[t] * q
        s22 += g2[t] * r
        s30 += g3[t] * p
        s31 += g3[t] * q
        s32 += g3[t] * r
    w[0, 0] += s00
    w[0, 1] += s01
    w[0, 2] += s02
    w[1, 0] += s10
    w[1, 1] += s11
    w[1, 2] += s12
    w[2, 0] += s20
    w[2, 1] += s21
    w[2, 2] += s22
    w[3, 0] += s30
    w[3, 1] += s31
    w[3, 2] += s32


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
            for j in range(x.shape[2]):
                b = j + before[1]
                if 0 <= b < plane[1] * s2:
                    target = planes[(a % s1 * s2 + b % s2) * x.shape[0] + c]
                    target[a // s1 * plane[1] + b // s2] = source[j]


@_jit
def _lift(planes, x, stride, before, plane):  # type: ignore[no-untyped-def]
    """The adjoint of :func:`_lay`: an image from its planes."""
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
                target[first:last] = planes[a % s1 * x.shape[0] + c, start + first : start + last]
                continue
            for j in range(x.shape[2]):
                b = j + before[1]
                if 0 <= b < plane[1] * s2:
                    target[j] = planes[(a % s1 * s2 + b % s2) * x.shape[0] + c, a // s1 * plane[1] + b // s2]


@_jit
def _forward(x, w, bias, y, rows, shifts, stride, before, plane, length, groups, first, last):  # type: ignore[no-untyped-def]
    """`w` (O, terms), terms in threes; term k reads row ``rows[k]`` (of the first group) at ``shifts[k]``."""
    outs, terms = w.shape
    per, channels = outs // groups, x.shape[1] // groups
    cells = plane[0] * plane[1]
    planes = np.zeros((stride[0] * stride[1] * x.shape[1] + 1, length), x.dtype)  # the last row stays zero
    sums = np.empty((4, cells), x.dtype)
    for n in range(first, last):
        _lay(x[n], planes, stride, before, plane)
        for g in range(groups):
            for o in range(g * per, (g + 1) * per, 4):
                count = min(4, (g + 1) * per - o)
                for i in range(count):
                    sums[i] = bias[o + i]
                for k in range(0, terms, 3):
                    d = g * channels
                    i0, i1, i2 = rows[k] + d, rows[k + 1] + d, rows[k + 2] + d
                    a = planes[min(i0, len(planes) - 1), shifts[k] : shifts[k] + cells]
                    b = planes[min(i1, len(planes) - 1), shifts[k + 1] : shifts[k + 1] + cells]
                    c = planes[min(i2, len(planes) - 1), shifts[k + 2] : shifts[k + 2] + cells]
                    if count == 4:
                        _add_4x3(sums[0], sums[1], sums[2], sums[3], a, b, c, w[o : o + 4, k : k + 3])
                    else:
                        for i in range(count):
                            _add_1x3(sums[i], a, b, c, w[o + i, k], w[o + i, k + 1], w[o + i, k + 2])
                for i in range(count):
                    target = y[n, o + i]
                    for r in range(y.shape[2]):
                        target[r] = sums[i, r * plane[1] : r * plane[1] + y.shape[3]]


@_jit
def _transpose(g, w, x, phases, shifts, stride, before, plane, length, groups, first, last):  # type: ignore[no-untyped-def]
    """`w` (taps, C, O / groups in threes, zeros behind): spreads three outputs onto four channels at a time."""
    taps, channels, outs = w.shape[0], w.shape[1] // groups, g.shape[1] // groups
    cells = plane[0] * plane[1]
    planes = np.empty((stride[0] * stride[1] * x.shape[1], length), x.dtype)
    given = np.zeros((g.shape[1] + 1, cells), x.dtype)  # the last row stays zero
    for n in range(first, last):
        for o in range(g.shape[1]):
            for r in range(g.shape[2]):
                given[o, r * plane[1] : r * plane[1] + g.shape[3]] = g[n, o, r]
        planes[:] = 0
        for group in range(groups):
            for c in range(group * channels, (group + 1) * channels, 4):
                count = min(4, (group + 1) * channels - c)
                for t in range(taps):
                    row, s = phases[t] * x.shape[1] + c, shifts[t]
                    for k in range(0, w.shape[2], 3):
                        i = group * outs + k
                        a = given[i]
                        b = given[i + 1 if k + 1 < outs else g.shape[1]]
                        d = given[i + 2 if k + 2 < outs else g.shape[1]]
                        if count == 4:
                            _add_4x3(
                                planes[row, s : s + cells],
                                planes[row + 1, s : s + cells],
                                planes[row + 2, s : s + cells],
                                planes[row + 3, s : s + cells],
                                a,
                                b,
                                d,
                                w[t, c : c + 4, k : k + 3],
                            )
                        else:
                            for j in range(count):
                                u = w[t, c + j]
                                _add_1x3(planes[row + j, s : s + cells], a, b, d, u[k], u[k + 1], u[k + 2])
        _lift(planes, x[n], stride, before, plane)


@_jit
def _weight(x, g, w, rows, shifts, stride, before, plane, length, groups, first, last):  # type: ignore[no-untyped-def]
    """Adds to `w` (groups, O / groups in fours, terms in threes)."""
    outs, channels = g.shape[1] // groups, x.shape[1] // groups
    cells = plane[0] * plane[1]
    planes = np.zeros((stride[0] * stride[1] * x.shape[1] + 1, length), x.dtype)
    given = np.zeros((g.shape[1] + 1, cells), x.dtype)
    zero = w.dtype.type(0)
    for n in range(first, last):
        _lay(x[n], planes, stride, before, plane)
        for o in range(g.shape[1]):
            for r in range(g.shape[2]):
                given[o, r * plane[1] : r * plane[1] + g.shape[3]] = g[n, o, r]
        for group in range(groups):
            for o in range(0, w.shape[1], 4):
                i = group * outs + o
                g0 = given[i]
                g1 = given[i + 1 if o + 1 < outs else g.shape[1]]
                g2 = given[i + 2 if o + 2 < outs else g.shape[1]]
                g3 = given[i + 3 if o + 3 < outs else g.shape[1]]
                for k in range(0, w.shape[2], 3):
                    d = group * channels
                    i0, i1, i2 = rows[k] + d, rows[k + 1] + d, rows[k + 2] + d
                    a = planes[min(i0, len(planes) - 1), shifts[k] : shifts[k] + cells]
                    b = planes[min(i1, len(planes) - 1), shifts[k + 1] : shifts[k + 1] + cells]
                    c = planes[min(i2, len(planes) - 1), shifts[k + 2] : shifts[k + 2] + cells]
                    _dot_4x3(zero, g0, g1, g2, g3, a, b, c, w[group, o : o + 4, k : k + 3])


def _padded(count: int, by: int) -> int:
    return -(-count // by) * by


class _Geometry:
    """A plan's numbers as the kernels take them; a line is an image of one row."""

    def __init__(self, plan: Any, channels: int, groups: int) -> None:
        line = len(plan.size) == 1
        self.lead: tuple[int, ...] = (1,) if line else ()
        self.stride = (*self.lead, *plan.stride)
        self.before = ((0,) if line else ()) + tuple(before for before, _ in plan.padding)
        self.plane = (*self.lead, *plan.plane)
        self.length = plan.cells + plan.tail
        self.phases = np.array([phase for phase, _ in plan.taps])
        self.shifts = np.array([shift for _, shift in plan.taps])
        self.per = channels // groups
        self.terms = _padded(len(plan.taps) * self.per, 3)
        zero = self.stride[0] * self.stride[1] * channels  # a row of zeros, for the terms that fill up the last three
        rows = (self.phases[None] * channels + np.arange(self.per)[:, None]).reshape(-1)
        self.rows = np.full(self.terms, zero)
        self.rows[: rows.size] = rows
        self.row_shifts = np.zeros(self.terms, np.int64)
        self.row_shifts[: rows.size] = np.tile(self.shifts, self.per)

    def image(self, x: Any) -> Any:
        """x as (N, C, H, W), contiguous."""
        return np.ascontiguousarray(x.reshape((*x.shape[:2], *self.lead, *x.shape[2:])))


def _fits(plan: Any, *arrays: Any) -> bool:
    kinds = {a.dtype for a in arrays}
    return len(plan.size) <= 2 and len(kinds) == 1 and kinds <= {np.dtype(np.float32), np.dtype(np.float64)}


def convolve(plan: Any, x: Any, w: Any, bias: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve``; None for what it does not cover."""
    if not _fits(plan, x, w):
        return None
    shape = _Geometry(plan, x.shape[1], groups)
    x = shape.image(x)
    weights = np.zeros((w.shape[0], shape.terms), w.dtype)
    weights[:, : w[0].size] = w.reshape((w.shape[0], -1))
    added = np.zeros(w.shape[0], x.dtype) if bias is None else bias.astype(x.dtype, copy=False)
    y = np.empty((x.shape[0], w.shape[0], *shape.lead, *plan.out), x.dtype)
    numbers = shape.rows, shape.row_shifts, shape.stride, shape.before, shape.plane, shape.length, groups
    work = x.shape[0] * weights.size * plan.cells
    in_parts(lambda first, last: _forward(x, weights, added, y, *numbers, first, last), len(x), work)
    return y.reshape((*y.shape[:2], *plan.out))


def convolve_transpose(plan: Any, g: Any, w: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve_transpose``; None for what it does not cover."""
    if not _fits(plan, g, w):
        return None
    outs, per = w.shape[0] // groups, w.shape[1]
    shape = _Geometry(plan, per * groups, groups)
    g = shape.image(g)
    weights = np.zeros((len(plan.taps), groups, per, _padded(outs, 3)), w.dtype)
    weights[..., :outs] = w.reshape((groups, outs, per, -1)).transpose((3, 0, 2, 1))
    weights = weights.reshape((len(plan.taps), groups * per, -1))
    x = np.empty((g.shape[0], groups * per, *shape.lead, *plan.size), g.dtype)
    numbers = shape.phases, shape.shifts, shape.stride, shape.before, shape.plane, shape.length, groups
    work = g.shape[0] * weights.size * outs // weights.shape[2] * plan.cells
    in_parts(lambda first, last: _transpose(g, weights, x, *numbers, first, last), len(g), work)
    return x.reshape((*x.shape[:2], *plan.size))


def convolve_weight(plan: Any, x: Any, g: Any, kernel: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve_weight``; None for what it does not cover."""
    if not _fits(plan, x, g):
        return None
    outs = g.shape[1] // groups
    shape = _Geometry(plan, x.shape[1], groups)
    x, g = shape.image(x), shape.image(g)
    numbers = shape.rows, shape.row_shifts, shape.stride, shape.before, shape.plane, shape.length, groups

    def part(first: int, last: int) -> Any:
        w = np.zeros((groups, _padded(outs, 4), shape.terms), x.dtype)
        _weight(x, g, w, *numbers, first, last)
        return w

    total = sum(in_parts(part, len(x), x.shape[0] * g.shape[1] * shape.terms * plan.cells))
    kept = total[:, :outs, : shape.per * len(plan.taps)]
    return kept.reshape((groups * outs, shape.per, *kernel))
