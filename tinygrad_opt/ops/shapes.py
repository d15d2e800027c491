"""Shapes: the same elements in the same number, arranged otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.graph import sum_to_shape
from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from .creation import together

__all__ = [
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "copy",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "reshape",
    "roll",
    "rollaxis",
    "rot90",
    "squeeze",
    "swapaxes",
    "transpose",
]


def _reshape_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((2, 3))
    yield x, (3, 2)
    yield x, -1
    yield x.T, (-1, 2)
    yield (x, (3, 2)), {"order": "F"}
    yield np.asarray(1.0), (1, 1)
    yield np.zeros((0, 3)), (3, 0)


reshape = primitive(
    np.reshape,
    numpy=np.reshape,
    arrays=1,
    samples=_reshape_samples,
    formula="x reshaped",
    gradient=["g reshaped back"],
)


@reshape.vjp(0)
def _(g: Any, _y: Any, _x: Any, shape: Any, order: Any = "C", **_: Any) -> Any:
    return g.reshape(_x.shape) if order == "C" else np.reshape(g, _x.shape, order=order)


@implements(np.ravel)
def ravel(a: Any, order: Any = "C") -> Any:
    """All elements along one axis: row by row, column by column (order "F"), or as they lie in memory ("K")."""
    if order == "K":
        strides = as_array(a).strides
        a = np.transpose(a, sorted(range(len(strides)), key=lambda axis: -abs(strides[axis])))
    return np.reshape(a, -1) if order in ("C", "K") else np.reshape(a, -1, order=order)


def _transpose_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((2, 3, 4))
    yield (x,)
    yield x, (1, 2, 0)
    yield (x,), {"axes": (-1, 0, 1)}
    yield (np.asarray(1.0),)
    yield (np.zeros((0, 2)),)


transpose = permute_dims = primitive(
    np.transpose,
    numpy=(np.transpose, np.permute_dims),
    arrays=1,
    samples=_transpose_samples,
    formula="x with axes permuted",
    gradient=["g with axes permuted back"],
)


@transpose.vjp(0)
def _(g: Any, _y: Any, _x: Any, axes: Any = None) -> Any:
    return np.transpose(g) if axes is None else np.transpose(g, np.argsort([a % g.ndim for a in axes]))


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged."""
    return np.swapaxes(x, -1, -2)


swapaxes = primitive(
    np.swapaxes,
    numpy=np.swapaxes,
    arrays=1,
    vjp=[lambda g, _y, _x, axis1, axis2: np.swapaxes(g, axis1, axis2)],
    samples=lambda rng: [(rng.standard_normal((2, 3, 4)), 0, -1), (rng.standard_normal((2, 0)), 0, 1)],
    formula="x with two axes exchanged",
    gradient=["g with them exchanged back"],
)
moveaxis = primitive(
    np.moveaxis,
    numpy=np.moveaxis,
    arrays=1,
    vjp=[lambda g, _y, _x, source, destination: np.moveaxis(g, destination, source)],
    samples=lambda rng: [
        (rng.standard_normal((2, 3, 4)), 0, -1),
        (rng.standard_normal((2, 3, 4)), (0, 1), (-1, 0)),
    ],
    formula="x with axes moved",
    gradient=["g with axes moved back"],
)


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """An axis moved to before another one."""
    axis, start = normalize_axis_index(axis, a.ndim, "rollaxis"), start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


expand_dims = primitive(
    np.expand_dims,
    numpy=np.expand_dims,
    arrays=1,
    vjp=[lambda g, _y, _x, axis: g.reshape(_x.shape)],
    samples=lambda rng: [
        (rng.standard_normal((2, 3)), 1),
        (rng.standard_normal(3), (0, -1)),
        (np.asarray(1.0), 0),
    ],
    formula="x with axes of extent 1 put in",
    gradient=["g without them"],
)
squeeze = primitive(
    np.squeeze,
    numpy=np.squeeze,
    arrays=1,
    vjp=[lambda g, _y, _x, axis=None: g.reshape(_x.shape)],
    samples=lambda rng: [
        (rng.standard_normal((1, 3, 1)),),
        (rng.standard_normal((1, 3, 1)), -1),
        (np.asarray(1.0),),
    ],
    formula="x without axes of extent 1",
    gradient=["g with them"],
)
flip = primitive(
    np.flip,
    numpy=np.flip,
    arrays=1,
    vjp=[lambda g, _y, _x, axis=None: np.flip(g, axis)],
    samples=lambda rng: [
        (rng.standard_normal((2, 3)),),
        (rng.standard_normal((2, 3)), (0, -1)),
        (np.asarray(1.0),),
    ],
    formula="x backwards",
    gradient=["g backwards"],
)


