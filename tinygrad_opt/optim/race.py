"""Optimizers run side by side on one function, from one start or many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..autograd import Tensor
from ..errors import GradientError

__all__ = ["Path", "race"]


class Path(NamedTuple):
    """Where one optimizer went.

    Attributes
    ----------
    points : ndarray
        (starts, steps + 1, dimensions); NaN after a run has left the finite numbers.
    losses : ndarray
        (starts, steps + 1): the function there, without noise.
    """

    points: np.ndarray[Any, Any]
    losses: np.ndarray[Any, Any]


def race(
    f: Callable[[Tensor], Tensor],
    start: ArrayLike,
    optimizers: Mapping[str, Callable[[list[Tensor]], Any]],
    steps: int = 100,
    *,
    noise: float = 0.0,
    seed: int = 0,
) -> dict[str, Path]:
    """Run several optimizers on a function and return their paths, in float64.

    Parameters
    ----------
    f : callable
        Takes a Tensor of shape (dimensions,), gives a scalar Tensor.
    start : array_like
        One point (dimensions,), or many (starts, dimensions).
    optimizers : mapping
        Name → what makes the optimizer from a list of parameters.
    steps : int
    noise : float
        Standard deviation of noise on each component of the gradient; the same noise for every optimizer.
    seed : int
        For the noise.

    Raises
    ------
    TypeError
        The function gives no single number as a Tensor, or an entry of `optimizers` makes nothing.
    ValueError
        For a start of more than two axes, and for steps or noise below 0.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> paths = tg.optim.race(
    ...     lambda x: (x * x).sum(), [1.0, -2.0], {"sgd": lambda p: tg.optim.SGD(p, 0.25)}, steps=2
    ... )
    >>> paths["sgd"].points[0].tolist()
    [[1.0, -2.0], [0.5, -1.0], [0.25, -0.5]]
    """
    starts = np.atleast_2d(np.asarray(start, np.float64))
    if starts.ndim != 2:
        raise ValueError(f"race: start is one point or a list of points, got shape {starts.shape}.")
    if not isinstance(optimizers, Mapping):
        raise TypeError(f"race: optimizers is a dict of names and makers, got {type(optimizers).__name__}.")
    for name, make in optimizers.items():
        if not callable(make):
            raise TypeError(
                f"race: '{name}' must be what makes an optimizer from a list of parameters, e.g. lambda p: "
                f"optim.SGD(p, lr=0.1); got {type(make).__name__}."
            )
    if not (steps >= 0 and noise >= 0):
        raise ValueError(f"race: steps and noise must be at least 0, got steps={steps}, noise={noise}.")
    value = f(Tensor(starts[0]))
    if not isinstance(value, Tensor) or value.size != 1:
        got = f"shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"race: the function must return a Tensor of one number, got {got}.")
    return {
        name: Path(
            *map(np.stack, zip(*(_run(f, x, make, steps, noise, seed + i) for i, x in enumerate(starts)), strict=True))
        )
        for name, make in optimizers.items()
    }


def _run(
    f: Callable[[Tensor], Tensor], x: Any, make: Callable[[list[Tensor]], Any], steps: int, noise: float, seed: int
) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    shakes = generator.normal(0.0, 1.0, (steps, x.size)) * noise
    points, losses = np.full((steps + 1, x.size), np.nan), np.full(steps + 1, np.nan)
    w = Tensor(x.copy(), requires_grad=True)
    optimizer = make([w])
    if not hasattr(optimizer, "step"):
        raise TypeError(f"race: an entry of optimizers made {type(optimizer).__name__}, not an optimizer.")
    optimizer.error_if_nonfinite = True  # a path ends before NaN, and without a warning
    for step in range(steps + 1):
        points[step] = w.data
        with np.errstate(all="ignore"):
            losses[step] = f(w.detach()).item()
        if step == steps or not np.isfinite(losses[step]):
            break

        def closure(shake: Any = shakes[step]) -> Tensor:
            optimizer.zero_grad()
            loss = f(w)
            if noise:
                loss = loss + (w * Tensor(shake)).sum()  # adds the noise to the gradient, and nothing to the curvature
            if optimizer.backward_in_closure:
                loss.backward()
            return loss

        try:
            with np.errstate(all="ignore"):
                optimizer.step(closure)
        except GradientError:
            break
    return points, losses
