"""AdaGrad: a rate for each coordinate, from the sum of its squared gradients."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["AdaGrad", "Adagrad", "adagrad"]


@update_rule(state=("s",), init={"s": "initial_accumulator_value"})
def adagrad(  # type: ignore[no-untyped-def]
    p, g, s, *, lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize, t
):
    """s ← s + g² ;  θ ← θ − η·g / (√s + ε)

    η is lr / (1 + (t−1)·lr_decay); weight decay λ adds λ·θ to g beforehand.
    """
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    s = s + g * g
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s) + eps), s


class Adagrad(Optimizer):
    """AdaGrad: divide each coordinate's step by the root of the sum of its squared gradients so far.

    Principle: coordinates that are seldom active or whose gradients are small keep a large rate, frequent and steep
    ones get a small one.

    Equation: s ← s + g²;  θ ← θ − η·g/(√s + ε). ε stands outside of the root.

    Source: Duchi, Hazan & Singer 2011 (JMLR 12:2121), Figure 1 with a diagonal matrix; ε as is customary.

    Strengths: sparse features and embeddings; regret bounds; little tuning.
    Weaknesses: s only grows, so the rate falls like 1/√t and learning stalls on long, dense, non-convex problems
    (:class:`RMSprop` and :class:`Adam` forget instead). Use it for sparse and convex problems.

    Differences: as ``torch.optim.Adagrad``; the paper has neither the decay of the rate nor weight decay, and puts
    its δ inside the diagonal.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    lr_decay : float
        η falls as lr / (1 + (t−1)·lr_decay).
    weight_decay : float
        An L2 penalty.
    initial_accumulator_value : float
        s at first.
    eps : float
        ε.
    maximize : bool
    """

    rule = adagrad
    defaults = table(lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, maximize=False)
    torch_state = table(s="sum")


AdaGrad = Adagrad
