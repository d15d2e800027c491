"""All parameters as one vector, and back: for line searches, second-order methods and distances between models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...autograd.overwrite import overwrite
from ...autograd.tensor import Tensor, as_tensor
from ...errors import ShapeError

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Any:
    """The elements of all parameters in one differentiable vector, in order.

    Raises
    ------
    ValueError
        There are no parameters.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.nn.utils.parameters_to_vector(tg.nn.Linear(3, 2).parameters()).shape
    (8,)
    """
    return np.concatenate([p.reshape(-1) for p in parameters])


def vector_to_parameters(vector: Any, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the parameters, in order and in place.

    Raises
    ------
    ShapeError
        The vector has another number of elements; then nothing has been written.
    """
    values = as_tensor(vector).data
    targets = list(parameters)
    total = sum(p.size for p in targets)
    if values.shape != (total,):
        raise ShapeError(
            f"vector_to_parameters: the parameters have {total} elements, the vector shape {values.shape}."
        )
    start = 0
    for p in targets:
        overwrite(p, values[start : start + p.size].reshape(p.shape))
        start += p.size
