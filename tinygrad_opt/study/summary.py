"""What a study found, as one dictionary: every table, page and file is made from it."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import contenders, tasks
from .answer import answer
from .forms import FORMS
from .known import known
from .plan import Arm, ArmResult, Plan
from .protocol import Protocol
from .records import code_version
from .scoring import (
    Target,
    as_array,
    basin_width,
    final_accuracy,
    final_loss,
    gap_left,
    lost_again,
    steps_to,
    test_loss,
)
from .statistics import (
    beats,
    bootstrap,
    expected_best,
    iqm,
    mean_interval,
    profile,
    profile_score,
    resample,
    tie_groups,
)
from .trial import Record

__all__ = ["summarize"]

_BUDGETS = (1, 2, 4, 8, 16)
_RATIOS = tuple(float(r) for r in np.round(np.linspace(1, 4, 61), 4))


def summarize(
    plan: Plan,
    results: Mapping[Arm, ArmResult],
    targets: Mapping[str, Target],
    machine: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Everything that is reported.

    Parameters
    ----------
    plan, results, targets
        As :func:`collect` gives them.
    machine : dict, optional
        What :func:`environment` said where the study ran; by default what it says here.

    Returns
    -------
    dict
        Of what JSON can hold, save that losses may be infinite.
    """
    by_task = {name: {arm.optimizer: results[arm] for arm in plan.arms() if arm.task == name} for name in plan.tasks}
    summary = {
        "tasks": [_task(name, by_task[name], targets[name], plan.protocol) for name in plan.tasks],
        "overall": _overall(plan, by_task, targets),
        "forms": [_form(arm, results[arm], targets.get(arm.task), plan.protocol) for arm in plan.forms],
        "known": known(plan, results, targets),
        "runs": _runs(results),
        "protocol": plan.protocol.as_dict(),
        "optimizers": {name: _describe(name) for name in plan.optimizers},
        "environment": machine or environment(),
    }
    summary["answer"] = answer(summary)
    return summary


