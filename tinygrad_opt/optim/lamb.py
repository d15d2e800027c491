"""LAMB: Adam with LARS's rates for layers."""

from __future__ import annotations

import numpy as np

from .groups import table
from .lars import norm
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["LAMB", "lamb"]


@update_rule(state=("m", "v"), elementwise=False)
def lamb(p, g, m, v, *, lr, beta1, beta2, eps, weight_decay, maximize, t):  # type: ignore[no-untyped-def]
    """u = m̂ / (√v̂ + ε) + λ·θ, m̂ and v̂ as in Adam ;  θ ← θ − η·‖θ‖/‖u‖·u

    Where ‖θ‖ or ‖u‖ is 0, their ratio counts as 1.
    """
    if maximize:
        g = -g
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * p
    size, length = norm(p), norm(u)
    ratio = np.where(size * length > 0, size / np.where(length > 0, length, 1.0), 1.0)
    return p - (lr * ratio).astype(p.dtype) * u, m, v


class LAMB(Optimizer):
    """LAMB: Adam's direction, at a length proportional to the norm of the layer.

    Principle: with large batches the rate must be large too, and then the layers with the smallest weights diverge
    first. A step that is a fixed share of each layer's norm lets all layers learn at one pace.

    Source: You et al. 2020 (arXiv 1904.00962), Algorithm 2 with φ the identity.

    Strengths: transformers at batches of tens of thousands. Weaknesses: two arrays of state, norms of every layer;
    for ordinary batches AdamW does as well. Use it for very large batches.

    Differences: the paper's; ε stands outside of the root. It runs per parameter, never compiled.

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
        λ, inside of the normalized step.
    maximize : bool
    """

    rule = lamb
    defaults = table(lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, maximize=False)
