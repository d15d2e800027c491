"""Set operations on values: which elements stay is found on the plain numbers, and those keep their gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..autograd.registry import implements
from ..autograd.tensor import Tensor
from .creation import together
from .sorting import unique

__all__ = [
    "intersect1d",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(NamedTuple):
    """The values, where each first occurs, each element's place among the values, and the counts."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """The values and how often each occurs."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """The values and each element's place among them."""

    values: Any
    inverse_indices: Any


@implements(np.unique_all)
def unique_all(x: Any, /) -> UniqueAll:
    """:func:`unique` with everything it can tell."""
    return UniqueAll(*unique(x, True, True, True, equal_nan=False))


@implements(np.unique_counts)
def unique_counts(x: Any, /) -> UniqueCounts:
    """:func:`unique` with the counts."""
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False))


@implements(np.unique_inverse)
def unique_inverse(x: Any, /) -> UniqueInverse:
    """:func:`unique` with the places."""
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False))


@implements(np.unique_values)
def unique_values(x: Any, /) -> Any:
    """The different values of x in rising order; of equal ones, the first has the gradient."""
    return unique(x, equal_nan=False)


def _flat(*sets: Any) -> list[Any]:
    return [x.reshape(-1) for x in together(*sets)]


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    """The different values of both, in rising order; of equal ones, the first of `ar1` has the gradient."""
    return unique(np.concatenate(_flat(ar1, ar2)))


@implements(np.intersect1d)
def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The values in both, in rising order, with the gradients of those in `ar1`."""
    ar1, ar2 = _flat(ar1, ar2)
    _, in_a, in_b = np.intersect1d(ar1.data, ar2.data, assume_unique, True)
    values = ar1[in_a]
    return (values, Tensor(in_a), Tensor(in_b)) if return_indices else values


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The values of `ar1` that are not in `ar2`, in rising order (in ar1's own order when `assume_unique`)."""
    ar1, ar2 = _flat(ar1, ar2)
    ar1 = ar1 if assume_unique else unique(ar1)
    return ar1[~np.isin(ar1.data, ar2.data)]


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The values in exactly one of the two, in rising order."""
    ar1, ar2 = _flat(ar1, ar2)
    both: Any = np.concatenate([setdiff1d(ar1, ar2), setdiff1d(ar2, ar1)])
    return np.sort(both)
