"""Schedule-Free learning: an average takes the place of the schedule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.overwrite import overwrite
from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["ScheduleFreeAdamW", "ScheduleFreeSGD", "schedule_free_adamw", "schedule_free_sgd"]


@update_rule(state=("x", "z"))
def schedule_free_sgd(p, g, x, z, *, rate, beta, weight_decay, share, t):  # type: ignore[no-untyped-def]
    """z ← z − γ·(g + λ·θ) ;  x ← (1−c)·x + c·z ;  θ ← (1−β)·z + β·x

    θ is the paper's y; gradients are taken there. x is the answer, c the share of the newest z in it.
    """
    if t == 1:
        x = p
        z = p
    z = z - rate * (g + weight_decay * p)
    x = x + share * (z - x)
    return (1 - beta) * z + beta * x, x, z


@update_rule(state=("x", "z", "v"))
def schedule_free_adamw(  # type: ignore[no-untyped-def]
    p, g, x, z, v, *, rate, beta1, beta2, eps, weight_decay, share, t
):
    """v ← β₂·v + (1−β₂)·g² ;  z ← z − γ·(g/(√v̂ + ε) + λ·θ) ;  x ← (1−c)·x + c·z ;  θ ← (1−β₁)·z + β₁·x"""
    if t == 1:
        x = p
        z = p
    v = beta2 * v + (1 - beta2) * g * g
    z = z - rate * (g / (np.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * p)
    x = x + share * (z - x)
    return (1 - beta1) * z + beta1 * x, x, z, v


@schedule_free_sgd.clock
@schedule_free_adamw.clock
def _(
    *, lr: float, warmup_steps: int, t: int, total: float = 0.0, rate: float = 0.0, top: float = 0.0,
    share: float = 0.0, **_: Any
) -> dict[str, float]:  # fmt: skip
    rate = lr * min(1.0, t / warmup_steps) if warmup_steps else lr
    top = max(top, rate)
    total = total + top * top
    return {"rate": rate, "top": top, "total": total, "share": top * top / total if total else 0.0}


class _ScheduleFree(Optimizer):
    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside this block the parameters hold x, the answer, e.g. for validation; afterwards y again."""
        before = []
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if state:
                    before.append((p, p.data.copy()))
                    overwrite(p, state["x"])
        try:
            yield
        finally:
            for p, value in before:
                overwrite(p, value)


class ScheduleFreeSGD(_ScheduleFree):
    """Schedule-Free SGD: gradients between the path and its average, and no schedule.

    Principle: averaging gives the optimal rate, a falling schedule gives it sooner. Taking gradients at y, between
    the fast path z and the average x, has both, without knowing when training ends.

    Source: Defazio et al. 2024 (arXiv 2405.15682), equations 3 to 5; shares c are proportional to γ² as in its
    appendix.

    Differences: optax's warm-up starts from a rate of 0 at the first step, this one from γ / warmup_steps.

    Strengths: stop at any time. Weaknesses: validate inside ``with optimizer.averaged():``, since the parameters hold
    y; batch norm needs its statistics at x. Use it where the length of training is open.

    Parameters
    ----------
    params : iterable
    lr : float
        γ, about ten times that of SGD with momentum.
    beta : float
        Where y lies between z (0) and x (1).
    weight_decay : float
        λ, at y.
    warmup_steps : int
    """

    rule = schedule_free_sgd
    defaults = table(lr=1.0, beta=0.9, weight_decay=0.0, warmup_steps=0)


class ScheduleFreeAdamW(_ScheduleFree):
    """Schedule-Free AdamW: the same with Adam's scaling; β₁ takes the place of momentum.

    Principle: as for :class:`ScheduleFreeSGD`, with z moving by g over the root of its running mean square.

    Source: Defazio et al. 2024 (arXiv 2405.15682), Algorithm 1.

    Strengths: won AlgoPerf's self-tuning track of 2024; no schedule. Weaknesses: three arrays of state; as for
    :class:`ScheduleFreeSGD`. Use it as AdamW where the length of training is open.

    Differences: the warm-up's first rate is γ / warmup_steps, in optax 0.

    Parameters
    ----------
    params : iterable
    lr : float
        γ, up to ten times AdamW's.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε, outside of the root.
    weight_decay : float
        λ, at y.
    warmup_steps : int
    """

    rule = schedule_free_adamw
    defaults = table(lr=2.5e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup_steps=0)
