"""A study as a list of what is still to do: computed from the records alone, so that it can stop and go on anywhere."""

from __future__ import annotations

import dataclasses
import itertools
import math
import zlib
from collections.abc import Callable, Mapping, Sequence

from . import contenders, tasks
from .execute import run_all
from .plan import Arm, ArmResult, Plan
from .protocol import Protocol
from .records import Records
from .scoring import Target, final_loss, select, set_target
from .targets import frozen_target
from .trial import Record, Trial

__all__ = ["BASELINES", "collect", "pending", "run", "strongest_baseline", "tune"]


BASELINES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
"""The strongest of these, tuned, sets the targets, so that one's own optimizer is measured by known ones."""


# Of a tuning run only the last evaluation is used; the others show a divergence early.
_TUNING_EVALUATIONS = 4


def _tune(arm: Arm, plan: Plan, records: Records) -> tuple[list[Trial], ArmResult]:
    """Tuning trials that are missing, and what the others say so far."""
    rules = plan.tuned_by(arm)
    few = dataclasses.replace(rules, evaluations=min(_TUNING_EVALUATIONS, rules.evaluations))
    wider = (0, 0)
    while True:
        trials = {
            tuple(sorted(settings.items())): [arm.trial(settings, seed, few) for seed in rules.tuning()]
            for settings in _settings(arm, rules, wider)
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


def _settings(arm: Arm, rules: Protocol, wider: tuple[int, int]) -> list[dict[str, float]]:
    """The settings that an arm tries: the protocol's, each with every further value that its optimizer asks for."""
    contender = contenders.find(arm.optimizer)
    further = [dict(zip(contender.also, values, strict=True)) for values in itertools.product(*contender.also.values())]
    return [{**settings, **more} for settings in rules.settings(contender.second, wider) for more in further]


def _final(arm: Arm, result: ArmResult, plan: Plan) -> dict[str, list[Trial]]:
    """The trials with the final seeds; for forms and checks only those at the selected settings."""
    rules, seeds = plan.protocol, plan.protocol.final()
    settings = dict(result.selected) if result.selected is not None else dict(max(result.tuning))
    wanted = {"final": [arm.trial(settings, seed, rules) for seed in seeds]}
    if arm not in plan.extra():
        defaults = dict(contenders.find(arm.optimizer).defaults)
        wanted["default"] = [arm.trial(defaults, seed, rules) for seed in seeds]
        if rules.cosine:
            wanted["cosine"] = [arm.trial(settings, seed, rules, cosine=True) for seed in seeds]
    return wanted


def tune(plan: Plan, records: Records) -> tuple[list[Trial], dict[Arm, ArmResult]]:
    """The tuning trials to run next, and, when there are none, every arm's result."""
    results: dict[Arm, ArmResult] = {}
    trials: list[Trial] = []
    for arm in [*plan.arms(), *plan.extra()]:
        missing, results[arm] = _tune(arm, plan, records)
        trials += missing
    return records.missing(trials), results


def pending(plan: Plan, records: Records) -> list[Trial]:
    """The trials to run next; none when the study is complete. Fixes the targets before any scored run."""
    trials, results = tune(plan, records)
    if trials:
        return trials
    for task in plan.tasks:
        trials += _fix_target(task, plan, results, records)
    if trials:
        return trials
    for arm, result in results.items():
        for group in _final(arm, result, plan).values():
            trials += group
    return records.missing(trials)


def _fix_target(task: str, plan: Plan, results: Mapping[Arm, ArmResult], records: Records) -> list[Trial]:
    """Write a task's target into the records: the package's, or one from runs of its own, which come first."""
    name = f"target {task}"
    if records.about(name) is not None:
        return []
    target, why = frozen_target(task, plan.protocol.steps)
    if target is not None:
        records.note(name, dataclasses.asdict(target))
        return []
    arm = strongest_baseline([arm for arm in plan.arms() if arm.task == task], results)
    settings = dict(results[arm].selected or ())
    trials = [arm.trial(settings, seed, plan.protocol) for seed in plan.protocol.targets_from()]
    missing = records.missing(trials)
    if not missing:
        target = set_target({arm.optimizer: _present(records, trials)}, why)
        records.note(name, dataclasses.asdict(target))
    return missing


def strongest_baseline(arms: Sequence[Arm], results: Mapping[Arm, ArmResult]) -> Arm:
    """Of a task's arms, the baseline with the lowest tuning loss at its selected settings.

    Raises
    ------
    ValueError
        All diverged.
    """
    tuned = [arm for arm in arms if results[arm].selected is not None]
    if not tuned:
        raise ValueError(
            f"task '{arms[0].task}': every run of every optimizer diverged while tuning; widen the settings."
        )
    usual = [arm for arm in tuned if arm.optimizer in BASELINES] or tuned
    return min(usual, key=lambda arm: _tuned_loss(results[arm]))


def _tuned_loss(result: ArmResult) -> float:
    runs = result.tuning[result.selected] if result.selected is not None else []
    return sum(map(final_loss, runs)) / len(runs) if runs else math.inf


def run(
    plan: Plan,
    records: Records,
    *,
    jobs: int = 0,
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
        Processes; 0 runs in this one.
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
    finals = rules.final_seeds * (len(plan.arms()) * (3 if rules.cosine else 2) + len(plan.extra()))
    stages = {rules.tuning()[0]: "tuning", rules.targets_from()[0]: "targets"}
    while trials := pending(plan, records):
        doing = stages.get(trials[0].seed, "final runs")
        expected = len(records) + len(trials) + (finals if doing in stages.values() else 0)
        for record in run_all(sorted(trials, key=_shuffled), jobs, plan.own, scheduler):
            records.add(record)
            if progress is not None:
                progress(len(records), expected, doing)


def _shuffled(trial: Trial) -> int:
    """A place in an order that mixes quick and slow tasks, so that the time so far tells of the time left."""
    return zlib.crc32(trial.key.encode())


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
    _, results = tune(plan, records)
    for arm in results:
        for name, group in _final(arm, results[arm], plan).items():
            setattr(results[arm], name, _present(records, group))
    return results, {task: Target(**records.about(f"target {task}")) for task in plan.tasks}


def _present(records: Records, trials: Sequence[Trial]) -> list[Record]:
    return [record for record in map(records.get, trials) if record is not None]
