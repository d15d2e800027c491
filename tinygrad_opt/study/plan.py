"""What a study compares, by which rules, and what came out for each part of it."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .protocol import Protocol, quick
from .scoring import Settings
from .trial import Record, Trial

__all__ = ["Arm", "ArmResult", "Plan"]


@dataclass(frozen=True)
class Arm:
    """A task with an optimizer, tuned by itself; `batch_size` and `steps` differ from the usual in some."""

    task: str
    optimizer: str
    batch_size: int | None = None
    steps: int | None = None

    def trial(self, settings: dict[str, float], seed: int, protocol: Protocol, cosine: bool = False) -> Trial:
        """The run of this arm with given settings and seed."""
        return Trial(
            self.task,
            self.optimizer,
            tuple(sorted(settings.items())),
            seed,
            self.steps or protocol.steps,
            protocol.evaluations,
            protocol.divergence,
            self.batch_size,
            cosine,
        )


@dataclass(frozen=True)
class Plan:
    """What a study compares, and by which rules.

    Parameters
    ----------
    tasks, optimizers : tuple of str
    protocol : Protocol
    forms : tuple of Arm
        Further arms: the forms of gradient descent.
    checks : tuple of Arm
        Further arms that only serve to see whether known facts come out. Of these the learning rate alone is tuned, on
        the quick study's grid.
    own : tuple of str
        Python files with the user's optimizers and tasks.
    """

    tasks: tuple[str, ...]
    optimizers: tuple[str, ...]
    protocol: Protocol = field(default_factory=Protocol)
    forms: tuple[Arm, ...] = ()
    checks: tuple[Arm, ...] = ()
    own: tuple[str, ...] = ()

    def arms(self) -> list[Arm]:
        """Every task with every optimizer."""
        return [Arm(task, optimizer) for task in self.tasks for optimizer in self.optimizers]

    def extra(self) -> list[Arm]:
        """Arms that stay out of every score."""
        return [*self.forms, *self.checks]

    def tuned_by(self, arm: Arm) -> Protocol:
        """The rules by which an arm is tuned."""
        if arm not in self.checks:
            return self.protocol
        grid = quick()
        return dataclasses.replace(self.protocol, trials=min(self.protocol.trials, grid.trials), centre=grid.centre)

    def facts(self) -> dict[str, Any]:
        """The plan as JSON can hold it, for :meth:`Records.claim`."""
        return {
            "tasks": list(self.tasks),
            "optimizers": list(self.optimizers),
            "protocol": self.protocol.as_dict(),
            "forms": [dataclasses.asdict(arm) for arm in self.forms],
            "checks": [dataclasses.asdict(arm) for arm in self.checks],
            "own": [[path, _digest(path)] for path in self.own],
        }

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Plan:
        """The inverse of :meth:`facts`."""
        rules = {**facts["protocol"], "targets": tuple(facts["protocol"]["targets"])}
        forms, checks = (tuple(Arm(**arm) for arm in facts[name]) for name in ("forms", "checks"))
        return cls(
            tuple(facts["tasks"]),
            tuple(facts["optimizers"]),
            Protocol(**rules),
            forms,
            checks,
            tuple(path for path, _ in facts["own"]),
        )


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


@dataclass
class ArmResult:
    """All runs of an arm.

    Attributes
    ----------
    tuning : dict
        Settings → runs with the tuning seeds.
    selected : tuple or None
        The settings with the lowest validation loss; None when every run diverged.
    edge : bool
        Whether these lie on the edge of what was tried, after all extensions.
    final, default, cosine : list of Record
        Runs with the final seeds: at the selected settings, at the defaults, and with a cosine schedule.
    """

    tuning: dict[Settings, list[Record]]
    selected: Settings | None
    edge: bool
    final: list[Record] = field(default_factory=list)
    default: list[Record] = field(default_factory=list)
    cosine: list[Record] = field(default_factory=list)
