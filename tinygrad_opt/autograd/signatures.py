"""What the signatures of a primitive's functions tell: which arguments are arrays, which values a rule reads."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["argument_names", "count_arrays", "read_positions"]


def count_arrays(forward: Callable[..., Any]) -> tuple[int, bool]:
    """How many array arguments a forward function has, and whether it takes any number of them."""
    if isinstance(forward, np.ufunc):
        return forward.nin, False
    count = 0
    for parameter in inspect.signature(forward).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return 0, True
        if parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not parameter.empty:
            break
        count += 1
    return count, False


@functools.cache
def read_positions(rule: Callable[..., Any], skip: int, count: int) -> frozenset[int]:
    """Positions of the inputs whose values a rule reads; -1 stands for the output."""
    parameters = list(inspect.signature(rule).parameters.values())[skip + 1 :]  # without g
    read = set[int]()
    for position, parameter in enumerate(parameters, start=-1):
        if parameter.kind is parameter.VAR_POSITIONAL:
            if not parameter.name.startswith("_"):
                read.update(range(position, count))
            break
        if parameter.kind is parameter.VAR_KEYWORD or parameter.kind is parameter.KEYWORD_ONLY:
            break
        if not parameter.name.startswith("_"):
            read.add(position)
    return frozenset(read)


def argument_names(functions: Iterable[Any]) -> tuple[str, ...]:
    """The names under which the first of some functions takes its arguments; none for ufuncs, which take none."""
    for function in functions:
        if isinstance(function, np.ufunc):
            return ()
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            continue
        return tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
    return ()
