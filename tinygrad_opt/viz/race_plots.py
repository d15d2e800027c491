"""The static pictures of a race, with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .mpl import COLORS, axes_or_new, plain, pyplot, tidy

if TYPE_CHECKING:
    from .race import Race

__all__ = ["figure", "lengths", "levels", "losses", "paths", "surface"]


def levels(values: np.ndarray[Any, Any], count: int = 14) -> np.ndarray[Any, Any]:
    """Contour levels that are dense near the bottom, where the optimizers go."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(np.quantile(finite, 0.985))
    return low + (high - low) * np.linspace(0.0, 1.0, count) ** 3


def paths(race: Race, ax: Any, start: int, noisy: bool) -> Any:
    """Contours, the path of each optimizer from a start, and the minima."""
    ax = axes_or_new(ax)
    x, y, z = race.grid()
    ax.contourf(x, y, z, levels=levels(z), cmap="Blues", alpha=0.55, extend="max")
    ax.contour(x, y, z, levels=levels(z), colors="#5d7fa8", linewidths=0.4, alpha=0.7)
    for i, (key, label) in enumerate(race.labels.items()):
        points = race.runs[key, start, noisy].points
        color = COLORS[i % len(COLORS)]
        ax.plot(*points.T, color=color, linewidth=1.5, label=plain(label), marker=".", markersize=3)
        ax.plot(*points[-1], color=color, marker="o", markersize=7, markeredgecolor="white")
    ax.plot(*race.starts[start], color="#17212f", marker="o", markersize=6)
    for point in race.minima:
        ax.plot(*point, color="#17212f", marker="*", markersize=13, markeredgecolor="white")
    ax.set(
        xlim=race.bounds[:2], ylim=race.bounds[2:], xlabel="x", ylabel="y", title=plain(f"{race.name}  {race.formula}")
    )
    ax.legend(fontsize=8, framealpha=0.9)
    return ax


def surface(race: Race, ax: Any, start: int, noisy: bool) -> Any:
    """The surface in three dimensions, its height on a logarithmic scale above the lowest point shown."""
    if ax is None:
        ax = pyplot("viz.race").figure(figsize=(7, 5.5)).add_subplot(projection="3d")
    x, y, z = race.grid(81)
    low = min([float(np.nanmin(z)), *(float(run.losses.min()) for run in race.runs.values())])
    floor = 1e-2 * (float(np.nanmedian(z)) - low) + 1e-12

    def height(f: Any) -> Any:
        return np.log10(np.maximum(np.asarray(f) - low, 0.0) + floor)

    ax.plot_surface(
        *np.meshgrid(x, y), height(z), cmap="Blues", alpha=0.6, linewidth=0, rcount=60, ccount=60, rasterized=True
    )
    for i, (key, label) in enumerate(race.labels.items()):
        run = race.runs[key, start, noisy]
        inside = np.all((run.points >= [x[0], y[0]]) & (run.points <= [x[-1], y[-1]]), axis=1)
        points, loss = run.points[inside], run.losses[inside]
        ax.plot(
            *points.T, height(loss) + 0.03, color=COLORS[i % len(COLORS)], linewidth=1.8, label=plain(label), zorder=5
        )
    ax.set(xlabel="x", ylabel="y", zlabel="log₁₀ height")
    return ax


def losses(race: Race, ax: Any, start: int, noisy: bool) -> Any:
    """The loss above the lowest one reached or known, against the step."""
    ax = axes_or_new(ax)
    runs = [race.runs[key, start, noisy] for key in race.labels]
    known = [float(race.function(*point)) for point in race.minima]
    low = min([*known, *(float(run.losses.min()) for run in runs)])
    for i, (run, label) in enumerate(zip(runs, race.labels.values(), strict=True)):
        ax.plot(_positive(run.losses - low), color=COLORS[i % len(COLORS)], label=plain(label), linewidth=1.5)
    ax.set(yscale="log", xlabel="step", ylabel="loss above the lowest")
    return tidy(ax)


def _positive(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What a logarithmic axis can show; the rest is left out of the line."""
    return np.where(values > 1e-16, values, np.nan)


def lengths(race: Race, ax: Any, start: int, noisy: bool) -> Any:
    """How far each optimizer moves in a step."""
    ax = axes_or_new(ax)
    for i, (key, label) in enumerate(race.labels.items()):
        length = np.linalg.norm(race.runs[key, start, noisy].steps, axis=1)
        ax.plot(_positive(length), color=COLORS[i % len(COLORS)], label=plain(label), linewidth=1.5)
    ax.set(yscale="log", xlabel="step", ylabel="length of the step")
    return tidy(ax)


def figure(race: Race, start: int, noisy: bool) -> Any:
    """Paths, surface, losses and step lengths side by side."""
    made = pyplot("viz.race").figure(figsize=(12, 9), layout="constrained")
    paths(race, made.add_subplot(2, 2, 1), start, noisy)
    surface(race, made.add_subplot(2, 2, 2, projection="3d"), start, noisy)
    losses(race, made.add_subplot(2, 2, 3), start, noisy)
    lengths(race, made.add_subplot(2, 2, 4), start, noisy)
    return made
