"""Padding: a border round an array, constant, copied from inside, or made of statistics of each axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_array, as_tensor
from ..errors import GradientError

__all__ = ["pad"]

Pairs = tuple[tuple[int, int], ...]

_COPYING = ("edge", "reflect", "symmetric", "wrap")
_STATISTICS = ("maximum", "mean", "median", "minimum")
_OPTION = {
    "constant": "constant_values",
    "linear_ramp": "end_values",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    **dict.fromkeys(_STATISTICS, "stat_length"),
}


def _samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((2, 3))
    yield x, ((1, 1), (1, 1))
    yield x, ((0, 1), (2, 0)), ((0.5, 0.5), (1.5, 2.5))
    yield np.asarray(1.0), ()
    yield np.zeros((0, 2)), ((1, 0), (0, 0))


@primitive(
    arrays=1,
    name="pad",
    samples=_samples,
    formula="x with a border",
    gradient=["g without the border"],
)
def pad_constant(x: Any, widths: Pairs, values: Any = None) -> Any:
    """A border of constants; widths, and values if not 0, are given in front of and behind each axis."""
    if values is not None:
        return np.pad(x, widths, constant_values=values)
    shape = [n + before + behind for n, (before, behind) in zip(x.shape, widths, strict=True)]
    made = np.zeros(shape, x.dtype)
    made[_inside(x.shape, widths)] = x
    return made


@pad_constant.vjp(0)
def _(g: Any, _y: Any, _x: Any, widths: Pairs, values: Any = None) -> Any:
    return g[_inside(_x.shape, widths)]


def _inside(shape: tuple[int, ...], widths: Pairs) -> tuple[slice, ...]:
    return tuple([slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True)])


def _pairs(given: Any, ndim: int, what: str) -> Any:
    """A number, a pair, or a pair for each axis (or a dict of them) as a pair for each axis."""
    if any(isinstance(part, Tensor) and part.requires_grad for part in (given if np.iterable(given) else [given])):
        raise GradientError(f"pad: no gradient flows to {what}; pass it detached, or concatenate the border yourself.")
    if isinstance(given, dict):
        full: list[Any] = [(0, 0)] * ndim
        for axis, pair in given.items():
            full[axis] = pair if np.ndim(pair) else (pair, pair)
        given = full
    try:
        return np.broadcast_to(given.data if isinstance(given, Tensor) else np.asarray(given), (ndim, 2)).tolist()
    except ValueError:
        raise ValueError(
            f"pad: {what} must be a number, a pair, or a pair for each of {ndim} axes, got {given!r}."
        ) from None


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """`array` with a border, as :func:`numpy.pad` makes it.

    Parameters
    ----------
    array : array_like
    pad_width : int, pair, sequence of pairs, or dict
        How many elements go in front of and behind each axis.
    mode : str
        "constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "mean", "median", "minimum" or
        "empty" (which is 0 here).
    **options
        `constant_values`, `end_values`, `stat_length` and `reflect_type`, as NumPy has them.

    Raises
    ------
    ValueError
        An unknown mode, or widths that do not fit.
    """
    x: Any = as_tensor(array)
    if foreign := set(options) - {_OPTION.get(mode)}:
        raise ValueError(f"pad: mode {mode!r} takes no {', '.join(sorted(foreign))}=.")
    widths = _pairs(pad_width, x.ndim, "pad_width")
    if any(n < 0 for pair in widths for n in pair):
        raise ValueError(f"pad: widths must not be negative, got {pad_width!r}.")
    if mode in ("constant", "empty"):
        values = options.get("constant_values", 0)
        plain = mode == "empty" or not np.any(as_array(values))
        return pad_constant(x, tuple(map(tuple, widths)), None if plain else _pairs(values, x.ndim, "constant_values"))
    if mode in _COPYING and options.get("reflect_type", "even") == "even":
        for axis, pair in enumerate(widths):
            if any(pair):
                x = np.take(x, np.pad(np.arange(x.shape[axis]), pair, mode=mode), axis=axis)  # type: ignore[call-overload]
        return x
    make = _BORDERS.get("odd " + mode if mode in _COPYING else mode)
    if make is None:
        known = ", ".join(["constant", "empty", *_COPYING, *(b for b in _BORDERS if " " not in b)])
        raise ValueError(f"pad: unknown mode {mode!r}; choose one of {known}.")
    given = options.get("end_values", 0) if mode == "linear_ramp" else options.get("stat_length")
    details = [(None, None)] * x.ndim if given is None else _pairs(given, x.ndim, _OPTION[mode])
    if mode in _STATISTICS and any(length is not None and length < 1 for pair in details for length in pair):
        raise ValueError(f"pad: stat_length must be 1 or more, got {given!r}.")
    for axis, ((before, behind), (first, last)) in enumerate(zip(widths, details, strict=True)):
        x = np.moveaxis(x, axis, 0)  # a border for one axis after the other, corners included
        front = make(x, before, first)
        back = np.flip(make(np.flip(x, 0), behind, last), 0)
        x = np.moveaxis(np.concatenate([front, x, back]), 0, axis)
    return x


def _ramp(x: Any, width: int, end: float) -> Any:
    """From the end value to the edge; whole numbers are rounded down."""
    whole = x.dtype.kind not in "fc"
    part = np.reshape(np.arange(width) / max(width, 1), (width,) + (1,) * (x.ndim - 1))
    part = part if whole else part.astype(x.dtype)
    ramp = end * (1 - part) + x[:1] * part
    return np.floor(ramp).astype(x.dtype) if whole else ramp


def _statistic(function: Any) -> Any:
    def border(x: Any, width: int, length: int | None) -> Any:
        value = function(x[:length], axis=0, keepdims=True)
        value = value if value.dtype == x.dtype else np.rint(value).astype(x.dtype)
        return np.broadcast_to(value, (width, *x.shape[1:]))

    return border


def _odd(mode: str) -> Any:
    def border(x: Any, width: int, _: Any) -> Any:
        """Reflected in place and in value: 2 · edge − the even reflection, as often as the width asks."""
        skip = int(mode == "reflect")
        made: Any = x[:0]
        while len(made) < width:
            source = np.concatenate([made, x])
            reach = min(width - len(made), len(source) - skip)
            fresh = 2 * source[:1] - np.flip(source[skip : skip + reach], 0)
            made = np.concatenate([fresh, made])
        return made

    return border


_BORDERS = {
    "linear_ramp": _ramp,
    "maximum": _statistic(np.max),
    "minimum": _statistic(np.min),
    "mean": _statistic(np.mean),
    "median": _statistic(np.median),
    "odd reflect": _odd("reflect"),
    "odd symmetric": _odd("symmetric"),
}
