"""Dropout: noise that multiplies activations while training, so that no unit can rely on another."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from ..random import get_generator
from .floats import as_floats
from .module import Module
from .sizes import check_probability
from .windows import expected_axes, layer_name

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

Generator = np.random.Generator | None

_ALPHA = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
"""What SELU approaches for x → −∞."""


def _kept(shape: tuple[int, ...], p: float, generator: Generator) -> Any:
    """True with probability 1 − p, drawn in single precision whatever the dtype of the activations."""
    return get_generator(generator).random(shape, np.float32) >= p


def dropout(x: Any, p: float = 0.5, training: bool = True, generator: Generator = None) -> Any:
    """Set elements to zero with probability p and multiply the others by 1 / (1 − p) (Srivastava et al. 2014).

    Parameters
    ----------
    x : array_like
    p : float
        Probability of a zero.
    training : bool
        Otherwise x is returned as it is.
    generator : numpy.random.Generator, optional

    Raises
    ------
    ValueError
        `p` lies outside [0, 1].
    """
    check_probability("dropout", p)
    return _drop(as_tensor(x), p, training, generator, 0)


def _drop(x: Tensor, p: float, training: bool, generator: Generator, channel_axes: int) -> Any:
    """Drop elements, or with `channel_axes` whole channels: that many trailing axes share one draw."""
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0
    x = as_floats(x)
    kept = _kept(x.shape[: x.ndim - channel_axes] + (1,) * channel_axes, p, generator)
    return x * (kept * x.dtype.type(1 / (1 - p)))


def _drop_channels(caller: str, x: Any, axes: int, p: float, training: bool, generator: Generator) -> Any:
    check_probability(caller, p)
    x = as_tensor(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise ShapeError(expected_axes(caller, axes, x.shape))
    return _drop(x, p, training, generator, axes)


def dropout1d(x: Any, p: float = 0.5, training: bool = True, generator: Generator = None) -> Any:
    """Drop whole channels of (N, C, L) or (C, L) (Tompson et al. 2015, arXiv:1411.4280).

    Raises
    ------
    ShapeError
        x has another number of axes.
    ValueError
        `p` lies outside [0, 1].
    """
    return _drop_channels("dropout1d", x, 1, p, training, generator)


def dropout2d(x: Any, p: float = 0.5, training: bool = True, generator: Generator = None) -> Any:
    """Drop whole channels of (N, C, H, W) or (C, H, W).

    Raises
    ------
    ShapeError
        x has another number of axes.
    ValueError
        `p` lies outside [0, 1].
    """
    return _drop_channels("dropout2d", x, 2, p, training, generator)


def dropout3d(x: Any, p: float = 0.5, training: bool = True, generator: Generator = None) -> Any:
    """Drop whole channels of (N, C, D, H, W) or (C, D, H, W).

    Raises
    ------
    ShapeError
        x has another number of axes.
    ValueError
        `p` lies outside [0, 1].
    """
    return _drop_channels("dropout3d", x, 3, p, training, generator)


def _alpha(caller: str, x: Any, p: float, training: bool, generator: Generator, by_channel: bool) -> Any:
    check_probability(caller, p)
    x = as_tensor(x)
    if not training or p == 0:
        return x
    if by_channel and x.ndim < 2:
        raise ShapeError(f"{layer_name(caller)}: expected x of shape (N, C, ...), got {x.shape}.")
    if p == 1:
        return x * 0
    x = as_floats(x)
    scale = ((1 - p) * (1 + p * _ALPHA**2)) ** -0.5
    shape = x.shape[:2] + (1,) * (x.ndim - 2) if by_channel else x.shape
    kept = _kept(shape, p, generator)
    shift = np.where(kept, -p * _ALPHA, (1 - p) * _ALPHA) * scale
    return x * (kept * x.dtype.type(scale)) + shift.astype(x.dtype)


def alpha_dropout(x: Any, p: float = 0.5, training: bool = False, generator: Generator = None) -> Any:
    """Dropout to SELU's lower limit instead of 0; keeps mean and variance (Klambauer et al. 2017, arXiv:1706.02515).

    Raises
    ------
    ValueError
        `p` lies outside [0, 1].
    """
    return _alpha("alpha_dropout", x, p, training, generator, False)


def feature_alpha_dropout(x: Any, p: float = 0.5, training: bool = False, generator: Generator = None) -> Any:
    """Alpha dropout of whole channels of (N, C, ...).

    Raises
    ------
    ShapeError
        x has fewer than two axes.
    ValueError
        `p` lies outside [0, 1].
    """
    return _alpha("feature_alpha_dropout", x, p, training, generator, True)


class Dropout(Module):
    """While training, elements become 0 with probability p and the others grow by 1 / (1 − p); x itself in evaluation.

    Parameters
    ----------
    p : float
        Probability of a zero.
    inplace : bool
        Taken for PyTorch's sake, without effect: results are always new arrays.
    generator : numpy.random.Generator, optional
        The source of the noise, by default the package's own.

    Raises
    ------
    ValueError
        `p` lies outside [0, 1].
    """

    _function = staticmethod(dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False, *, generator: Generator = None) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p = p
        self._generator = generator

    def forward(self, x: Any) -> Any:
        """x with noise, or x."""
        return self._function(x, self.p, self.training, self._generator)


class Dropout1d(Dropout):
    """While training, whole channels of (N, C, L) become 0; the arguments as in :class:`Dropout`.

    Raises
    ------
    ShapeError
        When called with an x of another number of axes.
    """

    _function = staticmethod(dropout1d)


class Dropout2d(Dropout):
    """While training, whole channels of (N, C, H, W) become 0; the arguments as in :class:`Dropout`.

    Raises
    ------
    ShapeError
        When called with an x of another number of axes.
    """

    _function = staticmethod(dropout2d)


class Dropout3d(Dropout):
    """While training, whole channels of (N, C, D, H, W) become 0; the arguments as in :class:`Dropout`.

    Raises
    ------
    ShapeError
        When called with an x of another number of axes.
    """

    _function = staticmethod(dropout3d)


class AlphaDropout(Dropout):
    """Dropout for SELU networks, which keeps mean and variance; the arguments as in :class:`Dropout`."""

    _function = staticmethod(alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """Alpha dropout of whole channels; the arguments as in :class:`Dropout`."""

    _function = staticmethod(feature_alpha_dropout)
