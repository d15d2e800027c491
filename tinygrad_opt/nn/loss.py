"""What all losses share: the reduction to one number, and the check that prediction and target belong together."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor, new_tensor
from ..errors import ShapeError
from .module import Module

__all__ = ["Loss", "check_reduction", "element_weights", "hinge", "pair", "reduce"]

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(caller: str, reduction: str, known: tuple[str, ...] = REDUCTIONS) -> None:
    """Raise ValueError unless the reduction is one of the `known` ones."""
    if reduction not in known:
        listed = ", ".join(map(repr, known[:-1]))
        raise ValueError(f"{caller}: reduction must be {listed} or {known[-1]!r}, got {reduction!r}.")


def reduce(caller: str, values: Any, reduction: str) -> Any:
    """The mean or the sum of a loss for each element, or all of them.

    Raises
    ------
    ValueError
        An unknown `reduction`.
    """
    check_reduction(caller, reduction)
    if reduction == "none":
        return values
    return np.mean(values) if reduction == "mean" else np.sum(values)


def hinge(x: Any) -> Any:
    """max(0, x), with a gradient of 1 at 0, as PyTorch's losses of a margin have it (its relu has 0 there)."""
    return np.clip(x, 0, None)


def pair(caller: str, input: Any, target: Any, strict: bool = False) -> tuple[Tensor, Tensor]:
    """Prediction and target as Tensors of the same shape, a constant target in the prediction's dtype.

    Raises
    ------
    ShapeError
        The two would broadcast to more elements than were predicted; with `strict`, any two different shapes.
    """
    input = input if isinstance(input, Tensor) else as_tensor(input)
    target = target if isinstance(target, Tensor) else as_tensor(target)
    if input.data.shape != target.data.shape:
        check_shapes(caller, input.shape, target.shape, strict)
    if input.data.dtype is not target.data.dtype and target._node is None and input.dtype.kind == "f":
        target = new_tensor(target.data.astype(input.dtype, copy=False), None)
    return input, target


def check_shapes(caller: str, given: tuple[int, ...], wanted: tuple[int, ...], strict: bool = False) -> None:
    """Raise ShapeError for shapes that broadcast to more than was predicted, and warn of other broadcasting."""
    try:
        together = np.broadcast_shapes(given, wanted)
    except ValueError:
        raise ShapeError(f"{caller}: input has shape {given}, target {wanted}; they must be equal.") from None
    if together != given:
        mend = ""
        if (*wanted, 1) == given:
            mend = " Use target[:, None]." if len(given) == 2 else " Use target[..., None]."
        elif (*given, 1) == wanted:
            mend = " Use target[..., 0], or keep the last axis of the input."
        raise ShapeError(f"{caller}: input {given} and target {wanted} would broadcast to {together}.{mend}")
    if strict:
        raise ShapeError(f"{caller}: input has shape {given}, target {wanted}; they must be equal.")
    if wanted != ():
        warnings.warn(
            f"{caller}: target {wanted} is broadcast to the input's shape {given}. Reshape it if this is meant.",
            stacklevel=4,
        )


def element_weights(caller: str, name: str, values: Any, like: Any) -> Any:
    """Weights of a loss's elements, in the dtype of what they are multiplied with.

    Raises
    ------
    ShapeError
        They do not broadcast to the elements' shape.
    """
    if isinstance(values, Tensor):
        weights = values if values.requires_grad else values.data.astype(like.dtype, copy=False)
    else:
        weights = np.asarray(values, like.dtype)
    if weights.shape != like.shape:
        try:
            fits = np.broadcast_shapes(weights.shape, like.shape) == like.shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(
                f"{caller}: {name} of shape {weights.shape} does not broadcast to the input's {like.shape}."
            )
    return weights


class Loss(Module):
    """A loss as a Module; the base of the classes in the files beside this one.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
        What becomes of the loss of each element.

    Raises
    ------
    ValueError
        An unknown `reduction`.
    """

    _reductions: tuple[str, ...] = REDUCTIONS

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(type(self).__name__, reduction, self._reductions)
        self.reduction = reduction
