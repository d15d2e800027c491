"""Recurrent layers over a whole sequence as one primitive each: RNN, LSTM and GRU, time-major.

Each has a definition, a loop of basic operations that reads like the paper, and a fused form that computes the same:
one matrix product projects all inputs, and the loop over time keeps what is truly recurrent. The sign in σ(a) =
1 / (1 + exp(−a)) goes into the gates' weights before the loop.

Shapes: x (T, B, I), h₀ (B, H), w_ih (gates · H, I), w_hh (gates · H, H), biases (gates · H,).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..kernels import twin
from ..kernels.blas import product
from .definition import absent, is_recorded, through_definition

__all__ = [
    "define_gru",
    "define_lstm",
    "define_rnn",
    "gru_sequence",
    "gru_step",
    "lstm_sequence",
    "lstm_step",
    "rnn_sequence",
]

_LEAST = 1 << 12  # elements of a sequence's gates from which the compiled form pays
_LSTM_ORDER = (2, 0, 1, 3)  # i f g o → g i f o: those squashed by σ lie together, and those that lead to c


def _sigmoid(a: Any) -> Any:
    return 0.5 * np.tanh(0.5 * a) + 0.5


def _blocks(a: Any, order: tuple[int, ...]) -> Any:
    """Rows of a gate-stacked weight or bias in another order of the gates."""
    return a.reshape((len(order), a.shape[0] // len(order), *a.shape[1:]))[list(order)].reshape(a.shape)


def _flat(a: Any) -> Any:
    return a.reshape((math.prod(a.shape[:-1]), a.shape[-1]))


def _apart(a: Any, gates: int) -> Any:
    """(…, B, gates · H), the gates side by side, as (…, gates, B, H)."""
    return np.swapaxes(a.reshape((*a.shape[:-1], gates, a.shape[-1] // gates)), -3, -2)


def _together(a: Any) -> Any:
    """Back from :func:`_apart`."""
    a = np.swapaxes(a, -3, -2)
    return a.reshape((*a.shape[:-2], a.shape[-2] * a.shape[-1]))


def _squash(a: Any) -> None:
    """a = 1 / (1 + exp(a)), which is σ(−a), in place."""
    np.exp(a, out=a)
    a += 1
    np.reciprocal(a, out=a)


def _shifted(h0: Any, h: Any) -> Any:
    """What each step started from: h₀, h₁ … without the last."""
    return np.concatenate([h0[None], h[:-1]])


def _sequence_samples(gates: int, cells: int, biases: int) -> Any:
    def samples(rng: np.random.Generator) -> Any:
        for t, b, i, h in ((3, 2, 2, 2), (1, 1, 3, 1)):
            state = [rng.standard_normal((b, h)) for _ in range(cells)]
            bias = [rng.standard_normal(gates * h) for _ in range(biases)]
            weights = [rng.standard_normal((gates * h, n)) / 2 for n in (i, h)]
            yield (rng.standard_normal((t, b, i)), *state, *weights, *bias)

    return samples


def define_rnn(x: Any, h: Any, w_ih: Any, w_hh: Any, bias: Any, relu: bool = False) -> Any:
    """The definition of :func:`rnn_sequence`: hₜ = tanh(W_ih xₜ + W_hh hₜ₋₁ + b) (Elman 1990)."""
    states = []
    for x_t in x:
        a = x_t @ w_ih.T + h @ w_hh.T + bias
        h = np.maximum(a, 0.0) if relu else np.tanh(a)
        states.append(h)
    return np.stack(states)


@primitive(real=True, arrays=5, formula="RNN(x, h₀)", samples=_sequence_samples(1, 1, 1))
def rnn_sequence(x, h, w_ih, w_hh, bias, relu=False):  # type: ignore[no-untyped-def]
    """All hidden states (T, B, H) of an Elman network; `bias` is the sum of its two."""
    states = (product(_flat(x), w_ih.T) + bias).reshape((*x.shape[:2], len(w_ih)))
    recurrent = np.ascontiguousarray(w_hh.T)
    for a in states:
        a += h @ recurrent
        h = np.maximum(a, 0.0, out=a) if relu else np.tanh(a, out=a)
    return states


@rnn_sequence.vjp_joint
def _(needed: Any, g: Any, out: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, bias: Any, relu: bool = False) -> Any:
    if is_recorded([g]):
        return through_definition(define_rnn, needed, [g], (x, h, w_ih, w_hh, bias), relu=relu)
    da, dh = _rnn_backward(g, (out > 0).astype(out.dtype) if relu else 1 - out * out, w_hh)
    return _gradients(da, da, dh, None, x, _shifted(h, out), w_ih, needed)


def _rnn_backward(g: Any, slope: Any, w_hh: Any) -> tuple[Any, Any]:
    """Gradients of tanh's arguments (T, B, H) and of h₀, from the slopes there."""
    da = np.empty_like(slope)
    dh = np.zeros(slope.shape[1:], slope.dtype)
    for t in range(len(g) - 1, -1, -1):
        da[t] = (dh + g[t]) * slope[t]
        dh = da[t] @ w_hh
    return da, dh


