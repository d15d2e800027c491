"""The graph up to an operation that raised, from the exception alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.graph import Node, next_number
from ..autograd.modes import mode
from ..autograd.primitive import Primitive
from ..autograd.tensor import Tensor, as_array, new_tensor

__all__ = ["failed_operation"]


def failed_operation(error: BaseException) -> tuple[list[Tensor], Node | None, dict[str, Any]]:
    """What can be drawn of a computation that raised.

    Returns
    -------
    roots : list of Tensor
        What the operation that failed was to make; if no operation did, the computed Tensors of the innermost frame
        that has any.
    node : Node or None
        Stands for the operation that failed. It is part of no graph and its output is empty.
    names : dict
        The local variables of the failing frames, the innermost first.
    """
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    names: dict[str, Any] = {}
    node = None
    for frame in frames:
        primitive = frame.f_locals.get("op", frame.f_locals.get("self"))
        if isinstance(primitive, Primitive) and node is None:
            node = _stand_in(primitive, frame.f_locals)
    for frame in reversed(frames):
        if not frame.f_globals.get("__name__", "").startswith("tinygrad_opt."):
            for name, thing in frame.f_locals.items():
                if isinstance(thing, (Tensor, np.ndarray)) and not name.startswith("_"):
                    names.setdefault(name, thing)
    if node is not None:
        return [new_tensor(np.empty(0), node)], node, names
    for frame in reversed(frames):
        found = [thing for thing in frame.f_locals.values() if isinstance(thing, Tensor)]
        computed = [thing for thing in found if isinstance(thing._node, Node)]
        if computed:
            return computed, None, names
    return [], None, names


def _stand_in(primitive: Primitive, found: dict[str, Any]) -> Node | None:
    """A Node for a call of a primitive that raised, from the local variables of its frame."""
    if "args" in found:
        arguments = found["args"]
    elif "a" in found and "b" in found:
        arguments = (found["a"], found["b"])
    elif "a" in found or "x" in found:
        arguments = (found.get("a", found.get("x")),)
    else:
        return None
    parents = tuple(arg._node if isinstance(arg, Tensor) else None for arg in arguments)
    count = len(arguments) if primitive.variadic else primitive.arrays
    inputs = tuple(_plain(arg, position < count) for position, arg in enumerate(arguments))
    return Node(primitive, inputs, found.get("kwargs") or {}, np.empty(0), parents, next_number(), mode.module)


def _plain(argument: Any, array: bool) -> Any:
    if isinstance(argument, Tensor):
        return argument.data
    return as_array(argument) if array and not np.isscalar(argument) else argument
