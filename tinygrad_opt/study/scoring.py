"""From runs to scores: what is selected, what a target is, when it was reached. Nothing here runs anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .trial import Record

__all__ = [
    "Target",
    "basin_width",
    "best_loss",
    "final_accuracy",
    "final_loss",
    "gap_left",
    "lost_again",
    "select",
    "set_target",
    "steps_to",
    "test_loss",
]

Settings = tuple[tuple[str, float], ...]


def final_loss(record: Record) -> float:
    """The validation loss after the last step; infinite for a run that diverged."""
    return math.inf if record.diverged is not None else record.validation[-1]


def best_loss(record: Record) -> float:
    """The lowest validation loss; infinite for a run that diverged later."""
    return math.inf if record.diverged is not None else min(record.validation)


def test_loss(record: Record) -> float:
    """The test loss after the last step; infinite for a run that diverged."""
    return math.inf if record.test_loss is None or not math.isfinite(record.test_loss) else record.test_loss


test_loss.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test, whatever its name


def final_accuracy(record: Record) -> float:
    """The validation accuracy after the last step; 0 for a run that diverged, NaN where the task has none."""
    if not record.accuracy:
        return math.nan
    return 0.0 if record.diverged is not None else record.accuracy[-1]


def steps_to(record: Record, loss: float) -> float:
    """Steps to the first evaluation with that validation loss or less; infinite if never, or if the run diverged."""
    if record.diverged is not None:
        return math.inf
    return next((float(s) for s, value in zip(record.steps, record.validation, strict=True) if value <= loss), math.inf)


def lost_again(record: Record, loss: float) -> bool:
    """Whether the run reached that loss and ended above it."""
    return math.isfinite(steps_to(record, loss)) and final_loss(record) > loss


# Settings this near the best are as good as it: nearer than the noise of a tuning run.
_NEAR, _NEAR_GAP = 0.05, 0.01


def select(tuning: Mapping[Settings, Sequence[Record]]) -> Settings | None:
    """The settings with the lowest mean final validation loss over the tuning runs; None when all diverged.

    Settings whose loss is within 5 % of the lowest one, and within 1 % of the way down to it from the first loss, are
    as good as the best, and of these the first in order wins (the smallest learning rate): what is larger is nearer to
    divergence with the next seed. Test losses play no part.
    """
    means = {settings: float(np.mean([final_loss(r) for r in runs])) for settings, runs in sorted(tuning.items())}
    best = min(means.values())
    if not math.isfinite(best):
        return None
    start = float(np.mean([r.validation[0] for runs in tuning.values() for r in runs]))
    near = best + min(_NEAR * abs(best), _NEAR_GAP * max(start - best, 0.0))
    return next(settings for settings, loss in means.items() if loss <= near)


@dataclass(frozen=True)
class Target:
    """What counts as solving a task, fixed before the scored runs.

    Attributes
    ----------
    start : float
        L₀, the median validation loss at the initial weights.
    best : float
        L*, the strongest tuned baseline's median best validation loss.
    by : str
        That baseline.
    source : str
        "frozen" for one that comes with the package; else why it was fixed within the study.
    """

    start: float
    best: float
    by: str
    source: str = ""

    def level(self, tau: float) -> float:
        """The loss to reach, L* + τ (L₀ − L*)."""
        return self.best + tau * (self.start - self.best)


def set_target(tuned: Mapping[str, Sequence[Record]], source: str = "") -> Target:
    """The target from each baseline's runs at its selected settings.

    Raises
    ------
    ValueError
        No baseline came below the starting loss.
    """
    medians = {name: float(np.median([best_loss(r) for r in runs])) for name, runs in tuned.items() if runs}
    starts = [r.validation[0] for runs in tuned.values() for r in runs]
    by = min(medians, key=lambda name: medians[name], default=None)
    if by is None or not medians[by] < float(np.median(starts)):
        raise ValueError(
            "no optimizer improved on the initial weights with any of the settings tried, so there is no target: "
            "widen the range of learning rates, or take more steps."
        )
    return Target(float(np.median(starts)), medians[by], by, source)


def gap_left(record: Record, target: Target) -> float:
    """The share of the way from L₀ to L* left at the end: 1 is no progress, 0 is L*; infinite if diverged."""
    return (final_loss(record) - target.best) / (target.start - target.best)


def basin_width(tuning: Mapping[Settings, Sequence[Record]], tolerance: float = 1.1) -> float:
    """Decades of learning rates round the best that end at `tolerance` times its loss or less.

    Only the learning rate is looked at; neighbours must hold without a gap. A point on a grid counts with its spacing.
    """
    points: dict[float, float] = {}
    for settings, runs in tuning.items():
        lr, loss = dict(settings)["lr"], float(np.mean([final_loss(r) for r in runs]))
        points[lr] = min(points.get(lr, math.inf), loss)
    rates = sorted(points)
    losses = [points[lr] for lr in rates]
    best = int(np.argmin(losses))
    if not math.isfinite(losses[best]):
        return 0.0
    limit = losses[best] + (tolerance - 1) * abs(losses[best])
    low = high = best
    while low > 0 and losses[low - 1] <= limit:
        low -= 1
    while high < len(rates) - 1 and losses[high + 1] <= limit:
        high += 1
    spacing = (math.log10(rates[-1]) - math.log10(rates[0])) / max(len(rates) - 1, 1)
    return math.log10(rates[high]) - math.log10(rates[low]) + spacing


def as_array(runs: Mapping[Any, Sequence[Record]], measure: Any) -> np.ndarray[Any, Any]:
    """A measure of runs as an array, a row for each key in order."""
    return np.array([[measure(record) for record in records] for records in runs.values()], dtype=np.float64)
