"""Scaled dot-product attention as a function, its masks and shapes explained; the arithmetic is in ``attend.py``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_array
from ..errors import ShapeError
from ..random import get_generator
from .attend import attend, naive_attend
from .floats import as_floats
from .sizes import check_probability

__all__ = ["additive", "kept", "scaled_dot_product_attention"]


def additive(name: str, mask: Any, dtype: Any, hidden: bool) -> Any:
    """A mask as numbers to add to the scores: −∞ where a bool mask is `hidden`; `name` is the caller's."""
    mask = mask if isinstance(mask, Tensor) and mask.requires_grad else as_array(mask)
    if mask.dtype == bool:
        return np.where(mask == hidden, -np.inf, 0.0).astype(dtype)
    if mask.dtype.kind != "f":
        raise ValueError(
            f"{name}: a mask has bools, which show and hide, or floats, which are added to the scores; got "
            f"{mask.dtype}. Write mask.astype(bool) if 0 and 1 are meant to show and hide."
        )
    return mask if isinstance(mask, Tensor) else mask.astype(dtype, copy=False)


def kept(shape: tuple[int, ...], p: float, dtype: Any, generator: Any) -> Any:
    """Factors that drop with probability p and keep the mean."""
    if p >= 1:
        return np.zeros(shape, dtype)
    return (get_generator(generator).random(shape, np.float32) >= p).astype(dtype) * dtype.type(1 / (1 - p))


def _shared(heads: Tensor, query: Tensor) -> Any:
    """Key or value heads on axis -3, each repeated until there are as many as query heads."""
    if min(heads.ndim, query.ndim) < 3 or not heads.shape[-3] or query.shape[-3] % heads.shape[-3]:
        raise ShapeError(
            f"scaled_dot_product_attention: enable_gqa=True needs heads on axis -3, of which those of key and value "
            f"divide those of the query; got {heads.shape} for a query {query.shape}."
        )
    times = query.shape[-3] // heads.shape[-3]
    return heads if times == 1 else np.repeat(heads, times, axis=-3)


def _misfit(query: Tensor, key: Tensor, value: Tensor, mask: Any) -> str | None:
    """Which shapes an attention could not bring together; None if they fit."""
    rows, columns = query.shape[-2], key.shape[-2]
    try:
        scores = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), rows, columns)
        np.broadcast_shapes(scores[:-2], value.shape[:-2])
    except ValueError:
        return (
            f"scaled_dot_product_attention: query {query.shape}, key {key.shape}, value {value.shape}: the axes before "
            f"the last two must agree or be 1."
        )
    try:
        np.broadcast_shapes(() if mask is None else mask.shape, scores)
    except ValueError:
        return (
            f"scaled_dot_product_attention: attn_mask of shape {mask.shape} must broadcast to that of the scores, "
            f"{scores}: a row for each query, a column for each key."
        )
    return None


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """softmax(scale · query keyᵀ + mask) value (Vaswani et al. 2017, arXiv:1706.03762).

    Parameters
    ----------
    query, key, value : array_like, shapes (..., L, E), (..., S, E), (..., S, V)
    attn_mask : array_like, broadcasting to (..., L, S), optional
        bool: True where a query may look. Numbers are added to the scores; they may require a gradient.
    dropout_p : float
        Probability of dropping a weight, always (the function knows no training mode).
    is_causal : bool
        Query i sees keys 0 … i only.
    scale : float, optional
        By default 1/√E.
    enable_gqa : bool
        Fewer key and value heads than query heads, on axis -3: each serves several (Ainslie et al. 2023).
    generator : numpy.random.Generator, optional

    Returns
    -------
    Tensor, shape (..., L, V)
        A query that may look nowhere gets zeros.

    Raises
    ------
    ShapeError
        The shapes do not fit.
    ValueError
        `dropout_p` lies outside [0, 1], a mask has integers, or both a mask and `is_causal` are given.
    """
    check_probability("scaled_dot_product_attention", dropout_p, "dropout_p")
    query, key, value = as_floats(query), as_floats(key), as_floats(value)
    if attn_mask is not None and is_causal:
        raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both.")
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ShapeError(
            f"scaled_dot_product_attention: expected query, key and value of shape (..., length, width), got "
            f"{query.shape}, {key.shape}, {value.shape}."
        )
    if enable_gqa:
        key, value = _shared(key, query), _shared(value, query)
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"scaled_dot_product_attention: query {query.shape}, key {key.shape}, value {value.shape}: query and key "
            f"must agree on the last axis, key and value on the one before."
        )
    options: dict[str, Any] = {"mask": None, "keep": None, "causal": is_causal}
    options["scale"] = 1.0 / math.sqrt(query.shape[-1] or 1) if scale is None else float(scale)
    if attn_mask is not None:
        options["mask"] = additive("scaled_dot_product_attention", attn_mask, query.dtype, hidden=False)
    form = naive_attend if isinstance(options["mask"], Tensor) else attend
    try:
        if dropout_p > 0:
            lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
            shape = (*lead, query.shape[-2], key.shape[-2])
            options["keep"] = kept(shape, dropout_p, query.dtype, generator)
        return form(query, key, value, **options)[0]  # type: ignore[no-any-return]
    except ValueError as error:
        if (text := _misfit(query, key, value, options["mask"])) is None:
            raise
        raise ShapeError(text) from error
