"""The operation behind RMS normalization: each row divided by its root mean square, then a weight for each feature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..kernels import twin
from .definition import is_recorded
from .linear import ones_vector

__all__ = ["naive_rms_normalize", "rms_normalize"]

_LEAST = 1 << 13  # elements from which the compiled form pays


def _rows(a: Any, weight: Any) -> Any:
    """An array as rows of the weight's size."""
    return a.reshape((a.size // max(1, weight.size), weight.size))


def _row_means(a: Any) -> Any:
    """The mean of each row, as (B, 1); a product with ones is the quickest sum NumPy has."""
    return (a @ ones_vector(a.shape[1], a.dtype)).reshape(-1, 1) / a.shape[1]


def _rates(rows: Any, eps: float) -> Any:
    """1/√(mean x² + eps) of each row."""
    squares = None
    if isinstance(rows, np.ndarray) and (compiled := twin("normalization", rows.size, _LEAST)):
        squares = compiled.mean_squares(rows)
    if squares is None:
        squares = _row_means(rows * rows)
    return 1 / np.sqrt(squares + eps)


def _samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape, features in (((3, 4), (4,)), ((2, 3, 2, 2), (2, 2)), ((5,), (5,))):
        yield (rng.standard_normal(shape), rng.standard_normal(features)), {"eps": 0.1}


@primitive(
    real=True,
    arrays=2,
    samples=_samples,
    formula="w · x / √(mean x² + ε)",
    gradient=["(w · g − x̂ · mean(w · g · x̂)) / √(mean x² + ε)", "Σ g · x̂"],
)
def rms_normalize(x, weight, *, eps):  # type: ignore[no-untyped-def]
    """x / √(mean x² + eps) · weight, the mean being over the last axes, those of the weight."""
    rows, w = _rows(x, weight), weight.reshape(-1)
    rates = _rates(rows, eps)
    y = None
    if compiled := twin("normalization", x.size, _LEAST):
        nothing = np.zeros(1, x.dtype)
        y = compiled.scale_features(rows[None], np.zeros_like(rates), rates, w, nothing)
    return (rows * rates * w if y is None else y).reshape(x.shape)


@rms_normalize.vjp_joint
def _(needed: Any, g: Any, _y: Any, x: Any, weight: Any, *, eps: float) -> Any:
    rows, w, given = _rows(x, weight), weight.reshape(-1), _rows(g, weight)
    rates = _rates(rows, eps)
    found = None
    if not is_recorded((g, x, weight)) and (compiled := twin("normalization", x.size, _LEAST)):
        found = compiled.feature_gradients(
            given[None], rows[None], np.zeros_like(rates), rates, w, needed[0], centred=False
        )
    if found is not None:
        dx, dw = found[:2]
    else:
        normal, inner = rows * rates, given * w
        dx = (inner - normal * _row_means(inner * normal)) * rates if needed[0] else None
        dw = ones_vector(len(rows), g.dtype) @ (given * normal) if needed[1] else None
    return dx.reshape(x.shape) if needed[0] else None, dw.reshape(weight.shape) if needed[1] else None


def naive_rms_normalize(x: Any, weight: Any, *, eps: float) -> Any:
    """The definition of :func:`rms_normalize`, one operation at a time; tests hold the fused one to it."""
    axes = tuple(range(-weight.ndim, 0))
    return x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + eps) * weight
