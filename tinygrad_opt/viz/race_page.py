"""The interactive page of a race: the numbers it needs, written into one self-contained file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .mpl import COLORS
from .picture import write_whole
from .race_plots import levels
from .stepper import page_from
from .text import clean

if TYPE_CHECKING:
    from .race import Race
    from .race_runs import Run

__all__ = ["write_page"]


def write_page(race: Race, path: str | os.PathLike[str]) -> Path:
    """Write the page, whole or not at all; its folder is made."""
    _, _, z = race.grid(101)
    data = {
        "bounds": list(race.bounds),
        "grid": [_rounded(row) for row in z],
        "levels": _rounded(levels(z)),
        "minima": [list(map(float, point)) for point in race.minima],
        "lowest": min([*(float(race.function(*point)) for point in race.minima), *_lowest(race)]),
        "starts": [_rounded(point, 6) for point in race.starts],
        "noise": float(f"{race.noise:.3g}"),
        "optimizers": [
            {"short": clean(key, 18), "name": clean(label, 60), "color": COLORS[i % len(COLORS)]}
            | {"formula": clean(race.runs[key, 0, False].formula, 200)}
            for i, (key, label) in enumerate(race.labels.items())
        ],
        "runs": [
            [[_run(race.runs[key, start, noisy]) for start in range(len(race.starts))] for key in race.labels]
            for noisy in ((False, True) if race.noise else (False,))
        ],
    }
    title = f"Optimizers on {clean(race.name, 60)}"
    formula = clean(race.formula or "", 120).replace("&", "&amp;").replace("<", "&lt;")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(
        path, page_from("race", title, {"FORMULA": formula}, data, ("contours.js", "surface.js", "race.js")).encode()
    )


def _lowest(race: Race) -> list[float]:
    return [float(run.losses.min()) for run in race.runs.values()]


def _run(run: Run) -> dict[str, Any]:
    return {
        "points": [_rounded(point, 6) for point in run.points],
        "losses": _rounded(run.losses, 6),
        "gradients": [_rounded(row, 4) for row in run.gradients],
        "memory": [_rounded(row, 5) for row in run.memory],
        "terms": {clean(name, 24): [_rounded(row, 3) for row in rows] for name, rows in run.terms.items()},
    }


def _rounded(values: Any, digits: int = 4) -> list[float | None]:
    """Floats to so many significant digits; None for what JSON cannot hold."""
    return [float(f"{x:.{digits}g}") if np.isfinite(x) else None for x in np.asarray(values, np.float64)]
