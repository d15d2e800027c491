"""How large the initial values of a weight are to be, so that activations or gradients keep their scale."""

from __future__ import annotations

import math

from ..autograd.tensor import Tensor
from ..errors import ShapeError

__all__ = ["calculate_gain", "fans", "glorot_scale", "kaiming_scale"]

_LINEAR = ("linear", *(f"conv{kind}{axes}d" for kind in ("", "_transpose") for axes in (1, 2, 3)))


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
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1.0 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain: {nonlinearity!r} is not one of {', '.join([*_LINEAR, 'leaky_relu', *gains])}."
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


def glorot_scale(tensor: Tensor, gain: float, scale: float, caller: str) -> float:
    """gain · √(scale / (fan_in + fan_out)); 0 for a Tensor without elements."""
    both = sum(fans(tensor, caller))
    if not gain >= 0:
        raise ValueError(f"{caller}: gain must not be negative, got {gain}.")
    return gain * math.sqrt(scale / both) if both else 0.0


def kaiming_scale(tensor: Tensor, a: float, mode: str, nonlinearity: str, caller: str) -> float:
    """gain / √fan; 0 for a Tensor without elements."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{caller}: mode must be 'fan_in' or 'fan_out', got {mode!r}.")
    fan = fans(tensor, caller)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0
