"""ASGD: gradient descent whose answer is the average of its path."""

from __future__ import annotations

from typing import Any

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["ASGD", "asgd"]


@update_rule(state=("ax",))
def asgd(p, g, ax, *, lambd, weight_decay, maximize, eta, mu):  # type: ignore[no-untyped-def]
    """θ ← (1 − λη)·θ − η·g ;  a ← a + μ·(θ − a), with η = lr/(1 + λ·lr·t)^α and μ = 1/max(1, t − t₀)"""
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    p = p * (1 - lambd * eta) - eta * g
    ax = p if mu == 1 else ax + mu * (p - ax)
    return p, ax


@asgd.clock
def _(
    *,
    lr: float,
    lambd: float,
    alpha: float,
    t0: float,
    t: int,
    eta: float = 0.0,
    mu: float = 1.0,
    next_eta: float = 0.0,
    **_: Any,
) -> dict[str, float]:
    return {
        "eta": lr if t == 1 else next_eta,
        "mu": 1 / max(1, t - 1 - t0),
        "next_eta": lr / (1 + lambd * lr * t) ** alpha,
    }


class ASGD(Optimizer):
    """Averaged SGD: descend with a slowly falling rate, and average the path from step t₀ on.

    Principle: near the minimum plain SGD wanders in a ball whose size depends on the rate; the average of its path
    converges at the optimal rate without knowing the curvature. The average is ``optimizer.state[p]["ax"]``; θ itself
    goes on wandering.

    Source: Polyak & Juditsky 1992 (doi:10.1137/0330046); the rate's schedule: Bottou 2012 and Xu 2011 (arXiv
    1107.2490).

    Strengths: optimal asymptotic rate for convex problems. Weaknesses: averaging too early drags old points along; t₀
    = 10⁶ as PyTorch has it means no averaging in a short run: set it. Use it for convex problems (and see SWA for
    networks).

    Differences: as ``torch.optim.ASGD``, which keeps η and μ rounded to float32; here they are Python floats.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate at first.
    lambd : float
        λ, the decay of θ and of the rate.
    alpha : float
        α, the power of the rate's decay.
    t0 : float
        The step from which the average runs.
    weight_decay : float
        An L2 penalty.
    maximize : bool
    """

    rule = asgd
    defaults = table(lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0, maximize=False)
    ranges = table(lambd=(0.0, float("inf"), "[)"))
    torch_state = table(ax="ax")
