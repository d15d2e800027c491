"""Repeating elements and arrays, and grids of coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from ..errors import ShapeError
from .creation import together

__all__ = ["ix_", "meshgrid", "repeat", "resize", "tile"]


def _repeat_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((2, 3))
    yield x, 2
    yield x, 3, -1
    yield np.asarray(1.0), 2
    yield np.zeros((0, 3)), 2, 0


@primitive(
    name="repeat",
    arrays=1,
    samples=_repeat_samples,
    formula="each element repeated",
    gradient=["Σ of g over the repetitions"],
)
def repeat_evenly(x: Any, repeats: int, axis: Any = None) -> Any:
    """Each element, or each slice along an axis, so many times."""
    return np.repeat(x, repeats, axis)


@repeat_evenly.vjp(0)
def _(g: Any, _y: Any, _x: Any, repeats: int, axis: Any = None) -> Any:
    if axis is None:
        return np.sum(g.reshape((*_x.shape, repeats)), axis=-1)
    axis = axis % _x.ndim + 1
    return np.sum(g.reshape((*_x.shape[:axis], repeats, *_x.shape[axis:])), axis=axis)


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element, or each slice along `axis`, as often as `repeats` says for all of them or for each one."""
    repeats = as_array(repeats)
    if repeats.size == 1:
        return repeat_evenly(a, int(repeats.reshape(())), axis)
    a = as_tensor(a) if axis is not None else np.reshape(as_tensor(a), -1)
    axis = 0 if axis is None else axis
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)


@implements(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """A repeated as a block, so many times along each axis."""
    A = as_tensor(A)
    times = [int(r) for r in np.atleast_1d(as_array(reps))]
    ndim = max(A.ndim, len(times))
    shape = (1,) * (ndim - A.ndim) + A.shape
    times = [1] * (ndim - len(times)) + times
    apart = np.reshape(A, [n for s in shape for n in (1, s)])
    wide = np.broadcast_to(apart, [n for r, s in zip(times, shape, strict=True) for n in (r, s)])
    return np.reshape(wide, [r * s for r, s in zip(times, shape, strict=True)])


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """The elements of `a`, row by row and over again if need be, in another shape of any size."""
    a = np.reshape(as_tensor(a), -1)
    if a.size == 0:
        return np.zeros_like(a, shape=new_shape)
    shape = (new_shape,) if isinstance(new_shape, (int, np.integer)) else tuple(new_shape)
    return np.take(a, np.resize(np.arange(a.size), shape))


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """Grids of coordinates from one axis each; "xy" puts the first along the columns, "ij" along the rows."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f'meshgrid: indexing must be "xy" or "ij", got {indexing!r}.')
    n = len(xi)
    places = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    grids = [
        np.reshape(x, [-1 if i == place else 1 for i in range(n)])
        for x, place in zip(together(*xi), places, strict=True)
    ]
    return tuple(grids) if sparse else tuple(np.broadcast_arrays(*grids))


@implements(np.ix_)
def ix_(*args: Any) -> tuple[Any, ...]:
    """One axis each, shaped so that together they index the grid of all combinations; a mask stands for its places."""
    axes = [as_tensor(a) for a in args]
    axes = [as_tensor(np.flatnonzero(a.data)) if a.dtype == bool else a for a in axes]
    if any(a.ndim != 1 for a in axes):
        raise ShapeError(f"ix_: expected vectors, got shapes {', '.join(str(a.shape) for a in axes)}.")
    return meshgrid(*axes, sparse=True, indexing="ij")
