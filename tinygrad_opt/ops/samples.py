"""Sample inputs that the gradient tests run on, for the families whose functions take them alike."""

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


def integers(low: int = 0, high: int = 8, count: int = 1) -> Samples:
    """`count` arrays of integers, for functions without a gradient that want such."""

    def samples(rng: np.random.Generator) -> Iterator[Any]:
        for shape in _SHAPES:
            yield tuple(np.asarray(rng.integers(low, high, shape)) for _ in range(count))

    return samples


def reduction(low: float = -2.0, high: float = 2.0, *, empty: bool = True, **options: Any) -> Samples:
    """Arrays with every manner of `axis` and `keepdims`; `options` are passed along with each."""

    def samples(rng: np.random.Generator) -> Iterator[Any]:
        x = rng.uniform(low, high, (2, 3))
        yield (x,), {**options}
        yield (x,), {"axis": 0, **options}
        yield (x,), {"axis": -1, "keepdims": True, **options}
        yield (x,), {"axis": (-1, 0), **options}
        yield (x[:1],), {"axis": 0, **options}
        yield (x.T[1:],), {"axis": (1,), "keepdims": True, **options}
        yield (rng.uniform(low, high, (2, 1, 3)),), {"axis": (0, -1), **options}
        if not options:
            yield (np.asarray(rng.uniform(low, high)),)
        if empty:
            yield (np.zeros((0, 3)),), {"axis": 0, **options}

    return samples


def one_axis(low: float = -2.0, high: float = 2.0, **options: Any) -> Samples:
    """Arrays with one `axis`, positive, negative or absent."""

    def samples(rng: np.random.Generator) -> Iterator[Any]:
        x = rng.uniform(low, high, (2, 3))
        yield (x,), {**options}
        for axis in (0, 1, -1):
            yield (x,), {"axis": axis, **options}
        yield (rng.uniform(low, high, 4),), {"axis": 0, **options}

    return samples
