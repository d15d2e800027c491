"""From what a user passes to a primitive to what its forward function takes: arrays, and plain options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import DetachError, GradientError
from .dtypes import as_array, get_default_dtype
from .modes import mode
from .tensor import Tensor

__all__ = ["convert", "plain_option"]

_NUMBERS = (int, float, complex, np.generic)
_PLAIN = frozenset((int, bool, float, str, type(None), slice, type(...), ndarray))


def convert(name: str, args: tuple[Any, ...], arrays: int, variadic: bool) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The inputs of primitive `name` as arrays, with what made each; options behind the arrays are only unwrapped.

    Beside an array, a Python number stays one: NumPy's promotion then leaves the array's dtype alone.
    """
    if arrays == 1 and not variadic and isinstance(args[0] if args else None, Tensor):  # a method with options
        plain = [plain_option(name, position, value) for position, value in enumerate(args[1:], 1)]
        return (args[0].data, *plain), (args[0]._node, *[None] * len(plain))
    count = len(args) if variadic else arrays
    dtypes = [arg.dtype for arg in args[:count] if isinstance(arg, (Tensor, ndarray))]
    inputs: list[Any] = []
    parents: list[Any] = []
    for position, arg in enumerate(args):
        parents.append(None)
        if position >= count:
            inputs.append(plain_option(name, position, arg))
        elif isinstance(arg, Tensor):
            inputs.append(arg.data)
            parents[position] = arg._node
        elif dtypes and not variadic and isinstance(arg, _NUMBERS):
            inputs.append(arg)
        else:
            inputs.append(_beside(arg, dtypes))
    return tuple(inputs), tuple(parents)


def _beside(value: Any, dtypes: Sequence[np.dtype[Any]]) -> ndarray[Any, Any]:
    """An argument as an array; Python floats in a list take the precision of the arrays beside it."""
    array = as_array(value)
    if dtypes and isinstance(value, (list, tuple)) and array.dtype == get_default_dtype():
        dtype = np.finfo(found).dtype if (found := np.result_type(*dtypes)).kind in "fc" else array.dtype
        return as_array(value, dtype)
    return array


def plain_option(name: str, option: str | int, value: Any) -> Any:
    """A static option's plain value; a Tensor that needs a gradient there is an error, not a detour.

    The option is known by its name, or by its position.
    """
    if value.__class__ in _PLAIN:
        if option == "out" and value.__class__ is ndarray:
            raise DetachError(f"{name}: Tensors know no out=, which would lose their gradient; assign the result.")
        return value
    if isinstance(value, Tensor):
        if value._node is not None and mode.grad_enabled:
            label = option if isinstance(option, str) else f"argument {option}"
            raise GradientError(
                f"{name}: no gradient flows through the option {label}, but it was given a Tensor that "
                f"requires one. Pass {label}.detach() if it is meant to be constant."
            )
        return value.data
    if value.__class__ is tuple or value.__class__ is list:
        return value.__class__([plain_option(name, option, item) for item in value])
    return value
