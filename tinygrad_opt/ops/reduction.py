"""Reductions: sums, extrema and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive

__all__ = ["sum"]


def _expand(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """A reduction's gradient with the reduced axes put back, at extent 1."""
    if keepdims or not shape:
        return g
    axes = range(len(shape)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    kept = {a % len(shape) for a in axes}
    return g.reshape(tuple(1 if i in kept else n for i, n in enumerate(shape)))


def _sum_samples(rng: np.random.Generator) -> Any:
    x = rng.standard_normal((2, 3))
    yield (x,)
    yield (x,), {"axis": 0}
    yield (x,), {"axis": (-1, 0), "keepdims": True}
    yield (np.asarray(1.5),)
    yield (np.zeros((0, 3)),), {"axis": 0}


@primitive(numpy=np.sum, formula="Σ x", gradient=["g, repeated"], samples=_sum_samples)
def sum(x, axis=None, dtype=None, keepdims=False, initial=0, where=True):  # type: ignore[no-untyped-def]
    """Sum over `axis`."""
    return np.sum(x, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


@sum.vjp(0)
def _(g: Any, y: Any, _x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = 0, where: Any = True) -> Any:
    g = np.broadcast_to(_expand(g, _x.shape, axis, keepdims), _x.shape)
    return g if where is True else g * where
