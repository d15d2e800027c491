"""A study as a list of what is still to do: computed from the records alone, so that it can stop and go on anywhere."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import contenders, tasks
from .execute import run_all
from .protocol import Protocol
from .records import Records
from .scoring import Settings, Target, final_loss, select, set_target
from .trial import Record, Trial

__all__ = ["Arm", "ArmResult", "Plan", "collect", "pending", "run"]


BASELINES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
"""The strongest of these, tuned, sets the targets, so that one's own optimizer is measured by known ones."""


# Of a tuning run only the last evaluation is used; the others show a divergence early.
_TUNING_EVALUATIONS = 4


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
    own : tuple of str
        Python files with the user's optimizers and tasks.
    """

    tasks: tuple[str, ...]
    optimizers: tuple[str, ...]
    protocol: Protocol = field(default_factory=Protocol)
    forms: tuple[Arm, ...] = ()
    own: tuple[str, ...] = ()

    def arms(self) -> list[Arm]:
        """Every task with every optimizer."""
        return [Arm(task, optimizer) for task in self.tasks for optimizer in self.optimizers]

    def facts(self) -> dict[str, Any]:
        """The plan as JSON can hold it, for :meth:`Records.claim`."""
        return {
            "tasks": list(self.tasks),
            "optimizers": list(self.optimizers),
            "protocol": self.protocol.as_dict(),
            "forms": [dataclasses.asdict(arm) for arm in self.forms],
            "own": [[path, _digest(path)] for path in self.own],
        }

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Plan:
        """The inverse of :meth:`facts`."""
        rules = {**facts["protocol"], "targets": tuple(facts["protocol"]["targets"])}
        forms = tuple(Arm(**arm) for arm in facts["forms"])
        return cls(
            tuple(facts["tasks"]),
            tuple(facts["optimizers"]),
            Protocol(**rules),
            forms,
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


def _tune(arm: Arm, plan: Plan, records: Records) -> tuple[list[Trial], ArmResult]:
    """Tuning trials that are missing, and what the others say so far."""
    rules = plan.protocol
    few = dataclasses.replace(rules, evaluations=min(_TUNING_EVALUATIONS, rules.evaluations))
    second = contenders.find(arm.optimizer).second
    wider = (0, 0)
    while True:
        trials = {
            tuple(sorted(settings.items())): [arm.trial(settings, seed, few) for seed in rules.tuning()]
            for settings in rules.settings(second, wider)
        }
        missing = records.missing(trial for group in trials.values() for trial in group)
        if missing:
            return missing, ArmResult({}, None, False)
        tuning = {settings: [records.get(trial) for trial in group] for settings, group in trials.items()}
        selected = select(tuning)  # type: ignore[arg-type]
        side = -1 if selected is None else rules.edge(dict(selected)["lr"], wider)
        if side == 0 or sum(wider) >= rules.extensions:
            return [], ArmResult(tuning, selected, side != 0)  # type: ignore[arg-type]
        wider = (wider[0] + (side < 0), wider[1] + (side > 0))


def _final(arm: Arm, result: ArmResult, plan: Plan, main: bool) -> dict[str, list[Trial]]:
    """The trials with the final seeds; for forms only those at the selected settings."""
    rules, seeds = plan.protocol, plan.protocol.final()
    settings = dict(result.selected) if result.selected is not None else dict(max(result.tuning))
    wanted = {"final": [arm.trial(settings, seed, rules) for seed in seeds]}
    if main:
        defaults = dict(contenders.find(arm.optimizer).defaults)
        wanted["default"] = [arm.trial(defaults, seed, rules) for seed in seeds]
        if rules.cosine:
            wanted["cosine"] = [arm.trial(settings, seed, rules, cosine=True) for seed in seeds]
    return wanted


def pending(plan: Plan, records: Records) -> list[Trial]:
    """The trials to run next; none when the study is complete. Fixes the targets before any scored run."""
    arms = [*plan.arms(), *plan.forms]
    results: dict[Arm, ArmResult] = {}
    trials: list[Trial] = []
    for arm in arms:
        missing, results[arm] = _tune(arm, plan, records)
        trials += missing
    if trials:
        return trials
    for task in plan.tasks:
        trials += _fix_target(task, plan, results, records)
    if trials:
        return trials
    for arm in arms:
        for group in _final(arm, results[arm], plan, arm not in plan.forms).values():
            trials += group
    return records.missing(trials)


def _fix_target(task: str, plan: Plan, results: dict[Arm, ArmResult], records: Records) -> list[Trial]:
    """Write a task's target into the records; or give the runs that it needs first."""
    name = f"target {task}"
    if records.about(name) is not None:
        return []
    tuned = {
        arm: result
        for arm, result in results.items()
        if arm in plan.arms() and arm.task == task and result.selected is not None
    }
    if not tuned:
        raise ValueError(f"task '{task}': every run of every optimizer diverged while tuning; widen the settings.")
    usual = {arm: result for arm, result in tuned.items() if arm.optimizer in BASELINES} or tuned
    losses = {arm: _tuned_loss(result) for arm, result in usual.items()}
    strongest = min(losses, key=lambda arm: losses[arm])
    settings = dict(tuned[strongest].selected or ())
    trials = [strongest.trial(settings, seed, plan.protocol) for seed in plan.protocol.targets_from()]
    missing = records.missing(trials)
    if not missing:
        target = set_target({strongest.optimizer: _present(records, trials)})
        records.note(name, dataclasses.asdict(target))
    return missing


