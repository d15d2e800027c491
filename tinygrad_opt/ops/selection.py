"""Choosing and replacing elements by place, mask or condition, under NumPy's names and PyTorch's.

Functions that NumPy lets write into their first argument (``put_along_axis``, ``fill_diagonal``, ``putmask`` …) bind
it to the new values, as ``t[…] = …`` does: the old values stay in the graph, and gradients flow to both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_array, as_tensor
from ..errors import ShapeError
from .creation import together
from .indexing import getitem, on_axis, scattered, setitem, take_along_axis, where
from .options import no_out

__all__ = [
    "bincount",
    "choose",
    "compress",
    "copyto",
    "extract",
    "fill_diagonal",
    "gather",
    "index_add",
    "index_copy",
    "index_fill",
    "index_select",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "place",
    "put",
    "put_along_axis",
    "putmask",
    "scatter",
    "scatter_add",
    "select",
    "take",
]


def _whole(indices: Any, caller: str) -> np.ndarray[Any, Any]:
    array = indices.data if isinstance(indices, Tensor) else np.asarray(indices)
    if array.size == 0:
        return array.astype(np.intp)
    if array.dtype.kind not in "bui":
        raise IndexError(f"{caller}: indices must be whole numbers, got {array.dtype}.")
    return array.astype(np.intp, copy=False)


def _bounded(indices: np.ndarray[Any, Any], n: int, mode: str) -> np.ndarray[Any, Any]:
    """Indices outside of an axis of extent n, treated as NumPy's `mode` says."""
    if mode == "wrap":
        return indices % n
    return np.clip(indices, 0, n - 1) if mode == "clip" else indices


def _write(x: Any, new: Any, caller: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{caller}: an array would not know the gradient of what is written into it. Make it a Tensor first, "
            f"tg.as_tensor(array), or write t.detach()."
        )
    x._rebind(new, caller)


@implements(np.take)
def take(a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Any:
    """The elements at `indices` along `axis`; of all of a in one row, by default."""
    no_out("take", out)
    a = as_tensor(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    if a.ndim == 0:
        a = a.reshape(1)
    axis = normalize_axis_index(axis, a.ndim)
    return getitem(a, on_axis(_bounded(_whole(indices, "take"), a.shape[axis], mode), axis, a.ndim))


@implements(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    """The slices of a along `axis` (elements of all of it in one row, by default) where the condition holds."""
    condition = as_array(condition)
    if condition.ndim != 1:
        raise ValueError(f"compress: the condition must be a vector, got shape {condition.shape}; t[mask] takes any.")
    return take(a, np.flatnonzero(condition), axis, out)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """The elements of `arr` where the condition, of as many elements, holds; 1-D."""
    return take(arr, np.flatnonzero(as_array(condition)))


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element, the first choice whose condition holds, else the default."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices; give one for each.")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@implements(np.choose)
def choose(a: Any, choices: Sequence[Any], out: None = None, mode: str = "raise") -> Any:
    """For each element i of `a`, the element there of ``choices[i]``; all broadcast."""
    no_out("choose", out)
    number = _bounded(_whole(a, "choose"), len(choices), mode)
    if number.size and not 0 <= number.min() <= number.max() < len(choices):
        raise ValueError(f"choose: numbers must be 0..{len(choices) - 1}, got {number.min()}..{number.max()}.")
    parts = together(*choices)
    shape = np.broadcast_shapes(number.shape, *[part.shape for part in parts])
    stacked: Any = np.stack([np.broadcast_to(part, shape) for part in parts])
    return take_along_axis(stacked, np.broadcast_to(number, shape)[None], 0)[0]


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: Any = False, writeable: Any = False
) -> Any:
    """All windows of a shape, sliding over x: the windows' axes come last. A copy, unlike NumPy's view."""
    x = as_tensor(x)
    if writeable:
        raise ValueError("sliding_window_view: windows of a Tensor are copies, so that writing into them is no use.")
    places = np.lib.stride_tricks.sliding_window_view(np.arange(x.size).reshape(x.shape), window_shape, axis)
    return x.reshape(-1)[places]


@implements(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each whole number from 0 occurs, or the sum of its weights, which have a gradient."""
    numbers = _whole(x, "bincount")
    if weights is None:
        return Tensor(np.bincount(numbers, minlength=minlength))
    return scattered(weights, numbers, (max(minlength, int(numbers.max(initial=-1)) + 1),))


def gather(x: Any, axis: int, index: Any) -> Any:
    """PyTorch's ``gather``: ``take_along_axis``, where `index` may be shorter than x along the other axes."""
    x, places = as_tensor(x), _whole(index, "gather")
    if x.ndim == 0 and places.ndim == 1:
        return getitem(x.reshape(1), places)
    return getitem(x, _grid(places, axis, x.ndim, "gather"))


def _grid(places: np.ndarray[Any, Any], axis: int, ndim: int, caller: str) -> tuple[Any, ...]:
    if places.ndim != ndim:
        raise ShapeError(f"{caller}: index of shape {places.shape} must have {ndim} axes, as x has.")
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in places.shape)])
    if ndim:
        grid[axis] = places
    return tuple(grid)


def scatter(x: Any, axis: int, index: Any, source: Any) -> Any:
    """PyTorch's ``scatter``: x with `source` written where ``gather`` would read; the last write stands."""
    x, places = as_tensor(x), _whole(index, "scatter")
    if isinstance(source, Tensor) and source.ndim == places.ndim:
        source = source[tuple(slice(n) for n in places.shape)]
    return setitem(x, source, _grid(places, axis, x.ndim, "scatter"))


