"""Switches of the calling thread (or asyncio task): whether operations are recorded, and by which module."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

__all__ = ["begin", "current", "enable_grad", "is_grad_enabled", "mode", "no_grad", "set_grad_enabled"]

_F = TypeVar("_F", bound=Callable[..., Any])


class _Here:
    """The switches of one context. `grad_enabled` never changes: another value is another object in the context.

    `module` is the path of the module whose forward is running, e.g. "encoder.0": it groups the nodes in pictures.
    """

    __slots__ = ("grad_enabled", "module")

    def __init__(self, grad_enabled: bool, module: str) -> None:
        self.grad_enabled = grad_enabled
        self.module = module


_switches: contextvars.ContextVar[_Here] = contextvars.ContextVar("tinygrad_opt")
current: Callable[[None], _Here | None] = _switches.get
"""``current(None) or begin()`` gives the switches; a variable of the context is found four times as fast as one of the
thread, and an operation has to look."""


def begin() -> _Here:
    """Give this thread, which has none yet, switches of its own."""
    here = _Here(True, "")
    _switches.set(here)
    return here


class _Mode:
    """The switches as attributes, where a tenth of a microsecond does not count."""

    @property
    def grad_enabled(self) -> bool:
        return (current(None) or begin()).grad_enabled

    @grad_enabled.setter
    def grad_enabled(self, enabled: bool) -> None:
        _switches.set(_Here(enabled, self.module))

    @property
    def module(self) -> str:
        return (current(None) or begin()).module

    @module.setter
    def module(self, path: str) -> None:
        (current(None) or begin()).module = path


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations on Tensors that require a gradient are being recorded in this thread."""
    return mode.grad_enabled


class set_grad_enabled:
    """Context manager and decorator: record operations, or do not, in this thread.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> with tg.set_grad_enabled(False):
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = bool(enabled)
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(mode.grad_enabled)
        mode.grad_enabled = self.enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode.grad_enabled = self._before.pop()

    def __call__(self, function: _F) -> _F:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with set_grad_enabled(self.enabled):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


class no_grad(set_grad_enabled):
    """Record nothing: for evaluation and for updating parameters by hand.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> with tg.no_grad():
    ...     x -= 0.5
    >>> x
    tensor(2.5, requires_grad=True)
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(set_grad_enabled):
    """Record operations again, inside a ``no_grad`` block."""

    def __init__(self) -> None:
        super().__init__(True)
