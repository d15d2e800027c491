"""NovoGrad: one second moment for a whole layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["NovoGrad", "novograd"]


def _zero(p: Any) -> Any:
    return np.zeros((), p.dtype)


@update_rule(state=("m", "v"), elementwise=False, init={"v": _zero})
def novograd(p, g, m, v, *, lr, beta1, beta2, eps, weight_decay, maximize, t):  # type: ignore[no-untyped-def]
    """v ← β₂·v + (1−β₂)·‖g‖² ;  m ← β₁·m + g/(√v + ε) + λ·θ ;  θ ← θ − η·m

    The first v is ‖g‖², the first m is g/(√v + ε) + λ·θ.
    """
    if maximize:
        g = -g
    square = np.sum(g * g)
    v = square if t == 1 else beta2 * v + (1 - beta2) * square
    d = g / (np.sqrt(v) + eps) + weight_decay * p
    m = d if t == 1 else beta1 * m + d
    return p - lr * m, m, v


class NovoGrad(Optimizer):
    """NovoGrad: momentum on gradients that are normalized layer by layer.

    Principle: a second moment for each layer, not for each weight: the direction within a layer stays that of the
    gradient, and there is one array of state less than in Adam.

    Source: Ginsburg et al. 2019 (arXiv 1905.11286), Algorithm 1.

    Strengths: memory of SGD, robustness of Adam; speech models. Weaknesses: m sums, so its size depends on β₁; a
    layer's first gradient sets its scale. Use it where Adam's memory is too much.

    Differences: none from the paper; optax has other defaults for β₁, β₂ and ε. It runs per parameter, never compiled.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε, outside of the root.
    weight_decay : float
        λ, inside of the momentum.
    maximize : bool
    """

    rule = novograd
    defaults = table(lr=1e-2, betas=(0.95, 0.98), eps=1e-8, weight_decay=0.0, maximize=False)
