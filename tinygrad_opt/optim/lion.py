"""Lion: the sign of an interpolated momentum."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Lion", "lion"]


@update_rule(state=("m",), differentiable=False)
def lion(p, g, m, *, lr, beta1, beta2, weight_decay, maximize):  # type: ignore[no-untyped-def]
    """θ ← θ − η·(sign(β₁·m + (1−β₁)·g) + λ·θ) ;  m ← β₂·m + (1−β₂)·g"""
    if maximize:
        g = -g
    u = np.sign(beta1 * m + (1 - beta1) * g)
    return p * (1 - lr * weight_decay) - lr * u, beta2 * m + (1 - beta2) * g


class Lion(Optimizer):
    """Lion: step by the sign of a mixture of momentum and gradient, with a slower momentum kept.

    Principle: found by a search over programs. All coordinates move by η; two betas let the step react faster than
    the memory forgets.

    Source: Chen et al. 2023 (arXiv 2302.06675), Algorithm 2.

    Strengths: one array of state; strong on large vision and language models. Weaknesses: wants an η three to ten
    times smaller, and λ as much larger, than AdamW; poor with small batches. Use it for large batches where memory
    counts.

    Differences: none from the paper. Built on signs, so it is not differentiable through training.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    betas : (float, float)
        β₁ for the step and β₂ for the memory.
    weight_decay : float
        λ, decoupled.
    maximize : bool
    """

    rule = lion
    defaults = table(lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False)
