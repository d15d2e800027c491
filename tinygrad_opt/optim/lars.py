"""LARS: a rate for each layer, from the norms of its weights and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["LARS", "lars", "norm"]


def norm(x: Any) -> Any:
    """‖x‖ of a whole parameter."""
    return np.sqrt(np.sum(x * x))


@update_rule(state=("v",), elementwise=False)
def lars(p, g, v, *, lr, momentum, weight_decay, trust_coefficient, eps, maximize):  # type: ignore[no-untyped-def]
    """v ← μ·v + η·r·(g + λ·θ), r = τ·‖θ‖ / (‖g‖ + λ·‖θ‖ + ε) ;  θ ← θ − v

    Where ‖θ‖ or ‖g‖ is 0, r = 1.
    """
    if maximize:
        g = -g
    size, slope = norm(p), norm(g)
    ratio = np.where(size * slope > 0, trust_coefficient * size / (slope + weight_decay * size + eps), 1.0)
    v = momentum * v + (lr * ratio).astype(p.dtype) * (g + weight_decay * p)
    return p - v, v


class LARS(Optimizer):
    """LARS: momentum whose step in each layer is a fixed share of the layer's weights.

    Principle: with large batches the ratio ‖θ‖/‖g‖ differs by orders of magnitude between layers, so one rate is too
    large for some. Each layer's rate is scaled so that a step is about η·τ·‖θ‖.

    Source: You, Gitman & Ginsburg 2017 (arXiv 1708.03888), Algorithm 1.

    Strengths: batches of tens of thousands on convolutional nets. Weaknesses: pointless for small batches; biases and
    norms should be left out: put them into another optimizer. Use it for very large batches.

    Differences: the paper's, with ε against division by 0. With weight decay optax divides by the norm of the sum
    g + λ·θ, the paper and this by the sum of the norms. A rule over whole layers: it runs per parameter, never
    compiled.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    momentum : float
        μ.
    weight_decay : float
        λ.
    trust_coefficient : float
        τ.
    eps : float
    maximize : bool
    """

    rule = lars
    defaults = table(lr=1.0, momentum=0.9, weight_decay=0.0, trust_coefficient=1e-3, eps=1e-8, maximize=False)
