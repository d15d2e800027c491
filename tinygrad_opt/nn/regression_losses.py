"""Losses for predicted numbers: squared, absolute, and between the two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from .loss import Loss, pair, reduce

__all__ = ["HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss", "huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def _pairs(rng: np.random.Generator) -> Iterator[Any]:
    for shape in ((4, 3), (5,), ()):
        yield rng.standard_normal(shape), rng.standard_normal(shape)


@primitive(
    real=True,
    samples=_pairs,
    formula="mean (x − t)²",
    gradient=["g · 2 (x − t) / n", "g · 2 (t − x) / n"],
    vjp=[
        lambda g, _y, x, t: (x - t) * (g * (2 / max(x.size, 1))),
        lambda g, _y, x, t: (t - x) * (g * (2 / max(x.size, 1))),
    ],
)
def mean_squared_error(x: Any, t: Any) -> Any:
    """mean (x − t)², for two arrays of one shape."""
    d = (x - t).ravel()
    return np.asarray(d.dot(d) / d.dtype.type(d.size or np.nan))


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input − target)², averaged over all elements.

    Parameters
    ----------
    input, target : array_like of one shape
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The shapes would broadcast to more elements than the input has.
    ValueError
        An unknown `reduction`.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([0.0, 4.0]))
    tensor(2.5)
    """
    input, target = pair("mse_loss", input, target)
    if reduction == "mean" and input.data.shape == target.data.shape:
        return mean_squared_error.binary(input, target)
    return reduce("mse_loss", np.square(input - target), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input − target|, averaged over all elements; the arguments as in :func:`mse_loss`.

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape.
    ValueError
        An unknown `reduction`.
    """
    input, target = pair("l1_loss", input, target)
    return reduce("l1_loss", np.abs(input - target), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """½ d² where |d| ≤ δ, and δ (|d| − ½ δ) beyond, with d = input − target (Huber 1964).

    Parameters
    ----------
    input, target : array_like of one shape
    reduction : {"mean", "sum", "none"}
    delta : float
        Positive: where the parabola goes over into straight lines.

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape.
    ValueError
        `delta` is not positive, or the `reduction` unknown.
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}.")
    return _huber("huber_loss", input, target, reduction, delta)


def _huber(caller: str, input: Any, target: Any, reduction: str, delta: float) -> Any:
    """d clipped to ±δ, times what the parabola leaves: one formula for both pieces, with the parabola's bend at 0."""
    input, target = pair(caller, input, target)
    d: Any = input - target
    inner = np.where(np.abs(d.data) < delta, d, np.copysign(d.dtype.type(delta), d.data))
    return reduce(caller, inner * (d - 0.5 * inner), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """The Huber loss divided by its δ: ½ d² / β where |d| < β, |d| − ½ β beyond (Girshick 2015, arXiv:1504.08083).

    Parameters
    ----------
    input, target : array_like of one shape
    reduction : {"mean", "sum", "none"}
    beta : float
        With 0 it is the L1 loss.

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape.
    ValueError
        `beta` is negative, or the `reduction` unknown.
    """
    if beta == 0:
        input, target = pair("smooth_l1_loss", input, target)
        return reduce("smooth_l1_loss", np.abs(input - target), reduction)
    if not beta > 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}.")
    return _huber("smooth_l1_loss", input, target, reduction, beta) / beta


class MSELoss(Loss):
    """(input − target)²: :func:`mse_loss` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    """

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """|input − target|: :func:`l1_loss` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    """

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return l1_loss(input, target, self.reduction)


class HuberLoss(Loss):
    """:func:`huber_loss` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """:func:`smooth_l1_loss` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    beta : float
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return smooth_l1_loss(input, target, self.reduction, self.beta)
