"""Initial values of parameters: each function fills a Tensor in place, and returns it.

All draw from ``generator=``, by default the package's own, so that ``tg.manual_seed`` makes a model reproducible.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.graph import Leaf, next_number
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from ..random import get_generator

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Generator = np.random.Generator | None


def _fill(tensor: Tensor, values: Any) -> Tensor:
    tensor.data[...] = values
    if isinstance(tensor._node, Leaf):
        tensor._node.written = next_number()
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from U(a, b)."""
    return _fill(tensor, get_generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from N(mean, std²)."""
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
    """Draw from U(−a, a), a = gain · √(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    fan_in, fan_out = fans(tensor, "xavier_uniform_")
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Draw from N(0, std²), std = gain · √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
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
    """Draw from N(0, std²), std = gain / √fan (He et al. 2015); the arguments as in :func:`kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_normal_"), generator)
