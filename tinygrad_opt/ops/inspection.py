"""Questions about arrays: tests, comparisons of whole arrays, shapes and dtypes. The answers carry no gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.registry import implements
from ..autograd.tensor import Tensor, new_tensor

__all__: list[str] = []


_TESTS_OF_ONE = (np.isneginf, np.isposinf)


def values(argument: Any) -> Any:
    """The arrays behind the Tensors, in lists and tuples too."""
    if isinstance(argument, Tensor):
        return argument.data
    if argument.__class__ in (list, tuple):
        return argument.__class__([values(part) for part in argument])
    return argument


def _wrapped(answer: Any) -> Any:
    if isinstance(answer, (np.ndarray, np.generic)):
        return new_tensor(np.asarray(answer), None)
    return tuple(map(_wrapped, answer)) if answer.__class__ is tuple else answer


def ask(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a NumPy function answer for Tensors by their values: arrays come back as Tensors, the rest as it is."""

    @implements(function)
    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        if function in _TESTS_OF_ONE and len(args) > 1:
            raise TypeError(f"{function.__name__}: Tensors know no out=; assign the result.")
        return _wrapped(function(*map(values, args), **{key: values(value) for key, value in kwargs.items()}))

    answer.__doc__ = f"As :func:`numpy.{function.__name__}`; the answer carries no gradient."
    return answer


_function: Any
for _function in (
    np.isclose,
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.isneginf,
    np.isposinf,
    np.isreal,
    np.iscomplex,
    np.isin,
    np.shape,
    np.ndim,
    np.size,
    np.isrealobj,
    np.iscomplexobj,
    np.result_type,
    np.can_cast,
    np.common_type,
    np.min_scalar_type,
    np.shares_memory,
    np.may_share_memory,
    np.einsum_path,
    np.packbits,
    np.unpackbits,
    np.array2string,
    np.array_repr,
    np.array_str,
    np.diag_indices_from,
    np.tril_indices_from,
    np.triu_indices_from,
    np.ravel_multi_index,
    np.unravel_index,
):
    globals()[_function.__name__] = ask(_function)
    __all__.append(_function.__name__)
