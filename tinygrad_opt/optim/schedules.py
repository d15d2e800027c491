"""The usual schedules, each as a function of the step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from .optimizer import Optimizer
from .schedule import LRScheduler

__all__ = [
    "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "ExponentialLR", "LambdaLR", "LinearLR",
    "MultiStepLR", "MultiplicativeLR", "PolynomialLR", "StepLR", "WarmupLR", "WarmupStableDecayLR",
]  # fmt: skip


def _at_least(name: str, key: str, value: float, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{name}: {key} must be at least {least:g}, got {value!r}.")


class LambdaLR(LRScheduler):
    """η₀ · f(t), with one function for all groups or a list of one for each."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[float], float] | Sequence[Callable[[float], float]],
        last_epoch: int = -1,
    ) -> None:
        count = len(optimizer.param_groups)
        if not (callable(lr_lambda) or (isinstance(lr_lambda, Sequence) and all(map(callable, lr_lambda)))):
            raise TypeError(
                f"{type(self).__name__}: lr_lambda is a function of the step, e.g. lambda t: 0.95**t, or a list of one "
                f"for each group; got {lr_lambda!r}."
            )
        self.lr_lambdas = [lr_lambda] * count if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != count:
            raise ValueError(f"{type(self).__name__}: {len(self.lr_lambdas)} functions for {count} groups.")
        super().__init__(optimizer, last_epoch)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        return {"lr": self.base_lrs[group] * self.lr_lambdas[group](step)}


class MultiplicativeLR(LambdaLR):
    """η₀ · f(1)·f(2)⋯f(t)."""

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        f = self.lr_lambdas[group]
        return {"lr": self.base_lrs[group] * math.prod(f(i) for i in range(1, int(step) + 1))}


class StepLR(LRScheduler):
    """η₀ · γ^⌊t / step_size⌋."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        _at_least("StepLR", "step_size", step_size, 1)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, step: float) -> float:
        return float(self.gamma ** (step // self.step_size))


class MultiStepLR(LRScheduler):
    """η₀ · γ^(number of milestones reached)."""

    def __init__(
        self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, step: float) -> float:
        return float(self.gamma ** bisect_right(self.milestones, step))


class ConstantLR(LRScheduler):
    """η₀ · factor for the first `total_iters` steps, then η₀."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        _at_least("ConstantLR", "factor", factor, 0)
        self.scale, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, step: float) -> float:
        return self.scale if step < self.total_iters else 1.0


class LinearLR(LRScheduler):
    """η₀ times a factor that goes from `start_factor` to `end_factor` over `total_iters` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _at_least("LinearLR", "start_factor", start_factor, 0)
        _at_least("LinearLR", "total_iters", total_iters, 1)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, step: float) -> float:
        return (
            self.start_factor + (self.end_factor - self.start_factor) * min(step, self.total_iters) / self.total_iters
        )


class ExponentialLR(LRScheduler):
    """η₀ · γᵗ."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, step: float) -> float:
        return float(self.gamma**step)


class PolynomialLR(LRScheduler):
    """η₀ · (1 − t/T)^power until T = `total_iters`, then 0."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        _at_least("PolynomialLR", "total_iters", total_iters, 1)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, step: float) -> float:
        return float((1 - min(step, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """η_min + (η₀ − η_min)·(1 + cos(πt/T))/2 (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        _at_least("CosineAnnealingLR", "T_max", T_max, 1)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        return {
            "lr": self.eta_min + (self.base_lrs[group] - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2
        }


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing over `T_0` steps, then again and again, each time `T_mult` times as long.

    Source: Loshchilov & Hutter 2017 (arXiv 1608.03983), equation 5.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        _at_least("CosineAnnealingWarmRestarts", "T_0", T_0, 1)
        _at_least("CosineAnnealingWarmRestarts", "T_mult", T_mult, 1)
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        length = self.T_0
        if self.T_mult == 1:
            step = step % length
        while step >= length:
            step, length = step - length, length * self.T_mult
        share = (1 + math.cos(math.pi * step / length)) / 2
        return {"lr": self.eta_min + (self.base_lrs[group] - self.eta_min) * share}


class WarmupLR(LRScheduler):
    """Rise linearly to η₀ over some steps, then follow another schedule from its own beginning, if there is one.

    The first step has η₀/steps, not 0, so that none is wasted.
    """

    def __init__(
        self, optimizer: Optimizer, steps: int, after: LRScheduler | None = None, last_epoch: int = -1
    ) -> None:
        _at_least("WarmupLR", "steps", steps, 1)
        self.steps, self.after = steps, after
        super().__init__(optimizer, last_epoch)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        if step < self.steps:
            return {"lr": self.base_lrs[group] * (step + 1) / self.steps}
        return self.after.at(step - self.steps, group) if self.after else {"lr": self.base_lrs[group]}


class WarmupStableDecayLR(LRScheduler):
    """Warm up, stay, decay: three lengths; the end can be chosen late, since the middle is constant.

    Source: Hu et al. 2024 (arXiv 2404.06395); the 1 − √x form of decay: Hägele et al. 2024 (arXiv 2405.18392).

    Parameters
    ----------
    optimizer : Optimizer
    warmup, stable, decay : int
        Steps in each phase.
    final_factor : float
        The share of η₀ at the end.
    shape : {"linear", "cosine", "sqrt"}
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup: int,
        stable: int,
        decay: int,
        final_factor: float = 0.0,
        shape: str = "linear",
        last_epoch: int = -1,
    ) -> None:
        shapes: dict[str, Callable[[float], float]] = {
            "linear": lambda x: 1 - x,
            "cosine": lambda x: (1 + math.cos(math.pi * x)) / 2,
            "sqrt": lambda x: 1 - x**0.5,
        }
        if shape not in shapes:
            raise ValueError(f"WarmupStableDecayLR: shape is one of {', '.join(shapes)}, got {shape!r}.")
        for key, length in (("warmup", warmup), ("stable", stable), ("decay", decay)):
            _at_least("WarmupStableDecayLR", key, length, 0)
        self.warmup, self.stable, self.decay = warmup, stable, decay
        self.final_factor, self.shape = final_factor, shapes[shape]
        super().__init__(optimizer, last_epoch)

    def factor(self, step: float) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        passed = step - self.warmup - self.stable
        if passed <= 0:
            return 1.0
        share = min(passed / self.decay, 1.0) if self.decay else 1.0
        return self.final_factor + (1 - self.final_factor) * self.shape(share)
