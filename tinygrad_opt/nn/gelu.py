"""GELU, the activation of most Transformers, exact and by tanh, each as one primitive.

NumPy's form works through blocks that stay in the processor's cache, since it takes some fifteen passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor
from ..kernels import twin
from ..ops.constants import constant
from ..ops.samples import unary
from ..ops.special import BEND, erf, polynomial

__all__ = ["gelu", "gelu_exact", "gelu_tanh", "naive_gelu"]

_ROOT_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
_ROOT_2_PI = math.sqrt(2 / math.pi)
_CUBIC = 0.044715

# −2 artanh(erf(x/√2)) / x as a polynomial in x², for float32
_SQUASH = [-2 * c * _ROOT_HALF ** (2 * k + 1) for k, c in enumerate(BEND)]

_BLOCK = 65536
_LEAST = 1 << 10  # elements from which the compiled form pays


def naive_gelu(x: Any, approximate: str = "none") -> Any:
    """The definition of :func:`gelu`, one operation at a time; tests hold the fused one to it."""
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(_ROOT_2_PI * (x + _CUBIC * x * x * x)))
    return 0.5 * x * (1 + erf(x * _ROOT_HALF))


def _in_blocks(function: Callable[..., Any], *arrays: Any) -> Any:
    """``function(out, *arrays)`` for one block of the elements after the other; returns what it wrote to `out`."""
    flat = [a.reshape(-1) for a in arrays]
    out = np.empty(flat[0].shape, flat[0].dtype)
    for i in range(0, out.size, _BLOCK):
        function(out[i : i + _BLOCK], *[a[i : i + _BLOCK] for a in flat])
    return out.reshape(arrays[0].shape)


def _run(name: str, function: Callable[..., Any], *arrays: Any) -> Any:
    """The compiled form of `function`, which takes single precision only, or its passes by NumPy."""
    if arrays[0].dtype == np.float32 and (compiled := twin("gelu", arrays[0].size, _LEAST)):
        return getattr(compiled, name)(*arrays)
    return _in_blocks(function, *arrays)


def _exact(y: Any, x: Any) -> None:
    """y = x/2 · (1 + erf(x/√2)) = x · σ(2 artanh(erf(x/√2))), for float32 in the second form, which spares a tanh."""
    if x.dtype == np.float32:
        with np.errstate(over="ignore", invalid="ignore"):  # far out σ is 0 or 1
            np.divide(x, 1 + np.exp(x * polynomial(_SQUASH, x * x)), out=y)
        return
    bend = erf.forward(np.multiply(x, constant(_ROOT_HALF, x.dtype), out=y))
    bend += constant(1.0, x.dtype)
    bend *= x
    np.multiply(bend, constant(0.5, x.dtype), out=y)


def _exact_back(d: Any, g: Any, y: Any, x: Any) -> None:
    """d = g · (y/x + x · φ(x)), for y/x is Φ(x), exact to rounding, and spares a second erf."""
    with np.errstate(invalid="ignore"):
        share = y / x
    if not x.all():
        share[x == 0] = 0.5
    np.multiply(x, x, out=d)
    d *= constant(-0.5, d.dtype)
    np.exp(d, out=d)
    d *= x
    d *= constant(_DENSITY, d.dtype)
    d += share
    d *= g


def _share(x: Any) -> tuple[Any, Any]:
    """x² and σ(2z) = ½ (1 + tanh(z)) for z = √(2/π) (x + 0.044715 x³)"""
    square = x * x
    share = square * constant(-2 * _CUBIC * _ROOT_2_PI, x.dtype)
    share -= constant(2 * _ROOT_2_PI, x.dtype)
    share *= x
    with np.errstate(over="ignore"):  # σ is 0 there
        np.exp(share, out=share)
    share += constant(1.0, x.dtype)
    return square, np.reciprocal(share, out=share)


def _tanh(y: Any, x: Any) -> None:
    """y = x · σ(2z)"""
    np.multiply(x, _share(x)[1], out=y)


def _tanh_back(d: Any, g: Any, x: Any) -> None:
    """d = g · (σ + x · σ (1 − σ) · d(2z)/dx)"""
    slope, share = _share(x)
    slope *= constant(6 * _CUBIC * _ROOT_2_PI, x.dtype)
    slope += constant(2 * _ROOT_2_PI, x.dtype)
    slope *= x
    np.subtract(constant(1.0, x.dtype), share, out=d)
    d *= slope
    d += constant(1.0, x.dtype)
    d *= share
    d *= g


@primitive(
    real=True,
    name="gelu",
    samples=unary(),
    formula="x · Φ(x)",
    gradient=["g · (Φ(x) + x · φ(x))"],
)
def gelu_exact(x: Any) -> Any:
    """x · Φ(x) in one operation; :func:`naive_gelu` is its definition."""
    return _run("exact", _exact, x)


@gelu_exact.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    if isinstance(x, Tensor):
        return g * (0.5 * (1 + erf(x * _ROOT_HALF)) + x * (_DENSITY * np.exp(-0.5 * (x * x))))
    return _run("exact_back", _exact_back, g, y, x)


@primitive(
    real=True,
    name="gelu_tanh",
    samples=unary(),
    formula="x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))",
    gradient=["g · dy/dx"],
)
def gelu_tanh(x: Any) -> Any:
    """x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))) in one operation."""
    return _run("tanh_form", _tanh, x)


@gelu_tanh.vjp(0)
def _(g: Any, _y: Any, x: Any) -> Any:
    if isinstance(x, Tensor):
        square = x * x
        bend = np.tanh((square * (_CUBIC * _ROOT_2_PI) + _ROOT_2_PI) * x)
        slope = square * (1.5 * _CUBIC * _ROOT_2_PI) + (0.5 * _ROOT_2_PI)
        return g * ((1 - bend * bend) * (slope * x) + (bend * 0.5 + 0.5))
    return _run("tanh_form_back", _tanh_back, g, x)


def gelu(x: Any, approximate: str = "none") -> Any:
    """x · Φ(x), Φ being the normal distribution function (Hendrycks & Gimpel 2016, arXiv:1606.08415).

    Parameters
    ----------
    x : array_like
    approximate : {"none", "tanh"}
        "tanh" computes Φ(x) as ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), which is quicker.
    """
    if approximate == "none":
        return gelu_exact(x)
    if approximate == "tanh":
        return gelu_tanh(x)
    raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}.")
