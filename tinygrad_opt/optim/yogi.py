"""Yogi: Adam whose second moment grows and falls by a controlled amount."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Yogi", "yogi"]


@update_rule(state=("m", "v"), init={"v": "initial_accumulator_value"})
def yogi(  # type: ignore[no-untyped-def]
    p, g, m, v, *, lr, beta1, beta2, eps, bias_correction, maximize, t
):
    """m ← β₁·m + (1−β₁)·g ;  v ← v − (1−β₂)·sign(v − g²)·g² ;  θ ← θ − η·m / (√v + ε)

    With bias correction m̂ = m/(1−β₁ᵗ) and v̂ = v/(1−β₂ᵗ) stand in the step.
    """
    if maximize:
        g = -g
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * np.sign(v - g * g) * g * g
    if bias_correction:
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        return p - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
    return p - lr * m / (np.sqrt(v) + eps), m, v


class Yogi(Optimizer):
    """Yogi: v moves towards g² by (1−β₂)g², not by a share of the distance.

    Principle: when gradients become small, Adam forgets their former size fast, and its effective rate shoots up.
    Yogi lets v fall only as fast as the small gradients add up.

    Source: Zaheer et al. 2018 (NeurIPS, "Adaptive methods for nonconvex optimization"), Algorithm 2.

    Strengths: steadier rates on noisy and sparse gradients. Weaknesses: v₀ and ε matter more than in Adam.
    Use it where Adam's rate is unstable.

    Differences: as in the paper there is no bias correction, unless it is asked for, as optax always has it; v begins
    at a small constant instead of a first batch's g² (optax begins m at that constant too, here m begins at 0).

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε, outside of the root.
    initial_accumulator_value : float
        v at first.
    bias_correction : bool
        Divide m by 1−β₁ᵗ and v by 1−β₂ᵗ.
    maximize : bool
    """

    rule = yogi
    defaults = table(
        lr=1e-2,
        betas=(0.9, 0.999),
        eps=1e-3,
        initial_accumulator_value=1e-6,
        bias_correction=False,
        maximize=False,
    )
