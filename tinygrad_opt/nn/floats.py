"""Integers as data: they become floats where a layer multiplies them by fractions, which integers would cut off."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor

__all__ = ["as_floats"]


def as_floats(x: Any, dtype: Any = np.float64) -> Tensor:
    """x as a Tensor of real or complex numbers: integers and bools become `dtype`, of itself what a division makes."""
    x = as_tensor(x)
    return x if x.dtype.kind in "fc" else x.astype(dtype)  # type: ignore[no-any-return]