@implements(np.flipud)
def flipud(m: Any) -> Any:
    """The first axis backwards."""
    return np.flip(m, 0)


@implements(np.fliplr)
def fliplr(m: Any) -> Any:
    """The second axis backwards."""
    return np.flip(m, 1)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turned by k quarters in the plane of two axes, from the first towards the second."""
    first, second = [normalize_axis_index(axis, m.ndim, "rot90") for axis in axes]
    if first == second:
        raise ValueError(f"rot90: the two axes must be different, got {axes}.")
    if k % 4 == 0:
        return np.copy(m)
    if k % 4 == 2:
        return np.flip(m, (first, second))
    return (
        np.flip(np.swapaxes(m, first, second), first) if k % 4 == 1 else np.swapaxes(np.flip(m, first), first, second)
    )


def _roll_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((2, 3))
    yield x, 2
    yield x, -1, 0
    yield x, (1, 2), (0, -1)
    yield np.zeros((0, 3)), 1


roll = primitive(
    np.roll,
    numpy=np.roll,
    arrays=1,
    samples=_roll_samples,
    formula="x shifted round",
    gradient=["g shifted back"],
)


@roll.vjp(0)
def _(g: Any, _y: Any, _x: Any, shift: Any, axis: Any = None) -> Any:
    return np.roll(g, tuple([-s for s in shift]) if isinstance(shift, (tuple, list)) else -shift, axis)


broadcast_to = primitive(
    np.broadcast_to,
    numpy=np.broadcast_to,
    arrays=1,
    vjp=[lambda g, _y, _x, shape, subok=False: sum_to_shape(g, _x.shape)],
    samples=lambda rng: [(rng.standard_normal((3, 1)), (2, 3, 4)), (np.asarray(2.0), (2,))],
    formula="x repeated",
    gradient=["Σ of g over the repetitions"],
)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """The arrays repeated to the shape that they broadcast to together."""
    tensors = together(*args)
    shape = np.broadcast_shapes(*[t.shape for t in tensors])
    return tuple(t if t.shape == shape else broadcast_to(t, shape) for t in tensors)


def _at_least(ndim: int, tensor: Any) -> Any:
    if tensor.ndim >= ndim:
        return tensor
    if ndim == 3 and tensor.ndim:  # NumPy's habit: (n,) becomes (1, n, 1), and (m, n) becomes (m, n, 1)
        return np.expand_dims(tensor, (0, 2) if tensor.ndim == 1 else 2)
    return np.reshape(tensor, (1,) * (ndim - tensor.ndim) + tensor.shape)


def _each_at_least(ndim: int, arrays: tuple[Any, ...]) -> Any:
    made = tuple([_at_least(ndim, as_tensor(a)) for a in arrays])
    return made[0] if len(made) == 1 else made


@implements(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    """A 0-d array as one of shape (1,)."""
    return _each_at_least(1, arys)


@implements(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    """With axes of extent 1 put in front until there are two."""
    return _each_at_least(2, arys)


@implements(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    """With axes of extent 1 put in until there are three."""
    return _each_at_least(3, arys)


astype = primitive(
    np.astype,
    numpy=np.astype,
    arrays=1,
    vjp=[lambda g, _y, _x, dtype, **_: g],
    samples=lambda rng: [(rng.standard_normal(3), np.dtype("f8")), (np.asarray(1.0), np.dtype("f8"))],
    formula="x in another dtype",
    gradient=["g"],
)
copy = primitive(
    np.copy,
    numpy=np.copy,
    arrays=1,
    vjp=[lambda g, _y, _x, *_, **__: g],
    samples=lambda rng: [(rng.standard_normal((2, 3)),), (np.asarray(1.0),)],
    formula="x",
    gradient=["g"],
)
