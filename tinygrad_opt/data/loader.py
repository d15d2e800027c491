"""DataLoader: the order in which examples meet the model, in batches."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..random import get_generator
from .dataset import Dataset

__all__ = ["DataLoader"]


class DataLoader:
    """Runs through a data set in batches; each ``for`` loop over it is one epoch.

    The batch size is what tells the three forms of gradient descent apart:

    ===============================  =====================================================
    ``batch_size=None`` (or n)       batch gradient descent: the whole data set each step
    ``batch_size=1``                 stochastic gradient descent: one example each step
    ``batch_size=32``                mini-batch gradient descent
    ===============================  =====================================================

    Parameters
    ----------
    dataset : Dataset
    batch_size : int or None
        None is the whole data set (in PyTorch it means examples without a batch axis).
    shuffle : bool
        A new random order at the start of each epoch.
    drop_last : bool
        Leave out a last batch that is smaller than the others.
    generator : numpy.random.Generator, optional
        For the shuffling; by default the package's own, see :func:`tinygrad_opt.manual_seed`. An epoch
        draws from it exactly once, when it begins, so that a seed fixes every epoch, whether or not the earlier
        ones ran to their end.

    Yields
    ------
    Tensor, or tuple of Tensor
        Batches of shape (batch, …). Without `shuffle`, those of a TensorDataset are views of its data.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_opt.data import DataLoader, TensorDataset
    >>> loader = DataLoader(TensorDataset(np.arange(5)), batch_size=2, shuffle=True, generator=np.random.default_rng(3))
    >>> len(loader), sum(batch.shape[0] for batch in loader)
    (3, 5)
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int | None = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        generator: np.random.Generator | None = None,
    ) -> None:
        if batch_size is not None:
            try:
                batch_size = operator.index(batch_size)
            except TypeError:
                raise TypeError(f"DataLoader: batch_size must be a whole number or None, got {batch_size!r}.") from None
            if batch_size < 1:
                raise ValueError(
                    f"DataLoader: batch_size must be at least 1, or None for the whole data set, got {batch_size}."
                )
        if generator is not None and not isinstance(generator, np.random.Generator):
            raise TypeError(
                f"DataLoader: generator must be a numpy.random.Generator, e.g. np.random.default_rng(0), "
                f"got {type(generator).__name__}."
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = generator

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        n, size = len(self.dataset), self._size()
        return n // size if self.drop_last else -(-n // size)

    def _size(self) -> int:
        return max(len(self.dataset), 1) if self.batch_size is None else self.batch_size

    def __iter__(self) -> Iterator[Any]:
        n, size = len(self.dataset), self._size()
        order = get_generator(self.generator).permutation(n) if self.shuffle else None
        return self._batches(order, n, size)

    def _batches(self, order: np.ndarray[Any, Any] | None, n: int, size: int) -> Iterator[Any]:
        take = self.dataset.take
        for start in range(0, len(self) * size, size):
            stop = min(start + size, n)
            yield take(slice(start, stop) if order is None else order[start:stop])

    def __repr__(self) -> str:
        size = "all" if self.batch_size is None else self.batch_size
        return f"DataLoader({len(self.dataset)} examples, batch_size={size}, shuffle={self.shuffle})"
