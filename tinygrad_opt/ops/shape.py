"""Shapes: the same elements, arranged otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.graph import sum_to_shape
from ..autograd.primitive import primitive

__all__ = ["broadcast_to", "reshape"]


def _reshape_samples(rng: np.random.Generator) -> Any:
    yield (rng.standard_normal((2, 3)), (3, 2))
    yield (rng.standard_normal((2, 3)), -1)
    yield (np.asarray(1.0), (1, 1))


@primitive(numpy=np.reshape, arrays=1, samples=_reshape_samples, formula="x reshaped", gradient=["g reshaped back"])
def reshape(x, shape):  # type: ignore[no-untyped-def]
    """The same elements in another shape."""
    return np.reshape(x, shape)


@reshape.vjp(0)
def _(g: Any, y: Any, _x: Any, shape: Any) -> Any:
    return g.reshape(_x.shape)


@primitive(numpy=np.broadcast_to, arrays=1, samples=lambda rng: [(rng.standard_normal((3, 1)), (2, 3, 4))])
def broadcast_to(x, shape):  # type: ignore[no-untyped-def]
    """x repeated to a shape it broadcasts to."""
    return np.broadcast_to(x, shape)


@broadcast_to.vjp(0)
def _(g: Any, y: Any, _x: Any, shape: Any) -> Any:
    return sum_to_shape(g, _x.shape)


@primitive(numpy=np.astype, arrays=1, samples=lambda rng: [(rng.standard_normal(3), np.dtype("f8"))])
def astype(x, dtype):  # type: ignore[no-untyped-def]
    """x in another dtype."""
    return x.astype(dtype)


@astype.vjp(0)
def _(g: Any, y: Any, _x: Any, dtype: Any) -> Any:
    return g
