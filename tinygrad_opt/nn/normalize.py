"""The operation behind batch, layer, group and instance normalization: to mean 0 and variance 1, then an affine map.

The array is seen as (A, B, L). Mean and variance are those of each of the B slices, over A and L; batch norm sees
(N, C, H·W), layer norm (1, rows, features). Sums are matrix-vector products, which are the quickest sums NumPy has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..kernels import twin
from .definition import is_recorded
from .linear import ones_vector

__all__ = ["Moments", "moments", "naive_normalize", "normalize"]

View = tuple[int, int, int]

_LEAST = 1 << 13  # elements from which the compiled form pays


def _slice_sums(a: Any) -> Any:
    """Sums over A and L of an (A, B, L) array, as (B, 1)."""
    blocks, slices, length = a.shape
    sums = a.reshape(blocks * slices, length) @ ones_vector(length, a.dtype)
    if blocks > 1:
        sums = ones_vector(blocks, a.dtype) @ sums.reshape(blocks, slices)
    return sums.reshape(slices, 1)


def _weight_sums(a: Any, by_slice: bool) -> Any:
    """Sums of an (A, B, L) array over all that share a weight: as (B, 1), or as (L,)."""
    if by_slice:
        return _slice_sums(a)
    blocks, slices, length = a.shape
    return ones_vector(blocks * slices, a.dtype) @ a.reshape(blocks * slices, length)


class Moments:
    """What normalization divides by and subtracts.

    Attributes
    ----------
    mean, rate : ndarray or Tensor, shape (B, 1)
        The mean, and 1/√(variance + eps), of each slice.
    """

    __slots__ = ("mean", "rate")

    def __init__(self, mean: Any, rate: Any) -> None:
        self.mean = mean
        self.rate = rate

    def __repr__(self) -> str:
        return "moments of x"


def moments(x: Any, eps: float) -> Moments:
    """The moments of each slice of an (A, B, L) array; the variance divides by n."""
    if isinstance(x, np.ndarray) and (compiled := twin("normalization", x.size, _LEAST)):
        found = compiled.moments(x, eps)
        if found is not None:
            return Moments(*found)
    count = x.shape[0] * x.shape[2]
    mean = _slice_sums(x) / count
    centred = x - mean
    return Moments(mean, 1 / np.sqrt(_slice_sums(centred * centred) / count + eps))


def _samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape, view, by_slice in (
        ((3, 2, 2), (3, 2, 2), True),
        ((2, 3, 4), (1, 6, 4), False),
        ((4, 2), (4, 2, 1), True),
    ):
        weights = view[1] if by_slice else view[2]
        x = rng.standard_normal(shape)
        options = {"view": view, "by_slice": by_slice, "eps": 0.1}
        yield (x, rng.standard_normal(weights), rng.standard_normal(weights)), options


def _shaped(weight: Any, by_slice: bool) -> Any:
    return weight.reshape(-1, 1) if by_slice else weight.reshape(-1)


@primitive(real=True, name="normalize", arrays=3, samples=_samples, formula="w · (x − mean) / √(var + ε) + b")
def fused(x: Any, weight: Any, bias: Any, view: View, by_slice: bool, eps: float, known: Moments | None = None) -> Any:
    """(x − mean) / √(var + eps) · weight + bias; `known` are the moments of x, if the caller has them."""
    x3 = x.reshape(view)
    known = known or moments(x3, eps)
    if compiled := twin("normalization", x.size, _LEAST):
        scale = compiled.scale if by_slice else compiled.scale_features
        found = scale(x3, known.mean, known.rate, weight, bias)
        if found is not None:
            return found.reshape(x.shape)
    y = x3 - known.mean
    y *= known.rate
    y = y * _shaped(weight, by_slice)
    y += _shaped(bias, by_slice)
    return y.reshape(x.shape)


@fused.vjp_joint
def _(
    needed: Any,
    g: Any,
    _y: Any,
    x: Any,
    weight: Any,
    _bias: Any,
    view: View,
    by_slice: bool,
    eps: float,
    known: Moments | None = None,
) -> Any:
    g, x3 = g.reshape(view), x.reshape(view)
    if known is None or isinstance(x, Tensor):  # on Tensors the moments are functions of x
        known = moments(x3, eps)
    if not is_recorded((g, x, weight)) and (compiled := twin("normalization", x.size, _LEAST)):
        gradients = compiled.slice_gradients if by_slice else compiled.feature_gradients
        found = gradients(g, x3, known.mean, known.rate, weight, needed[0])
        if found is not None:
            shapes = x.shape, weight.shape, _bias.shape
            return tuple(
                part.reshape(shape) if want else None for want, part, shape in zip(needed, found, shapes, strict=True)
            )
    normal = (x3 - known.mean) * known.rate
    count = view[0] * view[2]
    dx = dw = db = None
    if needed[0]:
        inner = g * _shaped(weight, by_slice)
        pull = _slice_sums(inner * normal) / count
        dx = ((inner - _slice_sums(inner) / count - normal * pull) * known.rate).reshape(x.shape)
    if needed[1]:
        dw = _weight_sums(g * normal, by_slice).reshape(weight.shape)
    if needed[2]:
        db = _weight_sums(g, by_slice).reshape(_bias.shape)
    return dx, dw, db


def naive_normalize(x: Any, weight: Any, bias: Any, view: View, by_slice: bool, eps: float) -> Any:
    """The definition of :func:`normalize`, one operation at a time; tests hold the fused one to it."""
    x3 = x.reshape(view)
    centred = x3 - np.mean(x3, axis=(0, 2), keepdims=True)
    y = centred / np.sqrt(np.mean(centred * centred, axis=(0, 2), keepdims=True) + eps)
    return (y * _shaped(weight, by_slice) + _shaped(bias, by_slice)).reshape(x.shape)


def normalize(
    x: Tensor, weight: Any, bias: Any, view: View, by_slice: bool, eps: float, known: Moments | None = None
) -> Tensor:
    """x with mean 0 and variance 1 in each slice of its (A, B, L) view, times a weight, plus a bias.

    Parameters
    ----------
    x : Tensor
    weight, bias : Tensor or None
        Of B elements, or of L.
    view : tuple of three ints
    by_slice : bool
        Whether the weights belong to B.
    eps : float
    known : Moments, optional
        What :func:`moments` gives for x, if it has been computed.
    """
    w = as_tensor(np.ones(1, x.dtype) if weight is None else weight)
    b = as_tensor(np.zeros(1, x.dtype) if bias is None else bias)
    if known is None:
        known = moments(x.data.reshape(view), eps)
    options = {"view": view, "by_slice": by_slice, "eps": eps, "known": known}
    return fused._run((x.data, w.data, b.data), (x._node, w._node, b._node), options)  # type: ignore[no-any-return]
