"""Scaled dot-product attention as a primitive (Vaswani et al. 2017, arXiv:1706.03762), and the same on packed heads.

The weights are an output of their own, so that the gradient rules are expressions of inputs and outputs alone and have
gradients themselves, to any order.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor
from ..kernels import twin
from .definition import absent
from .linear import ones_vector

__all__ = ["attend", "naive_attend", "self_attend"]

_LEAST = 1 << 12  # multiplications from which the compiled form pays


def _swapped(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


@functools.lru_cache(maxsize=16)
def _causal_mask(rows: int, columns: int, dtype: Any) -> Any:
    """0 where a query may look, at or before its own place, and −∞ elsewhere."""
    mask = np.triu(np.full((rows, columns), -np.inf, dtype), 1)
    mask.flags.writeable = False
    return mask


def _softmax(scores: Any, mask: Any, causal: bool) -> Any:
    """The softmax of each row, in place; a row that may look at nothing becomes zeros."""
    if causal:
        mask = _causal_mask(*scores.shape[-2:], scores.dtype)
    if mask is not None:
        scores = scores + mask if mask.ndim > scores.ndim else np.add(scores, mask, out=scores)
    top = np.max(scores, axis=-1, keepdims=True, initial=np.finfo(scores.dtype).min)
    scores -= top
    np.exp(scores, out=scores)
    total = _row_sums(scores)
    np.maximum(total, np.finfo(scores.dtype).tiny, out=total)
    scores /= total
    return scores


def _row_sums(a: Any) -> Any:
    """Sums over the last axis, which stays: a product with ones is the quickest sum NumPy has."""
    return np.matmul(a, ones_vector(a.shape[-1], a.dtype))[..., None]


def _forward(q: Any, k: Any, v: Any, mask: Any, keep: Any, causal: bool, scale: float) -> tuple[Any, Any]:
    work = q.size * k.shape[-2]
    if compiled := twin("attention", work, _LEAST):
        done = compiled.forward(q, k, v, mask, keep, causal, scale)
        if done is not None:
            return done  # type: ignore[no-any-return]
    weights = _softmax(np.matmul(q * scale, _swapped(k)), mask, causal)
    return np.matmul(weights if keep is None else weights * keep, v), weights


def _backward(
    g: Any, g_p: Any, y: Any, p: Any, q: Any, k: Any, v: Any, keep: Any, causal: bool, scale: float
) -> tuple[Any, Any, Any]:
    """Gradients for q, k and v, from those of the result and of the weights."""
    alone = absent(g_p)
    if alone and (compiled := twin("attention", q.size * k.shape[-2], _LEAST)):
        done = compiled.backward(g, p, q, k, v, keep, causal, scale)
        if done is not None:
            return done  # type: ignore[no-any-return]
    dp = np.matmul(g, _swapped(v))
    inner = _row_sums(g * y)  # the same as Σ dp ⊙ p over each row, and shorter
    if keep is not None:
        dp = dp * keep
    if not alone:
        dp = dp + g_p
        inner = inner + _row_sums(g_p * p)
    ds = _slope(dp, inner, p, scale)
    dv = np.matmul(_swapped(p if keep is None else p * keep), g)
    return np.matmul(ds, k), np.matmul(_swapped(ds), q), dv


def _slope(dp: Any, inner: Any, p: Any, scale: float) -> Any:
    """The softmax's gradient, p ⊙ (dp − inner), times the scale."""
    if isinstance(dp, Tensor) or isinstance(p, Tensor):
        return p * (dp - inner) * scale
    ds = dp - inner
    ds *= p
    ds *= scale
    return ds


_PLAIN = {"mask": None, "keep": None, "causal": False, "scale": 0.7}


def _samples(rng: np.random.Generator) -> Any:
    q, k, v = (rng.standard_normal((2, n, w)) for n, w in ((3, 2), (4, 2), (4, 3)))
    yield (q, k, v), _PLAIN
    yield (q, k, v), _PLAIN | {"causal": True}
    yield (q[0], k, v), _PLAIN | {"mask": np.where(rng.random((3, 4)) < 0.4, -np.inf, 0.0)}
    yield (q, k, v), _PLAIN | {"keep": (rng.random((2, 3, 4)) < 0.5) * 2.0}


