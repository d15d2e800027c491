"""Norms of vectors and matrices, of every order, with PyTorch's subgradients where they have a kink.

At 0 the gradient is 0, and so is the second derivative, which does not exist there and which PyTorch gives as NaN.
Elements that tie for the largest (or smallest) magnitude share their gradient evenly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from ..errors import ShapeError

__all__ = ["matrix_norm", "norm", "vector_norm"]


def _samples(rng: np.random.Generator) -> Iterator[Any]:
    draw = rng.standard_normal
    for order in (2, 1, 3, 0.5, 1.5, np.inf, -np.inf, 0, -1, 4):
        yield draw((2, 3)), order, 1, False
    yield draw(3), 2, None, True
    yield draw((2, 3)), 2, None, False
    yield draw((2, 3, 2)), 3, (0, -1), True
    yield np.asarray(draw()), 2, None, False
    yield draw((0, 3)), 2, 0, False


def _in_float(x: Any) -> Any:
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


@primitive(
    name="vector_norm",
    arrays=1,
    formula="(Σ |x|ᵖ)^(1/p)",
    gradient=["g · sign(x) · (|x| / ‖x‖)ᵖ⁻¹"],
    samples=_samples,
)
def _vector_norm(x: Any, order: float, axis: Any, keepdims: bool) -> Any:
    return np.linalg.vector_norm(x, ord=order, axis=axis, keepdims=keepdims)


@_vector_norm.vjp(0)
def _(g: Any, y: Any, x: Any, order: float, axis: Any, keepdims: bool) -> Any:
    axes = tuple(range(x.ndim)) if axis is None else axis
    if not keepdims:
        g, y = np.expand_dims(g, axes), np.expand_dims(y, axes)
    if order == 2:
        return x * (g / np.where(y == 0, np.inf, y))
    if order == 1:
        return g * np.sign(x)
    if order == 0:
        return g * np.zeros(x.shape, x.dtype)
    magnitude = np.abs(x)
    if np.isinf(order):
        tied = magnitude == y
        return g * np.sign(x) * (tied / np.sum(tied, axis=axes, keepdims=True)).astype(y.dtype)
    ratio = np.where(x == 0, 1.0, magnitude) / np.where(y == 0, np.inf, y)
    return np.where(x == 0, 0.0, g * np.sign(x) * ratio ** (order - 1))


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    """(Σ |x|ᵖ)^(1/p) over `axis` (all axes by default); the largest magnitude for p = ∞, a count for p = 0."""
    x = _in_float(as_tensor(x))
    return _over_axis(x, ord, tuple(axis) if isinstance(axis, list) else axis, keepdims)


def _over_axis(x: Any, order: float, axis: Any, keepdims: bool) -> Any:
    """The vector norm; a 0-d array counts as a vector of one element, as in PyTorch."""
    if x.ndim == 0 and axis in (0, -1, (0,), (-1,)):
        axis = None
    return _vector_norm(x, order, axis, keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """A norm of each matrix (…, m, n): "fro", "nuc", or ±1, ±2, ±inf as for :func:`norm`."""
    return norm(x, ord, (-2, -1), keepdims)


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A norm of a vector or a matrix.

    Parameters
    ----------
    x : Tensor
    ord : optional
        For vectors any number p, (Σ |x|ᵖ)^(1/p). For matrices "fro" (Σ x²)^½, "nuc" the sum of the singular
        values, ±2 the largest / smallest of them, ±1 and ±inf the largest / smallest sum of magnitudes of a
        column / a row. By default the root of the sum of squares of everything.
    axis : int or pair of int, optional
        One axis holds vectors, two hold matrices; by default as x has axes.
    keepdims : bool

    Raises
    ------
    ValueError
        An order that is not defined, or an `axis` that names neither vectors nor matrices.
    """
    x = _in_float(as_tensor(x))
    if axis is None:
        if ord is None:
            return _vector_norm(x, 2, None, keepdims)
        if x.ndim not in (1, 2):
            raise ShapeError(f"norm: with ord={ord!r}, x must be 1-D or 2-D or axis given; got shape {x.shape}.")
        axis = tuple(range(x.ndim))
    axes = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"norm: ord={ord!r} is defined for matrices only; axis {axes} holds vectors.")
        return _over_axis(x, 2 if ord is None else ord, axes[0], keepdims)
    places = {normalize_axis_index(a, x.ndim, "norm") for a in axes}
    if len(axes) != 2 or len(places) != 2:
        raise ValueError(f"norm: axis must be one axis or two different ones, got {axis}.")
    return _matrix_norm(x, ord, axes[0] % x.ndim, axes[1] % x.ndim, keepdims)


def _matrix_norm(x: Any, order: Any, row: int, column: int, keepdims: bool) -> Any:
    if order is None or order == "fro":
        return _vector_norm(x, 2, (row, column), keepdims)
    if order in ("nuc", 2, -2):
        values = np.linalg.svd(np.moveaxis(x, (row, column), (-2, -1)), compute_uv=False)
        if order == "nuc":
            result = np.sum(values, axis=-1)
        else:
            result = (np.max if order == 2 else np.min)(values, axis=-1)
    elif order in (1, -1, np.inf, -np.inf):
        first, second = (row, column) if abs(order) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=first, keepdims=True)
        result = (np.max if order > 0 else np.min)(sums, axis=second, keepdims=True)
        return result if keepdims else np.squeeze(result, (row, column))
    else:
        raise ValueError(f"norm: ord={order!r} is not defined for matrices; use 'fro', 'nuc', ±1, ±2 or ±inf.")
    return np.expand_dims(result, (row, column)) if keepdims else result
