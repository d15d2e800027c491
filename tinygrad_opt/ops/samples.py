"""Sample inputs that the gradient tests run on, for the elementwise families."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Samples = Callable[[np.random.Generator], Iterator[Any]]

_SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3), (0,), (2, 1))
_PAIRS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2, 2)),
    ((0,), (1,)),
)


def unary(low: float = -2.0, high: float = 2.0) -> Samples:
    """Arrays of several shapes, 0-d and empty among them, uniform on [low, high)."""

    def samples(rng: np.random.Generator) -> Iterator[Any]:
        for shape in _SHAPES:
            yield (np.asarray(rng.uniform(low, high, shape)),)

    return samples


def binary(low: float = -2.0, high: float = 2.0, low2: float | None = None, high2: float | None = None) -> Samples:
    """Pairs of arrays that broadcast against each other, the first uniform on [low, high), the second likewise."""

    def samples(rng: np.random.Generator) -> Iterator[Any]:
        for first, second in _PAIRS:
            yield (
                np.asarray(rng.uniform(low, high, first)),
                np.asarray(rng.uniform(low if low2 is None else low2, high if high2 is None else high2, second)),
            )

    return samples
