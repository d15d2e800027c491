"""What a task is, and the registry of all tasks; one's own joins by a decorator."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Dataset

__all__ = ["Problem", "Task", "find", "task", "tasks"]


@dataclass
class Problem:
    """A model at its initial values, with its data and its loss: what one run trains.

    Parameters
    ----------
    model : Module
    loss : callable
        ``loss(model(x), y)``, or ``loss(model(x))`` for data without targets; a scalar Tensor.
    parts : sequence of three Dataset
        For training, validation and test; examples ``(x, y)`` or bare ``x``. Settings are selected by the loss on the
        validation part; the test part is only reported.
    correct : callable, optional
        ``correct(outputs, y)``, arrays, gives one bool for each example (or prediction): the accuracy's numerator.
    """

    model: Any
    loss: Callable[..., Any]
    parts: Sequence[Dataset]
    correct: Callable[[Any, Any], Any] | None = None

    def __post_init__(self) -> None:
        if len(self.parts) != 3 or not all(len(part) for part in self.parts):
            raise ValueError(
                f"Problem: parts must be three data sets with examples (training, validation, test), got lengths "
                f"{[len(part) for part in self.parts]}."
            )


@dataclass(frozen=True)
class Task:
    """A named problem, drawn anew for each seed: initial weights, split and noise together.

    Parameters
    ----------
    name : str
    build : callable
        ``build(rng)`` gives a :class:`Problem`. Layers draw from the package's generator, which is seeded before.
    title : str
        A few words for tables and headings.
    batch_size : int or None
        Examples a step; None is all of them.
    cost : str
        What one step takes, in words.
    scored : bool
        False for illustrations, which stay out of the overall score.
    metrics : str
        What is measured on the validation and the test part, in words.
    """

    name: str
    build: Callable[[np.random.Generator], Problem]
    title: str
    batch_size: int | None = 32
    cost: str = ""
    scored: bool = True
    metrics: str = "loss"

    @property
    def summary(self) -> str:
        """What the task is made of: the docstring of its function."""
        return " ".join((self.build.__doc__ or "").split())


tasks: dict[str, Task] = {}


def task(
    name: str,
    title: str = "",
    *,
    batch_size: int | None = 32,
    cost: str = "",
    scored: bool = True,
    metrics: str = "loss",
) -> Callable[[Callable[[np.random.Generator], Problem]], Callable[[np.random.Generator], Problem]]:
    """Register a function that builds a :class:`Problem` as a task.

    Examples
    --------
    >>> from tinygrad_opt import data, nn
    >>> from tinygrad_opt.study import Problem, task
    >>> @task("moons-line", "a straight line through two moons")
    ... def moons_line(rng):
    ...     '''400 noisy points; logistic regression.'''
    ...     parts = data.random_split(data.two_moons(400, generator=rng), [0.5, 0.25, 0.25], rng)
    ...     return Problem(nn.Linear(2, 2), nn.functional.cross_entropy, parts)
    >>> from tinygrad_opt.study.tasks import tasks
    >>> tasks.pop("moons-line").title
    'a straight line through two moons'
    """

    def register(build: Callable[[np.random.Generator], Problem]) -> Callable[[np.random.Generator], Problem]:
        tasks[name] = Task(name, build, title or name, batch_size, cost, scored, metrics)
        return build

    return register


def find(name: str) -> Task:
    """The task of that name.

    Raises
    ------
    KeyError
        There is none; names the nearest.
    """
    if name not in tasks:
        near = difflib.get_close_matches(name, tasks, 1)
        hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(tasks)}."
        raise KeyError(f"no task is called '{name}'. {hint}")
    return tasks[name]
