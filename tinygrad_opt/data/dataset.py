"""Data sets: things with a length that give examples by number, one at a time or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..autograd import Tensor, as_tensor
from ..errors import ShapeError
from ..random import get_generator

__all__ = ["Dataset", "Subset", "TensorDataset", "random_split"]


class Dataset:
    """The base of all data sets: define ``__len__`` and ``__getitem__``.

    ``__getitem__(i)`` gives one example: an array or number, or a tuple of them. A data set that can fetch many
    examples faster than one by one also overrides :meth:`take`, which is what a :class:`DataLoader` calls.

    Examples
    --------
    >>> from tinygrad_opt.data import DataLoader, Dataset
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, i):
    ...         return float(i), float(i * i)
    >>> for x, y in DataLoader(Squares(), batch_size=2):
    ...     print(x.tolist(), y.tolist())
    [0.0, 1.0] [0.0, 1.0]
    [2.0, 3.0] [4.0, 9.0]
    """

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} must define __len__(self), the number of its examples.")

    def __getitem__(self, index: int) -> Any:
        raise TypeError(f"{type(self).__name__} must define __getitem__(self, index), one of its examples.")

    def take(self, indices: np.ndarray[Any, Any] | slice) -> Any:
        """Several examples, stacked along a new first axis: a Tensor, or a tuple of Tensors."""
        if isinstance(indices, slice):
            indices = np.arange(*indices.indices(len(self)))
        examples = [self[int(i)] for i in indices]
        if not examples:
            raise ValueError(f"{type(self).__name__}.take: no example was asked for.")
        if not isinstance(examples[0], tuple):
            return _stack(examples)
        return tuple(_stack(column) for column in zip(*examples, strict=True))


def _stack(values: Sequence[Any]) -> Tensor:
    arrays = [as_tensor(value).data for value in values]
    if len({array.shape for array in arrays}) > 1:
        shapes = sorted({str(array.shape) for array in arrays})
        raise ShapeError(
            f"examples of shapes {', '.join(shapes)} cannot form one batch: give them one shape in __getitem__, "
            f"e.g. by padding, or use batch_size=1."
        )
    return Tensor(np.stack(arrays))


class TensorDataset(Dataset):
    """Arrays whose first axes run along the same examples.

    Parameters
    ----------
    *tensors : Tensor or array_like
        Each of shape (n, …). Arrays keep their dtype and share their memory.

    Raises
    ------
    ShapeError
        The lengths differ, or an array has no axis.

    Examples
    --------
    >>> from tinygrad_opt.data import TensorDataset
    >>> points = TensorDataset([[0.0, 1.0], [2.0, 3.0]], [0, 1])
    >>> len(points), points[1]
    (2, (tensor([2., 3.]), tensor(1)))
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise TypeError("TensorDataset: pass at least one array.")
        self.tensors = tuple(as_tensor(tensor).detach() for tensor in tensors)
        shapes = [tensor.shape for tensor in self.tensors]
        if any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
            raise ShapeError(
                f"TensorDataset got shapes {', '.join(map(str, shapes))}: "
                f"the first axes must run along the same examples."
            )

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: int) -> Any:
        return self.take(index)  # type: ignore[arg-type]

    def take(self, indices: np.ndarray[Any, Any] | slice) -> Any:
        """Several examples: copies for an array of positions, views of the data for a slice."""
        rows = tuple(Tensor(tensor.data[indices]) for tensor in self.tensors)
        return rows if len(rows) > 1 else rows[0]


class Subset(Dataset):
    """Some examples of another data set, by position.

    Raises
    ------
    IndexError
        A position outside the data set.
    """

    def __init__(self, dataset: Dataset, indices: Any) -> None:
        self.dataset = dataset
        self.indices = np.asarray(indices, dtype=np.intp)
        if self.indices.size and (self.indices.min() < 0 or self.indices.max() >= len(dataset)):
            raise IndexError(
                f"Subset: positions must lie in 0..{len(dataset) - 1}, got {self.indices.min()}..{self.indices.max()}."
            )

    def __len__(self) -> int:
        return self.indices.size

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def take(self, indices: np.ndarray[Any, Any] | slice) -> Any:
        """Several examples, fetched from the underlying data set in one go."""
        return self.dataset.take(self.indices[indices])


def random_split(
    dataset: Dataset, lengths: Sequence[float], generator: np.random.Generator | None = None
) -> list[Subset]:
    """Disjoint random subsets that together are the whole data set.

    Parameters
    ----------
    dataset : Dataset
    lengths : sequence of int or float
        Numbers of examples that add up to ``len(dataset)``, or fractions that add up to 1 (rounded down, the rest dealt
        out from the first subset on).
    generator : numpy.random.Generator, optional
        By default the package's own, see :func:`tinygrad_opt.manual_seed`.

    Raises
    ------
    ValueError
        The lengths do not add up.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_opt.data import random_split, two_moons
    >>> [len(part) for part in random_split(two_moons(10), [0.75, 0.25], np.random.default_rng(0))]
    [8, 2]
    """
    n = len(dataset)
    if any(length < 0 for length in lengths):
        raise ValueError(f"random_split: lengths must not be negative, got {list(lengths)}.")
    if all(isinstance(length, (int, np.integer)) for length in lengths):
        counts = [int(length) for length in lengths]
    elif abs(sum(lengths) - 1.0) < 1e-9:
        counts = [int(np.floor(n * length + 1e-9)) for length in lengths]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        raise ValueError(f"random_split: fractions must add up to 1, got {list(lengths)}.")
    if sum(counts) != n:
        raise ValueError(f"random_split: lengths add up to {sum(counts)}, the data set has {n} examples.")
    order = get_generator(generator).permutation(n)
    ends = np.cumsum([0, *counts])
    return [Subset(dataset, order[a:b]) for a, b in pairwise(ends)]