@primitive(real=True, arrays=3, formula="softmax(q kᵀ · scale) v", samples=_samples)
def attend(q: Any, k: Any, v: Any, *, mask: Any, keep: Any, causal: bool, scale: float) -> tuple[Any, Any]:
    """softmax(scale · q kᵀ + mask) v, and the softmax's weights.

    Shapes: q (…, L, E), k (…, S, E), v (…, S, V), mask (…, L, S) → (…, L, V), (…, L, S). `keep` multiplies the weights,
    as dropout does; `causal` lets a query see no later key.
    """
    return _forward(q, k, v, mask, keep, causal, scale)


@attend.vjp_joint
def _(
    needed: Any, g: Any, out: Any, q: Any, k: Any, v: Any, *, mask: Any, keep: Any, causal: bool, scale: float
) -> tuple[Any, Any, Any]:
    (g_y, g_p), (y, p) = g, out
    return _backward(g_y, g_p, y, p, q, k, v, keep, causal, scale)


def _split(qkv: Any, heads: int) -> tuple[Any, Any, Any]:
    """(N, L, 3 · H · D), as one projection makes it, as three of (N, H, L, D)."""
    n, length, width = qkv.shape
    apart = np.transpose(qkv.reshape((n, length, 3, heads, width // (3 * heads))), (2, 0, 3, 1, 4))
    return apart[0], apart[1], apart[2]


def _merged(y: Any) -> Any:
    """(N, H, L, D) with the heads side by side: (N, L, H · D)."""
    n, heads, length, width = y.shape
    return np.transpose(y, (0, 2, 1, 3)).reshape((n, length, heads * width))


def _self_samples(rng: np.random.Generator) -> Any:
    yield (rng.standard_normal((2, 3, 12)),), _PLAIN | {"heads": 2}
    yield (rng.standard_normal((1, 3, 6)),), _PLAIN | {"heads": 1, "causal": True}


@primitive(real=True, arrays=1, formula="softmax(q kᵀ · scale) v", samples=_self_samples)
def self_attend(qkv: Any, *, heads: int, mask: Any, keep: Any, causal: bool, scale: float) -> tuple[Any, Any]:
    """:func:`attend` of heads that lie side by side in one array.

    Shapes: qkv (N, L, 3 · H · D), mask to (N, H, L, L) → (N, L, H · D), (N, H, L, L).
    """
    y, p = _forward(*_split(qkv, heads), mask, keep, causal, scale)
    return _merged(y), p


@self_attend.vjp_joint
def _(
    needed: Any, g: Any, out: Any, qkv: Any, *, heads: int, mask: Any, keep: Any, causal: bool, scale: float
) -> tuple[Any]:
    n, length, width = qkv.shape
    apart = (n, length, heads, width // (3 * heads))
    g_y, y = (np.transpose(a.reshape(apart), (0, 2, 1, 3)) for a in (g[0], out[0]))
    found = _backward(g_y, g[1], y, out[1], *_split(qkv, heads), keep, causal, scale)
    return (np.concatenate([_merged(part) for part in found], axis=-1),)


def naive_attend(
    q: Any, k: Any, v: Any, *, mask: Any = None, keep: Any = None, causal: bool = False, scale: float = 1.0
) -> tuple[Any, Any]:
    """The definition that :func:`attend` is held to, of basic operations; here the mask may have a gradient."""
    scores = np.matmul(q, _swapped(k)) * scale
    if causal:
        scores = scores + _causal_mask(*scores.shape[-2:], scores.dtype)
    if mask is not None:
        scores = scores + mask
    values = scores.data if isinstance(scores, Tensor) else scores  # a softmax does not depend on what is subtracted
    top = np.max(values, axis=-1, keepdims=True, initial=np.finfo(values.dtype).min)
    seen = np.exp(scores - top)
    total = np.sum(seen, axis=-1, keepdims=True)
    p = seen / np.where(total == 0, 1.0, total)
    return np.matmul(p if keep is None else p * keep, v), p
