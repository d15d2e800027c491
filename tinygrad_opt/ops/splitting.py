"""Splitting arrays into consecutive parts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from ..errors import ShapeError
from .indexing import on_axis

__all__ = ["array_split", "dsplit", "hsplit", "split", "unstack", "vsplit"]


def _cut(x: Any, places: list[int], axis: int) -> list[Any]:
    """The parts between the places, which mean what they mean in a slice."""
    return [x[on_axis(slice(a, b), axis, x.ndim)] for a, b in zip([0, *places], [*places, x.shape[axis]], strict=True)]


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Consecutive parts along an axis: so many equal ones, or cut at the given places.

    Raises
    ------
    ValueError
        The axis cannot be divided into so many equal parts; :func:`array_split` makes unequal ones.
    """
    ary = as_tensor(ary)
    axis = normalize_axis_index(axis, ary.ndim, "split")
    n, wanted = ary.shape[axis], as_array(indices_or_sections)
    if wanted.ndim == 0 and int(wanted) > 0 and n % int(wanted):
        raise ValueError(
            f"split: {n} elements along axis {axis} do not make {indices_or_sections} equal parts; "
            f"array_split makes unequal ones."
        )
    return array_split(ary, indices_or_sections, axis)


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As :func:`split`, but a number of parts need not divide the axis: the first ones are longer by one."""
    ary, wanted = as_tensor(ary), as_array(indices_or_sections)
    axis = normalize_axis_index(axis, ary.ndim, "array_split")
    if wanted.ndim:
        return _cut(ary, [int(i) for i in wanted], axis)
    parts = int(wanted)
    if parts < 1:
        raise ValueError(f"array_split: the number of parts must be at least 1, got {parts}.")
    length, longer = divmod(ary.shape[axis], parts)
    return _cut(ary, [i * length + min(i, longer) for i in range(1, parts)], axis)


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Split along the first axis, of at least two."""
    ary = as_tensor(ary)
    if ary.ndim < 2:
        raise ShapeError(f"vsplit: expected at least two axes, got shape {ary.shape}; split takes a vector.")
    return split(ary, indices_or_sections, 0)


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Split along the second axis, or the first when there is only one."""
    return split(ary, indices_or_sections, 1 if as_tensor(ary).ndim > 1 else 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Split along the third axis."""
    return split(ary, indices_or_sections, 2)


@implements(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, without it."""
    x = as_tensor(x)
    axis = normalize_axis_index(axis, x.ndim, "unstack")
    return tuple([x[on_axis(i, axis, x.ndim)] for i in range(x.shape[axis])])
