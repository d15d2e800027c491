"""One run: a task, an optimizer, its settings and a seed in; the learning curve out. The same wherever it runs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..data import DataLoader, Dataset
from ..errors import GradientError
from ..random import manual_seed
from . import contenders, tasks

__all__ = ["Record", "Trial", "measure", "run_trial"]


@dataclass(frozen=True)
class Trial:
    """What determines a run.

    Parameters
    ----------
    task, optimizer : str
        Names in the registries.
    settings : tuple of (str, float)
        Hyperparameters, sorted by name.
    seed : int
        Fixes initial weights, split, noise and the order of the batches, the same for every optimizer.
    steps, evaluations, divergence
        As in :class:`Protocol`.
    batch_size : int, optional
        Instead of the task's own; 0 is all examples.
    cosine : bool
        Let the learning rate fall to 0 along half a cosine, instead of keeping it.
    """

    task: str
    optimizer: str
    settings: tuple[tuple[str, float], ...]
    seed: int
    steps: int
    evaluations: int = 50
    divergence: float = 1000.0
    batch_size: int | None = None
    cosine: bool = False

    @property
    def key(self) -> str:
        """The trial as text: equal for equal trials."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_key(cls, key: str) -> Trial:
        """The trial that a key stands for."""
        fields = json.loads(key)
        fields["settings"] = tuple((name, value) for name, value in fields["settings"])
        return cls(**fields)


@dataclass
class Record:
    """What a run gave. Curves have one entry for each evaluation; a diverged run's end early.

    Attributes
    ----------
    steps : list of int
        Steps taken at each evaluation, from 0. A step is a gradient evaluation, and a line search takes several.
    train : list of float
        Mean loss of the batches since the evaluation before (at step 0: of the first batch).
    validation, accuracy : list of float
        On the validation set; accuracy is empty where the task has none.
    seconds : list of float
        Time spent in training, evaluation on the validation set not counted.
    test_loss, test_accuracy : float or None
        After the last step; None for a diverged run.
    gradients : int
        Gradient evaluations in all, those of a line search included.
    examples : int
        Examples in an epoch of the training set.
    diverged : int or None
        The step at which the run was ended.
    """

    trial: Trial
    steps: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    test_loss: float | None = None
    test_accuracy: float | None = None
    gradients: int = 0
    examples: int = 0
    diverged: int | None = None

    def as_json(self) -> str:
        """The record without its trial, as JSON."""
        fields = dataclasses.asdict(self)
        del fields["trial"]
        return json.dumps(fields)

    @classmethod
    def from_json(cls, trial: Trial, text: str) -> Record:
        """The inverse of :meth:`as_json`."""
        return cls(trial, **json.loads(text))


def run_trial(trial: Trial) -> Record:
    """Train a model from scratch and say how it went.

    Reseeds the package's default random generator.
    """
    task = tasks.find(trial.task)
    contender = contenders.find(trial.optimizer)
    record = Record(trial)
    stream = np.random.SeedSequence([trial.seed, zlib.crc32(trial.task.encode())])
    weights, split, order = stream.spawn(3)
    manual_seed(int(weights.generate_state(1)[0]))
    with np.errstate(all="ignore"):
        problem = task.build(np.random.default_rng(split))
        if not isinstance(problem, tasks.Problem):
            raise TypeError(f"task '{task.name}' must return a Problem(model, loss, parts), got {problem!r}.")
        optimizer = contender.make(list(problem.model.parameters()), **dict(trial.settings))
        optimizer.error_if_nonfinite = True  # ends the run at once, and without a warning
        size = task.batch_size if trial.batch_size is None else trial.batch_size or None
        train, _, test = problem.parts
        record.examples = len(train)
        batches = _endless(train, size, np.random.default_rng(order))
        _train(trial, problem, optimizer, batches, record)
        if record.diverged is None:
            record.test_loss, record.test_accuracy = measure(problem, test, optimizer)
    return record


