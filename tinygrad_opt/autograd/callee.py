"""What a running Python function is calling just now, read from its bytecode: a C function leaves no other trace."""

from __future__ import annotations

import collections
import inspect
import operator
from types import FrameType, FunctionType, GeneratorType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from .array_methods import ArrayMethods
from .bytecode import DISPLAY, Applied, Expression, Names, read_site

__all__ = ["Call", "Unknown", "is_one_of", "read_attribute", "what_is_called"]

_OPERATIONS = {"store": operator.setitem, "iterate": next, "format": format}
_ITERATORS = (map, filter, zip, enumerate)
_CONTAINERS = (list, tuple, set, frozenset, dict, collections.deque, range, str, np.ndarray, ArrayMethods)
_VIEWS: tuple[Any, ...] = ({}.keys(), {}.values(), {}.items())
_ONES: tuple[Any, ...] = (*_VIEWS, *map(iter, ([], (), set(), {}, range(0), "", "é", *_VIEWS)))
_WAYS_IN = tuple(inspect.getattr_static(kind, "__iter__") for kind in (*_CONTAINERS, *map(type, _ONES), GeneratorType))
"""How to get at elements that are there already, or that come from a Python function with a frame of its own."""
_MAKERS = (list, tuple, set, frozenset, dict, sorted, range, dict.keys, dict.values, dict.items)


class Unknown(NamedTuple):
    """What cannot be told without running the user's code, and the name that would have led to it.

    A callee of no name, as in ``(f or g)(x)``, has the name "…"; where nothing is called it is empty.
    """

    name: str = ""


class Call(NamedTuple):
    """What is called, and what is visible of that which it reads.

    Attributes
    ----------
    function : object
        The callee, or Unknown. ``a[i] = x`` counts as a call of ``operator.setitem``, a loop over an iterator as one
        of ``next``, ``"…" % x`` and an f-string as ``format``.
    asking : tuple
        The functions that run over the elements while the call reads its first argument: float in ``map(float, a)`` or
        ``key=float``; none for a list. Unknown stands for what cannot be told. A function that is written in Python
        has a frame of its own in which to look, and is left out.
    key : object
        The argument ``key``, None where there is none.
    """

    function: Any
    asking: tuple[Any, ...] = (Unknown(),)
    key: Any = None


def what_is_called(frame: FrameType) -> Call:
    """What `frame` is calling."""
    site = read_site(frame.f_code, frame.f_lasti)
    if site.operation == "call":
        function = _value(site.callee, frame)
    else:
        function = _OPERATIONS.get(site.operation, Unknown())
    if function is float:  # by far the most frequent, and it needs no more
        return Call(function)
    key = _read(site.key, frame) if site.key else None
    return Call(function, (*_applied(_read(site.first, frame)), *_frameless((key,))), key)


def read_attribute(owner: Any, name: str) -> Any:
    """``owner.name`` where that runs no Python code: no property, no ``__getattr__``; Unknown elsewhere."""
    found = Unknown(name)
    if isinstance(owner, ModuleType):
        return vars(owner).get(name, found)
    if isinstance(owner, Unknown):
        return found
    static = inspect.getattr_static(owner, name, found)
    if isinstance(static, (GetSetDescriptorType, MemberDescriptorType)):
        try:
            return static.__get__(owner)
        except (AttributeError, TypeError):
            return found
    return found if isinstance(static, (property, classmethod, staticmethod)) else static


def _value(expression: Expression, frame: FrameType) -> Any:
    """What names stand for in `frame`; Unknown for any other expression."""
    if not isinstance(expression, Names):
        return Unknown("…")
    root, is_global, steps = expression
    if not root:
        return Unknown(steps[-1] if steps else "…")
    if not is_global and root in frame.f_locals:
        found = frame.f_locals[root]
    elif root in frame.f_globals:
        found = frame.f_globals[root]
    else:
        found = frame.f_builtins.get(root, Unknown())
    for name in steps:
        found = read_attribute(found, name)
    return found


def _read(expression: Expression, frame: FrameType) -> Any:
    """The same, where a constant, a list that is written out and the like stay DISPLAY, and a call stays Applied."""
    if isinstance(expression, Applied):
        arguments = tuple(_read(argument, frame) for argument in expression.arguments)
        return Applied(_value(expression.callee, frame), arguments)
    return expression if expression == DISPLAY else _value(expression, frame)


def _applied(thing: Any) -> tuple[Any, ...]:
    """The functions that run when an object is read, or what `_read` has made of an expression."""
    kind: Any
    parts: tuple[Any, ...]
    if isinstance(thing, Applied):
        kind, parts = thing
        if is_one_of(kind, _MAKERS):
            return ()
    elif is_one_of(type(thing), _ITERATORS):
        kind, parts = thing.__reduce__()[:2]
    elif isinstance(thing, Unknown):
        return (thing,)
    else:
        way = inspect.getattr_static(type(thing), "__iter__", None)
        return () if thing is DISPLAY or type(thing) is int or is_one_of(way, _WAYS_IN) else (Unknown(),)
    if not (parts and is_one_of(kind, _ITERATORS)):
        return (Unknown(),)
    functions, iterators = (parts[:1], parts[1:]) if kind is map or kind is filter else ((), parts)
    asking = _frameless(functions)
    inner = [function for part in iterators for function in _applied(part)]
    if kind is map and asking:  # it gives what this function makes, of whatever that cannot be told
        inner = [function for function in inner if not isinstance(function, Unknown)]
    return (*asking, *inner)


def _frameless(functions: tuple[Any, ...]) -> tuple[Any, ...]:
    """Without those that are written in Python, and without None."""
    return tuple(each for each in functions if not (each is None or each is DISPLAY or isinstance(each, FunctionType)))


def is_one_of(thing: Any, things: tuple[Any, ...]) -> bool:
    """Whether it is that very object: == could run anyone's code."""
    return any(thing is other for other in things)