def scatter_add(x: Any, axis: int, index: Any, source: Any) -> Any:
    """PyTorch's ``scatter_add``: x with `source` added at the places that ``gather`` would read; repeated ones add up.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.scatter_add(tg.tensor([1.0, 1.0, 1.0]), 0, [0, 2, 2], tg.tensor([1.0, 2.0, 4.0]))
    tensor([2., 1., 7.])
    """
    x, source, places = as_tensor(x), as_tensor(source), _whole(index, "scatter_add")
    if source.ndim == places.ndim:
        source = source[tuple(slice(n) for n in places.shape)]
    return x + scattered(source, _grid(places, axis, x.ndim, "scatter_add"), x.shape)


def index_add(x: Any, axis: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """x with ``alpha * source`` added at `index` along `axis`; repeated places add up."""
    x, source = as_tensor(x), as_tensor(source)
    if x.ndim == 0:
        return x + alpha * source.reshape(())
    places = on_axis(_whole(index, "index_add").reshape(-1), axis, x.ndim)
    return x + alpha * scattered(source, places, x.shape)


def index_copy(x: Any, axis: int, index: Any, source: Any) -> Any:
    """x with the slices of `source` written at `index` along `axis`."""
    x = as_tensor(x)
    return setitem(x, source, on_axis(_whole(index, "index_copy"), axis, x.ndim) if x.ndim else ())


def index_fill(x: Any, axis: int, index: Any, value: Any) -> Any:
    """x with one value written at `index` along `axis`."""
    return index_copy(x, axis, index, value)


def index_select(x: Any, axis: int, index: Any) -> Any:
    """``take`` under PyTorch's name and argument order; of a 0-d x, x itself."""
    chosen = take(x, index, axis)
    return chosen.reshape(()) if as_tensor(x).ndim == 0 and chosen.size == 1 else chosen


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with one value wherever the mask, which broadcasts, holds."""
    x = as_tensor(x)
    return where(mask, value if isinstance(value, Tensor) else x.dtype.type(value), x)


def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """x with the first elements of `source`, in order, where the mask holds; x and the mask broadcast."""
    x, source, chosen = as_tensor(x), as_tensor(source), as_array(mask).astype(bool)
    shape = np.broadcast_shapes(x.shape, chosen.shape)
    x, places = np.broadcast_to(x, shape), np.broadcast_to(chosen, shape)
    count = int(places.sum())
    if source.size < count:
        raise ShapeError(f"masked_scatter: the mask holds {count} times, the source has {source.size} elements.")
    return setitem(x, source.reshape(-1)[:count], places)


def masked_select(x: Any, mask: Any) -> Any:
    """The elements where the mask holds, both broadcast; 1-D."""
    x, chosen = as_tensor(x), as_array(mask)
    shape = np.broadcast_shapes(x.shape, chosen.shape)
    return np.broadcast_to(x, shape)[np.broadcast_to(chosen, shape)]


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """Write `values` where ``take_along_axis`` would read."""
    places = _whole(indices, "put_along_axis")
    if axis is None:
        put(arr, places, values)
        return
    if places.ndim != arr.ndim:
        raise IndexError(f"put_along_axis: indices of shape {places.shape} must have {arr.ndim} axes, as arr has.")
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in arr.shape)])
    grid[axis] = places
    _write(arr, setitem(arr, values, tuple(grid)), "put_along_axis")


def _cycled(values: Any, count: int) -> Any:
    """`count` elements of the values flattened, from the start again when they run out."""
    flat = values.reshape(-1) if isinstance(values, Tensor) else Tensor(np.asarray(values).reshape(-1))
    return getitem(flat, np.arange(count) % max(flat.size, 1)) if flat.size != count else flat


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write `v`, repeated as needed, at places of a, counted in one row."""
    places = _bounded(_whole(ind, "put").reshape(-1), a.size, mode)
    flat = setitem(as_tensor(a).reshape(-1), _cycled(v, places.size), places)
    _write(a, flat.reshape(a.shape), "put")


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write `val`, repeated as needed, on the main diagonal; `wrap` begins again below a tall matrix."""
    if a.ndim < 2 or (a.ndim > 2 and len(set(a.shape)) > 1):
        raise ShapeError(f"fill_diagonal: expected a matrix, or more axes of one extent; got shape {a.shape}.")
    step = sum(int(np.prod(a.shape[i + 1 :])) for i in range(a.ndim))
    end = a.size if wrap or a.ndim > 2 else min(a.size, a.shape[1] * a.shape[1])
    put(a, np.arange(0, end, step), val)


@implements(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    """Write ``values`` where the mask holds; those of another shape are repeated over a in one row."""
    new = values if np.shape(as_array(values)) == a.shape else _cycled(values, a.size).reshape(a.shape)
    _write(a, where(mask, new, a), "putmask")


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write `vals` in turn, repeated as needed, where the mask holds."""
    put(arr, np.flatnonzero(as_array(mask)), vals)


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write `src`, which broadcasts, into `dst`."""
    index = ... if where is True else np.broadcast_to(as_array(where), dst.shape)
    if index is ...:
        _write(dst, setitem(dst, src, index), "copyto")
    else:
        _write(dst, setitem(dst, getitem(np.broadcast_to(as_tensor(src), dst.shape), index), index), "copyto")
