"""Layers that only reshape: between images or sequences and rows of features."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from .module import Module
from .spelling import says_axis

__all__ = ["Flatten", "Unflatten", "flatten"]


@says_axis
def flatten(x: Any, start_axis: int = 0, end_axis: int = -1) -> Any:
    """The axes from `start_axis` to `end_axis`, both included, in one.

    Raises
    ------
    ShapeError
        x has no such axes, or the first comes after the last.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> tg.nn.functional.flatten(np.zeros((2, 3, 4)), start_axis=1).shape
    (2, 12)
    """
    x = as_tensor(x)
    if x.ndim == 0:
        return x.reshape(1)
    if not (-x.ndim <= start_axis < x.ndim and -x.ndim <= end_axis < x.ndim):
        raise ShapeError(
            f"flatten: axes {start_axis} to {end_axis} do not exist in shape {x.shape}. A batch of "
            f"single images needs its batch axis: x[None]."
        )
    start, end = start_axis % x.ndim, end_axis % x.ndim
    if start > end:
        raise ShapeError(f"flatten: start_axis {start_axis} comes after end_axis {end_axis} in shape {x.shape}.")
    return x.reshape(*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])


class Flatten(Module):
    """Everything but the batch axis in one: (N, C, H, W) → (N, C·H·W).

    Parameters
    ----------
    start_axis, end_axis : int
        The first and the last axis to merge.

    Raises
    ------
    ShapeError
        When called with an x that has no such axes, e.g. a single sample without its batch axis.
    """

    @says_axis
    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        super().__init__()
        self.start_axis = start_axis
        self.end_axis = end_axis

    def forward(self, x: Any) -> Any:
        """x with the axes merged."""
        return flatten(x, self.start_axis, self.end_axis)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Unflatten(Module):
    """One axis split into several: the inverse of Flatten.

    Parameters
    ----------
    axis : int
    unflattened_size : tuple of int
        One extent may be -1.

    Raises
    ------
    TypeError
        `unflattened_size` is no tuple of ints.
    ShapeError
        When called with an x that has no such axis, or one that cannot be split so.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> tg.nn.Unflatten(1, (3, 4))(np.zeros((2, 12))).shape
    (2, 3, 4)
    """

    @says_axis
    def __init__(self, axis: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)) or not all(
            hasattr(n, "__index__") for n in unflattened_size
        ):
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of ints, got {unflattened_size!r}.")
        self.axis = axis
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """x with the axis split."""
        x = as_tensor(x)
        if not -x.ndim <= self.axis < x.ndim:
            raise ShapeError(f"{self.label}: axis {self.axis} does not exist in shape {x.shape}.")
        axis = self.axis % x.ndim
        try:
            return x.reshape(*x.shape[:axis], *self.unflattened_size, *x.shape[axis + 1 :])
        except ShapeError:
            raise ShapeError(
                f"{self.label}: axis {axis} of shape {x.shape} cannot be split into {self.unflattened_size}."
            ) from None

    def extra_repr(self) -> str:
        """The axis and its new extents."""
        return f"axis={self.axis}, unflattened_size={self.unflattened_size}"
