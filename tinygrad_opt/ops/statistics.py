"""Statistics: spread, weighted averages and covariances."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_array, as_tensor
from ..errors import ShapeError
from .creation import beside, together
from .options import no_out
from .reduction import axes_of, count, expand, mean
from .samples import reduction

__all__ = ["average", "corrcoef", "cov", "std", "var"]


def _spread_samples(rng: np.random.Generator) -> Any:
    yield from reduction(empty=False)(rng)
    x = rng.standard_normal((2, 3))
    yield (x,), {"axis": 1, "ddof": 1}
    yield (x,), {"axis": -1, "where": np.array([True, False, True]), "keepdims": True}


_var = primitive(
    np.var,
    arrays=1,
    formula="Σ (x − x̄)² / (n − ddof)",
    gradient=["g · 2 (x − x̄) / (n − ddof)"],
    samples=_spread_samples,
)


def _std_samples(rng: np.random.Generator) -> Any:
    for args, kwargs in ((s if isinstance(s[-1], dict) else (s, {})) for s in _spread_samples(rng)):
        if np.all(np.std(*args, **kwargs) > 0):  # the second derivative at 0 does not exist
            yield args, kwargs


_std = primitive(
    np.std,
    arrays=1,
    formula="√(Σ (x − x̄)² / (n − ddof))",
    gradient=["g · (x − x̄) / ((n − ddof) · y), 0 where y = 0"],
    samples=_std_samples,
)


def _deviation(x: Any, axis: Any, ddof: Any, where: Any) -> Any:
    """(x − x̄) / (n − ddof), zero where the mask leaves elements out."""
    if where is True:
        n = count(x.shape, axis) - ddof
        return (x - np.mean(x, axis=axis, keepdims=True)) * (1 / n if n > 0 else np.nan)
    n = np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=True, dtype=x.dtype) - ddof
    return np.where(where, (x - np.mean(x, axis=axis, keepdims=True, where=where)) / n, 0.0)


@_var.vjp(0)
def _(
    g: Any,
    _y: Any,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    return expand(2 * g, x.shape, axis, keepdims) * _deviation(x, axis, ddof, where)


@_std.vjp(0)
def _(
    g: Any,
    y: Any,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    scaled = np.where(y == 0, 0.0, g / np.where(y == 0, 1.0, y))
    return expand(scaled, x.shape, axis, keepdims) * _deviation(x, axis, ddof, where)


@implements(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """The mean square of the deviations from the mean, Σ (x − x̄)² / (n − ddof).

    A `mean` that is known already (with its axes kept) is taken as it is; gradients flow to it too.
    """
    no_out("var", out)
    ddof = ddof if correction is None else correction
    if mean is None:
        return _var(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, where=where)
    a = as_tensor(a) if dtype is None else as_tensor(a).astype(dtype)
    return _about(a, mean, axis, ddof, keepdims, where)


@implements(np.std)
def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """The root of :func:`var`.

    A `mean` that is known already (with its axes kept) is taken as it is; gradients flow to it too.
    """
    no_out("std", out)
    ddof = ddof if correction is None else correction
    if mean is None:
        return _std(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, where=where)
    return np.sqrt(var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean))


def _about(a: Any, mean: Any, axis: Any, ddof: Any, keepdims: bool, where: Any) -> Any:
    """Σ (x − m)² / (n − ddof) for a given m."""
    n = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
    squares = np.square(a - mean)
    return np.sum(squares, axis=axis, keepdims=keepdims, where=where) / (n - ddof).astype(squares.dtype)


@implements(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Σ w·a / Σ w along `axis`; the plain mean without weights. With `returned`, also Σ w.

    Raises
    ------
    ZeroDivisionError
        The weights sum to zero.
    ShapeError
        The weights have neither the shape of `a` nor the extents of its reduced axes.
    """
    if weights is None:
        a = as_tensor(a)
        y = mean(a, axis=axis, keepdims=keepdims)
        total = as_tensor(np.full(y.shape, count(a.shape, axis), y.dtype))
    else:
        a, weights = together(a, weights)
        axes = axes_of(axis, a.ndim)
        if weights.shape != a.shape:
            if weights.shape != tuple(a.shape[i] for i in axes):
                raise ShapeError(
                    f"average: weights of shape {weights.shape} for a of shape {a.shape} along axis {axis}; "
                    f"they must have the shape of a, or {tuple(a.shape[i] for i in axes)}."
                )
            weights = np.transpose(weights, np.argsort(axes)).reshape(
                tuple(n if i in axes else 1 for i, n in enumerate(a.shape))
            )
        weights = np.broadcast_to(weights, a.shape)
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        if np.any(total == 0):
            raise ZeroDivisionError("average: the weights sum to zero, so there is no average.")
        y = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (y, total) if returned else y


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """The covariance matrix of variables in rows (or, without `rowvar`, in columns).

    Frequency weights count repeated observations and analytic weights their importance, as in :func:`numpy.cov`.
    """
    parts = [np.atleast_2d(part) for part in together(*[part for part in (m, y) if part is not None])]
    if not rowvar:
        parts = [part.T if as_array(given).ndim > 1 else part for part, given in zip(parts, (m, y), strict=False)]
    x = np.concatenate(parts, axis=0) if len(parts) > 1 else parts[0]
    x = x if dtype is None else x.astype(dtype)
    ddof = int(not bias) if ddof is None else ddof
    weights = None if fweights is None else as_tensor(fweights)
    importance = None if aweights is None else beside(aweights, x)
    if importance is not None:
        weights = importance if weights is None else weights * importance
    total = x.shape[1] if weights is None else np.sum(weights)
    excess = 1 if importance is None else np.sum(weights * importance) / total
    heavy = x if weights is None else x * weights
    centred = x - np.sum(heavy, axis=1, keepdims=True) / total
    heavy = centred if weights is None else centred * weights
    freedom = np.maximum(total - ddof * excess, 0)
    return np.squeeze(np.matmul(heavy, np.conjugate(centred).T) / freedom)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The matrix of correlation coefficients of the variables."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    scale = np.sqrt(np.diagonal(c))
    return c / scale[:, None] / scale[None, :]
