"""Activations across an axis: the softmax family and gated linear units."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from ..ops.activation import log_softmax, sigmoid, softmax
from .module import Module
from .spelling import says_axis

__all__ = [
    "GLU",
    "LogSoftmax",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "glu",
    "log_softmax",
    "normalize",
    "softmax",
    "softmin",
]


@says_axis
def softmin(x: Any, axis: int = -1) -> Any:
    """softmax(−x) along `axis`.

    Raises
    ------
    numpy.exceptions.AxisError
        x has no such axis.
    """
    return softmax(-as_tensor(x), axis)


@says_axis
def glu(x: Any, axis: int = -1) -> Any:
    """a · σ(b), a and b being the two halves of x along `axis` (Dauphin et al. 2017, arXiv:1612.08083).

    Raises
    ------
    ShapeError
        The axis has an odd extent, or x no axes.
    numpy.exceptions.AxisError
        x has no such axis.
    """
    x = as_tensor(x)
    if x.ndim and not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    if x.ndim == 0 or x.shape[axis] % 2:
        raise ShapeError(f"glu: axis {axis} of shape {x.shape} cannot be halved; its extent must be even.")
    half = x.shape[axis] // 2
    lead = (slice(None),) * (axis % x.ndim)
    return x[(*lead, slice(None, half))] * sigmoid(x[(*lead, slice(half, None))])


@says_axis
def normalize(x: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Any:
    """x divided by its p-norm along `axis`, or by `eps` if that is greater.

    Raises
    ------
    numpy.exceptions.AxisError
        x has no such axis.
    """
    x = as_tensor(x)
    norm = np.linalg.norm(x, p, axis, True)
    return x / np.maximum(norm, eps)


class Softmax(Module):
    """exp(x) / Σ exp(x) along an axis: positive numbers that sum to 1.

    Parameters
    ----------
    axis : int
        PyTorch's `dim`.

    Raises
    ------
    numpy.exceptions.AxisError
        When called with an x that has no such axis.
    """

    @says_axis
    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """The softmax."""
        return softmax(x, self.axis)


class LogSoftmax(Softmax):
    """The logarithm of the softmax, without overflow; the argument as in :class:`Softmax`."""

    def forward(self, x: Any) -> Any:
        """The log-softmax."""
        return log_softmax(x, self.axis)


class Softmin(Softmax):
    """softmax(−x); the argument as in :class:`Softmax`."""

    def forward(self, x: Any) -> Any:
        """The softmin."""
        return softmin(x, self.axis)


class Softmax2d(Module):
    """The softmax over the channels of (N, C, H, W) or (C, H, W).

    Raises
    ------
    ShapeError
        When called with an x of another number of axes.
    """

    def forward(self, x: Any) -> Any:
        """The softmax of each pixel."""
        if np.ndim(getattr(x, "data", x)) not in (3, 4):
            raise ShapeError(f"{self.label}: expected (N, C, H, W) or (C, H, W), got shape {np.shape(x)}.")
        return softmax(x, -3)


class GLU(Softmax):
    """The gated linear unit :func:`glu`; the argument as in :class:`Softmax`."""

    def forward(self, x: Any) -> Any:
        """The first half, gated by the second."""
        return glu(x, self.axis)
