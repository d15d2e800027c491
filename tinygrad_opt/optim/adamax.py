"""Adamax: Adam under the infinity norm."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Adamax", "adamax"]


@update_rule(state=("m", "u"))
def adamax(p, g, m, u, *, lr, beta1, beta2, eps, weight_decay, maximize, t):  # type: ignore[no-untyped-def]
    """m ← β₁·m + (1−β₁)·g ;  u ← max(β₂·u, |g| + ε) ;  θ ← θ − η/(1−β₁ᵗ) · m/u"""
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g) + eps)
    return p - lr / (1 - beta1**t) * m / u, m, u


class Adamax(Optimizer):
    """Adamax: the running mean of the gradients over their largest recent size.

    Principle: Adam's scaling with the p-norm of past gradients, for p → ∞; the limit is a decaying maximum.

    Equation: m ← β₁m + (1−β₁)g;  u ← max(β₂u, |g| + ε);  θ ← θ − η/(1−β₁ᵗ)·m/u. ε stands inside of the maximum.

    Source: Kingma & Ba 2015 (arXiv 1412.6980), Algorithm 2.

    Strengths: steps are bounded by η; u needs no bias correction; robust to seldom large gradients of embeddings.
    Weaknesses: one outlier keeps a coordinate slow for about 1/(1−β₂) steps. Use it for sparse, spiky gradients.

    Differences: as ``torch.optim.Adamax``; the paper has no ε.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε.
    weight_decay : float
        An L2 penalty.
    maximize : bool
    """

    rule = adamax
    defaults = table(lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, maximize=False)
    torch_state = table(m="exp_avg", u="exp_inf")
