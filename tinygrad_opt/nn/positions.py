"""Positional encodings: how attention, which knows no order, is told where in a sequence each element stands."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from . import init
from .dropout import dropout
from .floats import as_floats
from .module import Module, Parameter
from .sizes import check_probability, check_sizes

__all__ = ["LearnedPositions", "RotaryEmbedding", "SinusoidalPositions", "rotate_positions", "sinusoids"]


def sinusoids(length: int, width: int, base: float = 10_000.0) -> np.ndarray[Any, Any]:
    """The table (length, width) of Vaswani et al. (2017, section 3.5): sin(p / base^(2i/width)), then cos, in turn."""
    check_sizes("sinusoids", length=length, width=width)
    angles = np.arange(length)[:, None] / base ** (np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : width // 2])
    return table


class _Positions(Module):
    """Adds a row of a table to each element of a sequence."""

    max_len: int
    batch_first: bool

    def _length(self, x: Tensor, width: int) -> int:
        length = x.shape[1 if self.batch_first and x.ndim == 3 else 0] if x.ndim > 1 else 0
        if x.ndim not in (2, 3) or x.shape[-1] != width or length > self.max_len:
            order = "N, L" if self.batch_first else "L, N"
            raise ShapeError(
                f"{self.label}: expected x of shape ({order}, {width}) or (L, {width}) with L up to {self.max_len}, "
                f"got {x.shape}."
            )
        return length

    def _added(self, x: Tensor, rows: Any) -> Tensor:
        return x + (rows if self.batch_first or x.ndim == 2 else rows[:, None])  # type: ignore[no-any-return]


class SinusoidalPositions(_Positions):
    """x + fixed sines and cosines of the position (Vaswani et al. 2017, section 3.5), then dropout.

    Parameters
    ----------
    d_model : int
        Width of the sequence.
    max_len : int
    dropout : float
    batch_first : bool
        Sequences are (N, L, E) instead of (L, N, E).
    generator : numpy.random.Generator, optional
        For dropout.

    Raises
    ------
    ValueError
        `d_model` or `max_len` is no size, or `dropout` lies outside [0, 1].
    ShapeError
        When called with an x that is not of this width, or longer than `max_len`.
    """

    table: Tensor

    def __init__(
        self,
        d_model: int,
        max_len: int = 5000,
        dropout: float = 0.0,
        batch_first: bool = False,
        *,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes("SinusoidalPositions", d_model=d_model, max_len=max_len)
        check_probability("SinusoidalPositions", dropout, "dropout")
        self.d_model, self.max_len, self.p, self.batch_first = d_model, max_len, dropout, batch_first
        self._generator = generator
        self.register_buffer("table", sinusoids(max_len, d_model), persistent=False)

    def forward(self, x: Any) -> Tensor:
        """x with its positions."""
        x = as_floats(x)
        rows = self.table.data[: self._length(x, self.d_model)].astype(x.dtype)
        return dropout(self._added(x, rows), self.p, self.training, self._generator)  # type: ignore[no-any-return]


class LearnedPositions(_Positions):
    """x + a trained row for each position, as in GPT-2 (Radford et al. 2019).

    Attributes
    ----------
    weight : Parameter, shape (max_len, d_model)
        Begins as N(0, 0.02²).

    Raises
    ------
    ValueError
        `d_model` or `max_len` is no size.
    ShapeError
        When called with an x that is not of this width, or longer than `max_len`.
    """

    def __init__(
        self,
        d_model: int,
        max_len: int,
        batch_first: bool = False,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes("LearnedPositions", d_model=d_model, max_len=max_len)
        self.d_model, self.max_len, self.batch_first = d_model, max_len, batch_first
        self.weight = Parameter(np.empty((max_len, d_model), dtype or get_default_dtype()))
        init.normal_(self.weight, 0.0, 0.02, generator)

    def forward(self, x: Any) -> Tensor:
        """x with its positions."""
        x = as_tensor(x)
        return self._added(x, self.weight[: self._length(x, self.d_model)])


@functools.lru_cache(maxsize=16)
def _turns(length: int, width: int, base: float, dtype: Any) -> tuple[Any, Any]:
    angles = np.arange(length)[:, None] / base ** (np.arange(0, width, 2) / width)
    angles = np.concatenate([angles, angles], axis=1)
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def rotate_positions(x: Any, base: float = 10_000.0) -> Tensor:
    """Each pair (xᵢ, xᵢ₊ₙ), n half the width, turned by an angle that grows with the position (Su et al. 2021).

    The product of two vectors then depends on the distance of their positions alone: for the queries and keys of an
    attention, (…, L, E) with E even. arXiv:2104.09864.

    Raises
    ------
    ShapeError
        x has fewer than two axes, or the last one is odd.
    """
    x = as_floats(x)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError(f"rotate_positions: expected x of shape (..., L, E), where E must be even; got {x.shape}.")
    length, width = x.shape[-2:]
    cos, sin = _turns(length, width, base, x.dtype)
    half = width // 2
    turned = np.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    return x * cos + turned * sin  # type: ignore[no-any-return]


class RotaryEmbedding(Module):
    """:func:`rotate_positions` as a layer."""

    def __init__(self, base: float = 10_000.0) -> None:
        super().__init__()
        self.base = base

    def forward(self, x: Any) -> Tensor:
        """x (…, L, E) with each position turned."""
        return rotate_positions(x, self.base)
