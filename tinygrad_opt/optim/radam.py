"""RAdam: Adam that waits until its scale can be trusted."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["RAdam", "radam"]


@update_rule(state=("m", "v"))
def radam(  # type: ignore[no-untyped-def]
    p, g, m, v, *, lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, maximize, t
):
    """m, v as in Adam ;  θ ← θ − η·r·m̂ / ((√v + ε)/√(1−β₂ᵗ)) where ρ > 5, else θ ← θ − η·m̂

    ρ∞ = 2/(1−β₂) − 1;  ρ = ρ∞ − 2t·β₂ᵗ/(1−β₂ᵗ);  r² = (ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ).
    """
    if maximize:
        g = -g
    if weight_decay:
        if decoupled_weight_decay:
            p = p * (1 - lr * weight_decay)
        else:
            g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    if rho > 5:
        r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5
        return p - lr * r * (1 - beta2**t) ** 0.5 * m_hat / (np.sqrt(v) + eps), m, v
    return p - lr * m_hat, m, v


class RAdam(Optimizer):
    """RAdam: Adam with the variance of its adaptive rate rectified; a warm-up that computes itself.

    Principle: in the first steps v rests on few gradients and the scaled step varies wildly. ρ counts the effective
    number of samples: below 5 plain momentum is used, above it the step is damped by r, which tends to 1.

    Source: Liu et al. 2020 (arXiv 1908.03265), Algorithm 2.

    Strengths: no warm-up to tune; steady starts. Weaknesses: the first steps (about 5 with β₂ = 0.999) are unscaled
    momentum, whose size depends on the loss; later it is Adam. Use it in place of Adam with warm-up.

    Differences: as ``torch.optim.RAdam``: ε is added to √v before the bias correction, and the threshold is 5 where
    the paper's algorithm has 4.

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
    decoupled_weight_decay, maximize : bool
    """

    rule = radam
    defaults = table(
        lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled_weight_decay=False, maximize=False
    )
    torch_state = table(m="exp_avg", v="exp_avg_sq")
