"""Who asks a Tensor for its bare number: the user, who writes ``float(loss)``, or NumPy, which would lose a gradient.

NumPy gives ``np.sin(t)`` to us, but ``np.fromiter(t, float)``, ``array.fill(t)`` and their like call ``t.__float__``
just as ``float(t)`` does. Only the call that the user's function is executing tells them apart. The number goes to
those that are known to do no harm, and to no one else: what cannot be told could be NumPy by a detour.
"""

from __future__ import annotations

import collections
import functools
import operator
import warnings
from types import BuiltinFunctionType, FrameType, MethodType
from typing import Any

import numpy as np

from ..errors import DetachError
from .callee import Call, Unknown, is_one_of, read_attribute, what_is_called
from .registry import implementations, primitives

__all__ = ["check_caller"]

_NUMBERS = (float, int, complex)
_MAKING = tuple(kind.__new__ for kind in _NUMBERS)
_METHODS = (list.sort, list.extend, collections.deque.extend)
_READERS = (
    list,
    tuple,
    set,
    frozenset,
    dict,
    collections.deque,
    sum,
    sorted,
    min,
    max,
    any,
    all,
    next,
    print,
    *_METHODS,
)
_OTHERS = frozenset({"struct", "_struct", "ctypes", "_ctypes", "_json"})
"""Of Python's own: they call nothing else, and no one takes their results for Tensors."""
_PRINTING = ("dragon4_positional", "dragon4_scientific")
"""What np.format_float_* call for their text."""
_FLAT = frozenset({"isnan", "isinf", "isfinite", "isclose", "floor", "ceil", "trunc", "ulp"})
"""Those of ``math`` whose results have no gradient worth the name."""
_ARRAY_METHODS = frozenset(name for name in dir(np.ndarray) if not name.startswith("_")) | {"__setitem__", "type"}


def check_caller(frame: FrameType) -> None:
    """Let a Tensor's number out to what `frame` is calling, unless a gradient would be lost unnoticed.

    Parameters
    ----------
    frame : frame
        The Python function from which, by way of C functions only, the number was asked for.

    Raises
    ------
    DetachError
        NumPy asks, or it cannot be told who asks.

    Warns
    -----
    UserWarning
        Python's ``math`` asks, whose functions return Python numbers for all to see.
    """
    call = what_is_called(frame)
    function = call.function
    if function is float or function is int or function is complex:
        return
    while isinstance(function, (functools.partial, MethodType)):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    home = _home(function)
    if home in ("math", "cmath"):
        _warn_of_math(f"{home}.{function.__name__}")
    elif home == "numpy":
        if read_attribute(function, "__name__") not in _PRINTING:
            raise DetachError(
                f"{_spelling(function, frame)}(…) would take the bare number of a Tensor that requires a gradient, and "
                f"its result would not know that gradient. Stay with Tensors (np.stack joins them, tg.full fills an "
                f"array with one, t.astype converts), or write t.item() or t.detach() on purpose."
            )
    elif not (home in _OTHERS or _does_no_harm(function, call)):
        raise DetachError(_why(function, call.key))


def _does_no_harm(function: Any, call: Call) -> bool:
    if isinstance(function, type) and issubclass(function, _NUMBERS):  # a user's, if it does not let others make it
        return type(function) is type and is_one_of(function.__new__, _MAKING) and function.__init__ is object.__init__
    if function is format:
        return True
    return is_one_of(function, _READERS) and bool(call.asking) and all(_asks_on_purpose(each) for each in call.asking)


def _asks_on_purpose(function: Any) -> bool:
    """Whether everyone knows that it gives a Python number, or a truth value."""
    if is_one_of(function, _NUMBERS):
        return True
    return isinstance(function, BuiltinFunctionType) and _home(function) == "math" and function.__name__ in _FLAT


def _why(function: Any, key: Any) -> str:
    """What to say to a call that is not known to do no harm."""
    if function is operator.setitem:
        return (
            "a[…] = t: an array's element would not know the gradient that this Tensor requires, nor would a.flat or "
            "a.real. Make the array a Tensor first, tg.as_tensor(a), put the parts together with np.stack, or write "
            "t.item()."
        )
    name = read_attribute(function, "__name__") if not isinstance(function, Unknown) else function.name
    if is_one_of(key, _NUMBERS):
        return (
            f"{name}(…, key={key.__name__}) of Tensors that require a gradient: it cannot be seen here whether it is "
            f"they that are put in order, or numbers that an iterator made of them. Write key=lambda t: t.item()."
        )
    if is_one_of(function, _READERS) or not name:
        return (
            "an iterator such as map(np.float64, …) would take the bare numbers of Tensors that require a gradient, "
            "and what is made of them would not know it. Write [t.item() for t in …] if that is meant, or np.stack "
            "to keep it."
        )
    name = name if isinstance(name, str) else "…"
    return (
        f"{name}(…) would take the bare number of a Tensor that requires a gradient, and it is not known here whether "
        f"that loses the gradient. Write {name}(t.item()) if it is meant ([t.item() for t in …] for an iterator), or "
        f"keep it with np.stack and the other functions of NumPy, called by their names."
    )


def _warn_of_math(written: str) -> None:
    name = written.partition(".")[2]
    ours = _counterpart(name)
    if name in _FLAT or (ours is not None and not _flows(ours)):
        return
    instead = f"tg.{name.replace('fsum', 'sum')}(…), which keeps it, or " if ours else ""
    warnings.warn(
        f"{written}(…) gives a Python number, and the gradient that a Tensor among its arguments requires ends "
        f"there. Write {instead}{written}(t.item()) on purpose.",
        stacklevel=5,  # the user's line, beyond check_caller, _number and __float__
    )


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
def _counterpart(name: str) -> Any:
    """What stands for ``math.name`` on Tensors, or None."""
    name = {"fsum": "sum"}.get(name, name)
    return primitives.get(name) or implementations.get(getattr(np, name, None))


def _flows(ours: Any) -> bool:
    return getattr(ours, "differentiable", True) and getattr(ours, "gradient", "") != ["0"]
