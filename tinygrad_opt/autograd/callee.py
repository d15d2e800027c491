"""What a running Python function is calling just now, read from its bytecode: a C function leaves no other trace."""

from __future__ import annotations

import builtins
import inspect
import operator
from types import FrameType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, NamedTuple

from .bytecode import DISPLAY, Expression, Names, Site, read_site

__all__ = ["Call", "Unknown", "read_attribute", "what_is_called"]

_OPERATIONS = {"store": operator.setitem, "iterate": next, "compare": operator.eq, "format": format}


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
        of ``next``, every comparison as ``operator.eq``, ``"…" % x`` and an f-string as ``format``.
    maps : object
        Where the first argument is an iterator: the function that it applies, as far as it is a ``map``, or Unknown.
        None where the first argument is a container, whose elements are there already.
    key : object
        The argument ``key``, None where there is none.
    """

    function: Any
    maps: Any = Unknown()
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
    return Call(function, _maps(site, frame), _value(site.key, frame) if site.key else None)


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


def _maps(site: Site, frame: FrameType) -> Any:
    """`Call.maps`."""
    if site.mapped and _value(site.mapped[0], frame) is builtins.map:
        return _value(site.mapped[1], frame)
    if site.first == DISPLAY:
        return None
    first = _value(site.first, frame)
    if type(first) is map:
        return first.__reduce__()[1][0]
    return Unknown() if isinstance(first, Unknown) or hasattr(type(first), "__next__") else None
