"""Losses of log-probabilities: against labels, with what a label must be, and against another distribution."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..autograd.modes import mode
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .loss import REDUCTIONS, Loss, check_reduction, pair, reduce

__all__ = [
    "KLDivLoss",
    "NLLLoss",
    "against_labels",
    "class_axis",
    "class_weights",
    "kl_div",
    "nll_loss",
    "warn_of_scores",
]

_WANTED = {
    "cross_entropy": ("logits", "Leave out the softmax before it, or take nll_loss of the logarithm."),
    "nll_loss": (
        "log-probabilities",
        "Take log_softmax instead of softmax before it, or give cross_entropy the logits.",
    ),
}


def warn_of_scores(caller: str, x: Any) -> None:
    """Warn of a single class, and when every row of what should be logits sums to 1; two numbers settle most cases."""
    if x.ndim == 2 and x.shape[1] == 1 and caller == "cross_entropy":
        warnings.warn(
            "cross_entropy: with one class the loss is 0 whatever the input. Give it one score for each class, or take "
            "binary_cross_entropy_with_logits.",
            stacklevel=3,
        )
    if x.ndim != 2 or len(x) < 2 or x.shape[1] < 2 or not (0.0 <= x.item(0) <= 1.0 and 0.0 <= x.item(1) <= 1.0):
        return
    if abs(float(x[0].sum()) - 1) < 1e-3 and x.min() >= 0 and np.allclose(x.sum(1), 1, atol=1e-3):
        where = f" (in {mode.module})" if mode.module else ""
        wanted, mend = _WANTED[caller]
        warnings.warn(f"{caller} expects {wanted}; these rows already sum to 1{where}. {mend}", stacklevel=3)


def class_axis(caller: str, shape: tuple[int, ...]) -> int:
    """The axis of the classes in an input.

    Raises
    ------
    ShapeError
        There is none.
    """
    if not shape:
        raise ShapeError(f"{caller}: input must have an axis of classes, (C,), (N, C) or (N, C, ...); got shape ().")
    return 1 if len(shape) > 1 else 0


def class_weights(caller: str, weight: Any, logp: Any, axis: int) -> Any:
    """The weights in the input's dtype, shaped to lie along its class axis.

    Raises
    ------
    ShapeError
        There are more weights than classes, or fewer.
    """
    weight = np.asarray(weight.data if isinstance(weight, Tensor) else weight)
    classes = logp.shape[axis]
    if weight.shape != (classes,):
        raise ShapeError(f"{caller}: weight must have shape ({classes},), one for each class; got {weight.shape}.")
    return weight.astype(logp.dtype, copy=False).reshape((classes,) + (1,) * (logp.ndim - axis - 1))


def against_labels(
    caller: str, logp: Any, labels: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    """The definition of the cross-entropy against labels, from log-probabilities.

    Raises
    ------
    ShapeError
        The labels have not the input's shape without the class axis, or there is not one weight for each class.
    TypeError
        Labels that are not whole numbers.
    IndexError
        A label outside 0 … C−1.
    """
    axis = class_axis(caller, logp.shape)
    classes = logp.shape[axis]
    ignored = _check_labels(caller, logp.shape, labels, axis, ignore_index)
    labels = np.where(ignored, 0, labels)
    weights = None if weight is None else class_weights(caller, weight, logp, axis)
    shares = np.ones(labels.shape, logp.dtype) if weights is None else weights.ravel()[labels]
    shares = np.where(ignored, logp.dtype.type(0), shares)
    picked = np.squeeze(np.take_along_axis(logp, np.expand_dims(labels, axis), axis), axis)
    losses = np.where(ignored, 0, -picked * shares)
    if smoothing:
        spread = np.where(ignored, 0, -np.sum(logp if weights is None else logp * weights, axis=axis))
        losses = losses * (1 - smoothing) + spread * (smoothing / classes)
    if reduction == "none":
        return losses
    with np.errstate(invalid="ignore"):  # no sample at all: the mean is nan
        return np.sum(losses) / shares.sum() if reduction == "mean" else np.sum(losses)


def _check_labels(caller: str, shape: tuple[int, ...], labels: Any, axis: int, ignore_index: int) -> Any:
    """Which labels are to be ignored; raises for what cannot be labels of an input of this shape."""
    wanted = shape[:axis] + shape[axis + 1 :]
    classes = shape[axis]
    if labels.shape != wanted:
        text = f"{caller}: input {shape} wants labels of shape {wanted}, got target {labels.shape}."
        if labels.shape == shape and labels.dtype.kind in "iub":
            text += f" One-hot targets: target.argmax(axis={axis}), or target.astype(float) as probabilities."
        elif labels.shape == (*wanted, 1):
            text += " Use target[..., 0]."
        elif len(shape) > 2 and labels.shape == shape[:-1]:
            text += " The classes belong on axis 1: np.moveaxis(input, -1, 1), or merge the axes before it."
        raise ShapeError(text)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{caller}: labels must be whole numbers, got {labels.dtype}. Use target.astype(np.int64).")
    ignored = labels == ignore_index
    wrong = ((labels < 0) | (labels >= classes)) & ~ignored
    if wrong.any():
        place = np.unravel_index(int(wrong.argmax()), labels.shape)
        index = ", ".join(map(str, place))
        raise IndexError(
            f"{caller}: labels must be 0..{classes - 1}, as the input has {classes} classes; found "
            f"{labels[place]} at index {index}."
        )
    return ignored


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """−input[target], where the input holds log-probabilities; the arguments as in :func:`cross_entropy`.

    Raises
    ------
    ShapeError
        The target has not the input's shape without the class axis, or there is not one weight for each class.
    TypeError
        Labels that are not whole numbers.
    IndexError
        A label outside 0 … C−1.
    ValueError
        An unknown `reduction`.
    """
    check_reduction("nll_loss", reduction)
    labels = target.data if isinstance(target, Tensor) else np.asarray(target)
    warn_of_scores("nll_loss", np.asarray(input.data if isinstance(input, Tensor) else input))
    return against_labels("nll_loss", as_tensor(input), labels, weight, ignore_index, reduction, 0.0)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """t (ln t − input) for each element: the Kullback–Leibler divergence of exp(input) from the target.

    Parameters
    ----------
    input : array_like
        Log-probabilities.
    target : array_like of the same shape
        Probabilities, or their logarithms with `log_target`.
    reduction : {"mean", "sum", "none", "batchmean"}
        "batchmean" is the divergence proper: the sum divided by the number of rows.
    log_target : bool

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape.
    ValueError
        An unknown `reduction`.
    """
    check_reduction("kl_div", reduction, KLDivLoss._reductions)
    input, target = pair("kl_div", input, target)
    if log_target:
        losses = np.exp(target) * (target - input)
    else:
        positive = target.data > 0
        safe = np.where(positive, target, 1)
        losses = np.where(positive, safe * np.log(safe), 0) - target * input
    if reduction == "batchmean":
        return np.sum(losses) / (losses.shape[0] if losses.ndim else 1)
    return reduce("kl_div", losses, reduction)


class NLLLoss(Loss):
    """:func:`nll_loss` as a Module.

    Parameters
    ----------
    weight : array_like, shape (C,), optional
    ignore_index : int
    reduction : {"mean", "sum", "none"}
    """

    weight: Tensor | None

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class KLDivLoss(Loss):
    """:func:`kl_div` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}
    log_target : bool
    """

    _reductions = (*REDUCTIONS, "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return kl_div(input, target, self.reduction, self.log_target)
