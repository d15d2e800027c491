"""Which charts a report has: learning curves, sensitivity, budgets, the forms of gradient descent, profiles."""

from __future__ import annotations

import math
from typing import Any

from .charts import Chart, Series

__all__ = ["FORM_SLOTS", "figures", "slots"]

FORM_SLOTS = {"batch": 1, "mini-batch": 3, "stochastic": 2}
"""The colour of each form of gradient descent."""


def slots(summary: dict[str, Any]) -> dict[str, int]:
    """Optimizer → the colour it has in every chart."""
    return {name: i % 8 for i, name in enumerate(summary["optimizers"])}


def figures(summary: dict[str, Any]) -> dict[str, Chart]:
    """All charts of a report by their file names."""
    slot = slots(summary)
    out = {}
    for task in summary["tasks"]:
        out[f"{task['name']}-curves"] = _curves(task, slot)
        out[f"{task['name']}-sensitivity"] = _sensitivity(task, slot)
    out["budget"] = _budget(summary, slot)
    if len(summary["overall"]["tasks"]) > 1 and len(summary["optimizers"]) > 1:
        out["profile"] = _profile(summary, slot)
    for axis in ("epochs", "steps", "seconds") if summary["forms"] else ():
        out[f"forms-{axis}"] = _form(summary, axis)
    return out


def _positive(task: dict[str, Any]) -> bool:
    """Whether all losses are above zero, so that a logarithmic axis can show them."""
    return all(v > 0 for row in task["rows"] for v in (*row["curve"]["median"], *row["curve"]["low"]))


def _curves(task: dict[str, Any], slot: dict[str, int]) -> Chart:
    series = [
        Series(
            row["title"],
            c["steps"],
            _clipped(c["median"], task),
            c["low"],
            _clipped(c["high"], task),
            slot[row["optimizer"]],
        )
        for row in task["rows"]
        for c in [row["curve"]]
    ]
    rules = [(level, f"{100 * float(tau):g} %") for tau, level in task["levels"].items()]
    return Chart(
        f"Validation loss on {task['name']}",
        "steps",
        "validation loss",
        series,
        log_y=_positive(task),
        rules=rules,
    )


def _clipped(values: list[float], task: dict[str, Any]) -> list[float]:
    """A run that shoots far above the start must not flatten everything else."""
    top = task["target"]["start"] + 0.5 * abs(task["target"]["start"])
    return [min(v, top) if math.isfinite(v) else v for v in values]


def _sensitivity(task: dict[str, Any], slot: dict[str, int]) -> Chart:
    series = []
    for row in task["rows"]:
        best: dict[float, float] = {}
        for point in row["sensitivity"]:
            best[point["lr"]] = min(point["loss"], best.get(point["lr"], math.inf))
        rates = sorted(best)
        top = 3 * task["target"]["start"]
        losses = [min(best[lr], top) if math.isfinite(best[lr]) else math.inf for lr in rates]
        series.append(Series(row["title"], rates, losses, slot=slot[row["optimizer"]], dots=True))
    finite = [y for s in series for y in s.y if math.isfinite(y)]
    return Chart(
        f"Final validation loss on {task['name']} by learning rate",
        "learning rate",
        "final validation loss",
        series,
        log_x=True,
        log_y=bool(finite) and min(finite) > 0,
    )


def _budget(summary: dict[str, Any], slot: dict[str, int]) -> Chart:
    """The expected gap after k trials, averaged over the scored tasks."""
    scored = [t for t in summary["tasks"] if t["name"] in summary["overall"]["tasks"]]
    series = []
    for name, about in summary["optimizers"].items():
        budgets = [next(row["budget"] for row in task["rows"] if row["optimizer"] == name) for task in scored]
        counts = [k for k in budgets[0] if all(k in b for b in budgets)]
        means = [max(sum(b[k] for b in budgets) / len(budgets), 1e-4) for k in counts]
        series.append(Series(about["title"], [float(k) for k in counts], means, slot=slot[name], dots=True))
    return Chart(
        "Gap expected after some tuning trials",
        "settings tried at random",
        "expected gap left (1: no progress)",
        series,
        log_x=True,
        log_y=True,
        x_ticks=sorted({x for s in series for x in s.x}),
    )


def _profile(summary: dict[str, Any], slot: dict[str, int]) -> Chart:
    found = summary["overall"]["profile"]
    stairs = [ratio for ratio in found["ratios"] for _ in range(2)][1:]
    series = [
        Series(
            summary["optimizers"][name]["title"], stairs, [s for s in shares for _ in range(2)][:-1], slot=slot[name]
        )
        for name, shares in found["shares"].items()
    ]
    return Chart(
        "Targets reached within a multiple of the least steps",
        "times the steps of the quickest",
        "share of targets reached",
        series,
        y_range=(0.0, 1.0),
    )


def _form(summary: dict[str, Any], axis: str) -> Chart:
    labels = {
        "epochs": "epochs (each example once)",
        "steps": "steps (gradient evaluations)",
        "seconds": "seconds of training",
    }
    series = []
    for form in summary["forms"]:
        c = form["curve"]
        n = len(c["steps"])
        keep = range(1, n)
        x, y, low, high = ([c[key][i] for i in keep] for key in (axis, "median", "low", "high"))
        series.append(Series(form["name"], x, y, low, high, FORM_SLOTS.get(form["name"], 0)))
    return Chart(
        f"Validation loss by {axis}",
        labels[axis],
        "validation loss",
        series,
        log_x=True,
        log_y=all(v > 0 for s in series for v in (*s.y, *s.low)),
    )
