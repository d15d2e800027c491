"""Shapes: the same elements, arranged otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.graph import sum_to_shape
from ..autograd.primitive import primitive
from ..autograd.registry import implements

__all__ = [
    "astype",
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
    "squeeze",
    "swapaxes",
    "transpose",
]


def _reshape_samples(rng: np.random.Generator) -> Any:
    yield (rng.standard_normal((2, 3)), (3, 2))
    yield (rng.standard_normal((2, 3)), -1)
    yield (np.asarray(1.0), (1, 1))


reshape = primitive(
    np.reshape,
    numpy=np.reshape,
    arrays=1,
    vjp=[lambda g, _y, _x, *_, **__: g.reshape(_x.shape)],
    samples=_reshape_samples,
    formula="x reshaped",
    gradient=["g reshaped back"],
)


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    """All elements along one axis."""
    return np.reshape(a, -1) if order == "C" else np.reshape(np.transpose(a), -1)


def _transpose_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((2, 3, 4))
    yield (x,)
    yield (x, (1, 2, 0))
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


@implements(np.matrix_transpose)
def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    return np.swapaxes(x, -1, -2)


swapaxes = primitive(
    np.swapaxes,
    numpy=np.swapaxes,
    arrays=1,
    vjp=[lambda g, _y, _x, axis1, axis2: np.swapaxes(g, axis1, axis2)],
    samples=lambda rng: [(rng.standard_normal((2, 3, 4)), 0, -1)],
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
expand_dims = primitive(
    np.expand_dims,
    numpy=np.expand_dims,
    arrays=1,
    vjp=[lambda g, _y, _x, axis: g.reshape(_x.shape)],
    samples=lambda rng: [(rng.standard_normal((2, 3)), 1), (rng.standard_normal(3), (0, -1))],
    formula="x with axes of extent 1 put in",
    gradient=["g without them"],
)
squeeze = primitive(
    np.squeeze,
    numpy=np.squeeze,
    arrays=1,
    vjp=[lambda g, _y, _x, axis=None: g.reshape(_x.shape)],
    samples=lambda rng: [(rng.standard_normal((1, 3, 1)),), (rng.standard_normal((1, 3, 1)), -1)],
    formula="x without axes of extent 1",
    gradient=["g with them"],
)
flip = primitive(
    np.flip,
    numpy=np.flip,
    arrays=1,
    vjp=[lambda g, _y, _x, axis=None: np.flip(g, axis)],
    samples=lambda rng: [(rng.standard_normal((2, 3)),), (rng.standard_normal((2, 3)), (0, -1))],
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


broadcast_to = primitive(
    np.broadcast_to,
    numpy=np.broadcast_to,
    arrays=1,
    vjp=[lambda g, _y, _x, shape, subok=False: sum_to_shape(g, _x.shape)],
    samples=lambda rng: [(rng.standard_normal((3, 1)), (2, 3, 4)), (np.asarray(2.0), (2,))],
    formula="x repeated",
    gradient=["Σ of g over the repetitions"],
)
astype = primitive(
    np.astype,
    numpy=np.astype,
    arrays=1,
    vjp=[lambda g, _y, _x, dtype, **_: g],
    samples=lambda rng: [(rng.standard_normal(3), np.dtype("f8"))],
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