def _endless(dataset: Dataset, size: int | None, rng: np.random.Generator) -> Iterator[Any]:
    whole = size is None or size >= len(dataset)
    loader = DataLoader(dataset, None if whole else size, shuffle=not whole, drop_last=True, generator=rng)
    while True:
        yield from loader


def _train(trial: Trial, problem: Any, optimizer: Any, batches: Iterator[Any], record: Record) -> None:
    """Step until the gradient evaluations are spent, measuring whenever the next stop is reached."""
    stops = np.unique(np.linspace(0, trial.steps, trial.evaluations + 1).round().astype(int)).tolist()
    rates = [group["lr"] for group in optimizer.param_groups] if trial.cosine else []
    problem.model.train()
    batch = next(batches)
    first = _batch_loss(problem, batch).item()
    if not math.isfinite(first) or not _evaluate(problem, optimizer, record, first, 0.0):
        raise ValueError(f"task '{trial.task}': the loss at the initial weights is not a finite number.")
    reached, spent, losses = 1, 0.0, []
    while record.gradients < trial.steps:
        for group, rate in zip(optimizer.param_groups, rates, strict=False):
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * record.gradients / trial.steps))
        start = time.perf_counter()
        loss = _step(problem, optimizer, batch, record)
        spent += time.perf_counter() - start
        losses.append(loss)
        if not abs(loss) <= trial.divergence * abs(first):
            record.diverged = record.gradients
            return
        while reached < len(stops) and record.gradients >= stops[reached]:
            if not _evaluate(problem, optimizer, record, float(np.mean(losses)), spent):
                record.diverged = record.gradients
                return
            reached += 1
            if reached == len(stops) or record.gradients < stops[reached]:
                losses.clear()
        batch = next(batches)


def _step(problem: Any, optimizer: Any, batch: Any, record: Record) -> float:
    """One step; the loss before it, or NaN when a gradient was not finite."""
    before = record.gradients

    def closure() -> Any:
        optimizer.zero_grad()
        loss = _batch_loss(problem, batch)
        loss.backward()
        record.gradients += 1
        return loss

    try:
        loss = float(optimizer.step(closure))
    except GradientError:
        gradients = [p.grad for p in problem.model.parameters() if p.grad is not None]
        if all(np.isfinite(gradient.data).all() for gradient in gradients):
            raise
        return math.nan
    if record.gradients == before:
        raise TypeError(f"{type(optimizer).__name__}.step(closure) must call the closure and return its loss.")
    return loss


def _batch_loss(problem: Any, batch: Any) -> Any:
    if isinstance(batch, tuple):
        return problem.loss(problem.model(batch[0]), *batch[1:])
    return problem.loss(problem.model(batch))


def _evaluate(problem: Any, optimizer: Any, record: Record, train: float, spent: float) -> bool:
    loss, accuracy = measure(problem, problem.parts[1], optimizer)
    if not math.isfinite(loss):
        return False
    record.steps.append(record.gradients)
    record.train.append(train)
    record.validation.append(loss)
    record.seconds.append(spent)
    if accuracy is not None:
        record.accuracy.append(accuracy)
    return True


def measure(problem: Any, dataset: Dataset, optimizer: Any = None, chunk: int = 1000) -> tuple[float, float | None]:
    """Mean loss and accuracy over a data set, the model in evaluation mode.

    An optimizer whose answer is an average has ``averaged()`` to put it in place.
    """
    total, hits, seen = 0.0, [], 0
    problem.model.eval()
    with no_grad(), getattr(optimizer, "averaged", contextlib.nullcontext)():
        for start in range(0, len(dataset), chunk):
            batch = dataset.take(slice(start, start + chunk))
            x, *y = batch if isinstance(batch, tuple) else (batch,)
            outputs = problem.model(x)
            total += problem.loss(outputs, *y).item() * x.shape[0]
            seen += x.shape[0]
            if problem.correct is not None:
                hits.append(
                    np.asarray(problem.correct(outputs.data, *(target.data for target in y))).mean() * x.shape[0]
                )
    problem.model.train()
    return total / seen, (float(sum(hits)) / seen if hits else None)
