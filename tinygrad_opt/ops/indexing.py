"""Indexing: reading elements, writing them, and the adjoint pair getitem / scatter_add behind both.

Reading copies values out, so its gradient puts them back where they came from and adds where one element was read
more than once; that is :func:`scattered`, whose own gradient is reading again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.part import Part
from ..autograd.primitive import primitive
from ..autograd.registry import implementations, implements
from ..autograd.tensor import Tensor, as_array, as_tensor
from .masking import keep
from .scatter import add_at, last_writers, may_repeat

__all__ = ["getitem", "one_hot", "setitem", "take_along_axis", "where"]


def _plain(index: Any) -> Any:
    """An index without Tensors in it: slices and Ellipsis as they are, lists as arrays."""
    if index.__class__ is tuple:
        return tuple([_plain(part) for part in index])
    if isinstance(index, Tensor):
        array = index.data
        if array.dtype.kind not in "bui":
            raise IndexError(
                f"an index must be whole numbers or bool, got a Tensor of {array.dtype}; use t.astype(np.int64)."
            )
        return array
    if isinstance(index, list):
        return np.asarray(index, None if index else np.intp)
    return index


def on_axis(index: Any, axis: int, ndim: int) -> tuple[Any, ...]:
    """The index of the whole that means `index` along one axis."""
    return (slice(None),) * normalize_axis_index(axis, ndim) + (index,)


_INDICES: tuple[Any, ...] = (
    1,
    -1,
    slice(None, None, -1),
    (slice(1, 3), 0),
    (..., None, slice(0, 4, 2)),
    np.array([2, 0, 0]),
    (np.array([[0, -1], [0, 1]]), slice(None)),
    (np.array([0, 2, 2]), np.array([1, 1, 1])),
    (slice(None), np.array([1, 1, 3])),
    (np.array([1, 1]), None, np.array([[0], [-1]])),
    np.array([True, False, True]),
    np.arange(12).reshape(3, 4) % 5 > 2,
    (np.array([False, False, False]), slice(None)),
    (np.array([True, False, True]), np.array([0, 0])),
    (slice(3, 3),),
)


def _getitem_samples(rng: np.random.Generator) -> Iterator[Any]:
    for index in _INDICES:
        yield rng.standard_normal((3, 4)), index
    yield rng.standard_normal((4, 3)).T, np.array([0, 1, 0])
    yield np.asarray(rng.standard_normal()), ()
    yield np.asarray(rng.standard_normal()), (None, ...)
    yield np.asarray(rng.standard_normal()), np.asarray(True)
    yield rng.standard_normal((0, 3)), slice(0, 2)
    yield rng.standard_normal((2, 3, 4)), (slice(None), np.array([0, 2]), slice(None), None)
    yield rng.standard_normal((2, 3, 2)), (np.array([0, 0]), slice(None), np.array([1, 1]))


def _read(x: Any, index: Any) -> Any:
    return x[index]


def _part(g: Any, x: Any, index: Any) -> Part | None:
    return None if may_repeat(index) else Part(g, index, x.shape)


_getitem = primitive(
    _read, name="getitem", arrays=1, samples=_getitem_samples, formula="x[i]", gradient=["g, added at i"], part=_part
)


@_getitem.vjp(0)
def _(g: Any, y: Any, _x: Any, index: Any) -> Any:
    return add_at(g, index, _x.shape) if isinstance(g, np.ndarray) else scattered(g, index, _x.shape)


def getitem(x: Any, index: Any) -> Tensor:
    """``x[index]``: whole numbers, slices, None, Ellipsis, bool masks, arrays or Tensors of whole numbers.

    Raises
    ------
    IndexError
        As NumPy does, and for a Tensor of floats as an index.
    """
    x = as_tensor(x)
    return _getitem._run((x.data, _plain(index)), (x._node, None), {})  # type: ignore[no-any-return]


def _scatter_samples(rng: np.random.Generator) -> Iterator[Any]:
    yield rng.standard_normal((3, 2)), np.array([1, 0, 1]), (4, 2)
    yield rng.standard_normal(2), np.array([-1, 2]), (3,)
    yield rng.standard_normal((2, 2)), (slice(None), slice(0, 4, 2)), (2, 4)
    yield np.asarray(rng.standard_normal()), 1, (3,)
    yield rng.standard_normal((0, 2)), np.zeros(0, int), (3, 2)


_scatter_add = primitive(
    add_at,
    name="scatter_add",
    arrays=1,
    samples=_scatter_samples,
    formula="Σ values at i",
    gradient=["g[i]"],
)


@_scatter_add.vjp(0)
def _(g: Any, y: Any, _values: Any, index: Any, shape: Any) -> Any:
    return g[index].reshape(_values.shape)


def scattered(values: Any, index: Any, shape: tuple[int, ...]) -> Tensor:
    """Zeros of `shape` with ``values`` added at ``index``: the adjoint of ``x[index]`` for an x of that shape.

    Where an element is named more than once, its values add up. `values` has the shape of ``x[index]``.

    >>> import tinygrad_opt as tg
    >>> scattered(tg.tensor([1.0, 2.0, 4.0]), [0, 2, 2], (3,))
    tensor([1., 0., 6.])
    """
    return _scatter_add(values, _plain(index), tuple(shape))  # type: ignore[no-any-return]


def _write(x: Any, value: Any, index: Any) -> Any:
    new = x.copy()
    new[index] = value
    return new


def _setitem_samples(rng: np.random.Generator) -> Iterator[Any]:
    for index in _INDICES:
        x = rng.standard_normal((3, 4))
        yield x, rng.standard_normal(x[index].shape), index
    yield rng.standard_normal((3, 4)), np.asarray(rng.standard_normal()), (slice(None), 1)
    yield rng.standard_normal((3, 4)), rng.standard_normal((1, 1, 4)), slice(1, 3)
    yield rng.standard_normal((3, 4)), rng.standard_normal(4), np.array([0, 0, 2])
    yield np.asarray(rng.standard_normal()), np.asarray(rng.standard_normal()), ()


_setitem = primitive(
    _write,
    name="setitem",
    arrays=2,
    samples=_setitem_samples,
    formula="x with v at i",
    gradient=["g, 0 at i", "g[i]"],
)


@_setitem.vjp(0)
def _(g: Any, y: Any, _x: Any, _value: Any, index: Any) -> Any:
    return _write(g, 0, index) if isinstance(g, np.ndarray) else _setitem(g, 0.0, index)


@_setitem.vjp(1)
def _(g: Any, y: Any, _x: Any, _value: Any, index: Any) -> Any:
    part = g[index]
    last = last_writers(index, _x.shape)
    if last is not None:
        part = np.where(last, part, 0)
    return part if part.ndim >= _value.ndim else part.reshape((1,) * (_value.ndim - part.ndim) + part.shape)


def setitem(x: Any, value: Any, index: Any) -> Tensor:
    """A copy of x with `value` at `index`: what ``x[index] = value`` binds x to.

    Where an index names an element twice, the last value stands, and only that one has a gradient.

    Raises
    ------
    TypeError
        A value that would lose its gradient: of floats, into a Tensor of whole numbers.
    """
    x = as_tensor(x)
    if isinstance(value, Tensor) and not np.can_cast(value.dtype, x.dtype, "same_kind"):
        raise TypeError(
            f"t[…] = value: a value of {value.dtype} does not fit into a Tensor of {x.dtype}; "
            f"write t = t.astype({value.dtype}) first."
        )
    if not isinstance(value, Tensor):
        value = Tensor(np.asarray(value, x.dtype))
    return _setitem._run((x.data, value.data, _plain(index)), (x._node, value._node, None), {})  # type: ignore[no-any-return]


implementations["getitem"] = getitem
implementations["setitem"] = setitem


def _where_samples(rng: np.random.Generator) -> Iterator[Any]:
    draw = rng.standard_normal
    yield draw((2, 3)) > 0, draw((2, 3)), draw((2, 3))
    yield np.array([True, False, True]), draw((2, 1)), draw(3)
    yield np.asarray(False), np.asarray(draw()), draw(2)
    yield np.zeros((0, 2), bool), draw((0, 2)), draw(2)


_where = primitive(
    np.where,
    name="where",
    arrays=3,
    samples=_where_samples,
    vjp=[None, lambda g, _y, c, _a, _b: keep(g, c != 0), lambda g, _y, c, _a, _b: keep(g, c == 0)],
    formula="a where c, else b",
    gradient=["", "g where c, else 0", "0 where c, else g"],
)


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition holds, y elsewhere; with the condition alone, the indices where it holds.

    The branch not taken gets gradient 0, but a rule further back can still make 0 · ∞ of it:
    ``where(x > 0, sqrt(x), 0)`` has no finite gradient at 0, ``sqrt(where(x > 0, x, 1))`` has.
    """
    if x is None and y is None:
        return tuple(Tensor(part) for part in np.nonzero(as_array(condition)))
    if x is None or y is None:
        raise TypeError("where(condition, x, y): give both x and y, or neither.")
    if not (hasattr(x, "dtype") or hasattr(y, "dtype")):
        x, y = as_array(x), as_array(y)
    return _where(condition, x, y)


