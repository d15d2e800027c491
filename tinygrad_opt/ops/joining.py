"""Joining, splitting and repeating arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements

__all__ = ["concat", "concatenate", "pad", "repeat", "split", "stack", "tile"]


def _join_samples(rng: np.random.Generator) -> Any:
    x, y = rng.standard_normal((2, 3)), rng.standard_normal((1, 3))
    yield (x, y), {"axis": 0}
    yield (x, x), {"axis": -1}
    yield (x, y, x), {"axis": None}
    yield (np.zeros((0, 3)), x), {"axis": 0}


@primitive(
    name="concatenate",
    samples=_join_samples,
    formula="the arrays, end to end",
    gradient=["its part of g"],
)
def join(*arrays: Any, axis: Any = 0) -> Any:
    """The arrays end to end along an axis."""
    return np.concatenate(arrays, axis=axis)


@join.vjp_each
def _(position: int, g: Any, _y: Any, *_arrays: Any, axis: Any = 0) -> Any:
    extents = [a.size if axis is None else a.shape[axis] for a in _arrays]
    start = sum(extents[:position])
    part = slice(start, start + extents[position])
    if axis is None:
        return g[part].reshape(_arrays[position].shape)
    return g[(*(slice(None),) * (axis % g.ndim), part)]


@implements(np.concatenate, np.concat)
def concatenate(arrays: Any, axis: Any = 0, *, dtype: Any = None) -> Any:
    """The arrays end to end along `axis`; flattened first when it is None."""
    joined = join(*arrays, axis=axis)
    return joined if dtype is None else joined.astype(dtype)


concat = concatenate


@implements(np.stack)
def stack(arrays: Any, axis: int = 0) -> Any:
    """The arrays along a new axis."""
    return join(*[np.expand_dims(a, axis) for a in arrays], axis=axis)


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Consecutive parts along an axis: so many equal ones, or cut at the given places."""
    n = ary.shape[axis]
    if isinstance(indices_or_sections, int):
        if n % indices_or_sections:
            raise ValueError(f"split: {n} elements along axis {axis} do not make {indices_or_sections} equal parts.")
        step = n // indices_or_sections
        cuts = [step * i for i in range(1, indices_or_sections)]
    else:
        cuts = list(indices_or_sections)
    before = (slice(None),) * (axis % ary.ndim)
    return [ary[(*before, slice(a, b))] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]


repeat = primitive(
    np.repeat,
    numpy=np.repeat,
    arrays=1,
    samples=lambda rng: [
        (rng.standard_normal((2, 3)), 2),
        (rng.standard_normal((2, 3)), [1, 2], 0),
        (rng.standard_normal((2, 3)), 3, -1),
    ],
    formula="each element repeated",
    gradient=["Σ of g over the repetitions"],
)


@repeat.vjp(0)
def _(g: Any, _y: Any, _x: Any, repeats: Any, axis: Any = None) -> Any:
    n = _x.size if axis is None else _x.shape[axis]
    owner = np.repeat(np.arange(n), repeats)
    member = (owner == np.arange(n)[:, None]).astype(g.dtype)
    if axis is None:
        return np.matmul(member, g).reshape(_x.shape)
    rows = np.moveaxis(g, axis, 0)
    summed = np.matmul(member, rows.reshape(rows.shape[0], -1))
    return np.moveaxis(summed.reshape(n, *rows.shape[1:]), 0, axis)


@implements(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """A repeated as a block along each axis."""
    reps = tuple(reps) if np.ndim(reps) else (reps,)
    ndim = builtins_max(A.ndim, len(reps))
    shape = (1,) * (ndim - A.ndim) + A.shape
    reps = (1,) * (ndim - len(reps)) + reps
    wide = [n for r, s in zip(reps, shape, strict=True) for n in (r, s)]
    apart = np.reshape(A, [n for s in shape for n in (1, s)])
    return np.broadcast_to(apart, wide).reshape(tuple(r * s for r, s in zip(reps, shape, strict=True)))


builtins_max = max

pad = primitive(
    np.pad,
    numpy=np.pad,
    arrays=1,
    samples=lambda rng: [(rng.standard_normal((2, 3)), 1), (rng.standard_normal((2, 3)), ((0, 1), (2, 0)))],
    formula="x with a border",
    gradient=["g without the border"],
)


@pad.vjp(0)
def _(g: Any, _y: Any, _x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    widths = np.broadcast_to(pad_width, (_x.ndim, 2))
    return g[tuple([slice(int(a), int(a) + n) for (a, _), n in zip(widths, _x.shape, strict=True)])]
