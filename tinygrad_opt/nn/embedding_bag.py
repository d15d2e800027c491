"""EmbeddingBag: rows of a table summed, averaged or maximised over bags of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor, as_array, as_tensor
from ..errors import ShapeError
from . import init
from .embedding import add_rows, checked_numbers, embedding, from_table, padding_row
from .module import Module, Parameter
from .sizes import check_sizes

__all__ = ["EmbeddingBag", "embedding_bag"]


def _bags(x: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, Any, int]:
    """The numbers flat, the bag of each of them, and how many bags there are."""
    if x.ndim == 2:
        if offsets is not None:
            raise ValueError("embedding_bag: offsets belong to flat x; here each row of x is a bag. Leave them out.")
        return x.reshape(-1), np.repeat(np.arange(x.shape[0]), x.shape[1]), x.shape[0]
    if x.ndim != 1 or offsets is None:
        raise ShapeError(f"embedding_bag: expected x of shape (B, N), or (N,) with offsets (B,); got {x.shape}.")
    offsets = as_array(offsets)
    if offsets.ndim != 1:
        raise ShapeError(f"embedding_bag: offsets must have shape (B,), got {offsets.shape}.")
    if offsets.size and offsets.dtype.kind not in "iu":
        raise TypeError(f"embedding_bag: offsets must be whole numbers, got {offsets.dtype}.")
    starts = offsets[:-1] if include_last_offset else offsets
    if not len(offsets) or offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] > len(x):
        raise ValueError(f"embedding_bag: offsets must rise from 0 to at most {len(x)}, got {offsets}.")
    ends = np.append(starts[1:], offsets[-1] if include_last_offset else len(x))
    x = x[: ends[-1]] if len(ends) else x
    return x, np.repeat(np.arange(len(starts)), ends - starts), len(starts)


def _check_mode(caller: str, mode: str, scale_grad_by_freq: bool) -> None:
    if mode not in ("mean", "sum", "max"):
        raise ValueError(f"{caller}: mode must be 'mean', 'sum' or 'max', got {mode!r}.")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError(f"{caller}: scale_grad_by_freq has no meaning for mode='max'; use 'sum' or 'mean'.")


def embedding_bag(
    x: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows in each bag; an empty bag gives zeros.

    Parameters
    ----------
    x : array_like of int
        (B, N): each row a bag. Or (N,), all bags end to end, with `offsets` (B,) where each begins.
    weight : Tensor, shape (num_embeddings, embedding_dim)
    offsets : array_like of int, optional
    max_norm, norm_type, scale_grad_by_freq
        As in :func:`embedding`. (PyTorch 2.13 divides by other rows' frequencies here, against its documentation.)
    mode : {"mean", "sum", "max"}
    sparse : bool
        Accepted for PyTorch's sake.
    per_sample_weights : array_like, optional
        A factor for each number, of x's shape; for mode "sum".
    include_last_offset : bool
        The last offset is the end of the last bag.
    padding_idx : int, optional
        A number that counts for nothing.

    Returns
    -------
    Tensor, shape (B, embedding_dim)

    Raises
    ------
    IndexError, TypeError
        A number that names no row, or numbers or offsets that are not whole.
    ShapeError
        x is neither (B, N) nor (N,) with offsets (B,), the weight has not two axes, or the `per_sample_weights` have
        another shape.
    ValueError
        Offsets that do not rise from 0 within x, or options that do not go together.
    """
    _check_mode("embedding_bag", mode, scale_grad_by_freq)
    if per_sample_weights is not None and mode != "sum":
        raise ValueError(f"embedding_bag: per_sample_weights need mode='sum', got {mode!r}.")
    weight = as_tensor(weight)
    shape = as_array(x).shape
    index, bag, count = _bags(checked_numbers("embedding_bag", x, weight), offsets, include_last_offset)
    factors = None if per_sample_weights is None else as_tensor(per_sample_weights)
    if factors is not None:
        if factors.shape != shape:
            raise ShapeError(f"embedding_bag: per_sample_weights {factors.shape} must have the shape of x, {shape}.")
        factors = factors.reshape(-1)[: len(index)]
    position = padding_row("embedding_bag", padding_idx, weight.shape[0])
    if position is not None:
        kept = np.flatnonzero(index != position)
        index, bag = index[kept], bag[kept]
        factors = None if factors is None else factors[kept]
    rows = embedding(index, weight, None, max_norm, norm_type, scale_grad_by_freq)
    if mode == "max":
        return _largest(rows, bag, count)  # type: ignore[no-any-return]
    if factors is not None:
        rows = rows * factors[:, None]
    total = add_rows(rows, bag, count, None)
    if mode == "sum":
        return total  # type: ignore[no-any-return]
    sizes = np.maximum(np.bincount(bag, minlength=count), 1)[:, None].astype(rows.dtype)
    return total / sizes  # type: ignore[no-any-return]


def _largest(rows: Any, bag: Any, count: int) -> Any:
    """The maximum of each bag, elementwise: found on the values, then read, so that one row gets the gradient."""
    best = np.full((count, rows.shape[1]), -1)
    for i, b in enumerate(bag):
        better = (best[b] < 0) | (rows.data[i] > rows.data[best[b], np.arange(rows.shape[1])])
        best[b][better] = i
    if not len(bag):
        return Tensor(np.zeros((count, rows.shape[1]), rows.dtype))
    taken = rows[np.maximum(best, 0), np.arange(rows.shape[1])]
    return np.where(best < 0, np.zeros((), rows.dtype), taken)


class EmbeddingBag(Module):
    """An :class:`Embedding` whose rows are summed, averaged or maximised over bags; see :func:`embedding_bag`.

    Options as :class:`Embedding`'s, and `mode` ("mean", "sum" or "max") and `include_last_offset`.

    Raises
    ------
    ValueError
        Sizes that are negative or no whole numbers, a `padding_idx` that names no row, or an unknown `mode`.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes("EmbeddingBag", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        _check_mode("EmbeddingBag", mode, scale_grad_by_freq)
        self.num_embeddings, self.embedding_dim, self.mode = num_embeddings, embedding_dim, mode
        self.padding_idx = padding_row("EmbeddingBag", padding_idx, num_embeddings)
        self._options: dict[str, Any] = {
            "max_norm": max_norm,
            "norm_type": norm_type,
            "scale_grad_by_freq": scale_grad_by_freq,
        }
        self.include_last_offset = include_last_offset
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **options: Any) -> EmbeddingBag:
        """A layer around a given table, frozen unless `freeze` is False."""
        return from_table(cls, embeddings, freeze, options)  # type: ignore[no-any-return]

    def forward(self, x: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        """The bags."""
        return embedding_bag(
            x,
            self.weight,
            offsets,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
            **self._options,
        )

    def extra_repr(self) -> str:
        """The sizes and the mode."""
        text = f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
