"""Random Tensors, and the one default generator that layers, initialisers and loaders draw from.

Every function takes ``generator=``, a ``numpy.random.Generator``; without one it draws from the default generator,
which :func:`manual_seed` restarts. At import it is seeded by the operating system.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .autograd.dtypes import get_default_dtype
from .autograd.tensor import Tensor
from .errors import ShapeError

__all__ = ["get_generator", "manual_seed", "normal", "rand", "randint", "randn", "randperm", "uniform"]

_current = [np.random.default_rng()]


def manual_seed(seed: int) -> np.random.Generator:
    """Restart the default generator from `seed`, for all threads; returns it.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> _ = tg.manual_seed(0)
    >>> first = tg.randn(3)
    >>> _ = tg.manual_seed(0)
    >>> tg.randn(3).tolist() == first.tolist()
    True
    """
    _current[0] = np.random.default_rng(operator.index(seed))
    return _current[0]


def get_generator(generator: np.random.Generator | None = None) -> np.random.Generator:
    """The generator given, or the default one: what every ``generator=`` argument passes through.

    Raises
    ------
    TypeError
        Something else than a generator, such as a bare seed.
    """
    if generator is None:
        return _current[0]
    if not isinstance(generator, np.random.Generator):
        raise TypeError(
            f"generator= expects a numpy.random.Generator, got {generator!r}; write np.random.default_rng(seed)."
        )
    return generator


def _extents(caller: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` mean the same shape."""
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    extents = tuple(operator.index(n) for n in given)
    if any(n < 0 for n in extents):
        raise ShapeError(f"{caller}: extents must not be negative, got {extents}.")
    return extents


def _made(array: Any, dtype: DTypeLike | None, requires_grad: bool, caller: str) -> Tensor:
    wanted = np.dtype(get_default_dtype() if dtype is None else dtype)
    if wanted.kind != "f":
        raise TypeError(f"{caller}: expected a floating-point dtype, got {wanted}.")
    return Tensor(np.asarray(array).astype(wanted, copy=False), requires_grad)


def _drawn_dtype(dtype: DTypeLike | None) -> Any:
    """The dtype to draw in: NumPy draws float32 and float64, others are rounded from float64."""
    wanted = np.dtype(get_default_dtype() if dtype is None else dtype)
    return np.float32 if wanted in (np.float32, np.float16) else np.float64


def randn(
    *shape: Any,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Draws from the standard normal distribution; `shape` as ``randn(2, 3)`` or ``randn((2, 3))``."""
    drawn = get_generator(generator).standard_normal(_extents("randn", shape), dtype=_drawn_dtype(dtype))
    return _made(drawn, dtype, requires_grad, "randn")


def rand(
    *shape: Any,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Draws from the uniform distribution on [0, 1); `shape` as ``rand(2, 3)`` or ``rand((2, 3))``."""
    drawn = get_generator(generator).random(_extents("rand", shape), dtype=_drawn_dtype(dtype))
    return _made(drawn, dtype, requires_grad, "rand")


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: int | tuple[int, ...] | None = None,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Draws from N(mean, std²), as numbers or arrays of means and deviations; no gradient flows to them.

    Raises
    ------
    ValueError
        A negative deviation.
    """
    return _made(get_generator(generator).normal(mean, std, size), dtype, requires_grad, "normal")


def uniform(
    low: Any = 0.0,
    high: Any = 1.0,
    size: int | tuple[int, ...] | None = None,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Draws from the uniform distribution on [low, high)."""
    return _made(get_generator(generator).uniform(low, high, size), dtype, requires_grad, "uniform")


def randint(
    low: int,
    high: int | None = None,
    size: int | tuple[int, ...] | None = None,
    *,
    dtype: DTypeLike = np.int64,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Whole numbers from low to high − 1; ``randint(n, size=…)`` counts from 0.

    Raises
    ------
    ValueError
        An empty range.
    """
    drawn = get_generator(generator).integers(low, high, size, dtype=np.int64)
    return Tensor(np.asarray(drawn, dtype))


def randperm(n: int, *, generator: np.random.Generator | None = None) -> Tensor:
    """The numbers 0 to n − 1 in random order."""
    return Tensor(get_generator(generator).permutation(n))