def _along(indices: Any, shape: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    """The index tuple that take_along_axis stands for."""
    return tuple(
        indices if i == axis else np.arange(n).reshape((-1,) + (1,) * (len(shape) - i - 1)) for i, n in enumerate(shape)
    )


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """The elements of `arr` that `indices` names along `axis`; the other axes broadcast. PyTorch's ``gather``.

    Shapes: arr (…, n, …), indices (…, k, …) → (…, k, …). With ``axis=None`` arr is flattened first.
    """
    arr = as_tensor(arr)
    if axis is None:
        arr, axis = arr.reshape(-1), 0
    indices = _plain(indices) if isinstance(indices, (Tensor, list)) else np.asarray(indices)
    if indices.ndim != arr.ndim:
        raise IndexError(
            f"take_along_axis: indices of shape {indices.shape} must have as many axes as arr of shape {arr.shape}."
        )
    return getitem(arr, _along(indices, arr.shape, normalize_axis_index(axis, arr.ndim)))


def one_hot(labels: Any, num_classes: int | None = None) -> Tensor:
    """Rows of zeros with a 1 at the label.

    Shapes: labels (…) of whole numbers → (…, num_classes) of int64; by default the largest label + 1 classes.

    Raises
    ------
    ValueError
        A label outside 0 … num_classes − 1.
    """
    codes = as_array(labels)
    if codes.dtype.kind not in "bui":
        raise TypeError(f"one_hot: labels must be whole numbers, got {codes.dtype}; use labels.astype(np.int64).")
    codes = codes.astype(np.int64)
    count = int(codes.max(initial=-1)) + 1 if num_classes in (None, -1) else num_classes  # -1: PyTorch's default
    wrong = (codes < 0) | (codes >= count)
    if wrong.any():
        place = np.argwhere(wrong)[0]
        raise ValueError(
            f"one_hot: labels must be 0..{count - 1}; found {codes[tuple(place)]} at index {tuple(place.tolist())}."
        )
    return Tensor((codes[..., None] == np.arange(count)).astype(np.int64))
