"""The compiled twins of the LSTM's loop over time: what happens between its matrix products, in one pass each.

Every inner loop writes one array, cut out before it; only so does it become vector instructions.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

__all__ = ["lstm_backward", "lstm_forward"]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})


@_jit
def _add(a, product, bias):  # type: ignore[no-untyped-def]
    for b in range(a.shape[0]):
        row, other = a[b], product[b]
        for j in range(row.size):
            row[j] += other[j] + bias[j]


@_jit
def _step(a, before, after):  # type: ignore[no-untyped-def]
    """From tanh of the gates' halved arguments (B, 4H; g i f o) to the gates; from the cells before to those after."""
    size = before.shape[1]
    half = a.dtype.type(0.5)
    for b in range(a.shape[0]):
        squashed = a[b, size:]
        for j in range(squashed.size):
            squashed[j] = half * squashed[j] + half
        g, i, f, c, new = a[b, :size], a[b, size : 2 * size], a[b, 2 * size : 3 * size], before[b], after[b]
        for j in range(size):
            new[j] = f[j] * c[j] + i[j] * g[j]


@_jit
def _step_back(given, given_c, gates, tanh_c, before, dh, dc, da):  # type: ignore[no-untyped-def]
    """Gradients at one time: `dh` and `dc` come from the later times, `da` (B, 4H) and the new `dc` to the earlier."""
    size = before.shape[1]
    one = dh.dtype.type(1)
    for b in range(da.shape[0]):
        g, i, f, o = gates[b, :size], gates[b, size : 2 * size], gates[b, 2 * size : 3 * size], gates[b, 3 * size :]
        th, old, h, c, out = tanh_c[b], before[b], dh[b], dc[b], da[b]
        seen, seen_c = given[b], given_c[b]
        for j in range(size):
            h[j] += seen[j]
        for j in range(size):
            c[j] += h[j] * o[j] * (one - th[j] * th[j]) + seen_c[j]
        d = out[:size]
        for j in range(size):
            d[j] = c[j] * i[j] * (one - g[j] * g[j])
        d = out[size : 2 * size]
        for j in range(size):
            d[j] = c[j] * g[j] * i[j] * (one - i[j])
        d = out[2 * size : 3 * size]
        for j in range(size):
            d[j] = c[j] * old[j] * f[j] * (one - f[j])
        d = out[3 * size :]
        for j in range(size):
            d[j] = h[j] * th[j] * o[j] * (one - o[j])
        for j in range(size):
            c[j] *= f[j]


def lstm_forward(gates: Any, bias: Any, h: Any, c: Any, recurrent: Any, states: Any, cells: Any) -> Any:
    """The loop of ``nn.sequence.lstm_sequence``: fills `states` and `cells`, and `gates` from their arguments."""
    product = np.empty(gates.shape[1:], gates.dtype)
    c = np.ascontiguousarray(c)
    size = c.shape[1]
    for a, state, cell in zip(gates, states, cells, strict=True):
        np.matmul(h, recurrent, out=product)
        _add(a, product, bias)
        np.tanh(a, out=a)
        _step(a, c, cell)
        np.tanh(cell, out=state)
        state *= a[:, 3 * size :]
        h, c = state, cell
    return states, cells, gates


def lstm_backward(g: Any, cells: Any, gates: Any, c: Any, recurrent: Any) -> Any:
    """The loop of its gradient rule: gradients of the gates' arguments (T, B, 4H), of h₀ and of c₀."""
    g_h, g_c = g
    tanh_c = np.tanh(cells)
    da = np.empty(gates.shape, gates.dtype)
    dh, dc = np.zeros((2, *cells.shape[1:]), gates.dtype)
    c, zero = np.ascontiguousarray(c), np.zeros(cells.shape[1:], gates.dtype)
    only_h = not any(g_c.strides) and not g_c.any()
    for k in range(len(cells) - 1, -1, -1):
        before = cells[k - 1] if k else c
        _step_back(
            np.ascontiguousarray(g_h[k]),
            zero if only_h else np.ascontiguousarray(g_c[k]),
            gates[k],
            tanh_c[k],
            before,
            dh,
            dc,
            da[k],
        )
        np.matmul(da[k], recurrent, out=dh)
    return da, dh, dc
