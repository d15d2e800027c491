"""Keeping a gradient here and making it zero there: what every rule of a choosing function comes down to."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor

__all__: list[str] = []

WHOLE = {
    np.dtype(np.float16): np.int16,
    np.dtype(np.float32): np.int32,
    np.dtype(np.float64): np.int64,
}


def kept(x: Any, mask: Any) -> Any:
    """x where the mask holds, else exactly 0, also where x is infinite or NaN.

    A number's bits, read as a whole number, times 0 or 1 are those of 0 or of the number itself. That takes no longer
    than ``x * mask``, whose ∞ · 0 would be NaN, and a tenth of the time of ``np.where`` with an irregular mask.
    """
    if mask.__class__ is bool or mask.__class__ is list:
        mask = np.asarray(mask)
    whole = WHOLE.get(x.dtype)
    return np.where(mask, x, 0) if whole is None else (mask.astype(whole) * x.view(whole)).view(x.dtype)


def _samples(rng: np.random.Generator) -> Any:
    yield rng.standard_normal((2, 3)), np.array([True, False, True])
    yield rng.standard_normal((2, 1)), np.array([True, False, True])
    yield np.asarray(1.5), np.asarray(False)
    yield rng.standard_normal(3), True
    yield np.zeros(0), np.zeros(0, bool)


_keep = primitive(
    kept,
    name="keep",
    vjp=[lambda g, _y, _x, mask: keep(g, mask), None],
    formula="x where the mask holds, else 0",
    gradient=["g where the mask holds, else 0", ""],
    samples=_samples,
)


def keep(x: Any, mask: Any) -> Any:
    """x where the mask holds, else exactly 0: an array of an array, a Tensor of a Tensor."""
    return _keep(x, mask) if isinstance(x, Tensor) else kept(x, mask)
