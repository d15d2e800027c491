"""Comparing a saved state with a module before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..autograd.tensor import Tensor
from .parameter import numbers

__all__ = ["IncompatibleKeys", "check_state"]


class IncompatibleKeys(NamedTuple):
    """What a non-strict load left out.

    Attributes
    ----------
    missing_keys : list of str
        Names that the module has and the state lacks.
    unexpected_keys : list of str
        Names that the state has and the module lacks.
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


def check_state(
    what: str, own: Mapping[str, Tensor], given: Mapping[str, Any], strict: bool
) -> tuple[dict[str, np.ndarray[Any, Any]], IncompatibleKeys]:
    """The arrays to load, or a ValueError that lists everything that does not fit.

    Parameters
    ----------
    what : str
        The module's class, for the message.
    own : mapping of str to Tensor
        The module's parameters and buffers.
    given : mapping of str to array_like
    strict : bool
        Whether missing and unexpected names are errors; mis-shaped ones, and what is no numbers, always are.

    Raises
    ------
    TypeError
        What should be a state is no mapping.
    ValueError
        Lists all names that are missing, unexpected, of another shape, or no numbers.
    """
    if not isinstance(given, Mapping):
        raise TypeError(
            f"load_state_dict: expected a dict of names and arrays, as of state_dict(), got {type(given).__name__}."
        )
    missing = [name for name in own if name not in given]
    unexpected = [name for name in given if name not in own]
    values: dict[str, Any] = {name: numbers(value) for name, value in given.items() if name in own}
    no_numbers = [name for name, value in values.items() if value is None]
    wrong = [
        f"'{name}' is {value.shape}, the module's is {own[name].shape}"
        for name, value in values.items()
        if name not in no_numbers and value.shape != own[name].shape
    ]
    problems = []
    if missing and strict:
        problems.append("missing: " + ", ".join(missing))
    if unexpected and strict:
        problems.append("unexpected: " + ", ".join(unexpected) + _prefix_hint(missing, unexpected))
    if no_numbers:
        problems.append("no numbers that NumPy knows: " + ", ".join(no_numbers))
    if wrong:
        problems.append("of another shape: " + "; ".join(wrong))
    if problems:
        raise ValueError(
            f"load_state_dict: the state does not fit {what}, and nothing was loaded.\n  " + "\n  ".join(problems)
        )
    return values, IncompatibleKeys(missing, unexpected)


def _prefix_hint(missing: list[str], unexpected: list[str]) -> str:
    """The mend when all names differ by one prefix, as in a state saved from a wrapper of the model."""
    for name in missing:
        for other in unexpected:
            if other.endswith("." + name):
                prefix = other[: -len(name)]
                return f" (strip the prefix: {{k.removeprefix({prefix!r}): v for k, v in state.items()}})"
            if name.endswith("." + other):
                return f" (add the prefix {name[: -len(other)]!r} to every name)"
    return ""
