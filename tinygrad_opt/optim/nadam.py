"""NAdam: Adam with Nesterov's look ahead."""

from __future__ import annotations

from typing import Any

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["NAdam", "nadam"]


@update_rule(state=("m", "v"))
def nadam(  # type: ignore[no-untyped-def]
    p, g, m, v, *, lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize, t, mu_product
):
    """m, v as in Adam ;  θ ← θ − η·( (1−μₜ)/(1−∏μ)·g + μₜ₊₁/(1−∏μ·μₜ₊₁)·m ) / (√v̂ + ε)

    μₜ = β₁·(1 − ½·0.96^(t·ψ)) with ψ the momentum decay; ∏μ is the product of all μ so far.
    """
    if maximize:
        g = -g
    if weight_decay:
        if decoupled_weight_decay:
            p = p * (1 - lr * weight_decay)
        else:
            g = g + weight_decay * p
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    d = np.sqrt(v / (1 - beta2**t)) + eps
    p = p - lr * (1 - mu) / (1 - mu_product) * g / d
    return p - lr * mu_next / (1 - mu_product * mu_next) * m / d, m, v


@nadam.clock
def _(*, beta1: float, momentum_decay: float, t: int, mu_product: float = 1.0, **_: Any) -> dict[str, float]:
    return {"mu_product": mu_product * beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))}


class NAdam(Optimizer):
    """NAdam: Adam whose momentum is the one it will have after the step.

    Principle: Nesterov's momentum evaluates where momentum is about to lead. Here the present gradient enters with
    its own weight and the momentum with the next step's, and a warm-up of μ corrects the early bias.

    Equation: θ ← θ − η·((1−μₜ)/(1−∏μ)·g + μₜ₊₁/(1−∏μ·μₜ₊₁)·m)/(√v̂ + ε), m and v as in Adam.

    Source: Dozat 2016 (ICLR workshop, "Incorporating Nesterov momentum into Adam"), Algorithm 2.

    Strengths: often a little faster than Adam. Weaknesses: those of Adam, and one setting more.
    Use it where Adam works and momentum matters.

    Differences: as ``torch.optim.NAdam``, which keeps ∏μ in its default dtype: with that in single precision it is off
    by 1e-7 for parameters in double. ψ = 0.004 and 0.96 are the constants of the paper.

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
        An L2 penalty, or a shrinkage by ηλ a step when it is decoupled.
    momentum_decay : float
        ψ.
    decoupled_weight_decay, maximize : bool
    """

    rule = nadam
    defaults = table(
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        momentum_decay=4e-3,
        decoupled_weight_decay=False,
        maximize=False,
    )
    torch_state = table(m="exp_avg", v="exp_avg_sq")
