"""The way from a Tensor out to NumPy and to Python's numbers, on which no gradient is lost without a word."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..errors import DetachError, ShapeError
from .callers import check_caller
from .modes import mode

__all__ = ["Conversions"]


class Conversions:
    """The part of Tensor that gives its values to those who know no gradient."""

    __slots__ = ()

    data: np.ndarray[tuple[int, ...], np.dtype[Any]]
    _node: Any

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as an ndarray (shared memory).

        Raises
        ------
        DetachError
            When the Tensor requires a gradient, which the array would not carry: ``t.detach().numpy()``.
        """
        return self.__array__()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self._node is not None and mode.grad_enabled:
            raise DetachError(
                "this Tensor requires a gradient, and as a plain array it would lose it. "
                "Stay with Tensors (np.* functions accept them, np.stack joins a list of them), or write "
                "t.detach().numpy() on purpose."
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    def item(self, *place: Any) -> Any:
        """The value of a one-element Tensor, or of the element at a place, as a Python number."""
        if not place and self.data.size != 1:
            raise ShapeError(f"item(): needs exactly one element, this has shape {self.data.shape}.")
        return self.data.item(*place)

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.data.tolist()

    def _number(self) -> Any:
        """The value for float() and its kin, unless something else asks for it by their way."""
        if self._node is not None and mode.grad_enabled:
            check_caller(sys._getframe(2))
        return self.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __bool__(self) -> bool:
        if self.data.size != 1:
            raise ValueError(
                f"the truth value of a Tensor of shape {self.data.shape} is ambiguous: use .any() or .all()."
            )
        return bool(self.data.item())

    def __index__(self) -> int:
        return self.data.__index__()
