"""The base of all learning rate schedules: a schedule is a function of the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import missing_extra
from .advice import Advice
from .optimizer import Optimizer

__all__ = ["ChainedScheduler", "LRScheduler", "SequentialLR", "check_state", "draw_rates"]


class LRScheduler:
    """A schedule: ``at(step, group)`` gives the hyperparameters of a group, as a function of the step alone.

    Making one sets the group's first values; each ``step()`` sets the next. Call it after ``optimizer.step()``; when no
    optimizer step came in between, a warning says so, since a value would be skipped.

    Differences: PyTorch's schedules multiply the present learning rate, so that several can be called one after the
    other, and a change by hand stays. These set it, and say so when somebody else has changed it.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        The step to go on from; −1 starts anew.

    Attributes
    ----------
    last_epoch : int
        The present step, from 0.
    base_lrs : list of float
        The groups' learning rates before any schedule, also kept in the groups as "initial_lr".
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not hasattr(optimizer, "param_groups"):
            raise TypeError(f"{type(self).__name__} expected an optimizer, got {type(optimizer).__name__}.")
        self.optimizer = optimizer
        self.base_lrs = [float(group.setdefault("initial_lr", group["lr"])) for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._stepped_at = optimizer.steps_taken
        self._advice = Advice()
        self._apply()

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        """The hyperparameters of a group at a step; a subclass gives this, or ``factor``."""
        return {"lr": self.base_lrs[group] * self.factor(step)}

    def factor(self, step: float) -> float:
        """By what the first learning rate is multiplied at a step."""
        raise NotImplementedError(f"{type(self).__name__} defines neither at() nor factor().")

    def _check_groups(self) -> None:
        """Raise ValueError when groups were added since."""
        name, count = type(self).__name__, len(self.optimizer.param_groups)
        if count != len(self.base_lrs):
            raise ValueError(
                f"{name} was made for {len(self.base_lrs)} groups, the optimizer has {count} now. To go on with all of "
                f"them, make it anew after add_param_group: {name}(optimizer, …, last_epoch=schedule.last_epoch)."
            )

    def _apply(self) -> None:
        self._check_groups()
        settings = [self.at(self.last_epoch, index) for index in range(len(self.optimizer.param_groups))]
        for group, values in zip(self.optimizer.param_groups, settings, strict=True):
            group.update(values)
        self._left = self.get_last_lr()

    def step(self, epoch: float | None = None) -> None:
        """Set the values of the next step, or of a given one.

        Raises
        ------
        TypeError, ValueError
            What is no step, such as a loss: only ReduceLROnPlateau goes by measurements.
        """
        if epoch is not None and (not isinstance(epoch, (int, float, np.integer)) or isinstance(epoch, bool)):
            raise TypeError(
                f"{type(self).__name__}.step takes the number of a step, or nothing; got {type(epoch).__name__}. Only "
                f"ReduceLROnPlateau goes by a measurement."
            )
        if epoch is not None and not epoch >= 0:
            raise ValueError(f"{type(self).__name__}.step: steps are counted from 0, got {epoch}.")
        if self.optimizer.steps_taken == self._stepped_at:
            self._advice.say(
                "order",
                f"{type(self).__name__}.step() without an optimizer.step() since the last one: a value of the schedule "
                f"is skipped. Call optimizer.step() first, then the schedule.",
            )
        present = self.get_last_lr()
        for group, (lr, left) in enumerate(zip(present, self._left, strict=False)):
            if lr != left:
                self._advice.say(
                    "overwritten",
                    f"{type(self).__name__}.step() overwrites lr {lr:g} of group {group}; it had set {left:g}. Two "
                    f"schedules together are ChainedScheduler([one, other]), one after the other SequentialLR; to "
                    f"change the rate by hand, change schedule.base_lrs.",
                )
        self._stepped_at = self.optimizer.steps_taken
        before = self.last_epoch
        self.last_epoch = before + 1 if epoch is None else epoch  # type: ignore[assignment]
        try:
            self._apply()
        except BaseException:
            self.last_epoch = before
            raise

    def get_last_lr(self) -> list[float]:
        """The present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def curve(self, steps: int, group: int = 0) -> np.ndarray[Any, Any]:
        """The learning rates of the first steps, as an array; nothing is set."""
        return np.array([self.at(step, group)["lr"] for step in range(steps)])

    def plot(self, steps: int | None = None, ax: Any = None) -> Any:
        """Draw the learning rate of each group against the step; returns the Axes of matplotlib.

        Of 100 steps when no number is given, or of as many as the schedule has been made for.
        """
        steps = getattr(self, "total_steps", 100) if steps is None else steps
        return draw_rates([self.curve(steps, i) for i in range(len(self.base_lrs))], type(self).__name__, ax)

    def state_dict(self) -> dict[str, Any]:
        """What a new schedule made with the same arguments needs to go on."""
        return {"kind": type(self).__name__, "last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved step, and set its values."""
        check_state(self, state_dict, ("base_lrs", "last_epoch"))
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(
                f"load_state_dict: saved for {len(state_dict['base_lrs'])} groups, there are {len(self.base_lrs)}."
            )
        self._check_groups()
        self.base_lrs = [float(lr) for lr in state_dict["base_lrs"]]
        self.last_epoch = state_dict["last_epoch"]
        self._apply()

    def __repr__(self) -> str:
        lrs = ", ".join(f"{lr:g}" for lr in self.get_last_lr())
        return f"{type(self).__name__}: step {self.last_epoch}, lr {lrs}"


def draw_rates(curves: Sequence[Any], title: str, ax: Any = None) -> Any:
    """Draw learning rates against the step, a line for each group; returns the Axes of matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("matplotlib", "viz", "schedule.plot()") from None
    if ax is None:
        ax = Figure(figsize=(5, 3), layout="constrained").add_subplot()
    for index, curve in enumerate(curves):
        ax.plot(curve, label=f"group {index}")
    ax.set(xlabel="step", ylabel="learning rate", title=title)
    ax.set_ylim(bottom=0)
    if len(curves) > 1:
        ax.legend()
    return ax


def check_state(schedule: Any, state_dict: Any, remembered: Sequence[str]) -> None:
    """Raise ValueError for what is not the whole state of a schedule of this kind."""
    name = type(schedule).__name__
    if not isinstance(state_dict, Mapping):
        raise ValueError(
            f"load_state_dict: expected the dict that {name}.state_dict() gives, got {type(state_dict).__name__}."
        )
    if state_dict.get("kind", name) != name:
        raise ValueError(f"load_state_dict: this is the state of a {state_dict['kind']}, not of a {name}.")
    if missing := [key for key in remembered if key not in state_dict]:
        raise ValueError(f"load_state_dict: missing for {name}: {', '.join(missing)}.")


def _common_optimizer(name: str, schedulers: Sequence[LRScheduler]) -> Optimizer:
    if not schedulers:
        raise ValueError(f"{name} needs at least one schedule.")
    if any(one.optimizer is not schedulers[0].optimizer for one in schedulers):
        raise ValueError(f"{name}: the schedules belong to different optimizers.")
    return schedulers[0].optimizer


class SequentialLR(LRScheduler):
    """One schedule after another: each begins at its milestone, at its own step 0.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : sequence of LRScheduler
    milestones : sequence of int
        The steps at which the second and later schedules begin.
    last_epoch : int
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        if _common_optimizer("SequentialLR", schedulers) is not optimizer:
            raise ValueError("SequentialLR: the schedules belong to another optimizer.")
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(milestones):
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} rising milestones, got "
                f"{milestones}."
            )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer, last_epoch)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        which = sum(step >= milestone for milestone in self.milestones)
        return self.schedulers[which].at(step - (self.milestones[which - 1] if which else 0), group)


class ChainedScheduler(LRScheduler):
    """Schedules at the same time: their factors on the first learning rate are multiplied.

    Differences: in PyTorch, schedules that do not know of others (LambdaLR, cycles, warm restarts) overwrite what those
    before them in the list have done; here every factor counts, in any order.

    Parameters
    ----------
    schedulers : sequence of LRScheduler
    optimizer : Optimizer, optional
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        common = _common_optimizer("ChainedScheduler", schedulers)
        if optimizer not in (None, common):
            raise ValueError("ChainedScheduler: the schedules belong to another optimizer.")
        self.schedulers = list(schedulers)
        super().__init__(common)

    def at(self, step: float, group: int = 0) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lr = base = self.base_lrs[group]
        for one in self.schedulers:
            found = one.at(step, group)
            values.update(found)
            lr *= found["lr"] / base if base else 1.0
        return {**values, "lr": lr}
