"""Running optimizers on a surface: all starts at once, each step taken apart, learning rates chosen from a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..autograd.grad import grad
from ..autograd.tensor import Tensor, tensor

__all__ = ["GRID", "Maker", "Run", "follow", "gradients", "tuned"]

Array = np.ndarray[Any, Any]
Maker = Callable[[list[Tensor]], Any]

GRID = tuple(float(f"{10**x:.1g}") for x in np.arange(-4, 0.6, 0.5))
"""The learning rates that are tried for every optimizer that comes without one."""


@dataclass
class Run:
    """One optimizer from one start.

    Attributes
    ----------
    points : ndarray, shape (steps + 1, 2)
        Cut off where it diverges.
    losses : ndarray, shape (steps + 1,)
    gradients : ndarray, shape (steps, 2)
        As the optimizer got them, noise and all.
    memory : ndarray, shape (steps, 2)
        The part of each step that would have been taken had the gradient been 0 now: momentum, weight decay. The
        rest of the step is what this gradient adds.
    terms : dict of str to ndarray, shape (steps, 2)
        The quantities of the rule by its own names at each step, e.g. m, v, m̂ and v̂ of Adam; empty for an optimizer
        that is not one formula a step.
    formula : str
        The rule.
    """

    points: Array
    losses: Array
    gradients: Array
    memory: Array
    terms: dict[str, Array] = field(default_factory=dict)
    formula: str = ""

    @property
    def steps(self) -> Array:
        """Each step taken, shape (steps, 2)."""
        return np.diff(self.points, axis=0)


def gradients(function: Callable[[Any, Any], Any], points: Array) -> tuple[Array, Array]:
    """f and its gradient at many points at once: shapes (n,) and (n, 2)."""
    x, y = (tensor(np.array(points[:, i], np.float64), requires_grad=True) for i in (0, 1))
    loss = function(x, y)
    slopes = grad(loss.sum(), [x, y], allow_unused=True)
    columns = [np.zeros(len(points)) if slope is None else slope.data for slope in slopes]
    return np.asarray(loss.data, np.float64), np.stack(columns, axis=1)


def follow(
    function: Callable[[Any, Any], Any], make: Maker, starts: Array, kicks: Array, split: bool = False
) -> list[Run]:
    """Follow one optimizer from all starts; a lane ends where its point or loss is no reasonable number any more.

    `kicks` of shape (steps, starts or 1, 2) are added to the gradients. With `split`, memory and terms are found too.
    """
    points = [tensor(np.array(start, np.float64), requires_grad=True) for start in starts]
    optimizer = make(points)
    where = np.array(starts, np.float64)
    alive = np.ones(len(starts), bool)
    ends = np.full(len(starts), len(kicks))
    track, losses, slopes, memory = [where.copy()], [], [], []
    terms: list[list[dict[str, Array]]] = []
    with np.errstate(all="ignore"):
        for step in range(len(kicks) + 1):
            loss, slope = gradients(function, where)
            good = np.isfinite(loss) & (np.abs(loss) < 1e12) & (np.abs(where).max(axis=1) < 1e6)
            ends[alive & ~good] = step - 1
            alive &= good
            losses.append(loss)
            if step == len(kicks):
                break
            slope = np.where(alive[:, None], slope + kicks[step], 0.0)
            slopes.append(slope)
            memory.append(_move(optimizer, points, np.zeros_like(slope), undo=True) if split else np.zeros_like(slope))
            terms.append(_terms(optimizer, points, slope) if split else [{}] * len(points))
            _move(optimizer, points, slope)
            where = np.where(alive[:, None], np.array([point.data for point in points]), where)
            track.append(where.copy())
    every = [np.array(values) for values in (track, losses, slopes, memory)]
    formula = optimizer.rule.formula if hasattr(optimizer, "rule") else ""
    return [
        Run(
            *(every[0][: end + 1, i], every[1][: end + 1, i], every[2][:end, i], every[3][:end, i]),
            {name: np.array([step[i][name] for step in terms[:end]]) for name in (terms[0][i] if terms else ())},
            formula,
        )
        for i, end in enumerate(np.maximum(ends, 0))
    ]


def _move(optimizer: Any, points: list[Tensor], gradients: Array, undo: bool = False) -> Array:
    """Take one step with these gradients; how far each point went. With `undo`, all is put back."""
    before = [point.data.copy() for point in points]
    state = optimizer.state_dict() if undo else None
    optimizer.zero_grad()
    _give(points, gradients)
    optimizer.step()
    moved = np.array([point.data - old for point, old in zip(points, before, strict=True)])
    if undo:
        for point, old in zip(points, before, strict=True):
            point.data[...] = old
        optimizer.load_state_dict(state)
    return moved


def _terms(optimizer: Any, points: list[Tensor], gradients: Array) -> list[dict[str, Array]]:
    """For each point the named quantities of the step that comes next: pairs of numbers, or one for both."""
    if not hasattr(optimizer, "rule"):
        return [{}] * len(points)
    _give(points, gradients)
    found = []
    for point in points:
        values = {name: np.asarray(value, np.float64) for name, value in optimizer.trace(point).items()}
        found.append(
            {
                name.replace("_hat", "\u0302"): np.broadcast_to(value.ravel(), 2).copy()
                for name, value in values.items()
                if name not in ("gradient", "Δ", "t") and value.size in (1, 2)
            }
        )
    return found


def _give(points: list[Tensor], gradients: Array) -> None:
    for point, gradient in zip(points, gradients, strict=True):
        point.grad = tensor(gradient)


def tuned(
    function: Callable[[Any, Any], Any], start: Array, steps: int, bounds: tuple[float, float, float, float]
) -> tuple[dict[str, Maker], dict[str, str]]:
    """The usual five, each with the learning rate of the grid that ends lowest without leaving the frame."""
    from .. import optim

    makers: dict[str, Maker] = {}
    labels: dict[str, str] = {}
    for name in ("SGD", "Momentum", "AdaGrad", "RMSProp", "Adam"):
        kind = getattr(optim, name)
        # a group for each rate, so that all rates run at once
        runs = follow(
            function,
            _one_for_each_rate(kind),
            np.repeat(start[None], len(GRID), axis=0),
            np.zeros((steps, 1, 2)),
        )
        best = min(range(len(GRID)), key=lambda i: _badness(runs[i], steps, bounds))
        makers[name] = _with_rate(kind, GRID[best])
        labels[name] = f"{name}, lr {GRID[best]:g}"
    return makers, labels


def _with_rate(kind: Any, lr: float) -> Maker:
    return lambda params: kind(params, lr=lr)


def _one_for_each_rate(kind: Any) -> Maker:
    return lambda points: kind([{"params": [p], "lr": lr} for p, lr in zip(points, GRID, strict=True)], lr=1)


def _badness(run: Run, steps: int, bounds: tuple[float, float, float, float]) -> tuple[bool, bool, float]:
    """Diverged, left the frame, mean loss over the last tenth: the lowest is best."""
    low, high = np.array(bounds)[[0, 2]], np.array(bounds)[[1, 3]]
    left = bool(np.any((run.points < low) | (run.points > high)))
    return len(run.losses) <= steps, left, float(np.mean(run.losses[-max(1, steps // 10) :]))
