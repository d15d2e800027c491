"""Initial values of parameters: each function fills a Tensor in place, and returns it.

All draw from ``generator=``, by default the package's own, so that ``tg.manual_seed`` makes a model reproducible.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from ..autograd.overwrite import overwrite
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from ..random import get_generator
from .gain import calculate_gain, glorot_scale, kaiming_scale
from .parameter import write

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Generator = np.random.Generator | None

_F = TypeVar("_F", bound=Callable[..., Tensor])


def _fills(function: _F) -> _F:
    """Let a function that fills a Tensor refuse anything else, before it draws."""

    @functools.wraps(function)
    def checked(tensor: Any, *args: Any, **options: Any) -> Tensor:
        if not isinstance(tensor, Tensor):
            mend = (
                "a layer's are e.g. layer.weight" if hasattr(tensor, "parameters") else "tg.from_numpy wraps an array"
            )
            raise TypeError(
                f"{function.__name__}: expected a Tensor or a Parameter to fill, got {type(tensor).__name__}; {mend}."
            )
        return function(tensor, *args, **options)

    return cast(_F, checked)


def _fill(tensor: Tensor, values: Any) -> Tensor:
    overwrite(tensor, values)
    return tensor


def _check_deviation(caller: str, std: float) -> None:
    if not std >= 0:
        raise ValueError(f"{caller}: the standard deviation must not be negative, got {std}.")


@_fills
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from U(a, b).

    Raises
    ------
    TypeError
        What is to be filled is no Tensor; so with all functions here.
    ValueError
        `b` is less than `a`, or their distance no finite number.
    """
    if not 0 <= b - a < math.inf:
        raise ValueError(f"uniform_: expected finite bounds a <= b, got a={a}, b={b}.")
    return _fill(tensor, get_generator(generator).uniform(a, b, tensor.shape))


@_fills
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from N(mean, std²).

    Raises
    ------
    ValueError
        `std` is negative.
    """
    _check_deviation("normal_", std)
    return _fill(tensor, get_generator(generator).normal(mean, std, tensor.shape))


@_fills
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Set every element to `val`.

    Raises
    ------
    ShapeError
        An array that does not broadcast to the Tensor's shape.
    """
    write("constant_", tensor, val)
    return tensor


@_fills
def zeros_(tensor: Tensor) -> Tensor:
    """Set every element to 0."""
    return _fill(tensor, 0)


@_fills
def ones_(tensor: Tensor) -> Tensor:
    """Set every element to 1."""
    return _fill(tensor, 1)


@_fills
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from U(−a, a), a = gain · √(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Raises
    ------
    ShapeError
        The Tensor has fewer than two axes.
    ValueError
        `gain` is negative.
    """
    bound = glorot_scale(tensor, gain, 6.0, "xavier_uniform_")
    return uniform_(tensor, -bound, bound, generator)


@_fills
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from N(0, std²), std = gain · √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Raises
    ------
    ShapeError
        The Tensor has fewer than two axes.
    ValueError
        `gain` is negative.
    """
    return normal_(tensor, 0.0, glorot_scale(tensor, gain, 2.0, "xavier_normal_"), generator)


@_fills
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:
    """Draw from U(−b, b), b = gain · √(3 / fan) (He et al. 2015, arXiv:1502.01852).

    Parameters
    ----------
    tensor : Tensor
    a : float
        The negative slope of ``leaky_relu``.
    mode : {"fan_in", "fan_out"}
        Keep the scale of the activations, or of the gradients.
    nonlinearity : str
        As in :func:`calculate_gain`.
    generator : numpy.random.Generator, optional

    Raises
    ------
    ShapeError
        The Tensor has fewer than two axes.
    ValueError
        An unknown `mode` or `nonlinearity`.
    """
    bound = math.sqrt(3.0) * kaiming_scale(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, generator)


@_fills
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:
    """Draw from N(0, std²), std = gain / √fan (He et al. 2015); the arguments as in :func:`kaiming_uniform_`.

    Raises
    ------
    ShapeError
        The Tensor has fewer than two axes.
    ValueError
        An unknown `mode` or `nonlinearity`.
    """
    return normal_(tensor, 0.0, kaiming_scale(tensor, a, mode, nonlinearity, "kaiming_normal_"), generator)


@_fills
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator = None,
) -> Tensor:
    """Draw from N(mean, std²), drawing again whatever falls outside of [a, b].

    Raises
    ------
    ValueError
        `std` is not positive; or the interval is empty, or so far from the mean that hardly a draw falls into it.
    """
    if not std > 0:
        raise ValueError(f"trunc_normal_: std must be positive, got {std}.")
    low, high = (a - mean) / std, (b - mean) / std
    share = 0.5 * (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)))
    if not a < b or not share >= 1e-3:
        raise ValueError(f"trunc_normal_: [a, b] = [{a}, {b}] holds hardly anything of N({mean}, {std}²).")
    draw = get_generator(generator).normal
    values = draw(mean, std, tensor.shape)
    while (outside := (values < a) | (values > b)).any():
        values = np.where(outside, draw(mean, std, tensor.shape), values)
    return _fill(tensor, values)


@_fills
def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity, as far as it is square.

    Raises
    ------
    ShapeError
        The Tensor is no matrix.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: expected a matrix, got shape {tensor.shape}.")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


@_fills
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution's weight pass each input channel on unchanged, as far as there are outputs for it.

    Parameters
    ----------
    tensor : Tensor, shape (out, in / groups, *window)
    groups : int
        Within each group, the channels are passed on from the first.

    Raises
    ------
    ShapeError
        The Tensor has not 3 to 5 axes.
    ValueError
        `groups` is less than 1, or does not divide the outputs.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: expected a convolution's weight of 3 to 5 axes, got shape {tensor.shape}.")
    outputs, inputs = tensor.shape[:2]
    if groups < 1 or outputs % groups:
        raise ValueError(f"dirac_: groups must be at least 1 and divide the {outputs} output channels, got {groups}.")
    values = np.zeros(tensor.shape)
    centre = tuple(n // 2 for n in tensor.shape[2:])
    share = outputs // groups
    for group in range(groups):
        for channel in range(min(share, inputs)):
            values[(group * share + channel, channel, *centre)] = 1
    return _fill(tensor, values)


@_fills
def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Make the rows (or, if there are more of them, the columns) orthogonal and of length `gain`.

    From Saxe et al. 2014 (arXiv:1312.6120). Axes behind the first count as one. The matrix is drawn uniformly from all
    orthogonal ones.

    Raises
    ------
    ShapeError
        The Tensor has fewer than two axes.
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: expected two axes or more, got shape {tensor.shape}.")
    if not tensor.size:
        return tensor
    rows, columns = tensor.shape[0], tensor.size // tensor.shape[0]
    drawn = get_generator(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.sign(np.diagonal(r))  # without it, the draw would favour some orientations
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


@_fills
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator = None) -> Tensor:
    """Draw a matrix from N(0, std²) and set a share of each column, rounded up, to zero (Martens 2010).

    Raises
    ------
    ShapeError
        The Tensor is no matrix.
    ValueError
        `sparsity` lies outside [0, 1], or `std` is negative.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: expected a matrix, got shape {tensor.shape}.")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity must be in [0, 1], got {sparsity}.")
    _check_deviation("sparse_", std)
    rng = get_generator(generator)
    values = rng.normal(0.0, std, tensor.shape)
    order = rng.permuted(np.tile(np.arange(len(values))[:, None], values.shape[1]), axis=0)
    return _fill(tensor, np.where(order < math.ceil(sparsity * len(values)), 0.0, values))
