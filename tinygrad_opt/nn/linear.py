"""Affine maps: y = x Wᵀ + b, as a function and as a layer."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_array, new_tensor
from ..errors import ShapeError
from ..kernels.blas import product
from . import init
from .module import Module, Parameter
from .text import check_precision

__all__ = ["Identity", "Linear", "linear"]


def _affine_samples(rng: np.random.Generator) -> Iterator[Any]:
    for lead in ((4,), (), (2, 3)):
        yield rng.standard_normal((*lead, 3)), rng.standard_normal((2, 3)), rng.standard_normal(2)


def _rows(x: Any) -> Any:
    """x as a matrix: all leading axes in one, so that it takes one matrix product."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@functools.lru_cache(maxsize=64)
def ones_vector(count: int, dtype: Any) -> Any:
    """Ones to multiply with: a matrix-vector product sums faster than np.sum does."""
    ones = np.ones(count, dtype)
    ones.flags.writeable = False
    return ones


@primitive(
    real=True,
    name="linear",
    samples=_affine_samples,
    formula="x · Wᵀ + b",
    gradient=["g · W", "gᵀ · x", "Σ g over the rows"],
)
def affine(x: Any, weight: Any, bias: Any) -> Any:
    """x · Wᵀ + b in one operation; :func:`naive_linear` is its definition."""
    y = product(x if x.ndim == 2 else _rows(x), weight.T, bias)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[-1])


@affine.vjp(0)
def _(g: Any, y: Any, _x: Any, weight: Any, _bias: Any) -> Any:
    return product(g, weight) if g.ndim == 2 else product(_rows(g), weight).reshape(_x.shape)


@affine.vjp(1)
def _(g: Any, y: Any, x: Any, _weight: Any, _bias: Any) -> Any:
    return product(g.T, x) if g.ndim == 2 else product(_rows(g).T, _rows(x))


@affine.vjp(2)
def _(g: Any, y: Any, _x: Any, _weight: Any, _bias: Any) -> Any:
    if g.ndim != 2:
        g = _rows(g)
    return product(ones_vector(g.shape[0], g.dtype), g)


def naive_linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """The definition of :func:`linear`, one operation at a time; tests hold the fused one to it."""
    y = np.matmul(x, np.transpose(weight))
    return y if bias is None else y + bias


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """y = x Wᵀ + b.

    Parameters
    ----------
    x : array_like, shape (..., in_features)
    weight : array_like, shape (out_features, in_features)
    bias : array_like, shape (out_features,), optional

    Returns
    -------
    Tensor, shape (..., out_features)

    Raises
    ------
    ShapeError
        The last axis of `x` is not in_features.
    """
    if bias is None:
        return np.matmul(x, weight.T)
    if isinstance(weight, Tensor) and isinstance(bias, Tensor):
        if not isinstance(x, Tensor):
            x = new_tensor(as_array(x), None)
        return affine._run((x.data, weight.data, bias.data), (x._node, weight._node, bias._node), {})
    return affine(x, weight, bias)


class Linear(Module):
    """y = x Wᵀ + b, with trained W and b.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether there is a b.
    dtype : dtype, optional
        By default the default dtype.
    generator : numpy.random.Generator, optional
        For the initial values: U(−k, k), k = 1/√in_features, as in PyTorch (He et al. 2015 with a = √5).

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Raises
    ------
    ShapeError
        When called with an x whose last axis is not in_features.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> tg.nn.Linear(3, 2)(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        for size in (in_features, out_features):
            if not hasattr(size, "__index__") or size < 0:
                raise ValueError(
                    f"Linear: in_features and out_features are numbers of features, got {in_features!r} and "
                    f"{out_features!r}."
                )
        self.in_features = in_features
        self.out_features = out_features
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.empty((out_features, in_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw new initial values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5.0), generator=generator)
        if self.bias is not None:
            bound = 1.0 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound, generator)

    def forward(self, x: Any) -> Any:
        """x Wᵀ + b."""
        weight = self.weight
        try:
            y = linear(x, weight, self.bias)
        except ShapeError:
            shape = np.shape(x.data if isinstance(x, Tensor) else x)
            raise ShapeError(_misfit(self, shape)) from None
        if y.data.dtype is not weight.data.dtype:
            check_precision(self, x, weight)
        return y

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def _misfit(layer: Linear, shape: tuple[int, ...]) -> str:
    """What is wrong with an input of this shape, and the likely mend."""
    wanted = layer.in_features
    text = f"{layer.label}(in_features={wanted}) got x of shape {shape}; its last axis must be {wanted}."
    if math.prod(shape[1:]) == wanted:
        return text + " Flatten first, e.g. nn.Flatten()."
    if shape and shape[0] == wanted:
        return text + " Its first axis is: pass x.T, with one sample a row."
    if math.prod(shape) == wanted:
        return text + f" x has {wanted} elements in all: x.reshape(1, {wanted}) is a batch of one."
    if shape:
        return text + f" For this input the layer would be Linear({shape[-1]}, {layer.out_features})."
    return text


class Identity(Module):
    """x itself, whatever arguments it is made with: stands where a layer was taken out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """x."""
        return x
