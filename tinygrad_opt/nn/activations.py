"""The smooth and the simple activations: elementwise functions that need no bend but at zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import as_tensor
from ..ops.activation import log_sigmoid, relu, sigmoid
from ..ops.activation import softplus as stable_softplus
from ..ops.trigonometric import tanh
from .gelu import gelu, gelu_exact, gelu_tanh
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

    Raises
    ------
    ValueError
        An unknown `approximate`.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}.")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """x · Φ(x)."""
        return gelu_exact.unary(x) if self.approximate == "none" else gelu_tanh.unary(x)


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
