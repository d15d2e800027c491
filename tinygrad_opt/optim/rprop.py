"""Rprop: only the signs of the gradients, with a step of its own for each coordinate."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Rprop", "rprop"]


@update_rule(state=("g_before", "delta"), init={"delta": "lr"}, differentiable=False)
def rprop(  # type: ignore[no-untyped-def]
    p, g, g_before, delta, *, lr, eta_minus, eta_plus, step_min, step_max, maximize
):
    """Δ ← clip(Δ·η⁺ where g·g₋₁ > 0, Δ·η⁻ where < 0) ;  θ ← θ − Δ·sign(g), g = 0 where the sign has changed"""
    if maximize:
        g = -g
    agreement = np.sign(g * g_before)
    delta = np.where(agreement > 0, delta * eta_plus, np.where(agreement < 0, delta * eta_minus, delta))
    delta = np.minimum(np.maximum(delta, step_min), step_max)
    g = np.where(agreement < 0, 0.0, g)
    return p - np.sign(g) * delta, g, delta


class Rprop(Optimizer):
    """Resilient backpropagation: grow a coordinate's step while its gradient keeps its sign, shrink it when it flips.

    Principle: the size of a partial derivative says little about how far to go; whether its sign has changed says
    that a minimum was jumped over. After a change the coordinate rests for one step.

    Source: Riedmiller & Braun 1993 (doi:10.1109/ICNN.1993.298623); this variant without backtracking is Rprop⁻ with
    rest, iRprop⁻ of Igel & Hüsken 2000.

    Strengths: fast on full batches, indifferent to scale, hardly anything to tune. Weaknesses: useless with small
    batches, since noise flips signs. Use it for batch gradient descent on small networks.

    Differences: as ``torch.optim.Rprop``. Built on signs, so it is not differentiable through training.

    Parameters
    ----------
    params : iterable
    lr : float
        The first step of each coordinate.
    etas : (float, float)
        η⁻ and η⁺, with 0 < η⁻ < 1 < η⁺.
    step_sizes : (float, float)
        The smallest and the largest step.
    maximize : bool
    """

    rule = rprop
    defaults = table(lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0), maximize=False)
    spread = table(etas=("eta_minus", "eta_plus"), step_sizes=("step_min", "step_max"))
    ranges = table(etas=[(0.0, 1.0, "()"), (1.0, float("inf"), "()")], step_sizes=(0.0, float("inf"), "[)"))
    torch_state = table(g_before="prev", delta="step_size")
