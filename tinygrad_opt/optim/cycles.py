"""Schedules that move the learning rate and the momentum against each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .optimizer import Optimizer
from .schedule import LRScheduler

__all__ = ["CyclicLR", "OneCycleLR"]


def _per_group(name: str, key: str, value: float | Sequence[float], count: int) -> list[float]:
    values = [float(value)] * count if isinstance(value, (int, float)) else [float(one) for one in value]
    if len(values) != count:
        raise ValueError(f"{name}: {len(values)} values of {key} for {count} groups.")
    return values


class _Cycle(LRScheduler):
    """What both share: momentum is "momentum" in some optimizers and the first of "betas" in others."""

    cycle_momentum = True

    def _check_momentum(self, optimizer: Optimizer) -> None:
        if self.cycle_momentum and not {"momentum", "betas", "beta"} & set(optimizer.defaults):
            raise ValueError(
                f"{type(self).__name__}: {type(optimizer).__name__} has no momentum to cycle; pass "
                f"cycle_momentum=False."
            )

    def _with_momentum(self, lr: float, momentum: float, group: int) -> dict[str, Any]:
        if not self.cycle_momentum:
            return {"lr": lr}
        settings = self.optimizer.param_groups[group]
        if "betas" in settings:
            return {"lr": lr, "betas": (momentum, *settings["betas"][1:])}
        return {"lr": lr, "momentum" if "momentum" in settings else "beta": momentum}


class CyclicLR(_Cycle):
    """The learning rate goes up and down between two bounds; momentum, if wanted, the other way.

    Source: Smith 2017 (arXiv 1506.01186).

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float or sequence of float
        The bounds; a sequence has one for each group.
    step_size_up, step_size_down : int
        Steps of the rise and of the fall (as many as the rise, by default).
    mode : {"triangular", "triangular2", "exp_range"}
        Constant height; halved each cycle; or times γᵗ.
    gamma : float
    scale_fn : callable, optional
        A height of your own, as a function of the cycle (from 1) or of the step; then `mode` is not used.
    scale_mode : {"cycle", "iterations"}
    cycle_momentum : bool
    base_momentum, max_momentum : float or sequence of float
    last_epoch : int
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        modes: dict[str, tuple[Callable[[float], float], str]] = {
            "triangular": (lambda cycle: 1.0, "cycle"),
            "triangular2": (lambda cycle: 1 / 2 ** (cycle - 1), "cycle"),
            "exp_range": (lambda step: gamma**step, "iterations"),
        }
        if scale_fn is None and mode not in modes:
            raise ValueError(f"CyclicLR: mode is one of {', '.join(modes)}, got {mode!r}.")
        if min(step_size_up, 1 if step_size_down is None else step_size_down) < 1:
            raise ValueError(
                f"CyclicLR: a rise and a fall take at least 1 step each, got step_size_up={step_size_up}, "
                f"step_size_down={step_size_down}."
            )
        self.scale_fn, self.scale_mode = modes[mode] if scale_fn is None else (scale_fn, scale_mode)
        self.up = step_size_up
        self.total = step_size_up + (step_size_up if step_size_down is None else step_size_down)
        self.cycle_momentum = cycle_momentum
        self._check_momentum(optimizer)
        count = len(optimizer.param_groups)
        self.low = _per_group("CyclicLR", "base_lr", base_lr, count)
        self.high = _per_group("CyclicLR", "max_lr", max_lr, count)
        self.low_momentum = _per_group("CyclicLR", "base_momentum", base_momentum, count)
        self.high_momentum = _per_group("CyclicLR", "max_momentum", max_momentum, count)
        super().__init__(optimizer, last_epoch)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        cycle = math.floor(1 + step / self.total)
        place, rise = 1 + step / self.total - cycle, self.up / self.total
        height = place / rise if place <= rise else (place - 1) / (rise - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else step)
        lr = self.low[group] + (self.high[group] - self.low[group]) * height
        top = self.high_momentum[group]
        return self._with_momentum(lr, top - (top - self.low_momentum[group]) * height, group)


class OneCycleLR(_Cycle):
    """One rise and one fall of the learning rate over the whole of training; momentum the other way.

    Source: Smith & Topin 2018 (arXiv 1708.07120); two phases by default, as is customary since fastai.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or sequence of float
    total_steps : int, optional
        Or `epochs` times `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        The share of steps in the rise.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
    base_momentum, max_momentum : float or sequence of float
    div_factor : float
        The first rate is max_lr / div_factor.
    final_div_factor : float
        The last rate is the first one / final_div_factor.
    three_phase : bool
        Fall to the first rate as steeply as it rose, then to the last.
    last_epoch : int
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or both epochs and steps_per_epoch.")
            total_steps = epochs * steps_per_epoch
        if total_steps < 1:
            raise ValueError(f"OneCycleLR: {total_steps} steps in all; there must be at least 1.")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is a share between 0 and 1, got {pct_start}.")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r}.")
        self.total_steps, self.cosine, self.cycle_momentum = total_steps, anneal_strategy == "cos", cycle_momentum
        self._check_momentum(optimizer)
        count = len(optimizer.param_groups)
        self.top = _per_group("OneCycleLR", "max_lr", max_lr, count)
        self.low_momentum = _per_group("OneCycleLR", "base_momentum", base_momentum, count)
        self.high_momentum = _per_group("OneCycleLR", "max_momentum", max_momentum, count)
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        first = pct_start * total_steps - 1
        # (step at which a phase ends, rate and momentum there: 0 first, 1 top, 2 last)
        self.phases = (
            [(first, 1), (2 * first, 0), (total_steps - 1, 2)] if three_phase else [(first, 1), (total_steps - 1, 2)]
        )
        super().__init__(optimizer, last_epoch)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        if step > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {step} of {self.total_steps}; give it as many total_steps as it will be called."
            )
        first = self.top[group] / self.div_factor
        rates = (first, self.top[group], first / self.final_div_factor)
        high = self.high_momentum[group]
        momenta = (high, self.low_momentum[group], high)
        begin, before = 0.0, 0
        end, after = self.phases[0]
        for following in self.phases[1:]:
            if step <= end:
                break
            (begin, before), (end, after) = (end, after), following
        share = (step - begin) / (end - begin) if end != begin else 1.0
        lr = self._between(rates[before], rates[after], share)
        return self._with_momentum(lr, self._between(momenta[before], momenta[after], share), group)

    def _between(self, start: float, end: float, share: float) -> float:
        if self.cosine:
            return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
        return start + (end - start) * share