def environment() -> dict[str, str]:
    """The machine and the versions that gave the seconds."""
    return {
        "tinygrad_opt": code_version(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
    }


def _describe(name: str) -> dict[str, Any]:
    contender = contenders.find(name)
    return {"title": contender.title, "formula": contender.formula, "defaults": dict(contender.defaults)}


def _runs(results: Mapping[Arm, ArmResult]) -> dict[str, int]:
    tuning = [r for result in results.values() for runs in result.tuning.values() for r in runs]
    scored = [r for result in results.values() for r in (*result.final, *result.default, *result.cosine)]
    return {
        "tuning": len(tuning),
        "tuning diverged": sum(r.diverged is not None for r in tuning),
        "scored": len(scored),
        "scored diverged": sum(r.diverged is not None for r in scored),
    }


def _task(name: str, results: Mapping[str, ArmResult], target: Target, rules: Protocol) -> dict[str, Any]:
    task = tasks.find(name)
    losses = {optimizer: as_array({0: result.final}, test_loss) for optimizer, result in results.items()}
    draws = resample(1, rules.final_seeds)
    return {
        "name": name,
        "title": task.title,
        "summary": task.summary,
        "batch_size": task.batch_size,
        "scored": task.scored,
        "target": {"start": target.start, "best": target.best, "by": target.by, "source": target.source},
        "levels": {str(tau): target.level(tau) for tau in rules.targets},
        "rows": [_row(optimizer, result, target, rules, draws) for optimizer, result in results.items()],
        "groups": tie_groups(losses, draws),
    }


def _row(name: str, result: ArmResult, target: Target, rules: Protocol, draws: Any) -> dict[str, Any]:
    tuned = {settings: float(np.mean([final_loss(r) for r in runs])) for settings, runs in result.tuning.items()}
    row = {
        "optimizer": name,
        "title": contenders.find(name).title,
        "settings": dict(result.selected) if result.selected is not None else None,
        "edge": result.edge,
        "tuned": performance(result.final, target, rules, draws),
        "default": performance(result.default, target, rules, draws),
        "curve": curve(result.final),
        "sensitivity": [{**dict(settings), "loss": loss} for settings, loss in sorted(tuned.items())],
        "basin": basin_width(result.tuning),
        "budget": _budget(result, target),
    }
    if result.cosine:
        row["cosine"] = performance(result.cosine, target, rules, draws)
    return row


def _budget(result: ArmResult, target: Target) -> dict[str, float]:
    """Expected gap left after k trials; a run that diverged counts as no progress, for one would keep what one had."""
    gaps = [float(np.mean([min(gap_left(r, target), 1.0) for r in runs])) for runs in result.tuning.values()]
    return {str(k): expected_best(gaps, k) for k in _BUDGETS if k <= len(gaps)}


def _spread(values: Sequence[float], draws: Any) -> dict[str, float]:
    """Mean ± half a 95 % t-interval, and the interquartile mean with its bootstrap interval."""
    mean, half = mean_interval(values)
    middle, low, high = bootstrap(np.array([values]), iqm, draws)
    return {"mean": mean, "half": half, "iqm": middle, "low": low, "high": high}


def performance(runs: Sequence[Record], target: Target, rules: Protocol, draws: Any) -> dict[str, Any]:
    """Convergence speed and final performance of the runs with the final seeds."""
    steps = {}
    for tau in rules.targets:
        values = [steps_to(r, target.level(tau)) for r in runs]
        mean, half = mean_interval(values)
        steps[str(tau)] = {
            "mean": mean,
            "half": half,
            "median": float(np.median(values)),
            "reached": sum(math.isfinite(v) for v in values),
            "lost": sum(lost_again(r, target.level(tau)) for r in runs),
            "of": len(values),
        }
    accuracies = [final_accuracy(r) for r in runs]
    test = [0.0 if r.diverged is not None else (r.test_accuracy or 0.0) for r in runs]
    has_accuracy = bool(runs) and not any(math.isnan(a) for a in accuracies)
    spent = [1e3 * r.seconds[-1] / r.steps[-1] for r in runs if r.steps and r.steps[-1]]
    return {
        "steps": steps,
        "validation": _spread([final_loss(r) for r in runs], draws),
        "test": _spread([test_loss(r) for r in runs], draws),
        "accuracy": _spread(accuracies, draws) if has_accuracy else None,
        "test_accuracy": _spread(test, draws) if has_accuracy else None,
        "diverged": sum(r.diverged is not None for r in runs),
        "milliseconds": float(np.median(spent)) if spent else math.nan,
        "gradients": float(np.mean([r.gradients for r in runs])),
    }


def curve(runs: Sequence[Record]) -> dict[str, list[float]]:
    """Median validation loss over the runs at each evaluation, with quartiles; a diverged run counts as infinite."""
    if not runs:
        return {"steps": [], "median": [], "low": [], "high": [], "train": [], "seconds": []}
    longest = max(runs, key=lambda r: len(r.steps))
    n = len(longest.steps)

    def padded(values: list[float]) -> list[float]:
        return values + [math.inf] * (n - len(values))

    table = np.array([padded(r.validation) for r in runs])
    whole = [r for r in runs if len(r.steps) == n]
    low, median, high = np.quantile(table, [0.25, 0.5, 0.75], axis=0, method="closest_observation")
    return {
        "steps": np.median([r.steps for r in whole], axis=0).tolist(),
        "median": median.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "train": np.median([padded(r.train) for r in runs], axis=0).tolist(),
        "seconds": np.median([r.seconds for r in whole], axis=0).tolist(),
    }


def _stacked(
    by_task: Mapping[str, Mapping[str, ArmResult]],
    names: Sequence[str],
    optimizer: str,
    kind: str,
    measure: Callable[[Record, str], float],
) -> np.ndarray[Any, Any]:
    return np.array(
        [[measure(r, task) for r in getattr(by_task[task][optimizer], kind)] for task in names], dtype=np.float64
    )


def _overall(
    plan: Plan, by_task: Mapping[str, Mapping[str, ArmResult]], targets: Mapping[str, Target]
) -> dict[str, Any]:
    """Scores over all tasks together; illustrations are left out unless there is nothing else."""
    scored = [name for name in plan.tasks if tasks.find(name).scored] or list(plan.tasks)
    draws = resample(len(scored), plan.protocol.final_seeds)
    out: dict[str, Any] = {"tasks": scored}
    for kind, label in (("final", "tuned"), ("default", "default")):
        losses = {o: _stacked(by_task, scored, o, kind, lambda r, _: test_loss(r)) for o in plan.optimizers}
        rows: list[dict[str, Any]] = []
        for o in plan.optimizers:
            gaps = _stacked(by_task, scored, o, kind, lambda r, task: gap_left(r, targets[task]))
            gap, low, high = bootstrap(gaps, iqm, draws)
            versus = {other: beats(losses[o], losses[other], draws) for other in plan.optimizers if other != o}
            chance = float(np.mean([v[0] for v in versus.values()])) if versus else 0.5
            rows.append(
                {
                    "optimizer": o,
                    "title": contenders.find(o).title,
                    "gap": gap,
                    "low": low,
                    "high": high,
                    "chance": chance,
                    "versus": versus,
                    "diverged": int(np.isinf(losses[o]).sum()),
                }
            )
        rows.sort(key=lambda row: -row["chance"])
        out[label] = {"rows": rows, "groups": tie_groups(losses, draws)}
    times = {
        o: [
            float(np.median([steps_to(r, targets[task].level(tau)) for r in by_task[task][o].final]))
            for task in scored
            for tau in plan.protocol.targets
        ]
        for o in plan.optimizers
    }
    out["profile"] = {"ratios": list(_RATIOS), "shares": profile(times, _RATIOS), "score": profile_score(times)}
    return out


def _form(arm: Arm, result: ArmResult, target: Target | None, rules: Protocol) -> dict[str, Any]:
    draws = resample(1, rules.final_seeds)
    first = result.final[0]
    size = (tasks.find(arm.task).batch_size if arm.batch_size is None else arm.batch_size) or first.examples
    line = curve(result.final)
    goal = target or Target(first.validation[0], min(first.validation), "gradient descent")
    found = performance(result.final, goal, rules, draws)
    return {
        "name": FORMS.get(arm.batch_size, f"batches of {size}"),
        "task": arm.task,
        "batch_size": size,
        "settings": dict(result.selected) if result.selected is not None else None,
        "edge": result.edge,
        "budget": arm.steps or rules.steps,
        "examples": first.examples,
        "curve": {**line, "epochs": [s * size / first.examples for s in line["steps"]]},
        **found,
    }
