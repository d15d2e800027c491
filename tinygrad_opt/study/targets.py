"""The targets that come with the package: what counts as solving a built-in task, frozen before any study of yours."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..random import manual_seed
from . import tasks
from .scoring import Target
from .trial import measure

__all__ = ["fingerprint", "frozen_target"]

_FILE = Path(__file__).resolve().parent / "targets.json"


@functools.cache
def _frozen() -> dict[str, Any]:
    return json.loads(_FILE.read_text(encoding="utf-8"))["tasks"]  # type: ignore[no-any-return]


def fingerprint(name: str) -> dict[str, Any]:
    """What a task is, in a few numbers: the sizes of its parts, of its model and batches, its losses at the start.

    A task whose data, model or loss has changed has another one.
    """
    task = tasks.find(name)
    manual_seed(0)
    with np.errstate(all="ignore"):
        problem = task.build(np.random.default_rng(0))
        losses = [measure(problem, part)[0] for part in problem.parts]
    return {
        "parts": [len(part) for part in problem.parts],
        "numbers": sum(p.data.size for p in problem.model.parameters()),
        "batch": task.batch_size,
        "losses": [float(f"{loss:.6g}") for loss in losses],
    }


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Equal, up to what the rounding of another machine does to the losses."""
    close = len(a["losses"]) == len(b["losses"]) and all(
        math.isclose(x, y, rel_tol=1e-3, abs_tol=1e-9) for x, y in zip(a["losses"], b["losses"], strict=True)
    )
    return close and all(a[key] == b[key] for key in ("parts", "numbers", "batch"))


def frozen_target(name: str, steps: int) -> tuple[Target | None, str]:
    """The package's target for a task in runs of so many steps; or None, and why there is none.

    Reseeds the package's default random generator.
    """
    known = _frozen().get(name)
    if known is None:
        return None, "the package has none for this task"
    if str(steps) not in known["steps"]:
        return None, f"the package has none for runs of {steps:,} steps"
    if not _same(known["fingerprint"], fingerprint(name)):
        return None, "the task is not the one for which the package's was frozen"
    found = known["steps"][str(steps)]
    return Target(found["start"], found["best"], found["by"], "frozen"), ""
