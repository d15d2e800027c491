"""The smooth and the simple activations: elementwise functions that need no bend but at zero."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..ops.activation import log_sigmoid, relu, sigmoid
from ..ops.activation import softplus as stable_softplus
from ..ops.samples import unary
from ..ops.special import erf
from ..ops.trigonometric import tanh
from .module import Module

__all__ = [
    "GELU",
    "LogSigmoid",
    "Mish",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "gelu",
    "logsigmoid",
    "mish",
    "relu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "tanh",
    "tanhshrink",
]

_ROOT_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
_ROOT_2_PI = math.sqrt(2 / math.pi)
_CUBIC = 0.044715

logsigmoid = log_sigmoid


def silu(x: Any) -> Any:
    """x · σ(x), also known as swish (Hendrycks & Gimpel 2016; Ramachandran et al. 2017, arXiv:1710.05941)."""
    x = as_tensor(x)
    return x * sigmoid(x)


def mish(x: Any) -> Any:
    """x · tanh(softplus(x)) (Misra 2019, arXiv:1908.08681)."""
    x = as_tensor(x)
    return x * np.tanh(stable_softplus(x))


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + exp(β x)) / β: a smooth relu.

    Parameters
    ----------
    x : array_like
    beta : float
    threshold : float
        Where β x is greater, the result is x itself.
    """
    x = as_tensor(x)
    y = stable_softplus(x) if beta == 1 else stable_softplus(x * beta) / beta
    straight = x.data * beta > threshold
    return np.where(straight, x, y) if straight.any() else y


def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    x = as_tensor(x)
    return x / (1 + np.abs(x))


def tanhshrink(x: Any) -> Any:
    """x − tanh(x)."""
    x = as_tensor(x)
    return x - np.tanh(x)


def naive_gelu(x: Any, approximate: str = "none") -> Any:
    """The definition of :func:`gelu`, one operation at a time; tests hold the fused one to it."""
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(_ROOT_2_PI * (x + _CUBIC * x * x * x)))
    return 0.5 * x * (1 + erf(x * _ROOT_HALF))


@primitive(
    name="gelu",
    samples=unary(),
    formula="x · Φ(x)",
    gradient=["g · (Φ(x) + x · φ(x))"],
)
def _gelu_exact(x: Any) -> Any:
    half = 0.5 * x
    half *= 1 + erf.forward(x * _ROOT_HALF)
    return half


@_gelu_exact.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * (_normal_share(y, x) + x * (_DENSITY * np.exp(-0.5 * (x * x))))


def _normal_share(y: Any, x: Any) -> Any:
    """Φ(x), given y = x · Φ(x): on arrays y / x, which is exact to rounding and spares a second erf."""
    if isinstance(x, Tensor):
        return 0.5 * (1 + erf(x * _ROOT_HALF))
    zero = x == 0
    return (y + 0.5 * zero) / (x + zero)


@primitive(
    name="gelu_tanh",
    samples=unary(),
    formula="x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))",
    gradient=["g · dy/dx"],
)
def _gelu_tanh(x: Any) -> Any:
    inner = x * x
    inner *= _CUBIC * _ROOT_2_PI
    inner += _ROOT_2_PI
    inner *= x
    inner = np.tanh(inner)
    inner += 1
    inner *= x
    inner *= 0.5
    return inner


@_gelu_tanh.vjp(0)
def _(g: Any, _y: Any, x: Any) -> Any:
    square = x * x
    bend = np.tanh((square * (_CUBIC * _ROOT_2_PI) + _ROOT_2_PI) * x)
    slope = square * (1.5 * _CUBIC * _ROOT_2_PI) + (0.5 * _ROOT_2_PI)
    return g * ((1 - bend * bend) * (slope * x) + (bend * 0.5 + 0.5))


def gelu(x: Any, approximate: str = "none") -> Any:
    """x · Φ(x), Φ being the normal distribution function (Hendrycks & Gimpel 2016, arXiv:1606.08415).

    Parameters
    ----------
    x : array_like
    approximate : {"none", "tanh"}
        "tanh" computes Φ(x) as ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), which is quicker.
    """
    if approximate == "none":
        return _gelu_exact(x)
    if approximate == "tanh":
        return _gelu_tanh(x)
    raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}.")


class ReLU(Module):
    """max(x, 0).

    Parameters
    ----------
    inplace : bool
        Taken for PyTorch's sake, without effect: results are always new arrays.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """max(x, 0)."""
        return relu.unary(x)


class Tanh(Module):
    """tanh(x)."""

    def forward(self, x: Any) -> Any:
        """tanh(x)."""
        return tanh.unary(x)


class Sigmoid(Module):
    """σ(x) = 1 / (1 + exp(−x))."""

    def forward(self, x: Any) -> Any:
        """σ(x)."""
        return sigmoid.unary(x)


class GELU(Module):
    """x · Φ(x).

    Parameters
    ----------
    approximate : {"none", "tanh"}
        As in :func:`gelu`.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}.")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """x · Φ(x)."""
        return _gelu_exact.unary(x) if self.approximate == "none" else _gelu_tanh.unary(x)


class SiLU(Module):
    """x · σ(x).

    Parameters
    ----------
    inplace : bool
        Without effect.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """x · σ(x)."""
        return silu(x)


class Mish(SiLU):
    """x · tanh(softplus(x)).

    Parameters
    ----------
    inplace : bool
        Without effect.
    """

    def forward(self, x: Any) -> Any:
        """x · tanh(softplus(x))."""
        return mish(x)


class Softplus(Module):
    """ln(1 + exp(β x)) / β.

    Parameters
    ----------
    beta, threshold : float
        As in :func:`softplus`.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Any) -> Any:
        """ln(1 + exp(β x)) / β."""
        return softplus(x, self.beta, self.threshold)


class LogSigmoid(Module):
    """ln σ(x)."""

    def forward(self, x: Any) -> Any:
        """ln σ(x)."""
        return log_sigmoid(x)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Any) -> Any:
        """x / (1 + |x|)."""
        return softsign(x)


class Tanhshrink(Module):
    """x − tanh(x)."""

    def forward(self, x: Any) -> Any:
        """x − tanh(x)."""
        return tanhshrink(x)
