"""The rules of a study, in numbers: what is tuned, how often, how long, and what counts as reaching the goal."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Protocol", "full", "quick"]


@dataclass(frozen=True)
class Protocol:
    """How optimizers are compared; the same for all of them.

    Parameters
    ----------
    steps : int
        Optimizer steps of every run.
    trials : int
        Settings tried for each optimizer on each task. Up to ten, they are learning rates on a half-decade logarithmic
        grid; beyond, quasi-random points (learning rate, and momentum or β₁ where the optimizer has it).
    centre : float
        log10 of the middle of the learning rates.
    tuning_seeds, final_seeds : int
        Runs of each setting while tuning, and of the selected one afterwards; the seeds are disjoint.
    extensions : int
        How often the range is widened by a decade when the best setting lies on its edge.
    targets : tuple of float
        A run reaches target τ when its validation loss falls to L* + τ (L₀ − L*).
    divergence : float
        A loss beyond this multiple of the first one, or NaN, ends the run.
    evaluations : int
        How often a run is evaluated on the validation set, at even distances.
    cosine : bool
        Run the selected settings a second time under a cosine schedule.
    seed : int
        Added to every seed.
    """

    steps: int = 250
    trials: int = 6
    centre: float = -1.75
    tuning_seeds: int = 1
    final_seeds: int = 5
    extensions: int = 2
    targets: tuple[float, ...] = (0.1, 0.01)
    divergence: float = 1000.0
    evaluations: int = 50
    cosine: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "trials", "tuning_seeds", "final_seeds", "evaluations"):
            if getattr(self, name) < 1:
                raise ValueError(f"Protocol: {name} must be at least 1, got {getattr(self, name)}.")

    @property
    def on_grid(self) -> bool:
        """Whether the settings are a grid of learning rates, rather than quasi-random points."""
        return self.trials <= 10

    def tuning(self) -> list[int]:
        """Seeds of the tuning runs."""
        return [self.seed + 1000 + i for i in range(self.tuning_seeds)]

    def final(self) -> list[int]:
        """Seeds of the runs that are scored."""
        return [self.seed + i for i in range(self.final_seeds)]

    def targets_from(self) -> list[int]:
        """Seeds of the strongest baseline's runs that fix the targets."""
        return [self.seed + 2000 + i for i in range(self.final_seeds)]

    def settings(self, second: str | None = None, wider: tuple[int, int] = (0, 0)) -> list[dict[str, float]]:
        """The settings to try, as dicts with ``lr`` and, off the grid, `second`.

        `wider` counts the extensions made below and above.
        """
        if self.on_grid:
            first = self.centre - (self.trials - 1) / 4
            exponents = first + 0.5 * np.arange(-2 * wider[0], self.trials + 2 * wider[1])
            return [{"lr": _round(10**e)} for e in exponents]
        low, high = self.centre - 2.0, self.centre + 2.0
        points = _boxes(self.trials, low, high)
        extra = max(self.trials // 4, 1)
        for k in range(wider[0]):
            points += _boxes(extra, low - k - 1, low - k)
        for k in range(wider[1]):
            points += _boxes(extra, high + k, high + k + 1)
        if second is None:
            return [{"lr": _round(10**e)} for e, _ in points]
        return [{"lr": _round(10**e), second: _round(1 - 10 ** (-2 * u))} for e, u in points]

    def edge(self, lr: float, wider: tuple[int, int] = (0, 0)) -> int:
        """−1 or 1 when a learning rate lies on the lower or upper edge of what was tried, else 0."""
        exponents = sorted(np.log10(s["lr"]) for s in self.settings(None, wider))
        margin = 0.01 if self.on_grid else (exponents[-1] - exponents[0]) / self.trials
        value = np.log10(lr)
        return int(value >= exponents[-1] - margin) - int(value <= exponents[0] + margin)

    def as_dict(self) -> dict[str, Any]:
        """The rules as JSON can hold them."""
        return json.loads(json.dumps(dataclasses.asdict(self)))  # type: ignore[no-any-return]


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def _boxes(count: int, low: float, high: float) -> list[tuple[float, float]]:
    """Quasi-random points, low ≤ first < high, 0 ≤ second < 1: Halton's sequence in bases 2 and 3 (1960)."""
    return [(low + (high - low) * _radical_inverse(i, 2), _radical_inverse(i, 3)) for i in range(1, count + 1)]


def _radical_inverse(i: int, base: int) -> float:
    value, digit = 0.0, 1.0 / base
    while i:
        i, rest = divmod(i, base)
        value += rest * digit
        digit /= base
    return value


def quick(**changes: Any) -> Protocol:
    """The rules of the default study: 6 learning rates, 5 seeds, 250 steps."""
    return dataclasses.replace(Protocol(), **changes)


def full(**changes: Any) -> Protocol:
    """The rules of the full study: 20 settings, 10 seeds, 1,000 steps, and a cosine schedule beside the constant."""
    rules = Protocol(steps=1000, trials=20, centre=-2.0, final_seeds=10, cosine=True)
    return dataclasses.replace(rules, **changes)
