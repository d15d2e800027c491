"""The compiled twins of the LSTM's loop over time, in single precision.

The sequences of a batch do not touch each other. So each thread runs its share of them through all times, products with
the recurrent weights included, and nothing waits for another thread before the end.

Every inner loop writes one array, cut out before it; only so does it become vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .functions import compiled, tanh
from .products import NEXT, ROWS, add_product, cut_panels
from .sharing import shared

__all__ = ["lstm_backward", "lstm_forward"]

_HALF, _ONE = np.float32(0.5), np.float32(1)


@shared
@compiled
def _forward(x, inward, bias, h, c, panels, gates, states, cells, first, last):  # type: ignore[no-untyped-def]
    """Blocks of sequences first … last − 1; gates g i f o side by side."""
    times, batch, size = states.shape
    first, last = first * ROWS, min(last * ROWS, batch)
    width, given = x.shape[2], x.reshape(-1)
    rows = last - first
    sums = np.empty(((rows + 3) // 4 * 4, (4 * size + 7) // 8 * 8), gates.dtype)
    scale, shift = np.full(4 * size, _HALF), np.full(4 * size, _HALF)
    scale[:size] = 1
    shift[:size] = 0
    before, at = h.reshape(-1), first * size
    flat = states.reshape(-1)
    for t in range(times):
        for b in range(rows):
            total = sums[b]
            for j in range(bias.size):
                total[j] = bias[j]
        add_product(given, (t * batch + first) * width, width, NEXT, rows, inward, width, width, sums, 4 * size)
        add_product(before, at, size, NEXT, rows, panels, size, size, sums, 4 * size)
        before, at = flat, (t * batch + first) * size
        for b in range(rows):
            total, a = sums[b], gates[t, first + b]
            for j in range(a.size):
                a[j] = tanh(total[j]) * scale[j] + shift[j]
            old = c[first + b] if t == 0 else cells[t - 1, first + b]
            g, i, f, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
            new, state = cells[t, first + b], states[t, first + b]
            for j in range(size):
                new[j] = f[j] * old[j] + i[j] * g[j]
            for j in range(size):
                state[j] = o[j] * tanh(new[j])


@shared
@compiled
def _backward(g_h, g_c, cells, gates, c, panels, inward, da, dx, dh, dc, first, last):  # type: ignore[no-untyped-def]
    """Blocks of sequences first … last − 1; `g_c` has no times when nothing was asked of the cells."""
    times, batch, size = cells.shape
    first, last = first * ROWS, min(last * ROWS, batch)
    rows = last - first
    width = dx.shape[2]
    to_x = np.empty(((rows + 3) // 4 * 4, (width + 7) // 8 * 8), gates.dtype)
    pull = np.zeros(((rows + 3) // 4 * 4, (size + 7) // 8 * 8), gates.dtype)
    squashed = np.empty(size, gates.dtype)
    flat = da.reshape(-1)
    for t in range(times - 1, -1, -1):
        for b in range(rows):
            n = first + b
            a, h, cell, slope, out = gates[t, n], pull[b, :size], cells[t, n], dc[n], da[t, n]
            old = c[n] if t == 0 else cells[t - 1, n]
            g, i, f, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
            given = g_h[t, n]
            for j in range(size):
                h[j] += given[j]
            for j in range(size):
                squashed[j] = tanh(cell[j])
            for j in range(size):
                slope[j] += h[j] * o[j] * (_ONE - squashed[j] * squashed[j])
            if g_c.shape[0]:
                given = g_c[t, n]
                for j in range(size):
                    slope[j] += given[j]
            d = out[:size]
            for j in range(size):
                d[j] = slope[j] * i[j] * (_ONE - g[j] * g[j])
            d = out[size : 2 * size]
            for j in range(size):
                d[j] = slope[j] * g[j] * i[j] * (_ONE - i[j])
            d = out[2 * size : 3 * size]
            for j in range(size):
                d[j] = slope[j] * old[j] * f[j] * (_ONE - f[j])
            d = out[3 * size :]
            for j in range(size):
                d[j] = h[j] * squashed[j] * o[j] * (_ONE - o[j])
            for j in range(size):
                slope[j] *= f[j]
        pull[:] = 0
        at, long = (t * batch + first) * 4 * size, 4 * size
        add_product(flat, at, long, NEXT, rows, panels, long, long, pull, size)
        if width:
            to_x[:] = 0
            add_product(flat, at, long, NEXT, rows, inward, long, long, to_x, width)
            for b in range(rows):
                line, found = dx[t, first + b], to_x[b]
                for j in range(width):
                    line[j] = found[j]
    for b in range(rows):
        last_h, h = dh[first + b], pull[b]
        for j in range(size):
            last_h[j] = h[j]


def lstm_forward(
    x: Any, inward: Any, bias: Any, h: Any, c: Any, recurrent: Any, gates: Any, states: Any, cells: Any
) -> None:
    """The loop of ``nn.sequence.lstm_sequence``: fills `gates`, `states` and `cells`."""
    x, h, c = np.ascontiguousarray(x), np.ascontiguousarray(h), np.ascontiguousarray(c)
    inward, panels = cut_panels(inward), cut_panels(recurrent)
    blocks = -(-gates.shape[1] // ROWS)
    _forward(blocks, gates.size * states.shape[2], x, inward, bias, h, c, panels, gates, states, cells)


def lstm_backward(g: Any, only_h: bool, cells: Any, gates: Any, c: Any, recurrent: Any, inward: Any) -> Any:
    """The loop of its gradient rule: gradients of the gates' arguments (T, B, 4H), of x, of h₀ and of c₀.

    `only_h` says that nothing was asked of the cells; `inward` (4H, I) has no columns when nothing is asked of x.
    """
    panels, columns = cut_panels(recurrent), inward.shape[1]
    inward = cut_panels(inward) if columns else panels
    g_h, g_c, c = np.ascontiguousarray(g[0]), g[1], np.ascontiguousarray(c)
    g_c = np.empty((0, *c.shape), c.dtype) if only_h else np.ascontiguousarray(g_c)
    da = np.empty(gates.shape, gates.dtype)
    dx = np.empty((*gates.shape[:2], columns), gates.dtype)
    dh, dc = np.empty_like(c), np.zeros_like(c)
    blocks = -(-len(c) // ROWS)
    _backward(blocks, gates.size * c.shape[1], g_h, g_c, cells, gates, c, panels, inward, da, dx, dh, dc)
    return da, dx if columns else None, dh, dc
