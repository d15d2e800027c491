"""Attention with several heads, as a layer; the arithmetic is in ``attend.py``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from . import init
from .attend import attend, naive_attend, self_attend
from .floats import as_floats
from .linear import Linear, linear
from .module import Module, Parameter
from .scaled_attention import additive, kept, scaled_dot_product_attention
from .sizes import check_probability, check_sizes
from .text import check_precision

__all__ = ["MultiheadAttention", "scaled_dot_product_attention"]


class MultiheadAttention(Module):
    """Several attentions side by side, each on its own part of a projection (Vaswani et al. 2017, arXiv:1706.03762).

    Parameters
    ----------
    embed_dim : int
        Width of the queries and of the result, cut evenly into heads.
    num_heads : int
    dropout : float
        Probability of dropping a weight, while training.
    bias : bool
        Of the projections.
    add_bias_kv : bool
        A learned key and value behind the others.
    add_zero_attn : bool
        A key and value of zeros behind the others.
    kdim, vdim : int, optional
        Width of the keys and of the values, by default embed_dim.
    batch_first : bool
        Sequences are (N, L, E) instead of (L, N, E).
    dtype : dtype, optional
    generator : numpy.random.Generator, optional
        For the initial values (Glorot & Bengio's uniform) and for dropout.

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3·embed_dim, embed_dim)
        Rows for queries, keys and values; in_proj_bias (3·embed_dim,) likewise. With another kdim or vdim there are
        q_proj_weight, k_proj_weight and v_proj_weight instead.
    out_proj : Linear

    Raises
    ------
    ValueError
        `num_heads` does not divide `embed_dim`, a size is none, or `dropout` lies outside [0, 1].
    ShapeError
        When called with sequences or masks whose shapes do not fit.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> attention = tg.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = np.ones((3, 5, 8), np.float32)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    in_proj_weight: Parameter | None
    bias_k: Any
    bias_v: Any

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes("MultiheadAttention", 1, embed_dim=embed_dim, num_heads=num_heads)
        check_probability("MultiheadAttention", dropout, "dropout")
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: num_heads={num_heads} must divide embed_dim={embed_dim}.")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        check_sizes("MultiheadAttention", kdim=self.kdim, vdim=self.vdim)
        self.add_zero_attn, self._generator = add_zero_attn, generator
        dtype = get_default_dtype() if dtype is None else dtype
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = Parameter(np.empty((3 * embed_dim, embed_dim), dtype))
        else:
            self.in_proj_weight = None
            self.q_proj_weight = Parameter(np.empty((embed_dim, embed_dim), dtype))
            self.k_proj_weight = Parameter(np.empty((embed_dim, self.kdim), dtype))
            self.v_proj_weight = Parameter(np.empty((embed_dim, self.vdim), dtype))
        self.in_proj_bias = Parameter(np.empty(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, generator=generator)
        self.bias_k = Parameter(np.empty((1, 1, embed_dim), dtype)) if add_bias_kv else None
        self.bias_v = Parameter(np.empty((1, 1, embed_dim), dtype)) if add_bias_kv else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw new initial values, as PyTorch does."""
        for name, parameter in self.named_parameters(recurse=False):
            if name.endswith("weight"):
                init.xavier_uniform_(parameter, generator=generator)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias, generator=generator)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The result and, if needed, the weights.

        Parameters
        ----------
        query, key, value : array_like, shapes (L, N, E), (S, N, kdim), (S, N, vdim); batch first if so; or without N
        key_padding_mask : array_like, shape (N, S), optional
            bool: True where a key is to be ignored. Numbers are added to the scores.
        need_weights : bool
            Also return the weights: (N, L, S), or (N, heads, L, S) unless `average_attn_weights`.
        attn_mask : array_like, shape (L, S) or (N · heads, L, S), optional
            bool: True where a query may NOT look (the opposite of :func:`scaled_dot_product_attention`). Numbers are
            added to the scores; they may require a gradient.
        average_attn_weights : bool
        is_causal : bool
            Query i sees keys 0 … i only; no mask is needed for that.
        """
        same = query is key and key is value
        query, key, value = (as_floats(a, self.out_proj.weight.dtype) for a in (query, key, value))
        self._check(query, key, value)
        single = query.ndim == 2
        if single:
            query, key, value = query[None], key[None], value[None]
        elif not self.batch_first:
            query, key, value = (np.swapaxes(a, 0, 1) for a in (query, key, value))
        size = query.shape[0], self.num_heads, query.shape[1], key.shape[1]
        options = self._options(size, key_padding_mask, attn_mask, is_causal, query.dtype)
        check_precision(self, query, self.out_proj.weight)
        learned = isinstance(options["mask"], Tensor)
        if same and self.in_proj_weight is not None and self.bias_k is None and not (self.add_zero_attn or learned):
            qkv = linear(query, self.in_proj_weight, self.in_proj_bias)
            y, weights = self_attend(qkv, heads=self.num_heads, **options)
        else:
            form = naive_attend if learned else attend
            y, weights = form(*self._projected(query, key, value), **options)
            y = np.transpose(y, (0, 2, 1, 3)).reshape((size[0], size[2], self.embed_dim))
        y = self.out_proj(y)
        y = y[0] if single else y if self.batch_first else np.swapaxes(y, 0, 1)
        if not need_weights:
            return y, None
        weights = weights if options["keep"] is None else weights * options["keep"]
        weights = np.mean(weights, axis=1) if average_attn_weights else weights
        return y, weights[0] if single else weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        wanted = {"query": (query, self.embed_dim), "key": (key, self.kdim), "value": (value, self.vdim)}
        for name, (array, width) in wanted.items():
            if array.ndim not in (2, 3) or array.ndim != query.ndim or array.shape[-1] != width:
                order = "N, L" if self.batch_first else "L, N"
                raise ShapeError(
                    f"{self.label}: expected {name} of shape ({order}, {width}) or (L, {width}), all of as many axes; "
                    f"got query {query.shape}, key {key.shape}, value {value.shape}."
                )
        if key.shape[:-1] != value.shape[:-1]:
            raise ShapeError(f"{self.label}: key {key.shape} and value {value.shape} must have the same length.")
        batch = 0 if self.batch_first else 1
        if query.ndim == 3 and query.shape[batch] != key.shape[batch]:
            raise ShapeError(
                f"{self.label}: query {query.shape} and key {key.shape} must have the same batch size, on axis {batch}."
            )

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Any, Any, Any]:
        """Queries, keys and values of each head (N, H, length, D)."""
        e = self.embed_dim
        if self.in_proj_weight is not None:
            weights = [self.in_proj_weight[i * e : (i + 1) * e] for i in range(3)]
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        bias = self.in_proj_bias
        biases = [None if bias is None else bias[i * e : (i + 1) * e] for i in range(3)]
        q, k, v = (linear(a, w, b) for a, w, b in zip((query, key, value), weights, biases, strict=True))
        n = q.shape[0]
        if self.bias_k is not None:
            k = np.concatenate([k, np.broadcast_to(self.bias_k, (n, 1, e))], axis=1)
            v = np.concatenate([v, np.broadcast_to(self.bias_v, (n, 1, e))], axis=1)
        if self.add_zero_attn:
            k, v = (np.concatenate([a, np.zeros((n, 1, e), a.dtype)], axis=1) for a in (k, v))
        apart = (a.reshape((n, a.shape[1], self.num_heads, e // self.num_heads)) for a in (q, k, v))
        q, k, v = (np.transpose(a, (0, 2, 1, 3)) for a in apart)
        return q, k, v

    def _options(self, size: Any, padding_mask: Any, attn_mask: Any, causal: bool, dtype: Any) -> dict[str, Any]:
        """The static options of the primitive: masks in one, what dropout keeps, the scale."""
        n, heads, rows, columns = size
        causal = causal and attn_mask is None
        mask: Any = None
        if attn_mask is not None:
            mask = additive(self.label, attn_mask, dtype, hidden=True)
            if mask.shape not in ((rows, columns), (n * heads, rows, columns)):
                raise ShapeError(
                    f"{self.label}: expected attn_mask of shape {rows, columns} or {n * heads, rows, columns}, "
                    f"got {mask.shape}."
                )
            mask = mask.reshape((n, heads, rows, columns)) if mask.ndim == 3 else mask
        if padding_mask is not None:
            padding = additive(self.label, padding_mask, dtype, hidden=True)
            if padding.shape != (n, columns) and (n > 1 or padding.shape != (columns,)):
                raise ShapeError(f"{self.label}: expected key_padding_mask of shape {n, columns}, got {padding.shape}.")
            padding = padding.reshape((n, 1, 1, columns))
            mask = padding if mask is None else mask + padding
        extra = (self.bias_k is not None) + self.add_zero_attn
        if mask is not None and (extra or causal):
            mask = np.broadcast_to(mask, np.broadcast_shapes(mask.shape, (rows, columns)))
        if causal and (mask is not None or extra):
            later = np.triu(np.full((rows, columns), -np.inf, dtype), 1)
            mask, causal = later if mask is None else mask + later, False
        if mask is not None and extra:
            mask = np.concatenate([mask, np.zeros((*mask.shape[:-1], extra), dtype)], axis=-1)
        keep = None
        if self.dropout and self.training:
            keep = kept((n, heads, rows, columns + extra), self.dropout, np.dtype(dtype), self._generator)
        scale = 1.0 / math.sqrt(self.embed_dim // self.num_heads)
        return {"mask": mask, "keep": keep, "causal": causal, "scale": scale}

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.embed_dim}, num_heads={self.num_heads}"
