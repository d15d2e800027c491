"""Parameter: the Tensor that a module owns and an optimizer trains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..autograd.overwrite import overwrite
from ..autograd.tensor import Tensor
from ..errors import ShapeError

__all__ = ["Parameter", "numbers", "write"]


def numbers(values: Any) -> Any:
    """The array of a Tensor, of PyTorch's tensor or of a list; None for what is no array of numbers."""
    if isinstance(values, Tensor):
        return values.data
    try:
        array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (TypeError, ValueError):  # lists of different lengths, a dtype that NumPy does not have
        return None
    return array if array.dtype.kind in "biufc" else None


def write(caller: str, tensor: Tensor, values: Any) -> None:
    """Copy values into a Tensor's memory, or say why they do not fit; then nothing has been written.

    Raises
    ------
    ShapeError
        The values do not broadcast to the Tensor's shape.
    TypeError
        They are no numbers.
    """
    array = values if isinstance(values, np.ndarray) and values.dtype.kind == "f" else numbers(values)
    if array is None:
        raise TypeError(f"{caller}: expected numbers or an array of them, got a {type(values).__name__} that is none.")
    try:
        overwrite(tensor, array)
    except ValueError:
        raise ShapeError(
            f"{caller}: values of shape {array.shape} do not fit into a Tensor of shape {tensor.shape}."
        ) from None


class Parameter(Tensor):
    """A Tensor that a Module owns and an optimizer trains.

    Parameters
    ----------
    data : array_like
        The initial values; an ndarray is wrapped, not copied.
    requires_grad : bool
        False freezes it.
    dtype : dtype, optional
    name : str, optional
        A module that it is assigned to names it by its path, e.g. ``encoder.0.weight``.

    Raises
    ------
    GradientError
        Values of whole numbers or bools, which have no gradient, unless `requires_grad` is False.
    TypeError
        Values that are no numbers.
    """

    __slots__ = ()

    def __init__(
        self,
        data: ArrayLike | Tensor,
        requires_grad: bool = True,
        *,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(data, requires_grad, dtype=dtype, name=name)

    def write_(self, values: ArrayLike | Tensor) -> Parameter:
        """Copy values into this Parameter's memory; graphs recorded before that refuse to use them. Returns self.

        Raises
        ------
        ShapeError
            The values do not broadcast to the Parameter's shape.
        TypeError
            They are no numbers.
        """
        write("write_", self, values)
        return self
