"""Who asks a Tensor for its bare number: the user, who writes ``float(loss)``, or NumPy, which would lose a gradient.

NumPy gives ``np.sin(t)`` to us, but ``np.fromiter(t, float)``, ``array.fill(t)`` and their like call ``t.__float__``
just as ``float(t)`` does. Only the call that the user's function is executing tells them apart.
"""

from __future__ import annotations

import functools
import operator
import warnings
from types import BuiltinFunctionType, FrameType, MethodType
from typing import Any

import numpy as np

from ..errors import DetachError
from .callee import Unknown, read_attribute, what_is_called
from .registry import implementations, primitives

__all__ = ["check_caller"]

_ARRAY_METHODS = frozenset(name for name in dir(np.ndarray) if not name.startswith("_")) | {"__setitem__", "type"}
_READERS = (list, tuple, set, frozenset, sum, next)
_PRINTING = ("dragon4_positional", "dragon4_scientific")  # what np.format_float_* call for their text


def check_caller(frame: FrameType) -> None:
    """Let a Tensor's number out to what `frame` is calling, unless a gradient would be lost unnoticed.

    Parameters
    ----------
    frame : frame
        The Python function from which, by way of C functions only, the number was asked for.

    Raises
    ------
    DetachError
        NumPy asks.

    Warns
    -----
    UserWarning
        Python's ``math`` asks, whose functions return Python numbers for all to see; or it cannot be told who asks.
    """
    function = what_is_called(frame)
    if function is float or function is int or function is complex:
        return
    if function is operator.setitem:
        raise DetachError(
            "a[…] = t: an array's element would not know the gradient that this Tensor requires. Make the "
            "array a Tensor first, tg.as_tensor(a), put the parts together with np.stack, or write t.item()."
        )
    if any(function is reader for reader in _READERS):
        _warn(
            "an iterator such as map(float, …) takes the bare numbers of Tensors that require a gradient, and what is "
            "made of them will not know it. Write [t.item() for t in …] if that is meant, or np.stack to keep it."
        )
        return
    while isinstance(function, (functools.partial, MethodType)):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    home = _home(function)
    if home == "numpy" and read_attribute(function, "__name__") not in _PRINTING:
        raise DetachError(
            f"{_spelling(function, frame)}(…) would take the bare number of a Tensor that requires a gradient, and its "
            f"result would not know that gradient. Stay with Tensors (np.stack joins them, tg.full fills an array with "
            f"one, t.astype converts), or write t.item() or t.detach() on purpose."
        )
    if home in ("math", "cmath") and (ours := _counterpart(function.__name__)):
        written = f"{home}.{function.__name__}"
        _warn(
            f"{written}(…) gives a Python number, and the gradient that a Tensor among its arguments requires ends "
            f"there. Write tg.{ours}(…), which keeps it, or {written}(t.item()) on purpose."
        )
    elif isinstance(function, Unknown) and function.name:
        _warn(
            f"{function.name}(…) takes the bare number of a Tensor that requires a gradient, and it is not known here "
            f"what is called, and whether that loses the gradient. Write {function.name}(t.item()) if it is meant."
        )


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=5)  # the user's line, beyond check_caller, _number and __float__


def _home(function: Any) -> str:
    """The package of a function, of the type whose method it is, or of a type ("numpy" if a base of it is NumPy's)."""
    if isinstance(function, Unknown):
        return "numpy" if function.name in _ARRAY_METHODS else ""
    if isinstance(function, type):
        homes = [_package(base) for base in function.__mro__]
        return "numpy" if "numpy" in homes else homes[0]
    if type(function) is not BuiltinFunctionType:
        owner = read_attribute(function, "__objclass__")
        return _package(owner if isinstance(owner, type) else function)
    module = function.__module__
    return module.partition(".")[0] if module else _package(type(function.__self__))


def _package(thing: Any) -> str:
    module = read_attribute(thing, "__module__")
    return module.partition(".")[0] if isinstance(module, str) else ""


def _spelling(function: Any, frame: FrameType) -> str:
    """NumPy's function as one would write it: ndarray.fill; np.sum, where it is that which calls ufunc.reduce."""
    name: str = f"ndarray.{function.name}" if isinstance(function, Unknown) else function.__qualname__
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("numpy."):
        name, frame = frame.f_code.co_name.lstrip("_"), frame.f_back
    return name if "." in name else f"np.{name}"


@functools.cache
def _counterpart(name: str) -> str | None:
    """What stands for ``math.name`` on Tensors, if a gradient flows through it."""
    name = {"fsum": "sum"}.get(name, name)
    ours: Any = primitives.get(name) or implementations.get(getattr(np, name, None))
    flows = getattr(ours, "differentiable", False) and ours.gradient != ["0"]
    return name if flows else None
