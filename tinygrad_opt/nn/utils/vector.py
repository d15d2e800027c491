"""All parameters as one vector, and back: for line searches, second-order methods and distances between models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...autograd.overwrite import overwrite
from ...autograd.tensor import Tensor, as_tensor
from ...errors import ShapeError

__all__ = ["listed", "parameters_to_vector", "vector_to_parameters"]


def listed(caller: str, tensors: Any) -> list[Tensor]:
    """One Tensor or several as a list.

    Raises
    ------
    TypeError
        Something else, such as a whole module.
    """
    if isinstance(tensors, Tensor):
        return [tensors]
    wrong: list[type] = [type(tensors)]
    if isinstance(tensors, Iterable):
        several = list(tensors)
        wrong = [kind for kind in set(map(type, several)) if not issubclass(kind, Tensor)]
        if not wrong:
            return several
    raise TypeError(
        f"{caller}: expected Tensors, such as model.parameters() or a list of them, got {wrong[0].__name__}."
    )


def parameters_to_vector(parameters: Iterable[Tensor]) -> Any:
    """The elements of all parameters in one differentiable vector, in order.

    Raises
    ------
    ValueError
        There are no parameters.
    TypeError
        They are no Tensors.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.nn.utils.parameters_to_vector(tg.nn.Linear(3, 2).parameters()).shape
    (8,)
    """
    parts = [p.reshape(-1) for p in listed("parameters_to_vector", parameters)]
    if not parts:
        raise ValueError("parameters_to_vector: there are no parameters; was a generator of them used up before?")
    return np.concatenate(parts)


def vector_to_parameters(vector: Any, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the parameters, in order and in place.

    Raises
    ------
    ShapeError
        The vector has another number of elements; then nothing has been written.
    TypeError
        The parameters are no Tensors.
    """
    values = as_tensor(vector).data
    targets = listed("vector_to_parameters", parameters)
    total = sum(p.size for p in targets)
    if values.shape != (total,):
        raise ShapeError(
            f"vector_to_parameters: the parameters have {total} elements, the vector shape {values.shape}."
        )
    start = 0
    for p in targets:
        overwrite(p, values[start : start + p.size].reshape(p.shape))
        start += p.size
