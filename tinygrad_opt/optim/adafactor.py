"""Adafactor: Adam's second moment from row and column sums, for models that barely fit in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Adafactor", "adafactor"]


def _rows(p: Any) -> Any:
    return np.zeros_like(p[..., :1]) if p.ndim > 1 else None


def _columns(p: Any) -> Any:
    return np.zeros_like(p[..., :1, :]) if p.ndim > 1 else None


def _all(p: Any) -> Any:
    return np.zeros_like(p) if p.ndim < 2 else None


def _rms(x: Any) -> Any:
    return np.sqrt(np.sum(x * x)) / x.size**0.5


@update_rule(state=("r", "c", "v"), elementwise=False, init={"r": _rows, "c": _columns, "v": _all})
def adafactor(  # type: ignore[no-untyped-def]
    p, g, r, c, v, *, lr, beta2_decay, eps1, eps2, d, weight_decay, maximize, t
):
    """r, c ← averaged means of g² along rows, columns ;  V̂ = max(r·c/mean(r), ε₁²) ;  u = g/√V̂ ;
    θ ← θ − α·u / max(1, RMS(u)/d)

    α = max(ε₂, RMS(θ))·min(η, 1/√t); the averages take in 1 − t^(−0.8) of the past. Vectors keep all of v.
    """
    if maximize:
        g = -g
    if eps1 is None:
        eps1 = float(np.finfo(p.dtype).eps)
    alpha = np.maximum(_rms(p), eps2) * min(lr, 1 / t**0.5)
    if weight_decay:
        p = p * (1 - lr * weight_decay)
    share = t**beta2_decay
    if g.ndim > 1:
        r = r + share * (np.mean(g * g, axis=-1, keepdims=True) - r)
        c = c + share * (np.mean(g * g, axis=-2, keepdims=True) - c)
        estimate = r @ c / np.maximum(np.mean(r, axis=-2, keepdims=True), eps1)
    else:
        v = v + share * (g * g - v)
        estimate = v
    u = g / np.sqrt(np.maximum(estimate, eps1 * eps1))
    return p - alpha / np.maximum(_rms(u) / d, 1.0) * u, r, c, v


class Adafactor(Optimizer):
    """Adafactor: the second moment of a matrix as an outer product of its row and column means.

    Principle: v of Adam is nearly of rank one; an n×m matrix then needs n + m numbers, not n·m. Without momentum,
    stability comes from clipping the update's root mean square at d, and steps are relative to the size of the
    parameter.

    Source: Shazeer & Stern 2018 (arXiv 1804.04235), Algorithms 4 and 5.

    Strengths: hardly any memory; relative steps need little tuning. Weaknesses: often a little worse than
    Adam; its min(η, 1/√t) is a schedule of its own. Use it where Adam's two arrays do not fit.

    Differences: as ``torch.optim.Adafactor``: η caps the relative step, ε₁ keeps V̂ from 0 (eps of the dtype when
    None), decay is decoupled.

    Parameters
    ----------
    params : iterable
    lr : float
        The cap on the relative step.
    beta2_decay : float
        The power of t in the averages, at most 0.
    eps : (float or None, float)
        ε₁ and ε₂.
    d : float
        The clipping threshold for updates.
    weight_decay : float
        λ, decoupled.
    maximize : bool
    """

    rule = adafactor
    defaults = table(lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, maximize=False)
    spread = table(eps=("eps1", "eps2"))
    ranges = table(beta2_decay=(float("-inf"), 0.0, "(]"), d=(1.0, float("inf"), "[)"))
    torch_state = table(r="row_var", c="col_var", v="variance")
