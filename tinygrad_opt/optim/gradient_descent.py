"""Gradient descent, and nothing else."""

from __future__ import annotations

from typing import Any

from .groups import REQUIRED, table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["GradientDescent", "gradient_descent"]


@update_rule()
def gradient_descent(p: Any, g: Any, *, lr: float) -> Any:
    """θ ← θ − η·g"""
    return p - lr * g


class GradientDescent(Optimizer):
    """Gradient descent: θ ← θ − η·∇J(θ).

    Principle: the gradient points uphill most steeply, so go the other way. With the gradient of the whole data it is
    batch gradient descent; with that of a few samples, mini-batch or stochastic gradient descent.

    Source: Cauchy 1847 (Comptes rendus 25:536).

    Strengths: one formula, no state; converges on smooth convex problems for η < 2/λmax, and fastest at about 2/(λmin
    + λmax). Weaknesses: takes about κ = λmax/λmin steps in a narrow valley. Use it to learn, and as the baseline.

    Differences: ``SGD`` is the same with PyTorch's options.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    """

    rule = gradient_descent
    defaults = table(lr=REQUIRED)