def _tuned_loss(result: ArmResult) -> float:
    runs = result.tuning[result.selected] if result.selected is not None else []
    return sum(map(final_loss, runs)) / len(runs) if runs else math.inf


def run(
    plan: Plan,
    records: Records,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Run everything that is missing.

    Parameters
    ----------
    plan : Plan
    records : Records
        Each run is written into it as soon as it has finished.
    jobs : int
        Processes.
    scheduler : str, optional
        Address of a Dask scheduler.
    progress : callable, optional
        Called with the runs done, the runs known to be needed, and what the study is doing.

    Raises
    ------
    OtherStudyError
        The records belong to another plan or were made by other code.
    """
    for name in plan.tasks:
        tasks.find(name)
    records.claim(plan.facts())
    rules = plan.protocol
    per_arm = rules.tuning_seeds * rules.trials + rules.final_seeds * (3 if rules.cosine else 2)
    expected = (
        rules.final_seeds * len(plan.tasks)
        + per_arm * len(plan.arms())
        + len(plan.forms) * (rules.trials + rules.final_seeds)
    )
    while trials := pending(plan, records):
        doing = {rules.tuning()[0]: "tuning", rules.targets_from()[0]: "targets"}.get(trials[0].seed, "final runs")
        for record in run_all(trials, jobs, plan.own, scheduler):
            records.add(record)
            if progress is not None:
                done = len(records)
                progress(done, max(expected, done), doing)
        expected = max(expected, len(records))


def collect(plan: Plan, records: Records) -> tuple[dict[Arm, ArmResult], dict[str, Target]]:
    """All results of a complete study, and the target of each task.

    Raises
    ------
    ValueError
        Runs are missing.
    """
    missing = pending(plan, records)
    if missing:
        raise ValueError(f"the study is not complete: {len(missing)} runs or more are missing; go on with --resume.")
    results = {}
    for arm in [*plan.arms(), *plan.forms]:
        _, result = _tune(arm, plan, records)
        for name, group in _final(arm, result, plan, arm not in plan.forms).items():
            setattr(result, name, _present(records, group))
        results[arm] = result
    return results, {task: Target(**records.about(f"target {task}")) for task in plan.tasks}


def _present(records: Records, trials: Sequence[Trial]) -> list[Record]:
    return [record for record in map(records.get, trials) if record is not None]
