"""Losses with a margin: they ask for one score to exceed another, and stop caring once it does by enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from ..ops.activation import log_sigmoid, relu, softplus
from .log_probability_losses import class_weights
from .loss import Loss, element_weights, hinge, pair, reduce

__all__ = [
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
]


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """ln(1 + exp(−target · input)), the target being 1 or −1.

    Parameters
    ----------
    input, target : array_like of one shape
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape.
    ValueError
        An unknown `reduction`.
    """
    input, target = pair("soft_margin_loss", input, target)
    return reduce("soft_margin_loss", softplus(-target * input), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """The distance itself where the target is 1, max(0, margin − distance) where it is −1.

    Parameters
    ----------
    input : array_like
        Distances.
    target : array_like of the same shape
        1 for "alike", −1 for "different".
    margin : float
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape.
    ValueError
        An unknown `reduction`.
    """
    input, target = pair("hinge_embedding_loss", input, target)
    losses = np.where(target.data == 1, input, hinge(margin - input))
    return reduce("hinge_embedding_loss", losses, reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """max(0, margin − target · (input1 − input2)): the first should rank higher for 1, the second for −1.

    Parameters
    ----------
    input1, input2, target : array_like of one shape
    margin : float
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The inputs differ in shape, or the target does not broadcast to theirs.
    ValueError
        An unknown `reduction`.
    """
    input1, input2 = pair("margin_ranking_loss", input1, input2, strict=True)
    difference, target = pair("margin_ranking_loss", input1 - input2, target)
    return reduce("margin_ranking_loss", hinge(margin - target * difference), reduction)


def _rows(caller: str, input: Any, target: Any, labels: bool) -> tuple[Any, Any, bool]:
    """Scores as (N, C), the whole-number targets beside them, and whether there was one sample without a batch axis."""
    x: Any = as_tensor(input)
    t: Any = as_tensor(target).data
    single = x.ndim == 1
    wanted = x.shape[:-1] if labels else x.shape
    if x.ndim not in (1, 2):
        raise ShapeError(f"{caller}: expected an input of shape (N, C) or (C,), got {x.shape}.")
    if t.shape != wanted:
        raise ShapeError(f"{caller}: input {x.shape} wants a target of shape {wanted}, got {t.shape}.")
    if t.dtype.kind not in "iu":
        raise TypeError(f"{caller}: labels must be whole numbers, got {t.dtype}. Use target.astype(np.int64).")
    x, t = (x.reshape(1, -1), t[None]) if single else (x, t)
    least = 0 if labels else -1
    if t.size and (t.min() < least or t.max() >= x.shape[1]):
        allowed = f"0..{x.shape[1] - 1}" + ("" if labels else ", or -1 behind the last of a row")
        raise IndexError(f"{caller}: labels must be {allowed}; found values from {t.min()} to {t.max()}.")
    return x, t, single


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Any:
    """Σ over the wrong classes of max(0, margin − (x[right] − x[wrong]))ᵖ, divided by the number of classes.

    Parameters
    ----------
    input : array_like, shape (N, C) or (C,)
    target : array_like of int, shape (N,) or ()
    p : {1, 2}
    margin : float
    weight : array_like, shape (C,), optional
        Multiplies the loss of each sample, by its class.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The input has not one axis or two, the target not its shape without the classes, or there is not one weight
        for each class.
    TypeError
        Labels that are not whole numbers.
    IndexError
        A label outside 0 … C−1.
    ValueError
        `p` is neither 1 nor 2, or the `reduction` unknown.
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2, got {p}.")
    x, labels, single = _rows("multi_margin_loss", input, target, labels=True)
    right = np.take_along_axis(x, labels[:, None], 1)
    short = relu(margin - right + x)
    wrong = (np.arange(x.shape[1]) != labels[:, None]).astype(x.dtype)
    losses = np.sum((short if p == 1 else short * short) * wrong, axis=1) / x.shape[1]
    if weight is not None:
        losses = losses * class_weights("multi_margin_loss", weight, x, 1)[labels]
    return reduce("multi_margin_loss", losses[0] if single else losses, reduction)


def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Σ over right classes r and wrong classes w of max(0, 1 − (x[r] − x[w])), divided by the number of classes.

    Parameters
    ----------
    input : array_like, shape (N, C) or (C,)
    target : array_like of int, of the same shape
        In each row the labels that hold, then −1; what comes behind the first −1 does not count.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        Input and target differ in shape, or have more than two axes.
    TypeError
        Labels that are not whole numbers.
    IndexError
        A label outside −1 … C−1.
    ValueError
        An unknown `reduction`.
    """
    x, labels, single = _rows("multilabel_margin_loss", input, target, labels=False)
    counted = np.logical_and.accumulate(labels >= 0, axis=1)
    rows, places = np.nonzero(counted)
    chosen = labels[rows, places]
    wrong = np.ones(x.shape, x.dtype)
    wrong[rows, chosen] = 0
    short = relu(1 - np.expand_dims(x[rows, chosen], 1) + x[rows]) * wrong[rows]
    member = (rows == np.arange(len(labels))[:, None]).astype(x.dtype)
    losses = np.matmul(member, np.sum(short, axis=1)) / x.shape[1]
    return reduce("multilabel_margin_loss", losses[0] if single else losses, reduction)


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The binary cross-entropy of each class against 0 or 1, averaged over the classes.

    Parameters
    ----------
    input, target : array_like, shape (..., C)
    weight : array_like, shape (C,), optional
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape, or the weight not to the classes.
    ValueError
        An unknown `reduction`.
    """
    input, target = pair("multilabel_soft_margin_loss", input, target)
    losses = -(target * log_sigmoid(input) + (1 - target) * log_sigmoid(-input))
    if weight is not None:
        losses = losses * element_weights("multilabel_soft_margin_loss", "weight", weight, input)
    return reduce("multilabel_soft_margin_loss", np.mean(losses, axis=-1), reduction)


class _TwoArguments(Loss):
    """A loss of input and target whose options are its constructor's."""

    _function: Callable[..., Any]

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return type(self)._function(input, target, reduction=self.reduction)


class SoftMarginLoss(_TwoArguments):
    """:func:`soft_margin_loss` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    """

    _function = soft_margin_loss


class MultiLabelMarginLoss(_TwoArguments):
    """:func:`multilabel_margin_loss` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    """

    _function = multilabel_margin_loss


class HingeEmbeddingLoss(Loss):
    """:func:`hinge_embedding_loss` as a Module.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return hinge_embedding_loss(input, target, self.margin, self.reduction)


class MarginRankingLoss(Loss):
    """:func:`margin_ranking_loss` as a Module.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss."""
        return margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class MultiMarginLoss(Loss):
    """:func:`multi_margin_loss` as a Module.

    Parameters
    ----------
    p : {1, 2}
    margin : float
    weight : array_like, shape (C,), optional
    reduction : {"mean", "sum", "none"}
    """

    weight: Tensor | None

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, got {p}.")
        self.p = p
        self.margin = margin
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return multi_margin_loss(input, target, self.p, self.margin, self.weight, self.reduction)


class MultiLabelSoftMarginLoss(Loss):
    """:func:`multilabel_soft_margin_loss` as a Module.

    Parameters
    ----------
    weight : array_like, shape (C,), optional
    reduction : {"mean", "sum", "none"}
    """

    weight: Tensor | None

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return multilabel_soft_margin_loss(input, target, self.weight, self.reduction)
