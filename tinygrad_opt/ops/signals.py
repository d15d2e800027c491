"""Sequences: convolution, correlation, interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from .creation import together
from .indexing import where
from .matmul import conjugate

__all__ = ["convolve", "correlate", "interp"]


def _samples(rng: np.random.Generator) -> Iterator[Any]:
    for n, m in ((4, 2), (2, 4), (3, 3), (1, 1)):
        yield rng.standard_normal(n), rng.standard_normal(m)


convolution = primitive(
    lambda a, v: np.convolve(a, v),
    name="convolve_full",
    arrays=2,
    formula="Σ aᵢ vₖ₋ᵢ",
    gradient=["Σ gₖ vₖ₋ᵢ", "Σ gₖ aₖ₋ᵢ"],
    samples=_samples,
)


@convolution.vjp(0)
def _(g: Any, y: Any, _a: Any, v: Any) -> Any:
    return np.correlate(g, v, "valid")


@convolution.vjp(1)
def _(g: Any, y: Any, a: Any, _v: Any) -> Any:
    return np.correlate(g, a, "valid")


def _two(a: Any, v: Any, caller: str) -> tuple[Tensor, Tensor]:
    a, v = together(a, v)
    if a.ndim > 1 or v.ndim > 1 or not a.size or not v.size:
        raise ShapeError(f"{caller}: expected two non-empty vectors, got shapes {a.shape} and {v.shape}.")
    return a.reshape(-1), v.reshape(-1)


def _cut(full: Any, n: int, m: int, mode: str, caller: str) -> Any:
    """The part of a full convolution of extents n ≥ m that a mode asks for."""
    if mode == "full":
        return full
    if mode == "same":
        return full[(m - 1) // 2 : (m - 1) // 2 + n]
    if mode == "valid":
        return full[m - 1 : n]
    raise ValueError(f"{caller}: mode must be 'full', 'same' or 'valid', got {mode!r}.")


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Σ aᵢ vₖ₋ᵢ of two vectors: (n,), (m,) → (n + m − 1,), or the middle max(n, m) of it, or where both overlap."""
    a, v = _two(a, v, "convolve")
    return _cut(convolution(a, v), max(a.size, v.size), min(a.size, v.size), mode, "convolve")


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Σ aᵢ₊ₖ conj(vᵢ): convolution with v reversed."""
    a, v = _two(a, v, "correlate")
    if a.size >= v.size:
        return _cut(convolution(a, conjugate(v[::-1])), a.size, v.size, mode, "correlate")
    swapped = _cut(convolution(v, conjugate(a[::-1])), v.size, a.size, mode, "correlate")
    return conjugate(swapped[::-1])


@implements(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """Piecewise linear interpolation through the points (xp, fp), xp rising; differentiable in all three.

    Beyond the points the value is `left` (the first of fp, by default) and `right` (the last), or, with a `period`,
    that of the point's image between them. At a point the slope is the one to its right.
    """
    x, xp, fp = together(x, xp, fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(f"interp: xp and fp must be vectors of one extent, got {xp.shape} and {fp.shape}.")
    if period is not None:
        period = abs(period)
        if period == 0:
            raise ValueError("interp: the period must not be 0.")
        x, xp = x % period, xp % period
        order = np.argsort(xp.data)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    if xp.size == 1:
        inside: Any = fp[0] + x * 0
    else:
        i = np.clip(np.searchsorted(xp.data, x.data, side="right") - 1, 0, xp.size - 2)
        inside = fp[i] + (x - xp[i]) * ((fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i]))
    beyond = where(x.data >= xp.data[-1], fp[-1] if right is None else right, inside)
    at_end = where(x.data == xp.data[-1], fp[-1], beyond) if right is not None else beyond
    return where(x.data < xp.data[0], fp[0] if left is None else left, at_end)
