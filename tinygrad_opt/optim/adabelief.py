"""AdaBelief: Adam scaled by how far gradients stray from their mean."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["AdaBelief", "adabelief"]


@update_rule(state=("m", "s"))
def adabelief(p, g, m, s, *, lr, beta1, beta2, eps, weight_decay, maximize, t):  # type: ignore[no-untyped-def]
    """m ← β₁·m + (1−β₁)·g ;  s ← β₂·s + (1−β₂)·(g−m)² + ε ;  θ ← θ − η·(m̂ / (√ŝ + ε) + λ·θ)"""
    if maximize:
        g = -g
    m = beta1 * m + (1 - beta1) * g
    d = g - m
    s = beta2 * s + (1 - beta2) * d * d + eps
    m_hat, s_hat = m / (1 - beta1**t), s / (1 - beta2**t)
    return p * (1 - lr * weight_decay) - lr * m_hat / (np.sqrt(s_hat) + eps), m, s


class AdaBelief(Optimizer):
    """AdaBelief: large steps where gradients are as expected, small ones where they surprise.

    Principle: Adam divides by the size of gradients, AdaBelief by their deviation from the running mean. Where the
    gradient is large and steady, Adam takes its usual step, AdaBelief a larger one.

    Source: Zhuang et al. 2020 (arXiv 2010.07468), Algorithm 2; ε is added to s at each step, and stands outside of
    the root as well.

    Strengths: on some vision tasks generalizes like SGD at Adam's speed. Weaknesses: sensitive to ε; where the mean
    follows the gradient exactly, steps explode up to η·m/√ε. Use it where Adam trains well and generalizes poorly.

    Differences: as the paper's; decay is decoupled.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε.
    weight_decay : float
        λ, decoupled.
    maximize : bool
    """

    rule = adabelief
    defaults = table(lr=1e-3, betas=(0.9, 0.999), eps=1e-16, weight_decay=0.0, maximize=False)
