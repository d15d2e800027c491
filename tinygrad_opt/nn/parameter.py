"""Parameter: the Tensor that a module owns and an optimizer trains."""

from __future__ import annotations

from numpy.typing import ArrayLike, DTypeLike

from ..autograd.overwrite import overwrite
from ..autograd.tensor import Tensor

__all__ = ["Parameter"]


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
        """Copy values into this Parameter's memory; graphs recorded before that refuse to use them. Returns self."""
        overwrite(self, values.data if isinstance(values, Tensor) else values)
        return self
