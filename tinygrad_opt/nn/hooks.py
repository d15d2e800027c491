"""Functions that a user attaches to a module, called before and after its forward and after its backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

__all__ = ["HookHandle", "Hookable", "Hooks"]


class Entry(NamedTuple):
    """A hook, and whether it takes keyword arguments too."""

    function: Callable[..., Any]
    with_kwargs: bool = False


class HookHandle:
    """What registering a hook returns; ``remove()`` takes the hook away, and it may be used in a ``with``."""

    def __init__(self, hooks: dict[Any, Entry], entry: Entry, first: bool) -> None:
        self._hooks = hooks
        self._key = object()  # not id(self): a handle that nobody keeps gives its id to the next one
        others = dict(hooks) if first else {}
        if first:
            hooks.clear()
        hooks[self._key] = entry
        hooks.update(others)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


@primitive(samples=lambda rng: [(rng.standard_normal((2, 3)),)], formula="x", gradient=["g"])
def boundary(x: Any) -> Any:
    """x itself: a node of its own, at which the gradient that leaves one module can be seen."""
    return x


@boundary.vjp(0)
def _(g: Any, y: Any, _x: Any) -> Any:
    return g


class Hooks:
    """A module's hooks, in the order in which they were registered."""

    def __init__(self) -> None:
        self.before: dict[Any, Entry] = {}
        self.after: dict[Any, Entry] = {}
        self.backward: dict[Any, Entry] = {}

    def add(self, kind: str, hook: Callable[..., Any], prepend: bool = False, with_kwargs: bool = False) -> HookHandle:
        """Register a hook of a kind: ``before``, ``after`` or ``backward``."""
        if not callable(hook):
            raise TypeError(f"a module hook must be callable, got {type(hook).__name__}.")
        return HookHandle(getattr(self, kind), Entry(hook, with_kwargs), prepend)

    def call(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the module's forward with its hooks."""
        for hook in tuple(self.before.values()):
            new = hook.function(module, args, kwargs) if hook.with_kwargs else hook.function(module, args)
            if new is not None and hook.with_kwargs:
                args, kwargs = _both(module, new)
            elif new is not None:
                args = new if isinstance(new, tuple) else (new,)
        gate = _Gate(self, module) if self.backward else None
        if gate is not None:
            args = gate.enter(args)
        out = module.forward(*args, **kwargs)
        if gate is not None:
            out = gate.leave(out)
        for hook in tuple(self.after.values()):
            given = (module, args, kwargs, out) if hook.with_kwargs else (module, args, out)
            new = hook.function(*given)
            if new is not None:
                out = new
        return out


def _both(module: Module, new: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not (isinstance(new, tuple) and len(new) == 2 and isinstance(new[0], tuple) and isinstance(new[1], dict)):
        raise TypeError(f"{module.label}: a forward pre-hook with with_kwargs=True must return None or (args, kwargs).")
    return new


class Hookable:
    """The part of Module to which hooks are attached."""

    _hooks: Hooks | None = None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, args)`` before each forward; what it returns replaces the arguments.

        With `with_kwargs` it is ``hook(module, args, kwargs)`` and returns both; with `prepend` it comes first.
        """
        return self._get_hooks().add("before", hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, args, output)`` after each forward; what it returns replaces the output.

        With `with_kwargs` it is ``hook(module, args, kwargs, output)``; with `prepend` it comes first.
        """
        return self._get_hooks().add("after", hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)``, two tuples, when a backward pass has gone through.

        What it returns replaces the gradient of the input; that takes a module of one Tensor argument.
        """
        return self._get_hooks().add("backward", hook, prepend)

    def _get_hooks(self) -> Hooks:
        if self._hooks is None:
            object.__setattr__(self, "_hooks", Hooks())
        return self._hooks  # type: ignore[return-value]


class _Gate:
    """Collects the gradients that enter and leave one call of a module, and then runs its backward hooks."""

    def __init__(self, hooks: Hooks, module: Module) -> None:
        self.hooks = hooks
        self.module = module
        self.entered: list[Any] = []
        self.left: list[Any] = []
        self.awaited: set[int] = set()

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.left = [None] * len(args)
        return tuple(self._watch(i, arg) for i, arg in enumerate(args))

    def leave(self, out: Any) -> Any:
        parts = out if isinstance(out, tuple) else (out,)
        self.entered = [None] * len(parts)
        parts = tuple(self._watch_output(i, part) for i, part in enumerate(parts))
        return parts if isinstance(out, tuple) else parts[0]

    def _watch(self, position: int, arg: Any) -> Any:
        if not isinstance(arg, Tensor) or not arg.requires_grad:
            return arg
        seen: Tensor = boundary(arg)
        self.awaited.add(position)

        def hook(gradient: Tensor) -> Tensor | None:
            self.left[position] = gradient
            self.awaited.discard(position)
            return None if self.awaited else self._run()

        seen.register_hook(hook)
        return seen

    def _watch_output(self, position: int, part: Any) -> Any:
        if not isinstance(part, Tensor) or not part.requires_grad:
            return part
        seen: Tensor = boundary(part)

        def hook(gradient: Tensor) -> None:
            self.entered[position] = gradient
            if not self.awaited:
                self._run()

        seen.register_hook(hook)
        return seen

    def _run(self) -> Tensor | None:
        replaced = None
        for hook in tuple(self.hooks.backward.values()):
            new = hook.function(self.module, tuple(self.left), tuple(self.entered))
            if new is None:
                continue
            new = new if isinstance(new, tuple) else (new,)
            if len(self.left) != 1 or len(new) != 1:
                raise ValueError(
                    f"{self.module.label}: a backward hook may replace the gradient of a single input only; "
                    f"this call has {len(self.left)} and the hook returned {len(new)}."
                )
            replaced = self.left[0] = new[0] if isinstance(new[0], Tensor) else Tensor(np.asarray(new[0]))
        return replaced
