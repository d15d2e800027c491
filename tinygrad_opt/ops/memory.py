"""How a Tensor lies in memory: NumPy's as…array functions, through which gradients flow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor
from .namespace import asarray

__all__ = ["asanyarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "require"]

asanyarray = asarray


def asarray_chkfinite(a: Any, dtype: Any = None) -> Tensor:
    """`a` as a Tensor without infinities and NaN.

    Raises
    ------
    ValueError
        There is one.
    """
    made = as_tensor(a, dtype)
    if not np.isfinite(made.data).all():
        raise ValueError("asarray_chkfinite: the array holds an infinity or NaN; tg.nan_to_num replaces them.")
    return made


def require(a: Any, dtype: Any = None, requirements: Any = None) -> Tensor:
    """`a` as a Tensor whose memory is as :func:`numpy.require` wants it, copied only where it is not.

    Parameters
    ----------
    a : array_like
    dtype : dtype, optional
    requirements : str or list of str, optional
        "C" or "F" for the order of the elements, "A" aligned, "W" writeable, "O" not a view.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> x = tg.ones((2, 3), requires_grad=True)
    >>> tg.require(x, requirements="F").data.flags.f_contiguous
    True
    """
    made = as_tensor(a, dtype)
    plain = np.require(made.data, requirements=requirements)
    return made if plain is made.data else np.copy(made, "C" if plain.flags.c_contiguous else "F")  # type: ignore[return-value]


def ascontiguousarray(a: Any, dtype: Any = None) -> Tensor:
    """`a` with at least one axis, its elements row by row in memory."""
    return require(np.atleast_1d(as_tensor(a, dtype)), requirements="C")


def asfortranarray(a: Any, dtype: Any = None) -> Tensor:
    """`a` with at least one axis, its elements column by column in memory."""
    return require(np.atleast_1d(as_tensor(a, dtype)), requirements="F")
