"""Nesterov's accelerated gradient, as published."""

from __future__ import annotations

from typing import Any

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Nesterov", "nesterov"]


@update_rule(state=("y",))
def nesterov(p, g, y, *, lr, mu):  # type: ignore[no-untyped-def]
    """y' ← θ − η·g ;  θ ← y' + μ·(y' − y), μ = (λₜ − 1)/λₜ₊₁ with λ₁ = 1, λₜ₊₁ = (1 + √(1 + 4λₜ²))/2"""
    y_new = p - lr * g
    return y_new + mu * (y_new - y), y_new


@nesterov.clock
def _(*, lam: float = 1.0, mu: float = 0.0, **_: Any) -> dict[str, float]:
    following = (1 + (1 + 4 * lam * lam) ** 0.5) / 2
    return {"lam": following, "mu": (lam - 1) / following}


class Nesterov(Optimizer):
    """Nesterov's accelerated gradient: descend from a point that is extrapolated ahead.

    Principle: for smooth convex functions, momentum whose coefficient tends to 1 in the right way brings the error
    down like 1/t², where plain descent has 1/t; no method of first order does better in general.

    Equation: y' ← θ − η∇J(θ);  θ ← y' + μₜ(y' − y). The parameters hold the extrapolated point, at which gradients
    are taken.

    Source: Nesterov 1983 (Doklady AN SSSR 269:543).

    Strengths: optimal rate for smooth convex problems with η ≤ 1/L and nothing else to tune. Weaknesses: not a
    descent method, it ripples; on strongly convex problems a constant μ is faster; noise accumulates as μ → 1. Use it
    for full-batch convex problems; for networks, ``SGD(momentum=0.9, nesterov=True)``.

    Differences: none from the paper with a constant step; PyTorch has only the constant-μ form of SGD.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    """

    rule = nesterov
    defaults = table(lr=1e-3)
