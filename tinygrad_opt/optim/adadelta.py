"""Adadelta: AdaGrad that forgets, with steps in the units of the parameters."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Adadelta", "adadelta"]


@update_rule(state=("s", "d"))
def adadelta(p, g, s, d, *, lr, rho, eps, weight_decay, maximize):  # type: ignore[no-untyped-def]
    """s ← ρ·s + (1−ρ)·g² ;  Δ = √(d + ε) / √(s + ε) · g ;  d ← ρ·d + (1−ρ)·Δ² ;  θ ← θ − η·Δ"""
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    s = rho * s + (1 - rho) * g * g
    delta = np.sqrt(d + eps) / np.sqrt(s + eps) * g
    d = rho * d + (1 - rho) * delta * delta
    return p - lr * delta, s, d


class Adadelta(Optimizer):
    """Adadelta: the root mean square of past steps over that of the gradients, times the gradient.

    Principle: a step should have the units of the parameter. Dividing by √s removes the gradient's; multiplying by
    the size of earlier steps puts the parameter's in. Thus no learning rate has to be chosen.

    Equation: s ← ρs + (1−ρ)g²;  Δ = √(d + ε)/√(s + ε)·g;  d ← ρd + (1−ρ)Δ²;  θ ← θ − ηΔ. ε stands inside of both
    roots.

    Source: Zeiler 2012 (arXiv 1212.5701), Algorithm 1.

    Strengths: insensitive to the scale of gradients; no rate to tune.
    Weaknesses: slow start, since d grows from 0 through ε alone, so ε acts as a hidden learning rate; seldom the best
    today. Use it for comparison, or where nothing can be tuned.

    Differences: as ``torch.optim.Adadelta``, whose η = 1 is the paper.

    Parameters
    ----------
    params : iterable
    lr : float
        η, a factor on the whole step.
    rho : float
        ρ, the weight of the past.
    eps : float
        ε.
    weight_decay : float
        An L2 penalty.
    maximize : bool
    """

    rule = adadelta
    defaults = table(lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, maximize=False)
    torch_state = table(s="square_avg", d="acc_delta")