def _gradients(da: Any, da_h: Any, dh: Any, dc: Any, x: Any, before: Any, w_ih: Any, needed: Any) -> tuple[Any, ...]:
    """From the gradients of the gates, those of the inputs, states, weights and bias, one product each."""
    flat = _flat(da)
    dx = product(flat, w_ih).reshape(x.shape) if needed[0] else None
    states = (dh,) if dc is None else (dh, dc)
    dw_ih, dw_hh = product(flat.T, _flat(x)), product(_flat(da_h).T, _flat(before))
    return dx, *states, dw_ih, dw_hh, product(np.ones(len(flat), da.dtype), flat)


def _lstm_twin(work: int, *arrays: Any) -> Any:
    """The compiled form, which takes single precision only."""
    compiled = twin("recurrent", work, _LEAST)
    return compiled if compiled and all(a.dtype == np.float32 for a in arrays) else None


def lstm_step(a: Any, c: Any) -> tuple[Any, ...]:
    """h, c and the gates g, i, f, o after one step, from the gates' arguments (B, 4H; i f g o) and the cells before."""
    size = c.shape[-1]
    i, f, g, o = (a[..., k * size : (k + 1) * size] for k in range(4))
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    c = f * c + i * g
    return o * np.tanh(c), c, g, i, f, o


def gru_step(a: Any, u: Any, h: Any) -> tuple[Any, ...]:
    """h and the gates r, z, n after one step, from what the input and the state say to them (B, 3H; r z n)."""
    size = h.shape[-1]
    r = _sigmoid(a[..., :size] + u[..., :size])
    z = _sigmoid(a[..., size : 2 * size] + u[..., size : 2 * size])
    n = np.tanh(a[..., 2 * size :] + r * u[..., 2 * size :])
    return (1 - z) * n + z * h, r, z, n


def define_lstm(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, bias: Any) -> tuple[Any, Any, Any]:
    """The definition of :func:`lstm_sequence` (Hochreiter and Schmidhuber 1997; forget gate, Gers et al. 2000).

    i, f, o = σ(·), g = tanh(·) of W_ih xₜ + W_hh hₜ₋₁ + b;  cₜ = f cₜ₋₁ + i g;  hₜ = o tanh(cₜ)
    """
    states, cells, gates = [], [], []
    for x_t in x:
        h, c, *parts = lstm_step(x_t @ w_ih.T + h @ w_hh.T + bias, c)
        states.append(h)
        cells.append(c)
        gates.append(np.stack(parts))
    return np.stack(states), np.stack(cells), np.stack(gates)


@primitive(real=True, arrays=6, formula="LSTM(x, h₀, c₀)", samples=_sequence_samples(4, 2, 1))
def lstm_sequence(x, h, c, w_ih, w_hh, bias):  # type: ignore[no-untyped-def]
    """All hidden states (T, B, H), cell states (T, B, H) and gates (T, 4, B, H; g i f o) of an LSTM.

    `bias` is the sum of PyTorch's two; weights and bias are stacked as PyTorch's, i f g o.
    """
    size = h.shape[-1]
    compiled = _lstm_twin(4 * x.shape[0] * h.size, x, w_ih, w_hh, bias, h, c)
    factor = 0.5 if compiled else -1.0  # for the kernel takes σ(a) = ½ tanh(a/2) + ½
    scale = np.repeat(np.array([1.0, factor, factor, factor], x.dtype), size)
    recurrent = np.ascontiguousarray((_blocks(w_hh, _LSTM_ORDER) * scale[:, None]).T)
    inward = (_blocks(w_ih, _LSTM_ORDER) * scale[:, None]).T
    bias = _blocks(bias, _LSTM_ORDER) * scale
    states = np.empty((*x.shape[:2], size), np.result_type(x, w_ih))
    cells = np.empty_like(states)
    if compiled:
        gates = np.empty((*x.shape[:2], 4 * size), states.dtype)
        compiled.lstm_forward(x, inward, bias, h, c, recurrent, gates, states, cells)
        return states, cells, _apart(gates, 4)
    gates = np.ascontiguousarray(_apart(product(_flat(x), inward, bias).reshape((*x.shape[:2], 4 * size)), 4))
    told, share = np.empty((h.shape[0], 4 * size), gates.dtype), np.empty_like(c)
    with np.errstate(over="ignore"):  # σ is 0 there
        for t, a in enumerate(gates):
            a += _apart(np.matmul(h, recurrent, out=told), 4)
            _squash(a[1:])
            g, i, f, o = a
            np.tanh(g, out=g)
            c = np.multiply(f, c, out=cells[t])
            c += np.multiply(i, g, out=share)
            h = np.tanh(c, out=states[t])
            h *= o
    return states, cells, gates


