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


def _values(argument: Any) -> Any:
    """The arrays behind the Tensors, in lists and tuples too."""
    if isinstance(argument, Tensor):
        return argument.data
    if isinstance(argument, (list, tuple)):
        return type(argument)([_values(part) for part in argument])
    return argument


def _wrapped(answer: Any) -> Any:
    return new_tensor(answer, None) if isinstance(answer, np.ndarray) else answer


def _ask(function: Callable[..., Any], public: bool = True) -> None:
    """Let a NumPy function answer for Tensors by their values: arrays come back as Tensors, the rest as it is."""

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        if function in _TESTS_OF_ONE and len(args) > 1:
            raise TypeError(f"{function.__name__}: Tensors know no out=; assign the result.")
        values = {key: _values(value) for key, value in kwargs.items()}
        return _wrapped(function(*[_values(arg) for arg in args], **values))

    answer.__doc__ = f"As :func:`numpy.{function.__name__}`; the answer carries no gradient."
    implements(function)(answer)
    if public:
        globals()[function.__name__] = answer
        __all__.append(function.__name__)


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
):
    _ask(_function)
for _function in (
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
    np.tril_indices_from,
    np.triu_indices_from,
    np.diag_indices_from,
):
    _ask(_function, public=False)
