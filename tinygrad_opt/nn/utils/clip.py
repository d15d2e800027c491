"""Limits on gradients, between ``backward`` and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...autograd.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "get_total_norm"]


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad for p in listed if p.grad is not None]


def _own_memory(gradient: Tensor) -> Any:
    """The gradient's array where it may be overwritten, None where a graph or somebody else still reads it."""
    return gradient.data if gradient._node is None and gradient.data.flags.writeable else None


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0) -> float:
    """The norm of several Tensors as of one long vector, computed in double precision.

    Parameters
    ----------
    tensors : iterable of Tensor
    norm_type : float
        The p of the p-norm; may be infinite.
    """
    arrays = [tensor.data for tensor in tensors if tensor.size]
    if not arrays:
        return 0.0
    if math.isinf(norm_type):
        return float(max(np.abs(a).max() for a in arrays))
    if norm_type == 2:
        with np.errstate(over="ignore"):
            squares = [float(np.dot(a.ravel(), a.ravel())) for a in arrays]
        if math.isfinite(total := math.fsum(squares)) and total > 1e-30:
            return math.sqrt(total)
    powers = (float(np.sum(np.abs(a.astype(np.float64)) ** norm_type)) for a in arrays)
    return float(math.fsum(powers) ** (1 / norm_type))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Shrink all gradients by one factor where their norm exceeds `max_norm` (Pascanu et al. 2013, arXiv:1211.5063).

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
    norm_type : float
        The p of the p-norm; may be infinite.
    error_if_nonfinite : bool
        Raise when the norm is NaN or infinite, before anything is changed.

    Returns
    -------
    float
        The norm before clipping.

    Raises
    ------
    ValueError
        A negative `max_norm`, or a norm that is not finite.
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm must not be negative, got {max_norm}.")
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise ValueError(
            f"clip_grad_norm_: the norm of the gradients is {total}. Look for the first operation whose gradient is "
            f"not finite, or lower the learning rate."
        )
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:  # a NaN norm scales too, as it does in PyTorch
        for gradient in gradients:
            scale = gradient.data.dtype.type(factor)
            gradient.data = np.multiply(gradient.data, scale, out=_own_memory(gradient))
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clip every element of every gradient to [−clip_value, clip_value].

    Raises
    ------
    ValueError
        A negative `clip_value`.
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value must not be negative, got {clip_value}.")
    for gradient in _gradients(parameters):
        gradient.data = np.clip(gradient.data, -clip_value, clip_value, out=_own_memory(gradient))