@lstm_sequence.vjp_joint
def _(needed: Any, g: Any, out: Any, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, bias: Any) -> tuple[Any, ...]:
    if is_recorded(g) or not absent(g[-1]):
        return through_definition(define_lstm, needed, g, (x, h, c, w_ih, w_hh, bias))
    states, cells, gates = out
    recurrent = _blocks(w_hh, _LSTM_ORDER)
    w_ih, dx = _blocks(w_ih, _LSTM_ORDER), None
    if compiled := _lstm_twin(gates.size, *g[:2], cells, gates, c, recurrent, w_ih):
        inward = w_ih if needed[0] else w_ih[:, :0]
        gates = np.ascontiguousarray(_together(gates))
        da, dx, dh, dc = compiled.lstm_backward(g[:2], absent(g[1]), cells, gates, c, recurrent, inward)
        needed = (False, *needed[1:])  # dx is there already, if it is wanted
    else:
        da, dh, dc = _lstm_backward(g[:2], states, cells, gates, c, recurrent)
    by_product, dh, dc, dw_ih, dw_hh, db = _gradients(da, da, dh, dc, x, _shifted(h, states), w_ih, needed)
    dx = by_product if dx is None else dx
    back = (1, 2, 0, 3)
    return dx, dh, dc, _blocks(dw_ih, back), _blocks(dw_hh, back), _blocks(db, back)


def _lstm_backward(g: Any, states: Any, cells: Any, gates: Any, c: Any, recurrent: Any) -> tuple[Any, Any, Any]:
    """Gradients of the gates' arguments (T, B, 4H), of h₀ and of c₀."""
    t, b, size = cells.shape
    g_h, g_c = g
    only_h = absent(g_c)
    dh, dc = np.zeros((2, b, size), gates.dtype)
    dh_by_c = np.empty_like(dc)
    slopes = np.empty((4, b, size), gates.dtype)
    da = np.empty((t, b, 4 * size), gates.dtype)
    for k in range(t - 1, -1, -1):
        _lstm_slopes(states[k], cells[k - 1] if k else c, gates[k], slopes, dh_by_c)
        dh += g_h[k]
        dh_by_c *= dh
        dc += dh_by_c
        if not only_h:
            dc += g_c[k]
        slopes[:3] *= dc
        slopes[3] *= dh
        _apart(da[k], 4)[...] = slopes
        np.matmul(da[k], recurrent, out=dh)
        dc *= gates[k, 2]
    return da, dh, dc


def _lstm_slopes(state: Any, before: Any, gates: Any, slopes: Any, h_by_c: Any) -> None:
    """What one time's gradients are multiplied with: dc for the arguments of g, i, f; dh for that of o, and for c.

    As h = o tanh(c), no tanh is needed: o (1 − tanh²(c)) = o − h²/o.
    """
    new, i, _, o = gates
    np.multiply(gates[:3], gates[:3], out=slopes[:3])
    np.subtract(gates[1:3], slopes[1:3], out=slopes[1:3])  # σ′ = σ − σ²
    np.subtract(1, slopes[0], out=slopes[0])  # tanh′ = 1 − tanh²
    slopes[0] *= i
    slopes[1] *= new
    slopes[2] *= before
    np.subtract(1, o, out=slopes[3])
    slopes[3] *= state
    np.maximum(o, np.finfo(o.dtype).tiny, out=h_by_c)
    np.divide(state, h_by_c, out=h_by_c)
    h_by_c *= state
    np.subtract(o, h_by_c, out=h_by_c)


