"""Functions that call a user's function on parts of an array: pieces by condition, slices along an axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_array, as_tensor
from .indexing import setitem

__all__ = ["apply_along_axis", "apply_over_axes", "piecewise"]


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
    """Each function on the elements where its condition holds; one function more is the default, a number a constant.

    Only the elements that a function is meant for are given to it, so that it may be infinite elsewhere.
    """
    x = as_tensor(x)
    stacked = isinstance(condlist, (list, tuple)) or as_array(condlist).ndim > x.ndim
    conditions = list(condlist) if stacked else [condlist]
    if not hasattr(conditions[0], "__len__") and x.ndim:
        conditions = [conditions]
    masks = [np.broadcast_to(as_array(condition).astype(bool), x.shape) for condition in conditions]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.logical_or.reduce(masks))
    if len(funclist) != len(masks):
        raise ValueError(
            f"piecewise: {len(masks)} conditions need as many functions, or one more; got {len(funclist)}."
        )
    result: Any = Tensor(np.zeros(x.shape, x.dtype))
    for mask, function in zip(masks, funclist, strict=True):
        if mask.any():
            value = function(x[mask], *args, **kwargs) if callable(function) else function
            result = setitem(result, value, mask)
    return result


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`func1d` of each vector along `axis`; what it returns takes that axis's place."""
    arr = as_tensor(arr)
    axis = normalize_axis_index(axis, arr.ndim)
    rest = arr.shape[:axis] + arr.shape[axis + 1 :]
    vectors = np.moveaxis(arr, axis, -1).reshape((-1, arr.shape[axis]))
    if not vectors.shape[0]:
        raise ValueError(f"apply_along_axis: shape {arr.shape} has no vectors along axis {axis} to call it on.")
    parts = [as_tensor(func1d(vector, *args, **kwargs)) for vector in vectors]
    inner = parts[0].ndim
    stacked: Any = np.stack(parts)
    result = stacked.reshape(rest + parts[0].shape)
    return np.moveaxis(result, range(len(rest), len(rest) + inner), range(axis, axis + inner))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """``func(a, axis)`` for one axis after another; an axis that it takes away comes back with extent 1."""
    result: Any = as_tensor(a)
    for axis in np.atleast_1d(axes).tolist():
        place = normalize_axis_index(axis, result.ndim)
        reduced = func(result, place)
        result = reduced if reduced.ndim == result.ndim else np.expand_dims(reduced, place)
    return result
