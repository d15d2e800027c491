"""SAM: descend from the worst point nearby."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import enable_grad
from ..autograd.overwrite import overwrite
from .optimizer import Optimizer
from .wrapper import Wrapper

__all__ = ["SAM"]


class SAM(Wrapper):
    """Sharpness-aware minimization: take the gradient at θ + ρ·g/‖g‖, and step with it from θ.

    Principle: minima that are flat in a ball of radius ρ tend to generalize better; the gradient at the worst point
    of the ball (to first order) leads there. Two evaluations a step.

    Equation: ε̂ = ρ·g/‖g‖ over all parameters; the inner step on ∇J(θ + ε̂).

    Source: Foret et al. 2021 (arXiv 2010.01412), Algorithm 1; adaptive: Kwon et al. 2021 (arXiv 2102.11600),
    Algorithm 1.

    Strengths: better test error for image models, robust to wrong labels. Weaknesses: twice the cost; statistics of
    batch norm see the worst point too. Use it where over-fitting, not speed, is the problem.

    Parameters
    ----------
    optimizer : Optimizer
    rho : float
        ρ.
    adaptive : bool
        Measure the ball relative to each weight: θ + ρ·θ²g/‖θg‖.
    """

    def __init__(self, optimizer: Optimizer | Wrapper, rho: float = 0.05, adaptive: bool = False) -> None:
        super().__init__(optimizer)
        if not rho >= 0:
            raise ValueError(f"SAM: rho must be at least 0, got {rho}.")
        self.rho, self.adaptive = rho, adaptive

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; `closure` clears the gradients, computes the loss, runs backward, returns the loss.

        Returns
        -------
        Tensor
            The loss at θ.
        """
        if not callable(closure):
            raise TypeError(
                f"SAM.step needs a closure, since it evaluates the loss twice: def closure(): optimizer.zero_grad(); "
                f"loss = …; loss.backward(); return loss. Got {type(closure).__name__}."
            )
        with enable_grad():
            loss = closure()
        moved = [p for p in self.params() if p.grad is not None]
        before = [p.data.copy() for p in moved]
        gradients = [p.grad.data for p in moved]  # type: ignore[union-attr]
        scales = [np.abs(x) if self.adaptive else np.ones_like(x) for x in before]
        norm = np.sqrt(sum(float(np.sum((s * g) ** 2)) for s, g in zip(scales, gradients, strict=True)))
        try:
            for p, x, s, g in zip(moved, before, scales, gradients, strict=True):
                overwrite(p, x + s * s * g * g.dtype.type(self.rho / (norm + 1e-12)))
            with enable_grad():
                closure()
        finally:
            for p, x in zip(moved, before, strict=True):
                overwrite(p, x)
        self.optimizer.step()
        return loss
