"""Normalization within a sample: layer, RMS, group and local response norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .channels import by_channel, scale_channels
from .floats import as_floats
from .module import Module, Parameter
from .normalize import normalize
from .root_mean_square import rms_normalize
from .sizes import check_sizes
from .windows import layer_name

__all__ = [
    "GroupNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
    "group_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]

Shape = int | tuple[int, ...] | list[int]


def _as_shape(name: str, given: Shape) -> tuple[int, ...]:
    if isinstance(given, (int, np.integer)):
        return (given,)
    if not isinstance(given, (tuple, list)) or not given:
        raise ValueError(f"{name}: normalized_shape must be an int or a tuple of one or more, got {given!r}.")
    return tuple(given)


def _layer_shape(name: str, given: Shape) -> tuple[int, ...]:
    """The `normalized_shape` that a layer is made with, after checking it."""
    shape = _as_shape(name, given)
    for size in shape:
        check_sizes(name, normalized_shape=size)
    return shape


def _trailing(caller: str, x: Any, shape: Shape, *weights: Any) -> tuple[Tensor, tuple[int, ...]]:
    """x as a Tensor, and the axes to normalize; raises unless they are x's last ones and the weights' shape."""
    x, wanted = as_tensor(x), _as_shape(caller, shape)
    if x.shape[-len(wanted) :] != wanted:
        raise ShapeError(f"{layer_name(caller)}: expected x to end in the axes {wanted}, got shape {x.shape}.")
    for weight in weights:
        if weight is not None and (got := as_tensor(weight).shape) != wanted:
            raise ShapeError(f"{layer_name(caller)}: weight and bias must have shape {wanted}, got {got}.")
    return x, wanted


def layer_norm(x: Any, normalized_shape: Shape, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x − mean) / √(var + eps) · weight + bias, over the last axes of each sample (Ba et al. 2016, arXiv:1607.06450).

    Parameters
    ----------
    x : array_like, shape (..., *normalized_shape)
    normalized_shape : int or tuple of int
        The extents of the axes to normalize together.
    weight, bias : array_like, shape normalized_shape, optional
    eps : float
        Added to the variance, which divides by the number of elements.

    Raises
    ------
    ShapeError
        x does not end in `normalized_shape`, or weight or bias have another shape.
    """
    x, shape = _trailing("layer_norm", x, normalized_shape, weight, bias)
    length = math.prod(shape)
    return normalize(x, weight, bias, (1, x.size // length if length else 0, length), False, eps)


def rms_norm(x: Any, normalized_shape: Shape, weight: Any = None, eps: float | None = None) -> Any:
    """x / √(mean x² + eps) · weight, over the last axes of each sample (Zhang & Sennrich 2019, arXiv:1910.07467).

    Parameters
    ----------
    x : array_like, shape (..., *normalized_shape)
    normalized_shape : int or tuple of int
    weight : array_like, shape normalized_shape, optional
    eps : float, optional
        By default the machine epsilon of x's dtype.

    Raises
    ------
    ShapeError
        x does not end in `normalized_shape`, or the weight has another shape.
    """
    x, shape = _trailing("rms_norm", as_floats(x), normalized_shape, weight)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return rms_normalize(x, np.ones(shape, x.dtype) if weight is None else weight, eps=eps)


def group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Layer norm of each group of channels, then a weight and a bias a channel (Wu & He 2018, arXiv:1803.08494).

    Parameters
    ----------
    x : array_like, shape (N, C, ...)
    num_groups : int
        Divides C.
    weight, bias : array_like, shape (C,), optional
    eps : float

    Raises
    ------
    ShapeError
        x has fewer than two axes, `num_groups` does not divide C, or weight or bias have not one element a channel.
    ValueError
        `num_groups` is below 1.
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"{layer_name('group_norm')}: expected x of shape (N, C, ...), got {x.shape}.")
    check_sizes("group_norm", 1, num_groups=num_groups)
    if x.shape[1] % num_groups:
        raise ShapeError(
            f"{layer_name('group_norm')}: {num_groups} groups do not divide the channels of shape {x.shape}."
        )
    weight, bias = by_channel("group_norm", x, weight=weight, bias=bias)
    slices = x.shape[0] * num_groups
    y = normalize(x, None, None, (1, slices, x.size // slices if slices else 0), False, eps)
    return scale_channels(y, weight, bias)


def local_response_norm(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """x / (k + α · mean of x² over `size` neighbouring channels)^β (Krizhevsky et al. 2012).

    Parameters
    ----------
    x : array_like, shape (N, C, ...)
    size : int
        Channels in a window; beyond the first and the last channel there are zeros.
    alpha, beta, k : float

    Raises
    ------
    ShapeError
        x has fewer than three axes.
    ValueError
        `size` is below 1.
    """
    x = as_tensor(x)
    check_sizes("local_response_norm", 1, size=size)
    if x.ndim < 3:
        raise ShapeError(f"{layer_name('local_response_norm')}: expected (N, C, ...) of 3 axes or more, got {x.shape}.")
    before, channels = size // 2, x.shape[1]
    pads = ((0, 0), (before, (size - 1) // 2)) + ((0, 0),) * (x.ndim - 2)
    squares = np.pad(x * x, pads)
    total = squares[:, :channels]
    for shift in range(1, size):
        total = total + squares[:, shift : shift + channels]
    return x / (k + alpha / size * total) ** beta


class LayerNorm(Module):
    """Layer normalization: :func:`layer_norm` with trained weight and bias.

    Parameters
    ----------
    normalized_shape : int or tuple of int
    eps : float
    elementwise_affine : bool
        Whether there are a weight and a bias.
    bias : bool
        Whether there is a bias.
    dtype : dtype, optional

    Attributes
    ----------
    weight, bias : Parameter, shape normalized_shape, or None
        At first ones and zeros.

    Raises
    ------
    ValueError
        `normalized_shape` is empty or no sizes.
    ShapeError
        When called with an x that does not end in `normalized_shape`.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: Shape,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _layer_shape(type(self).__name__, normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """The normalized x."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """Root mean square normalization: :func:`rms_norm` with a trained weight.

    Parameters
    ----------
    normalized_shape : int or tuple of int
    eps : float, optional
    elementwise_affine : bool
        Whether there is a weight.
    dtype : dtype, optional

    Raises: as :class:`LayerNorm`.
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: Shape,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _layer_shape(type(self).__name__, normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None

    def forward(self, x: Any) -> Any:
        """The normalized x."""
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Group normalization: :func:`group_norm` with trained weight and bias.

    Parameters
    ----------
    num_groups, num_channels : int
        The first divides the second.
    eps : float
    affine : bool
        Whether there are a weight and a bias.
    bias : bool
        Whether there is a bias.
    dtype : dtype, optional

    Raises
    ------
    ValueError
        `num_groups` is below 1 or does not divide `num_channels`.
    ShapeError
        When called with an x of another number of channels.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        check_sizes("GroupNorm", 1, num_groups=num_groups)
        check_sizes("GroupNorm", num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels.")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.ones(num_channels, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, dtype)) if affine and bias else None

    def forward(self, x: Any) -> Any:
        """The normalized x."""
        x = as_tensor(x)
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ShapeError(f"{self.label}: expected {self.num_channels} channels on axis 1, got shape {x.shape}.")
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The sizes and the options."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class LocalResponseNorm(Module):
    """Normalization by neighbouring channels: :func:`local_response_norm`.

    Parameters
    ----------
    size : int
    alpha, beta, k : float
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        check_sizes("LocalResponseNorm", 1, size=size)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, x: Any) -> Any:
        """The normalized x."""
        return local_response_norm(x, self.size, self.alpha, self.beta, self.k)
