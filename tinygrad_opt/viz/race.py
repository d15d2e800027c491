"""``viz.race``: optimizers on a surface of two variables, from many starts, with each step split into its parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import race_plots
from .race_runs import Maker, Run, follow, gradients, tuned

__all__ = ["Race", "race"]

Array = np.ndarray[Any, Any]


@dataclass
class Race:
    """Runs of several optimizers on one surface, with static pictures and an interactive page.

    Attributes
    ----------
    name, formula : str
    function : callable
        f(x, y).
    bounds : tuple
        (x low, x high, y low, y high) of the pictures.
    minima : sequence of points
    starts : ndarray, shape (starts, 2)
    runs : dict
        By (optimizer, start, noisy): a :class:`Run`.
    labels : dict
        Optimizer → how it is called in legends, with its learning rate.
    noise : float
        Standard deviation of what is added to every gradient in the noisy runs; 0 when there are none.
    """

    name: str
    formula: str
    function: Callable[[Any, Any], Any]
    bounds: tuple[float, float, float, float]
    minima: Sequence[tuple[float, float]]
    starts: Array
    labels: dict[str, str]
    noise: float
    runs: dict[tuple[str, int, bool], Run] = field(default_factory=dict)

    def grid(self, count: int = 161) -> tuple[Array, Array, Array]:
        """The surface on a grid: x of shape (count,), y of shape (count,), f of shape (count, count)."""
        x = np.linspace(self.bounds[0], self.bounds[1], count)
        y = np.linspace(self.bounds[2], self.bounds[3], count)
        with np.errstate(all="ignore"):
            return x, y, np.broadcast_to(np.asarray(self.function(x[None, :], y[:, None]), np.float64), (count, count))

    def plot(self, ax: Any = None, *, start: int = 0, noisy: bool = False) -> Any:
        """Contours and paths, on matplotlib axes, which are returned."""
        return race_plots.paths(self, ax, start, noisy)

    def plot_surface(self, ax: Any = None, *, start: int = 0, noisy: bool = False) -> Any:
        """The surface and the paths in three dimensions; `ax` must be a 3-D one."""
        return race_plots.surface(self, ax, start, noisy)

    def plot_losses(self, ax: Any = None, *, start: int = 0, noisy: bool = False) -> Any:
        """The loss (above its lowest value) against the step."""
        return race_plots.losses(self, ax, start, noisy)

    def plot_steps(self, ax: Any = None, *, start: int = 0, noisy: bool = False) -> Any:
        """The length of each step."""
        return race_plots.lengths(self, ax, start, noisy)

    def figure(self, *, start: int = 0, noisy: bool = False) -> Any:
        """All four pictures in one matplotlib Figure."""
        return race_plots.figure(self, start, noisy)

    def page(self, path: str | os.PathLike[str] = "race.html") -> Path:
        """Write an interactive page, one self-contained file: play, step, scrub, toggle optimizers, noise, starts.

        ``race.html#40`` opens it after step 40, ``race.html#40-3d`` in three dimensions.
        """
        from .race_page import write_page

        return write_page(self, path)


def race(
    surface: Any = "valley",
    optimizers: Mapping[str, Maker] | None = None,
    *,
    starts: Sequence[Sequence[float]] | int = 5,
    steps: int = 150,
    noise: float | None = None,
    bounds: tuple[float, float, float, float] | None = None,
    seed: int = 0,
) -> Race:
    """Let optimizers run on a surface of two variables.

    Parameters
    ----------
    surface : str or callable
        "valley", "rosenbrock", "beale", "himmelblau", "saddle", "rastrigin", or your own f(x, y), which must
        work element by element on arrays.
    optimizers : mapping of str to callable, optional
        ``{"Adam": lambda params: optim.Adam(params, lr=0.1)}``. By default SGD, Momentum, AdaGrad, RMSProp and Adam,
        the learning rate of each chosen from one grid of ten: the lowest final loss from the first start of those that
        stay within the bounds.
    starts : sequence of points, or int
        Where to begin; a number adds random ones within the bounds to the surface's own first start.
    steps : int
    noise : float, optional
        Standard deviation of normal noise on every gradient in a second set of runs, the same noise for every
        optimizer; by default a tenth of the typical gradient at the starts. 0 leaves the second set out.
    bounds : tuple, optional
        (x low, x high, y low, y high) to show.
    seed : int

    Returns
    -------
    Race

    Examples
    --------
    >>> from tinygrad_opt import optim, viz
    >>> result = viz.race(lambda x, y: x * x + y * y, {"SGD": lambda p: optim.SGD(p, lr=0.25)},
    ...                   starts=[(1.0, 2.0)], steps=2, noise=0.0, bounds=(-2, 2, -2, 2))
    >>> result.runs["SGD", 0, False].points.tolist()
    [[1.0, 2.0], [0.5, 1.0], [0.25, 0.5]]
    """
    name, formula, function, own_start, minima = _surface(surface)
    rng = np.random.default_rng(seed)
    if bounds is None:
        bounds = _bounds(own_start, minima)
    if isinstance(starts, int):
        low, high = np.array(bounds)[[0, 2]], np.array(bounds)[[1, 3]]
        others = low + (high - low) * rng.uniform(0.08, 0.92, (max(starts - 1, 0), 2))
        begin = np.concatenate([np.array([own_start], np.float64), others])
    else:
        begin = np.asarray(starts, np.float64).reshape(-1, 2)
    if noise is None:
        noise = 0.1 * float(np.median(np.linalg.norm(gradients(function, begin)[1], axis=1)))
    kicks = noise * np.random.default_rng(seed + 1).standard_normal((steps, 2))
    if optimizers is None:
        optimizers, labels = tuned(function, begin[0], steps, bounds)
    else:
        labels = {key: key for key in optimizers}
    result = Race(name, formula, function, bounds, minima, begin, labels, noise)
    noisy = (False, True) if noise else (False,)
    for key, make in optimizers.items():
        # one optimizer with a parameter for each start: what it does to one does not depend on the others
        lanes = [(i, noise_on) for noise_on in noisy for i in range(len(begin))]
        extra = np.array([[0.0], [1.0]])[[int(noise_on) for _, noise_on in lanes]]
        runs = follow(function, make, begin[[i for i, _ in lanes]], kicks[:, None, :] * extra, split=True)
        for (i, noise_on), run in zip(lanes, runs, strict=True):
            result.runs[key, i, noise_on] = run
    return result


def _surface(surface: Any) -> tuple[str, str, Callable[[Any, Any], Any], tuple[float, float], Any]:
    if callable(surface) and not hasattr(surface, "function"):
        return getattr(surface, "__name__", "f").replace("<lambda>", "f"), "", surface, (1.0, 1.0), ()
    if isinstance(surface, str):
        from ..study.surfaces import surfaces

        if surface not in surfaces:
            raise ValueError(f"viz.race: no surface is called {surface!r}; there are {', '.join(surfaces)}.")
        found = surfaces[surface]
        return surface, found.formula, found.function, found.start, found.minima
    return "surface", surface.formula, surface.function, surface.start, surface.minima


def _bounds(start: tuple[float, float], minima: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """A frame that holds the start and the minima, with a margin, not narrower than about 1 : 2.5."""
    points = np.array([start, *(minima or [(0.0, 0.0)])], np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    spans = high - low
    reach = 0.5 * np.maximum(spans, 0.4 * spans.max()) + 0.28 * spans.max() + 0.05
    centre = (low + high) / 2
    (x0, y0), (x1, y1) = (centre - reach).tolist(), (centre + reach).tolist()
    return x0, x1, y0, y1