def define_gru(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> tuple[Any, Any]:
    """The definition of :func:`gru_sequence` (Cho et al. 2014, in the form of cuDNN and PyTorch).

    r, z = σ(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh);  n = tanh(W_in xₜ + b_in + r (W_hn hₜ₋₁ + b_hn));
    hₜ = (1 − z) n + z hₜ₋₁
    """
    size = h.shape[-1]
    states, gates = [], []
    for x_t in x:
        a = x_t @ w_ih.T + b_ih
        u = h @ w_hh.T + b_hh
        h, *parts = gru_step(a, u, h)
        states.append(h)
        gates.append(np.concatenate([*parts, u[:, 2 * size :]], axis=1))
    return np.stack(states), np.stack(gates)


@primitive(real=True, arrays=6, formula="GRU(x, h₀)", samples=_sequence_samples(3, 1, 2))
def gru_sequence(x, h, w_ih, w_hh, b_ih, b_hh):  # type: ignore[no-untyped-def]
    """All hidden states (T, B, H) of a GRU, and r, z, n and W_hn hₜ₋₁ + b_hn (T, B, 4H)."""
    size = h.shape[-1]
    sign = np.repeat(np.array([-1.0, -1.0, 1.0], x.dtype), size)
    recurrent = np.ascontiguousarray((w_hh * sign[:, None]).T)
    projected = (product(_flat(x), (w_ih * sign[:, None]).T) + b_ih * sign).reshape((*x.shape[:2], 3 * size))
    bias = b_hh * sign
    states = np.empty((*x.shape[:2], size), projected.dtype)
    gates = np.empty((*x.shape[:2], 4 * size), projected.dtype)
    with np.errstate(over="ignore"):  # σ is 0 there
        for t, a in enumerate(projected):
            u = h @ recurrent
            u += bias
            _squash(np.add(a[:, : 2 * size], u[:, : 2 * size], out=gates[t, :, : 2 * size]))
            r, z, n, kept = (gates[t, :, k * size : (k + 1) * size] for k in range(4))
            kept[...] = u[:, 2 * size :]
            np.multiply(r, kept, out=n)
            n += a[:, 2 * size :]
            np.tanh(n, out=n)
            h = np.multiply(z, h - n, out=states[t])
            h += n
    return states, gates


@gru_sequence.vjp_joint
def _(needed: Any, g: Any, out: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> tuple[Any, ...]:
    if is_recorded(g) or not absent(g[-1]):
        return through_definition(define_gru, needed, g, (x, h, w_ih, w_hh, b_ih, b_hh))
    states, gates = out
    before = _shifted(h, states)
    da, du, dh = _gru_backward(g[0], before, gates, w_hh)
    dx, dh, dw_ih, dw_hh, db_ih = _gradients(da, du, dh, None, x, before, w_ih, needed)
    return dx, dh, dw_ih, dw_hh, db_ih, product(np.ones(du.shape[0] * du.shape[1], du.dtype), _flat(du))


def _gru_backward(g: Any, before: Any, gates: Any, w_hh: Any) -> tuple[Any, Any, Any]:
    """Gradients of what the input and the state say to the gates (T, B, 3H each), and of h₀."""
    size = before.shape[-1]
    r, z, n, kept = (gates[..., k * size : (k + 1) * size] for k in range(4))
    n_by_h, z_by_h = (1 - z) * (1 - n * n), (before - n) * z * (1 - z)
    r_by_n = kept * r * (1 - r)
    da = np.empty((*gates.shape[:2], 3 * size), gates.dtype)
    du = np.empty_like(da)
    dh = np.zeros(before.shape[1:], gates.dtype)
    for t in range(len(g) - 1, -1, -1):
        dh += g[t]
        dn = np.multiply(dh, n_by_h[t], out=da[t, :, 2 * size :])
        np.multiply(dn, r_by_n[t], out=da[t, :, :size])
        np.multiply(dh, z_by_h[t], out=da[t, :, size : 2 * size])
        du[t, :, : 2 * size] = da[t, :, : 2 * size]
        np.multiply(dn, r[t], out=du[t, :, 2 * size :])
        dh *= z[t]
        dh += du[t] @ w_hh
    return da, du, dh
