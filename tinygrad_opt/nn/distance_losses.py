"""Distances and similarities between vectors, and the losses that pull embeddings together or push them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from .loss import Loss, hinge, reduce
from .module import Module
from .spelling import says_axis

__all__ = [
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "PairwiseDistance",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "cosine_embedding_loss",
    "cosine_similarity",
    "pairwise_distance",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of x1 − x2 + eps along the last axis; eps keeps the gradient finite where they are equal.

    Raises
    ------
    ShapeError
        The two shapes do not broadcast.
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    try:
        difference = x1 - x2 + eps
    except ShapeError:
        raise ShapeError(f"pairwise_distance: shapes {x1.shape} and {x2.shape} do not broadcast.") from None
    if p == 2 and difference.dtype.kind != "c":
        return np.sqrt(np.sum(difference * difference, axis=-1, keepdims=keepdim))
    return np.linalg.norm(difference, p, -1, keepdim)


@says_axis
def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    """x1 · x2 / (‖x1‖ ‖x2‖) along `axis`, each norm not less than `eps`.

    Raises
    ------
    ShapeError
        The two shapes do not broadcast.
    numpy.exceptions.AxisError
        They have no such axis.
    TypeError
        Complex vectors.
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    try:
        x1, x2 = np.broadcast_arrays(x1, x2)
    except ValueError:
        raise ShapeError(f"cosine_similarity: shapes {x1.shape} and {x2.shape} do not broadcast.") from None
    lengths = [_length(x, axis, eps) for x in (x1, x2)]
    return np.sum((x1 / lengths[0]) * (x2 / lengths[1]), axis=axis)


def _length(x: Any, axis: int, eps: float) -> Any:
    if x.dtype.kind == "c":
        raise TypeError(
            f"cosine_similarity is of real vectors, got {x.dtype}; pass real and imaginary parts side by side."
        )
    squares = np.sum(x * x, axis=axis, keepdims=True)
    return np.sqrt(np.maximum(squares, x.dtype.type(eps * eps)))


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """1 − cos(input1, input2) where the target is 1, max(0, cos − margin) where it is −1.

    Parameters
    ----------
    input1, input2 : array_like, shape (N, D) or (D,)
    target : array_like, shape (N,) or ()
    margin : float
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The inputs differ in shape, or the target has not theirs without the last axis.
    TypeError
        Complex vectors.
    ValueError
        An unknown `reduction`.
    """
    input1, input2, target = as_tensor(input1), as_tensor(input2), as_tensor(target)
    if "c" in (input1.dtype.kind, input2.dtype.kind):
        raise TypeError(f"cosine_embedding_loss is of real vectors, got {input1.dtype} and {input2.dtype}.")
    if not input1.ndim:
        raise ShapeError("cosine_embedding_loss: inputs must have shape (N, D) or (D,), got ().")
    if input1.shape != input2.shape or target.shape != input1.shape[:-1]:
        raise ShapeError(
            f"cosine_embedding_loss: inputs {input1.shape} and {input2.shape} must be equal, and target {target.shape} "
            f"must be {input1.shape[:-1]}."
        )
    a, b, eps = np.sum(input1 * input1, axis=-1), np.sum(input2 * input2, axis=-1), 1e-12
    cosine = np.sum(input1 * input2, axis=-1) / np.sqrt((a + eps) * (b + eps))
    losses = np.where(target.data == 1, 1 - cosine, hinge(cosine - margin))
    return reduce("cosine_embedding_loss", losses, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """max(0, d(anchor, positive) − d(anchor, negative) + margin) (Balntas et al. 2016).

    Parameters
    ----------
    anchor, positive, negative : array_like, shape (N, D) or (D,)
    margin : float
        Positive.
    p, eps : float
        As in :func:`pairwise_distance`.
    swap : bool
        Take the distance of positive and negative where it is less than that of anchor and negative.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The three have not as many axes, or do not broadcast.
    ValueError
        `margin` is not positive, or the `reduction` unknown.
    """

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """:func:`triplet_margin_loss` with a distance of one's own, by default :func:`pairwise_distance`.

    Raises
    ------
    ShapeError
        The three have not as many axes.
    ValueError
        `margin` is not positive, or the `reduction` unknown.
    """
    distance, caller = distance_function or pairwise_distance, "triplet_margin_with_distance_loss"
    return _triplet(caller, anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    caller: str, anchor: Any, positive: Any, negative: Any, distance: Any, margin: float, swap: bool, reduction: str
) -> Any:
    anchor, positive, negative = as_tensor(anchor), as_tensor(positive), as_tensor(negative)
    _check_margin(caller, margin)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(
            f"{caller}: anchor {anchor.shape}, positive {positive.shape} and negative {negative.shape} must have the "
            f"same number of axes."
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return reduce(caller, hinge(near - far + margin), reduction)


def _check_margin(caller: str, margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"{caller}: margin must be positive, got {margin}.")


class PairwiseDistance(Module):
    """The p-norm of x1 − x2 along the last axis: :func:`pairwise_distance`.

    Parameters
    ----------
    p, eps : float
    keepdim : bool
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """The distances."""
        return pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors: :func:`cosine_similarity`.

    Parameters
    ----------
    axis : int
    eps : float
    """

    @says_axis
    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.axis = axis
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """The cosines."""
        return cosine_similarity(x1, x2, self.axis, self.eps)


class CosineEmbeddingLoss(Loss):
    """:func:`cosine_embedding_loss` as a Module.

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
        return cosine_embedding_loss(input1, input2, target, self.margin, self.reduction)


class TripletMarginLoss(Loss):
    """:func:`triplet_margin_loss` as a Module.

    Parameters
    ----------
    margin, p, eps : float
    swap : bool
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        `margin` is not positive, or the `reduction` unknown.
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        _check_margin(type(self).__name__, margin)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """The loss."""
        return triplet_margin_loss(anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction)


class TripletMarginWithDistanceLoss(Loss):
    """:func:`triplet_margin_with_distance_loss` as a Module.

    Parameters
    ----------
    distance_function : callable, optional
        Of two Tensors.
    margin : float
    swap : bool
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        `margin` is not positive, or the `reduction` unknown.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        _check_margin(type(self).__name__, margin)
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """The loss."""
        return triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
