"""Gradient accumulation: one step for several small batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..autograd.tensor import new_tensor
from .closure import evaluate
from .optimizer import Optimizer
from .wrapper import Wrapper

__all__ = ["Accumulate"]


class Accumulate(Wrapper):
    """Every n-th ``step()`` is one on the mean of the last n gradients; those between only count.

    Principle: gradients of means over equal batches average to the gradient over all of them, so memory for one batch
    gives the step of n.

    Strengths: exact, whatever the optimizer. Weaknesses: n passes a step; batch norm still sees the small batches. Use
    it where the batch you want does not fit into memory.

    The training loop stays as it is: ``zero_grad()`` clears nothing until the step was made.

    Parameters
    ----------
    optimizer : Optimizer
    every : int
        n.
    average : bool
        Divide the sum by n, as for one large batch whose loss is a mean.
    """

    def __init__(self, optimizer: Optimizer | Wrapper, every: int, average: bool = True) -> None:
        super().__init__(optimizer)
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"Accumulate: every must be an integer from 1, got {every}.")
        self.every, self.average, self.count = every, average, 0
        inner: Any = optimizer
        while isinstance(inner, Wrapper):
            inner = inner.optimizer
        inner.accumulates = True

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, unless a sum is being collected."""
        if self.count % self.every == 0:
            self.optimizer.zero_grad(set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Count; and at the n-th call, step."""
        loss = evaluate(closure, self)
        if (self.count + 1) % self.every == 0:
            self._step()
        self.count += 1
        return loss

    def _step(self) -> None:
        before = []
        try:
            for p in self.params():
                leaf: Any = p._node
                if self.average and leaf is not None and leaf.grad is not None:
                    before.append((leaf, leaf.grad, leaf.passes))
                    leaf.grad = new_tensor(leaf.grad.data / self.every, None)
            self.optimizer.step()
        finally:
            for leaf, gradient, passes in before:
                leaf.grad, leaf.passes = gradient, passes

    def own_state(self) -> dict[str, Any]:
        """The count and, between two steps, the sums collected so far."""
        between = self.count % self.every != 0
        sums = [None if p.grad is None else p.grad.data.copy() for p in self.params()] if between else []
        return {"count": self.count, "sums": sums}

    def load_own_state(self, state: Mapping[str, Any]) -> None:
        self.count = state["count"]
        for p, total in zip(self.params(), state["sums"], strict=bool(state["sums"])):
            p.grad = None if total is None else new_tensor(np.array(total, p.dtype), None)
