"""Lowering the learning rate when a measurement stops to improve."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from .optimizer import Optimizer
from .schedule import check_state, draw_rates

__all__ = ["ReduceLROnPlateau"]


_REMEMBERED = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")


class ReduceLROnPlateau:
    """Multiply the learning rate by a factor when a measurement has not improved for more than `patience` steps.

    It is a function of what was measured, not of the step alone: ``plot(metrics)`` draws what it makes of measurements.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether smaller or larger is better.
    factor : float
        Below 1.
    patience : int
        Steps without improvement that are let pass.
    threshold : float
        How much better counts as better.
    threshold_mode : {"rel", "abs"}
        As a share of the best, or as a difference.
    cooldown : int
        Steps after a reduction in which nothing is counted.
    min_lr : float or sequence of float
        Rates are not lowered below; one for each group, or one for all.
    eps : float
        Changes of the rate that are smaller are not made.

    Raises
    ------
    TypeError, ValueError
        For something else than an optimizer, a factor that is not below 1, an unknown mode, or values of min_lr that
        are not as many as the groups.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> plateau = tg.optim.lr_scheduler.ReduceLROnPlateau(tg.optim.SGD([w], lr=0.1), factor=0.5, patience=1)
    >>> plateau.curve([1.0, 0.9, 0.9, 0.9, 0.8])
    array([0.1 , 0.1 , 0.1 , 0.05, 0.05])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}.")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: mode is 'min' or 'max', threshold_mode 'rel' or 'abs'; got {mode!r}, "
                f"{threshold_mode!r}."
            )
        if not hasattr(optimizer, "param_groups"):
            raise TypeError(f"ReduceLROnPlateau expected an optimizer, got {type(optimizer).__name__}.")
        self.optimizer = optimizer
        self.min_lr = min_lr if isinstance(min_lr, (int, float)) else list(min_lr)
        self._least()
        self.factor, self.patience, self.eps = factor, patience, eps
        self.mode, self.threshold, self.threshold_mode, self.cooldown = mode, threshold, threshold_mode, cooldown
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def _least(self) -> list[float]:
        """The least rate of each group, those that were added since among them."""
        count = len(self.optimizer.param_groups)
        least = self.min_lr if isinstance(self.min_lr, list) else [float(self.min_lr)] * count
        if len(least) != count:
            raise ValueError(f"ReduceLROnPlateau: {len(least)} values of min_lr for {count} groups.")
        return least

    def is_better(self, value: float) -> bool:
        """Whether a measurement improves on the best by more than the threshold."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "abs":
            return value > self.best + self.threshold if sign > 0 else value < self.best - self.threshold
        bound = self.best * (1 + sign * self.threshold)
        return value > bound if sign > 0 else value < bound

    def step(self, metrics: Any) -> None:
        """Take in a measurement, and lower the rates when it is time."""
        value, lowest = float(metrics), self._least()
        self.last_epoch += 1
        if self.is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, lowest, strict=True):
                new = max(group["lr"] * self.factor, least)
                if group["lr"] - new > self.eps:
                    group["lr"] = new
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def curve(self, metrics: Sequence[Any], group: int = 0) -> np.ndarray[Any, Any]:
        """The learning rate after each of these measurements, taken in from here on, as an array; nothing is set."""
        trial = copy.copy(self)
        trial.optimizer = SimpleNamespace(param_groups=[{"lr": lr} for lr in self.get_last_lr()])  # type: ignore[assignment]
        rates = []
        for value in metrics:
            trial.step(value)
            rates.append(trial.get_last_lr()[group])
        return np.array(rates)

    def plot(self, metrics: Sequence[Any], ax: Any = None) -> Any:
        """Draw what the learning rate of each group becomes with these measurements; returns the Axes of matplotlib.

        The measurements are drawn too, in grey, on an axis of their own.
        """
        metrics = [float(value) for value in metrics]
        curves = [self.curve(metrics, group) for group in range(len(self.optimizer.param_groups))]
        ax = draw_rates(curves, type(self).__name__, ax)
        measured = ax.twinx()
        measured.plot(metrics, color="0.6", linewidth=1)
        measured.set_ylabel("measurement", color="0.5")
        return ax

    def get_last_lr(self) -> list[float]:
        """The present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What a new one made with the same arguments needs to go on."""
        return {"kind": type(self).__name__, **{name: getattr(self, name) for name in _REMEMBERED}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; raises ValueError with what does not fit, before anything changes."""
        check_state(self, state_dict, _REMEMBERED)
        for name in _REMEMBERED:
            setattr(self, name, state_dict[name])

    def __repr__(self) -> str:
        lrs = ", ".join(f"{lr:g}" for lr in self.get_last_lr())
        return (
            f"{type(self).__name__}: step {self.last_epoch}, lr {lrs}, best {self.best:g}, "
            f"{self.num_bad_epochs} of {self.patience} steps without improvement"
        )
