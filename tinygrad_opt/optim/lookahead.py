"""Lookahead: slow weights that follow fast ones every k steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..autograd.overwrite import overwrite
from .optimizer import Optimizer
from .wrapper import Wrapper

__all__ = ["Lookahead"]


class Lookahead(Wrapper):
    """After every k steps of the inner optimizer: φ ← φ + α(θ − φ), and θ ← φ.

    Principle: the slow weights average over the fast ones' oscillation and keep their direction.

    Source: Zhang et al. 2019 (arXiv 1907.08610), Algorithm 1. The inner optimizer's state is kept, as in the paper's
    main form.

    Strengths: forgiving about the inner rate, a smoother path. Weaknesses: a copy of the weights; loses some speed
    where the inner optimizer is well tuned. Use it around a fast, restless optimizer.

    Differences: the paper's; PyTorch has none. The slow weights begin at the first step, or with the group.

    Parameters
    ----------
    optimizer : Optimizer
    k : int
        Fast steps for each slow one.
    alpha : float
        α, the slow step's size, in (0, 1].
    """

    def __init__(self, optimizer: Optimizer | Wrapper, k: int = 5, alpha: float = 0.5) -> None:
        super().__init__(optimizer)
        if not isinstance(k, int) or k < 1 or not 0 < alpha <= 1:
            raise ValueError(f"Lookahead: k must be an integer from 1 and alpha in (0, 1], got k={k}, alpha={alpha}.")
        self.k, self.alpha, self.count = k, alpha, 0
        self._slow: list[Any] = []

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """A fast step, and at each k-th one the slow step."""
        params = list(self.params())
        # here and not when it is made: weights may be loaded, and groups added, in between
        self._slow += [p.data.copy() for p in params[len(self._slow) :]]
        loss = self.optimizer.step(closure)
        self.count += 1
        if self.count % self.k == 0:
            self._slow = [slow + self.alpha * (p.data - slow) for slow, p in zip(self._slow, params, strict=True)]
            for p, slow in zip(params, self._slow, strict=True):
                overwrite(p, slow)
        return loss

    def own_state(self) -> dict[str, Any]:
        return {"count": self.count, "slow": [slow.copy() for slow in self._slow]}

    def load_own_state(self, state: Mapping[str, Any]) -> None:
        self.count, self._slow = state["count"], [np.array(slow) for slow in state["slow"]]
