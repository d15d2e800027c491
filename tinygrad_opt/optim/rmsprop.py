"""RMSProp: a rate for each coordinate, from a running average of its squared gradients."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["RMSProp", "RMSprop", "rmsprop"]


@update_rule(state=("s", "m", "v"), when={"m": "centered", "v": "momentum"})
def rmsprop(  # type: ignore[no-untyped-def]
    p, g, s, m, v, *, lr, alpha, eps, weight_decay, momentum, centered, maximize
):
    """s ← α·s + (1−α)·g² ;  θ ← θ − η·g / (√s + ε)

    Centered: m ← α·m + (1−α)·g, and s − m² under the root. Momentum μ: v ← μ·v + g/(√s + ε), θ ← θ − η·v.
    """
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    s = alpha * s + (1 - alpha) * g * g
    if centered:
        m = alpha * m + (1 - alpha) * g
        d = g / (np.sqrt(s - m * m) + eps)
    else:
        d = g / (np.sqrt(s) + eps)
    if momentum:
        v = momentum * v + d
        d = v
    return p - lr * d, s, m, v


class RMSprop(Optimizer):
    """RMSProp: divide each coordinate's step by a running root mean square of its gradients.

    Principle: like AdaGrad, but it forgets: s averages over about 1/(1−α) steps, so that the rate adapts to where the
    path is now.

    Equation: s ← αs + (1−α)g²;  θ ← θ − η·g/(√s + ε). ε stands outside of the root.

    Source: Tieleman & Hinton 2012 (Coursera, Neural Networks for Machine Learning, lecture 6.5); centered: Graves
    2013 (arXiv 1308.0850, equations 38 to 41).

    Strengths: robust on non-stationary and badly scaled problems, recurrent nets among them; few settings.
    Weaknesses: no bias correction, so the first steps are up to 1/√(1−α) times η; steps of size ≈ η even
    near the minimum, hence a schedule for the last digits. Use it where Adam's memory or momentum disturbs.

    Differences: as ``torch.optim.RMSprop`` (α = 0.99; the lecture has 0.9). Graves puts ε inside the root.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    alpha : float
        α, the weight of the past squares.
    eps : float
        ε.
    weight_decay : float
        An L2 penalty.
    momentum : float
        μ, heavy-ball momentum on the scaled gradients.
    centered : bool
        Divide by an estimate of the standard deviation instead.
    maximize : bool
    """

    rule = rmsprop
    defaults = table(lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False, maximize=False)
    torch_state = table(s="square_avg", m="grad_avg", v="momentum_buffer")


RMSProp = RMSprop
