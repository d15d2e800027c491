"""SignSGD and Signum: one bit of every gradient."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["SignSGD", "signsgd"]


@update_rule(state=("m",), when={"m": "momentum"}, differentiable=False)
def signsgd(p, g, m, *, lr, momentum, weight_decay, maximize):  # type: ignore[no-untyped-def]
    """m ← μ·m + (1−μ)·g ;  θ ← θ − η·(sign(m) + λ·θ)"""
    if maximize:
        g = -g
    if momentum:
        m = momentum * m + (1 - momentum) * g
        g = m
    return p * (1 - lr * weight_decay) - lr * np.sign(g), m


class SignSGD(Optimizer):
    """SignSGD: every coordinate moves by exactly η; with momentum it is Signum.

    Principle: steepest descent under the infinity norm. The size of a gradient is thrown away, so that workers need
    send one bit of each, and scale does not matter.

    Source: Bernstein et al. 2018 (arXiv 1802.04434), Algorithms 1 (signSGD) and 2 (Signum), with decoupled decay.

    Strengths: indifferent to scale, cheap to communicate. Weaknesses: never comes closer than about η; biased where
    noise is skewed; does not converge on some problems. Use it in distributed training, or to see how much of Adam is
    the sign.

    Differences: PyTorch has none; the decay is ours. With momentum the sign is of the average, as in the paper.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    momentum : float
        μ; 0 keeps no state.
    weight_decay : float
        λ, decoupled.
    maximize : bool
    """

    rule = signsgd
    defaults = table(lr=1e-3, momentum=0.0, weight_decay=0.0, maximize=False)
