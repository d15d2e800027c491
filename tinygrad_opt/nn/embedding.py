"""Embedding: rows of a table looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.graph import Leaf, next_number
from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_array, as_tensor
from ..errors import ShapeError
from ..kernels import twin
from . import init
from .module import Module, Parameter
from .sizes import check_sizes
from .windows import layer_name

__all__ = ["Embedding", "embedding"]

_LEAST = 1 << 10  # elements from which the compiled form pays


def _samples(rng: np.random.Generator) -> Any:
    yield rng.standard_normal((5, 3)), np.array([[1, 0, 4], [1, 1, 2]]), None
    yield rng.standard_normal((3, 2)), np.array([2, 1, 2]), 0
    yield rng.standard_normal((3, 2)), np.zeros((2, 0), int), None


@primitive(arrays=1, formula="rows of W", gradient=["g added to its rows"], samples=_samples)
def take_rows(weight: Any, index: Any, padding_idx: int | None) -> Any:
    """``weight[index]``; the row `padding_idx` is read but gets no gradient."""
    return weight.take(index, axis=0)


@take_rows.vjp(0)
def _(g: Any, y: Any, _weight: Any, index: Any, padding_idx: int | None) -> Any:
    return add_rows(g, index, _weight.shape[0], padding_idx)


def _add_samples(rng: np.random.Generator) -> Any:
    for weight, index, padding_idx in _samples(rng):
        yield rng.standard_normal((*index.shape, weight.shape[1])), index, len(weight), padding_idx


@primitive(arrays=1, formula="g added to rows", gradient=["rows of u"], samples=_add_samples)
def add_rows(g: Any, index: Any, rows: int, padding_idx: int | None) -> Any:
    """A table of `rows` rows with each row of g added at its index: the adjoint of :func:`take_rows`."""
    g, index = g.reshape((-1, g.shape[-1])), index.reshape(-1)
    if compiled := twin("embedding", g.size, _LEAST):
        table = compiled.add_rows(g, index, rows)
    else:
        table = np.zeros((rows, g.shape[1]), g.dtype)
        if index.size:
            order = np.argsort(index, kind="stable")
            ordered = index[order]
            first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
            table[ordered[first]] = np.add.reduceat(g[order], first)
    if padding_idx is not None:
        table[padding_idx] = 0
    return table


@add_rows.vjp(0)
def _(u: Any, table: Any, _g: Any, index: Any, rows: int, padding_idx: int | None) -> Any:
    read = take_rows(u, index, padding_idx)
    return read if padding_idx is None else np.where((index == padding_idx)[..., None], 0.0, read)


def checked_numbers(name: str, index: Any, weight: Tensor) -> Any:
    """The numbers as an array, after checking that each names a row."""
    index = as_array(index)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{layer_name(name)}: expected whole numbers, got {index.dtype}; use x.astype(np.int64).")
    if weight.ndim != 2:
        raise ShapeError(f"{layer_name(name)}: expected a weight of shape (rows, columns), got {weight.shape}.")
    rows = weight.shape[0]
    if index.size and (index.min() < 0 or index.max() >= rows):
        place = np.argwhere((index < 0) | (index >= rows))[0]
        raise IndexError(
            f"{layer_name(name)}: numbers must be 0..{rows - 1}; found {index[tuple(place)]} "
            f"at {tuple(place.tolist())}."
        )
    return index


def padding_row(name: str, padding_idx: int | None, rows: int) -> int | None:
    """A padding index as a row number from 0, after checking that it is one."""
    if padding_idx is None:
        return None
    if not hasattr(padding_idx, "__index__") or not -rows <= padding_idx < rows:
        raise ValueError(f"{name}: padding_idx={padding_idx} is not one of the {rows} rows.")
    return padding_idx % rows


def _shorten(weight: Tensor, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows about to be read, in place, so that their norm is at most `max_norm`."""
    rows = np.unique(index)
    norms = np.linalg.norm(weight.data[rows], norm_type, axis=1)
    long = norms > max_norm
    if long.any():
        weight.data[rows[long]] *= (max_norm / (norms[long] + 1e-7))[:, None].astype(weight.dtype)
        if isinstance(weight._node, Leaf):
            weight._node.written = next_number()


def embedding(
    x: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Tensor:
    """Rows of `weight` by number.

    Parameters
    ----------
    x : array_like of int, shape (...)
    weight : Tensor, shape (num_embeddings, embedding_dim)
    padding_idx : int, optional
        A row that gets no gradient.
    max_norm : float, optional
        Rows that are read are first scaled, in place, to a norm of at most this.
    norm_type : float
        Which norm `max_norm` means.
    scale_grad_by_freq : bool
        Divide a row's gradient by how often the row was read.

    Returns
    -------
    Tensor, shape (..., embedding_dim)

    Raises
    ------
    IndexError
        A number that names no row.
    TypeError
        Numbers that are not whole.
    ShapeError
        The weight has not two axes.
    ValueError
        `padding_idx` names no row.
    """
    weight = as_tensor(weight)
    index = checked_numbers("embedding", x, weight)
    position = padding_row("embedding", padding_idx, weight.shape[0])
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    y = take_rows(weight, index, position)
    if scale_grad_by_freq and index.size:
        scaled = y * (1.0 / np.bincount(index.reshape(-1))[index][..., None]).astype(weight.dtype)
        y = scaled + (y - scaled).detach()  # the values of y, the gradient of the other
    return y  # type: ignore[no-any-return]


def from_table(layer_type: Any, embeddings: Any, freeze: bool, options: dict[str, Any]) -> Any:
    """A layer of a given type whose weight is a copy of a table."""
    table = as_array(embeddings)
    if table.ndim != 2:
        raise ShapeError(f"{layer_type.__name__}.from_pretrained: expected a table of two axes, got {table.shape}.")
    layer = layer_type(*table.shape, dtype=table.dtype, **options)
    layer.weight.data[...] = table
    layer.weight.requires_grad_(not freeze)
    return layer


class Embedding(Module):
    """A table of vectors, read by number.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Rows and columns of the table.
    padding_idx : int, optional
        A row that begins as zeros and gets no gradient.
    max_norm : float, optional
        Rows that are read are first scaled, in place, to a norm of at most this; `norm_type` says which norm.
    scale_grad_by_freq : bool
        Divide a row's gradient by how often the row was read.
    sparse : bool
        Accepted for PyTorch's sake; the gradient is a whole table either way.
    dtype : dtype, optional
    generator : numpy.random.Generator, optional
        For the initial values, N(0, 1).

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Shapes: x (...) of whole numbers → (..., embedding_dim).

    Raises
    ------
    ValueError
        Sizes that are negative or no whole numbers; a `padding_idx` that names no row.
    IndexError, TypeError
        When called with a number that names no row, or is not whole.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.nn.Embedding(10, 4)([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_row("Embedding", padding_idx, num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
        self.reset_parameters(generator)

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw new initial values: N(0, 1), and zeros for the padding row."""
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **options: Any) -> Embedding:
        """A layer around a given table, frozen unless `freeze` is False."""
        return from_table(cls, embeddings, freeze, options)  # type: ignore[no-any-return]

    def forward(self, x: Any) -> Tensor:
        """The rows."""
        return embedding(x, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False, "sparse": False}
        chosen = {name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value}
        sizes = f"{self.num_embeddings}, {self.embedding_dim}"
        return ", ".join([sizes, *(f"{name}={value}" for name, value in chosen.items())])
