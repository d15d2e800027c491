"""Gradients of a fused primitive through its readable definition: how such a primitive has derivatives of any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.grad import grad
from ..autograd.tensor import Tensor

__all__ = ["absent", "is_recorded", "through_definition"]


def is_recorded(gradients: Sequence[Any]) -> bool:
    """Whether a rule runs under ``create_graph``, on Tensors, and has to be differentiable itself."""
    return any(isinstance(gradient, Tensor) for gradient in gradients)


def absent(gradient: Any) -> bool:
    """Whether no gradient reached this output: the engine then passes one zero, repeated."""
    if not isinstance(gradient, np.ndarray) or any(gradient.strides):
        return False
    return gradient.size == 0 or not gradient[(0,) * gradient.ndim]


def _apart(x: Any) -> Any:
    """A Tensor of its own for one input: the same Tensor may stand at two places, each with its own gradient."""
    return np.copy(x) if isinstance(x, Tensor) else Tensor(x, requires_grad=True)


def through_definition(
    definition: Callable[..., Any],
    needed: Sequence[bool],
    gradients: Sequence[Any],
    inputs: Sequence[Any],
    **options: Any,
) -> tuple[Any, ...]:
    """The gradients of ``definition(*inputs, **options)`` as a joint rule returns them; they are differentiable.

    Parameters
    ----------
    definition : callable
        Composed of differentiable operations; its outputs are the primitive's.
    needed : sequence of bool
        Which inputs' gradients are wanted.
    gradients : sequence
        Of the outputs.
    inputs : sequence
        As the rule got them.
    """
    apart = [_apart(x) if want else x for want, x in zip(needed, inputs, strict=True)]
    outputs = definition(*apart, **options)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    reached = [(y, g) for y, g in zip(outputs, gradients, strict=True) if y.requires_grad]
    wanted = [x for want, x in zip(needed, apart, strict=True) if want]
    found = iter(grad([y for y, _ in reached], wanted, [g for _, g in reached], create_graph=True, allow_unused=True))
    results = [next(found) if want else None for want in needed]
    return tuple(
        np.zeros(x.shape, x.dtype) if want and result is None else result
        for want, result, x in zip(needed, results, inputs, strict=True)
    )
