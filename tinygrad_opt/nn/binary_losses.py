"""Losses for yes-or-no predictions: binary cross-entropy, from logits or from probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor
from ..ops.activation import softplus
from ..ops.constants import constant
from .loss import Loss, element_weights, pair, reduce

__all__ = ["BCELoss", "BCEWithLogitsLoss", "binary_cross_entropy", "binary_cross_entropy_with_logits"]


def _logit_samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape in ((4, 3), (5,), ()):
        yield 2 * rng.standard_normal(shape), rng.uniform(0, 1, shape)


def _sigmoid_minus(x: Any, t: Any, half: Any) -> Any:
    return np.tanh(x * half) * half + (half - t)


@primitive(
    real=True,
    samples=_logit_samples,
    formula="mean (ln(1 + eˣ) − x · t)",
    gradient=["g/n · (σ(x) − t)", "−g/n · x"],
    vjp=[
        lambda g, _y, x, t: _sigmoid_minus(x, t, constant(0.5, x.dtype)) * (g / constant(x.size, x.dtype)),
        lambda g, _y, x, t: x * (g / -x.size),
    ],
)
def mean_logistic_loss(x: Any, t: Any) -> Any:
    """mean (ln(1 + eˣ) − x · t), for two arrays of one shape."""
    losses = np.logaddexp(x, constant(0, x.dtype))
    losses -= x * t
    return np.asarray(np.add.reduce(losses, None) / losses.dtype.type(losses.size or np.nan))


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """−[t ln σ(x) + (1 − t) ln(1 − σ(x))], computed from the logit x so that nothing overflows.

    Parameters
    ----------
    input : array_like
        Logits, that is, scores before any sigmoid.
    target : array_like of the same shape
        Probabilities of "yes", mostly 0 or 1.
    weight : array_like, optional
        Multiplies the loss of each element; broadcasts.
    reduction : {"mean", "sum", "none"}
    pos_weight : array_like, optional
        Multiplies the first term, for rare positives; broadcasts.

    Raises
    ------
    ShapeError
        Input and target differ in shape, or weights do not broadcast to it.
    ValueError
        An unknown `reduction`.
    """
    caller = "binary_cross_entropy_with_logits"
    x, t = pair(caller, input, target, strict=True)
    if weight is None and pos_weight is None and reduction == "mean":
        return mean_logistic_loss.binary(x, t)
    bend = softplus(-x)
    if pos_weight is not None:
        bend = bend * (1 + (element_weights(caller, "pos_weight", pos_weight, x) - 1) * t)
    losses = (1 - t) * x + bend
    if weight is not None:
        losses = losses * element_weights(caller, "weight", weight, x)
    return reduce(caller, losses, reduction)


def _probability_samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape in ((4, 3), ()):
        yield rng.uniform(0.1, 0.9, shape), rng.uniform(0, 1, shape)


def _clamped_log(p: Any) -> Any:
    """ln p, but never less than −100, so that a confident mistake costs much and not infinitely much."""
    return np.maximum(np.log(np.maximum(p, 1e-45 if p.dtype.itemsize < 8 else 1e-300)), -100)


@primitive(
    real=True,
    samples=_probability_samples,
    formula="−[t ln p + (1 − t) ln(1 − p)]",
    gradient=["g (p − t) / (p (1 − p))", "g (ln(1 − p) − ln p)"],
    vjp=[
        lambda g, _y, p, t: g * ((p - t) / np.maximum(p * (1 - p), 1e-12)),
        lambda g, _y, p, _t: g * (_clamped_log(1 - p) - _clamped_log(p)),
    ],
)
def probability_loss(p: Any, t: Any) -> Any:
    """−[t ln p + (1 − t) ln(1 − p)] for each element, the logarithms not below −100."""
    return np.asarray(-t * _clamped_log(p) - (1 - t) * _clamped_log(1 - p))


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """−[t ln p + (1 − t) ln(1 − p)], of a probability p; the logarithms are not less than −100.

    Parameters
    ----------
    input : array_like
        Probabilities, e.g. from a sigmoid.
    target : array_like of the same shape
    weight : array_like, optional
        Multiplies the loss of each element; broadcasts.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        Input and target differ in shape, or the weight does not broadcast to it.
    ValueError
        An input outside [0, 1], or an unknown `reduction`.
    """
    caller = "binary_cross_entropy"
    p, t = pair(caller, input, target, strict=True)
    if p.size and not (p.data.min() >= 0 and p.data.max() <= 1):
        raise ValueError(
            f"{caller}: the input must be probabilities in [0, 1]; found values from {p.data.min():.4g} to "
            f"{p.data.max():.4g}. For logits there is binary_cross_entropy_with_logits."
        )
    losses = probability_loss(p, t)
    if weight is not None:
        losses = losses * element_weights(caller, "weight", weight, p)
    return reduce(caller, losses, reduction)


class BCEWithLogitsLoss(Loss):
    """:func:`binary_cross_entropy_with_logits` as a Module.

    Parameters
    ----------
    weight : array_like, optional
    reduction : {"mean", "sum", "none"}
    pos_weight : array_like, optional
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return binary_cross_entropy_with_logits(input, target, self.weight, self.reduction, self.pos_weight)


class BCELoss(Loss):
    """:func:`binary_cross_entropy` as a Module.

    Parameters
    ----------
    weight : array_like, optional
    reduction : {"mean", "sum", "none"}
    """

    weight: Tensor | None

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return binary_cross_entropy(input, target, self.weight, self.reduction)
