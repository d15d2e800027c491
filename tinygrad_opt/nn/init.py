"""Initial values of parameters: each function fills a Tensor in place, and returns it.

All draw from ``generator=``, by default the package's own, so that ``tg.manual_seed`` makes a model reproducible.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.overwrite import overwrite
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from ..random import get_generator

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


def _fill(tensor: Tensor, values: Any) -> Tensor:
    overwrite(tensor, values)
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from U(a, b).

    Raises
    ------
    ValueError
        `b` is less than `a`.
    """
    return _fill(tensor, get_generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from N(mean, std²).

    Raises
    ------
    ValueError
        `std` is negative.
    """
    return _fill(tensor, get_generator(generator).normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Set every element to `val`."""
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Set every element to 0."""
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Set every element to 1."""
    return _fill(tensor, 1)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the scale of activations through a nonlinearity.

    Parameters
    ----------
    nonlinearity : str
        ``linear``, ``sigmoid``, ``conv1d`` … ``conv_transpose3d`` (1); ``tanh`` (5/3); ``relu`` (√2);
        ``leaky_relu`` (√(2 / (1 + param²))); ``selu`` (3/4).
    param : float, optional
        The negative slope of ``leaky_relu``, 0.01 if left out.

    Raises
    ------
    ValueError
        A nonlinearity that is none of these.
    """
    gains = {"sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75}
    if nonlinearity == "linear" or nonlinearity.startswith("conv"):
        return 1.0
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1.0 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain: {nonlinearity!r} is not one of linear, conv…, leaky_relu, {', '.join(gains)}."
        )
    return gains[nonlinearity]


def fans(tensor: Tensor, caller: str) -> tuple[int, int]:
    """Inputs to one output element, and outputs that one input element reaches, of a weight (out, in, *window)."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"{caller} needs a weight of at least two axes (out, in, ...), got {tensor.shape}. "
            f"Biases are set by nn.init.zeros_ or uniform_."
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from U(−a, a), a = gain · √(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Raises
    ------
    ShapeError
        The Tensor has fewer than two axes.
    """
    fan_in, fan_out = fans(tensor, "xavier_uniform_")
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from N(0, std²), std = gain · √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    Raises
    ------
    ShapeError
        The Tensor has fewer than two axes.
    """
    fan_in, fan_out = fans(tensor, "xavier_normal_")
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str, caller: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{caller}: mode must be 'fan_in' or 'fan_out', got {mode!r}.")
    fan = fans(tensor, caller)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


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
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, generator)


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
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_normal_"), generator)


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
        The interval is empty, or so far from the mean that hardly a draw falls into it.
    """
    low, high = (a - mean) / std, (b - mean) / std
    share = 0.5 * (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)))
    if not a < b or share < 1e-3:
        raise ValueError(f"trunc_normal_: [a, b] = [{a}, {b}] holds hardly anything of N({mean}, {std}²).")
    draw = get_generator(generator).normal
    values = draw(mean, std, tensor.shape)
    while (outside := (values < a) | (values > b)).any():
        values = np.where(outside, draw(mean, std, tensor.shape), values)
    return _fill(tensor, values)


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
        `groups` does not divide the outputs.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: expected a convolution's weight of 3 to 5 axes, got shape {tensor.shape}.")
    outputs, inputs = tensor.shape[:2]
    if outputs % groups:
        raise ValueError(f"dirac_: {groups} groups do not divide {outputs} output channels.")
    values = np.zeros(tensor.shape)
    centre = tuple(n // 2 for n in tensor.shape[2:])
    share = outputs // groups
    for group in range(groups):
        for channel in range(min(share, inputs)):
            values[(group * share + channel, channel, *centre)] = 1
    return _fill(tensor, values)


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


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator = None) -> Tensor:
    """Draw a matrix from N(0, std²) and set a share of each column, rounded up, to zero (Martens 2010).

    Raises
    ------
    ShapeError
        The Tensor is no matrix.
    ValueError
        `sparsity` lies outside [0, 1].
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: expected a matrix, got shape {tensor.shape}.")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity must be in [0, 1], got {sparsity}.")
    rng = get_generator(generator)
    values = rng.normal(0.0, std, tensor.shape)
    order = rng.permuted(np.tile(np.arange(len(values))[:, None], values.shape[1]), axis=0)
    return _fill(tensor, np.where(order < math.ceil(sparsity * len(values)), 0.0, values))
