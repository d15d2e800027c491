"""The relu family beyond relu itself: what to do with negative numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.primitive import primitive
from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from ..ops.samples import unary
from ..random import get_generator
from .module import Module, Parameter
from .sizes import check_sizes

__all__ = [
    "CELU",
    "ELU",
    "SELU",
    "LeakyReLU",
    "PReLU",
    "RReLU",
    "celu",
    "elu",
    "leaky_relu",
    "prelu",
    "rrelu",
    "selu",
]

Generator = np.random.Generator | None

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@primitive(
    real=True,
    arrays=1,
    samples=unary(),
    formula="x, or s · x below 0",
    gradient=["g, or s · g below 0"],
    vjp=[lambda g, _y, x, slope=0.01: g * np.where(x > 0, x.dtype.type(1), x.dtype.type(slope))],
)
def leaky(x: Any, slope: float = 0.01) -> Any:
    """x where it is positive, slope · x elsewhere."""
    return np.maximum(x, x * slope) if slope <= 1 else np.where(x > 0, x, x * slope)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where it is positive, negative_slope · x elsewhere (Maas et al. 2013)."""
    return leaky(x, negative_slope)


def prelu(x: Any, weight: Any) -> Any:
    """x where it is positive, weight · x elsewhere, the weight being trained (He et al. 2015, arXiv:1502.01852).

    Parameters
    ----------
    x : array_like, shape (N, C, ...) or (C,)
    weight : array_like, shape (1,) or (C,)
        One slope for all channels, or one for each.

    Raises
    ------
    ShapeError
        The weight has neither one element nor one for each channel.
    """
    x, weight = as_tensor(x), as_tensor(weight)
    channels = 1 if x.ndim < 1 else x.shape[min(x.ndim - 1, 1)]
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ShapeError(f"prelu: x of shape {x.shape} has {channels} channels, weight has shape {weight.shape}.")
    if weight.size > 1 and x.ndim > 1:
        weight = weight.reshape((-1,) + (1,) * (x.ndim - 2))
    elif x.ndim == 0:
        weight = weight.reshape(())
    return np.where(x.data > 0, x, weight * x)


def rrelu(
    x: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: Generator = None
) -> Any:
    """Leaky relu whose slopes are drawn from U(lower, upper) in training, and their mean otherwise (Xu et al. 2015).

    Raises
    ------
    ValueError
        `upper` is less than `lower`, or one of them no finite number.
    """
    if not 0 <= upper - lower < math.inf:
        raise ValueError(f"rrelu: expected finite slopes lower <= upper, got lower={lower}, upper={upper}.")
    x = as_tensor(x)
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    slopes = get_generator(generator).uniform(lower, upper, x.shape).astype(x.dtype)
    return x * np.where(x.data > 0, x.dtype.type(1), slopes)


@primitive(
    name="exponential_unit",
    real=True,
    arrays=1,
    samples=lambda rng: [(x, 1.5, 0.5) for (x,) in unary()(rng)],
    formula="x, or s · (exp(r · x) − 1) below 0",
    gradient=["g, or g · s · r · exp(r · x) below 0"],
)
def _exponential(x: Any, scale: float, rate: float) -> Any:
    """x where it is positive, scale · (exp(rate · x) − 1) elsewhere."""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0) * rate) * scale)


@_exponential.vjp(0)
def _(g: Any, _y: Any, x: Any, scale: float, rate: float) -> Any:
    below = np.where(x >= 0, 0, x)  # a constant at 0 as well: there the second derivative is 0
    return g * np.where(x > 0, 1, np.exp(below * rate) * (scale * rate))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, α (eˣ − 1) elsewhere (Clevert et al. 2016, arXiv:1511.07289)."""
    return _exponential(x, alpha, 1.0)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, α (exp(x/α) − 1) elsewhere (Barron 2017, arXiv:1704.07483).

    Raises
    ------
    ValueError
        `alpha` is 0.
    """
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0, as x is divided by it; for max(x, 0) use relu.")
    return _exponential(x, alpha, 1 / alpha)


def selu(x: Any) -> Any:
    """λ · elu(x, α) with the λ and α that keep mean 0 and variance 1 (Klambauer et al. 2017, arXiv:1706.02515)."""
    return _exponential(x, _SELU_ALPHA, 1.0) * _SELU_SCALE


class LeakyReLU(Module):
    """x where it is positive, negative_slope · x elsewhere.

    Parameters
    ----------
    negative_slope : float
    inplace : bool
        Without effect, here and below.
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """The leaky relu."""
        return leaky_relu(x, self.negative_slope)


class PReLU(Module):
    """x where it is positive, weight · x elsewhere, with a trained weight.

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels.
    init : float
        The initial weight.
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter, shape (num_parameters,)

    Raises
    ------
    ShapeError
        When called with other than `num_parameters` channels, unless that is 1.
    ValueError
        `num_parameters` is negative or no whole number.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        check_sizes("PReLU", num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, get_default_dtype() if dtype is None else dtype))

    def forward(self, x: Any) -> Any:
        """The relu with trained slope."""
        return prelu(x, self.weight)


class RReLU(Module):
    """Leaky relu with slopes drawn from U(lower, upper) while training.

    Parameters
    ----------
    lower, upper : float
    inplace : bool
    generator : numpy.random.Generator, optional

    Raises
    ------
    ValueError
        `upper` is less than `lower`.
    """

    def __init__(
        self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False, *, generator: Generator = None
    ) -> None:
        super().__init__()
        if lower > upper:
            raise ValueError(f"RReLU: lower {lower} must not be greater than upper {upper}.")
        self.lower = lower
        self.upper = upper
        self._generator = generator

    def forward(self, x: Any) -> Any:
        """The randomised leaky relu."""
        return rrelu(x, self.lower, self.upper, self.training, self._generator)


class ELU(Module):
    """x where it is positive, α (eˣ − 1) elsewhere.

    Parameters
    ----------
    alpha : float
    inplace : bool
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """The exponential linear unit."""
        return elu(x, self.alpha)


class CELU(ELU):
    """x where it is positive, α (exp(x/α) − 1) elsewhere; the arguments as in :class:`ELU`.

    Raises
    ------
    ValueError
        When called with an `alpha` of 0.
    """

    def forward(self, x: Any) -> Any:
        """The continuously differentiable exponential linear unit."""
        return celu(x, self.alpha)


class SELU(Module):
    """The self-normalising exponential linear unit: :func:`selu`.

    Parameters
    ----------
    inplace : bool
        Without effect.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """The scaled exponential linear unit."""
        return selu(x)
