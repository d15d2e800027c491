"""Borders around signals and images, as layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "pad",
]

_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _are_widths(given: Any) -> bool:
    """Whether these are ints in a row."""
    return hasattr(given, "__len__") and all(hasattr(type(width), "__index__") for width in given)


def pad(x: Any, pad: tuple[int, ...], mode: str = "constant", value: float = 0.0) -> Any:
    """x with a border.

    Parameters
    ----------
    x : array_like
    pad : tuple of int
        Widths in front of and behind each axis, the last axis first: (left, right, top, bottom, ...). A negative width
        cuts off.
    mode : {"constant", "reflect", "replicate", "circular"}
    value : float
        Of a constant border.

    Raises
    ------
    ValueError
        An unknown `mode`, or widths that are not a tuple of ints.
    ShapeError
        Widths not in pairs or of too many axes, or an axis too short for its border.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.nn.functional.pad(tg.tensor([[1.0, 2.0, 3.0]]), (2, 1), "reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    x = as_tensor(x)
    if mode not in _MODES:
        raise ValueError(f"pad: mode must be one of {', '.join(_MODES)}, got {mode!r}.")
    if not _are_widths(pad):
        raise ValueError(f"pad: the widths must be ints, (left, right, top, bottom, ...); got {pad!r}.")
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ShapeError(f"pad: expected a pair of widths for each of at most {x.ndim} axes, got {pad}.")
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    pairs += [(0, 0)] * (x.ndim - len(pairs))
    for axis, (before, after) in enumerate(reversed(pairs)):
        extent = x.shape[axis]
        least = {"reflect": max(before, after) + 1, "circular": max(before, after), "replicate": 1}.get(mode, 0)
        if (before or after) and (extent < least or extent + before + after < 0):
            raise ShapeError(
                f"pad: axis {axis} of shape {x.shape} is too short for {mode} padding of {before} and {after}."
            )
    cut = tuple(slice(max(-a, 0), n + min(b, 0)) for (a, b), n in zip(reversed(pairs), x.shape, strict=True))
    if min(pad, default=0) < 0:
        x = x[cut]
    widths = [(max(a, 0), max(b, 0)) for a, b in reversed(pairs)]
    if mode == "constant":
        return np.pad(x, widths, constant_values=value)
    return np.pad(x, widths, mode=_MODES[mode])  # type: ignore[call-overload]


class _Pad(Module):
    """A border of equal mode on the last axes.

    Parameters
    ----------
    padding : int or tuple of int
        The same width everywhere, or (left, right, top, bottom, ...), the last axis first.
    """

    _axes = 1
    _mode = "constant"

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        widths: Any = (padding,) * (2 * self._axes) if hasattr(type(padding), "__index__") else padding
        if not _are_widths(widths) or len(widths) != 2 * self._axes:
            raise ValueError(
                f"{type(self).__name__}: padding must be an int or {2 * self._axes} ints, got {padding!r}."
            )
        self.padding = tuple(widths)

    def forward(self, x: Any) -> Any:
        """x with the border."""
        x = as_tensor(x)
        if x.ndim not in (self._axes + 1, self._axes + 2) and not (self._mode == "constant" and x.ndim >= self._axes):
            raise ShapeError(f"{self.label}: expected {self._axes + 1} or {self._axes + 2} axes, got shape {x.shape}.")
        return pad(x, self.padding, self._mode, getattr(self, "value", 0.0))


class ConstantPad1d(_Pad):
    """A border of one value around (N, C, L) or (C, L).

    Parameters
    ----------
    padding : int or tuple of int
        The same width everywhere, or (left, right); in more axes the last axis comes first.
    value : float

    Raises
    ------
    ValueError
        `padding` is neither one number nor one for each side.
    ShapeError
        When called with an x of too few axes (or of too many, unless the border is constant), or too short for it.
    """

    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value


class ConstantPad2d(ConstantPad1d):
    """A border of one value around (N, C, H, W) or (C, H, W); errors as :class:`ConstantPad1d`."""

    _axes = 2


class ConstantPad3d(ConstantPad1d):
    """A border of one value around (N, C, D, H, W) or (C, D, H, W); errors as :class:`ConstantPad1d`."""

    _axes = 3


class ZeroPad1d(_Pad):
    """A border of zeros around (N, C, L) or (C, L); errors as :class:`ConstantPad1d`."""


class ZeroPad2d(_Pad):
    """A border of zeros around (N, C, H, W) or (C, H, W); errors as :class:`ConstantPad1d`."""

    _axes = 2


class ZeroPad3d(_Pad):
    """A border of zeros around (N, C, D, H, W) or (C, D, H, W); errors as :class:`ConstantPad1d`."""

    _axes = 3


class ReflectionPad1d(_Pad):
    """A border that mirrors (N, C, L) or (C, L) at its edge, not repeating it; errors as :class:`ConstantPad1d`."""

    _mode = "reflect"


class ReflectionPad2d(ReflectionPad1d):
    """A border that mirrors (N, C, H, W) or (C, H, W) at its edges; errors as :class:`ConstantPad1d`."""

    _axes = 2


class ReflectionPad3d(ReflectionPad1d):
    """A border that mirrors (N, C, D, H, W) or (C, D, H, W) at its edges; errors as :class:`ConstantPad1d`."""

    _axes = 3


class ReplicationPad1d(_Pad):
    """A border that repeats the edge of (N, C, L) or (C, L); errors as :class:`ConstantPad1d`."""

    _mode = "replicate"


class ReplicationPad2d(ReplicationPad1d):
    """A border that repeats the edges of (N, C, H, W) or (C, H, W); errors as :class:`ConstantPad1d`."""

    _axes = 2


class ReplicationPad3d(ReplicationPad1d):
    """A border that repeats the edges of (N, C, D, H, W) or (C, D, H, W); errors as :class:`ConstantPad1d`."""

    _axes = 3


class CircularPad1d(_Pad):
    """A border that continues (N, C, L) or (C, L) from its other end; errors as :class:`ConstantPad1d`."""

    _mode = "circular"


class CircularPad2d(CircularPad1d):
    """A border that continues (N, C, H, W) or (C, H, W) from the other sides; errors as :class:`ConstantPad1d`."""

    _axes = 2


class CircularPad3d(CircularPad1d):
    """A border that continues (N, C, D, H, W) or (C, D, H, W) from other sides; errors as :class:`ConstantPad1d`."""

    _axes = 3
