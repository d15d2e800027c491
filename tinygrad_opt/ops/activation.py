"""The nonlinear functions of neural networks that NumPy does not have, under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_array, as_tensor
from ..kernels import twin
from .complex import holomorphic
from .constants import constant
from .masking import keep, kept
from .reduction import expand
from .samples import one_axis, reduction, unary

__all__ = ["log_sigmoid", "log_softmax", "logit", "logsumexp", "relu", "sigmoid", "softmax", "softplus"]


_LEAST = 1 << 14  # elements from which compiled code pays


@primitive(elementwise=True, formula="max(x, 0)", gradient=["g where x > 0"], samples=unary())
def relu(x: Any) -> Any:
    """max(x, 0); the gradient at 0 is 0, and NaN lets it through."""
    if x.dtype.kind == "c":
        raise TypeError("complex numbers are neither positive nor negative; take relu of x.real and of x.imag.")
    if compiled := twin("rectifier", x.size, _LEAST):
        found = compiled.relu(x)
        if found is not None:
            return found
    return np.maximum(x, constant(0, x.dtype))


@relu.vjp(0)
def _(g: Any, y: Any, _x: Any) -> Any:
    if isinstance(g, Tensor):
        return keep(g, y != 0)  # y is never negative, but may be NaN
    if compiled := twin("rectifier", y.size, _LEAST):
        found = compiled.back(g, y)
        if found is not None:
            return found
    return kept(g, y.astype(bool))


@primitive(
    vjp=[lambda g, y, _x: g * (y * (1 - y)) if g.dtype.kind != "c" else g * np.conjugate(y * (1 - y))],
    elementwise=True,
    formula="σ(x)",
    gradient=["g · σ(x) · (1 − σ(x))"],
    samples=unary(),
)
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x)), exact to the last digits at both ends."""
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(-x))
    e = np.exp(-np.abs(x))
    return np.maximum(e, x >= 0) / (1 + e)  # 1 / (1 + e) for x ≥ 0, else e / (1 + e)


@primitive(
    name="softplus",
    vjp=[lambda g, _y, x: g * sigmoid(x)],
    formula="ln(1 + exp(x))",
    gradient=["g · σ(x)"],
    samples=unary(),
)
def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + exp(β x)) / β, without overflow; x itself where β x exceeds a `threshold` below 20.

    From 20 on the two are one to 2e-9, and nothing is cut.
    """
    y = _softplus(x) if beta == 1 else _softplus(np.multiply(x, beta)) / beta
    return y if threshold >= 20 else np.where(np.multiply(as_array(x), beta) > threshold, x, y)


@primitive(vjp=[lambda g, _y, x: g * sigmoid(-x)], formula="ln σ(x)", gradient=["g · σ(−x)"], samples=unary())
def log_sigmoid(x: Any) -> Any:
    """ln σ(x) = −ln(1 + exp(−x)), without overflow."""
    return -np.logaddexp(-x, 0)


@primitive(
    name="logit",
    vjp=[holomorphic(lambda g, y, x: np.where(np.isnan(y), np.nan, g / (x * (1 - x))))],
    formula="ln(x / (1 − x))",
    gradient=["g / (x (1 − x))"],
    samples=unary(0.1, 0.9),
)
def _logit(x: Any) -> Any:
    return np.log(x / (1 - x))


def logit(x: Any, eps: float | None = None) -> Any:
    """ln(x / (1 − x)), the inverse of the sigmoid; with `eps`, of x held between eps and 1 − eps."""
    return _logit(x if eps is None else np.clip(as_tensor(x), eps, 1 - eps))


def _top(x: Any, axis: Any) -> Any:
    """The largest of the real parts, which exp must not see."""
    return np.maximum.reduce(x if x.dtype.kind != "c" else x.real, axis, keepdims=True, initial=-np.inf)


@primitive(
    vjp=[holomorphic(lambda g, y, _x, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True)))],
    formula="softmax(x)",
    gradient=["y · (g − Σ g·y)"],
    samples=one_axis(),
)
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / Σ exp(x) along `axis`, without overflow."""
    e = np.exp(x - _top(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


@primitive(
    vjp=[holomorphic(lambda g, y, _x, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True))],
    formula="ln softmax(x)",
    gradient=["g − softmax(x) · Σ g"],
    samples=one_axis(),
)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """x − ln Σ exp(x) along `axis`, without overflow."""
    shifted = x - _top(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _logsumexp_samples(rng: np.random.Generator) -> Any:
    yield from reduction()(rng)
    yield (rng.standard_normal((2, 3)),)


@primitive(formula="ln Σ exp(x)", gradient=["g · softmax(x)"], samples=_logsumexp_samples)
def logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """ln Σ exp(x) along `axis` (an int, a tuple, or None for all), without overflow."""
    axis = axis if x.ndim else None
    top = _top(x, axis)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims or not x.ndim else np.squeeze(y, axis)


@logsumexp.vjp(0)
@holomorphic
def _(g: Any, y: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    return expand(g, x.shape, axis, keepdims) * np.exp(x - expand(y, x.shape, axis, keepdims))
