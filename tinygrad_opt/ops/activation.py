"""The nonlinear functions of neural networks that NumPy does not have, under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor
from ..kernels import twin
from .masking import keep
from .reduction import expand
from .samples import one_axis, reduction, unary

__all__ = ["log_sigmoid", "log_softmax", "logit", "logsumexp", "relu", "sigmoid", "softmax", "softplus"]


_LEAST = 1 << 14  # elements from which compiled code pays


@primitive(formula="max(x, 0)", gradient=["g where x > 0"], samples=unary())
def relu(x: Any) -> Any:
    """max(x, 0); the gradient at 0 is 0."""
    if compiled := twin("rectifier", x.size, _LEAST):
        found = compiled.relu(x)
        if found is not None:
            return found
    return np.maximum(x, 0)


@relu.vjp(0)
def _(g: Any, y: Any, _x: Any) -> Any:
    if not isinstance(g, Tensor) and (compiled := twin("rectifier", y.size, _LEAST)):
        found = compiled.back(g, y)
        if found is not None:
            return found
    return keep(g, y > 0)


@primitive(
    vjp=[lambda g, y, _x: g * (y * (1 - y))], formula="σ(x)", gradient=["g · σ(x) · (1 − σ(x))"], samples=unary()
)
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x)), exact to the last digits at both ends."""
    e = np.exp(-np.abs(x))
    return np.maximum(e, x >= 0) / (1 + e)  # 1 / (1 + e) for x ≥ 0, else e / (1 + e)


@primitive(
    vjp=[lambda g, _y, x: g * sigmoid(x)],
    formula="ln(1 + exp(x))",
    gradient=["g · σ(x)"],
    samples=unary(),
)
def softplus(x: Any) -> Any:
    """ln(1 + exp(x)), without overflow."""
    return np.logaddexp(x, 0)


@primitive(vjp=[lambda g, _y, x: g * sigmoid(-x)], formula="ln σ(x)", gradient=["g · σ(−x)"], samples=unary())
def log_sigmoid(x: Any) -> Any:
    """ln σ(x) = −ln(1 + exp(−x)), without overflow."""
    return -np.logaddexp(-x, 0)


@primitive(
    vjp=[lambda g, _y, x: g / (x * (1 - x))],
    formula="ln(x / (1 − x))",
    gradient=["g / (x (1 − x))"],
    samples=unary(0.1, 0.9),
)
def logit(x: Any) -> Any:
    """ln(x / (1 − x)), the inverse of the sigmoid."""
    return np.log(x / (1 - x))


@primitive(
    vjp=[lambda g, y, _x, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True))],
    formula="softmax(x)",
    gradient=["y · (g − Σ g·y)"],
    samples=one_axis(),
)
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / Σ exp(x) along `axis`, without overflow."""
    e = np.exp(x - np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


@primitive(
    vjp=[lambda g, y, _x, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True)],
    formula="ln softmax(x)",
    gradient=["g − softmax(x) · Σ g"],
    samples=one_axis(),
)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """x − ln Σ exp(x) along `axis`, without overflow."""
    shifted = x - np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _logsumexp_samples(rng: np.random.Generator) -> Any:
    yield from reduction()(rng)
    yield (rng.standard_normal((2, 3)),)


@primitive(formula="ln Σ exp(x)", gradient=["g · softmax(x)"], samples=_logsumexp_samples)
def logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """ln Σ exp(x) along `axis` (an int, a tuple, or None for all), without overflow."""
    top = np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims or not x.ndim else np.squeeze(y, axis)


@logsumexp.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    return expand(g, x.shape, axis, keepdims) * np.exp(x - expand(y, x.shape, axis, keepdims))
