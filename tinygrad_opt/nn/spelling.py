"""What is said of axes: that they are called `axis` here, to who writes PyTorch's `dim`; and whose is absent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numpy.exceptions import AxisError

__all__ = ["says_axis"]

_F = TypeVar("_F", bound=Callable[..., Any])
_OURS = {"dim": "axis", "start_dim": "start_axis", "end_dim": "end_axis"}


def says_axis(function: _F) -> _F:
    """Let a function, or a constructor, that takes an axis say how that is spelt when it is given PyTorch's `dim`.

    Where it meets an absent axis, in whichever of its operations, the error names the function itself.
    """

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        for given in options:
            if given in _OURS:
                ours, value = _OURS[given], options[given]
                raise TypeError(
                    f"{_name(function, args)}: an axis is called 'axis' here, as in NumPy: write {ours}={value!r} "
                    f"instead of {given}={value!r}."
                )
        try:
            return function(*args, **options)
        except AxisError as error:
            absent = str(error).rpartition(": ")[2]
            raise AxisError(f"{_name(function, args)}: {absent}.") from None

    return cast(_F, checked)


def _name(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """The function's name; of a constructor, that of the class that is made, which may have inherited it."""
    return type(args[0]).__name__ if function.__name__ == "__init__" else function.__name__
