"""Activations of straight pieces: those that clip, shrink or cut off."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import as_tensor
from .module import Module

__all__ = [
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "ReLU6",
    "Softshrink",
    "Threshold",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "relu6",
    "softshrink",
    "threshold",
]


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x clipped to [min_val, max_val]; the gradient is 0 outside and on the bounds.

    Raises
    ------
    ValueError
        `min_val` is greater than `max_val`.
    """
    if not min_val <= max_val:
        raise ValueError(f"hardtanh: min_val {min_val} must not be greater than max_val {max_val}.")
    x = as_tensor(x)
    outside = (x.data <= min_val) | (x.data >= max_val)  # NaN is neither, and passes with its gradient
    return np.where(outside, np.clip(x.data, min_val, max_val), x)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return hardtanh(x, 0.0, 6.0)


def hardsigmoid(x: Any) -> Any:
    """min(max(x + 3, 0), 6) / 6: a sigmoid of three straight lines."""
    return relu6(as_tensor(x) + 3) / 6


def hardswish(x: Any) -> Any:
    """x · hardsigmoid(x) (Howard et al. 2019, arXiv:1905.02244)."""
    x = as_tensor(x)
    return np.where(x.data <= -3, 0, np.where(x.data >= 3, x, x * (x + 3) / 6))


def hardshrink(x: Any, lambd: float = 0.5) -> Any:
    """x where |x| > λ, 0 elsewhere; NaN stays NaN."""
    x = as_tensor(x)
    return np.where(np.abs(x.data) <= lambd, 0, x)


def softshrink(x: Any, lambd: float = 0.5) -> Any:
    """x moved by λ towards 0, and 0 where |x| ≤ λ.

    Raises
    ------
    ValueError
        `lambd` is negative.
    """
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must not be negative, got {lambd}.")
    x = as_tensor(x)
    return np.where(np.abs(x.data) <= lambd, 0, x - np.sign(x.data) * x.dtype.type(lambd))


def threshold(x: Any, threshold: float, value: float) -> Any:
    """x where it is greater than `threshold`, `value` elsewhere."""
    x = as_tensor(x)
    return np.where(x.data <= threshold, x.dtype.type(value), x)


class _Plain(Module):
    """An activation without options."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class ReLU6(_Plain):
    """min(max(x, 0), 6)."""

    def forward(self, x: Any) -> Any:
        """The clipped relu."""
        return relu6(x)


class Hardsigmoid(_Plain):
    """min(max(x + 3, 0), 6) / 6."""

    def forward(self, x: Any) -> Any:
        """The sigmoid of straight lines."""
        return hardsigmoid(x)


class Hardswish(_Plain):
    """x · hardsigmoid(x)."""

    def forward(self, x: Any) -> Any:
        """The swish of straight lines."""
        return hardswish(x)


class Hardtanh(Module):
    """x clipped to [min_val, max_val].

    Parameters
    ----------
    min_val, max_val : float
    inplace : bool

    Raises
    ------
    ValueError
        `min_val` is not less than `max_val`.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val {min_val} must be less than max_val {max_val}.")
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, x: Any) -> Any:
        """The clipped values."""
        return hardtanh(x, self.min_val, self.max_val)


class Hardshrink(Module):
    """x where |x| > λ, 0 elsewhere.

    Parameters
    ----------
    lambd : float
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Any) -> Any:
        """The values that are large enough."""
        return hardshrink(x, self.lambd)


class Softshrink(Hardshrink):
    """x moved by λ towards 0; the argument as in :class:`Hardshrink`.

    Raises
    ------
    ValueError
        `lambd` is negative.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd)
        if lambd < 0:
            raise ValueError(f"Softshrink: lambd must not be negative, got {lambd}.")

    def forward(self, x: Any) -> Any:
        """The shrunken values."""
        return softshrink(x, self.lambd)


class Threshold(Module):
    """x where it is greater than a threshold, a value elsewhere.

    Parameters
    ----------
    threshold, value : float
    inplace : bool
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value

    def forward(self, x: Any) -> Any:
        """The values above the threshold."""
        return threshold(x, self.threshold, self.value)
