"""The one word in which this package differs from PyTorch: an axis is called `axis`; who writes `dim` is told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["says_axis"]

_F = TypeVar("_F", bound=Callable[..., Any])
_OURS = {"dim": "axis", "start_dim": "start_axis", "end_dim": "end_axis"}


def says_axis(function: _F) -> _F:
    """Let a function, or a constructor, that takes an axis say how that is spelt when it is given PyTorch's `dim`."""

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        for given in options:
            if given in _OURS:
                name = function.__qualname__.removesuffix(".__init__")
                value = options[given]
                raise TypeError(
                    f"{name}: an axis is called 'axis' here, as in NumPy: write {_OURS[given]}={value!r} instead of "
                    f"{given}={value!r}."
                )
        return function(*args, **options)

    return cast(_F, checked)
