"""Limits on gradients, between ``backward`` and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...autograd.tensor import Tensor
from .vector import listed

__all__ = ["clip_grad_norm_", "clip_grad_norm_per_group_", "clip_grad_value_", "get_total_norm"]


def _gradients(caller: str, parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    return [p.grad for p in listed(caller, parameters) if p.grad is not None]


def _own_memory(gradient: Tensor) -> Any:
    """The gradient's array where it may be overwritten, None where a graph or somebody else still reads it."""
    return gradient.data if gradient._node is None and gradient.data.flags.writeable else None


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0) -> float:
    """The norm of several Tensors as of one long vector: (Σ|x|ᵖ)^(1/p), without overflow on the way.

    Parameters
    ----------
    tensors : iterable of Tensor
    norm_type : float
        p; inf gives the largest |x|, −inf the smallest.

    Raises
    ------
    ValueError
        For p = 0, which is no norm, and NaN.
    TypeError
        What should be Tensors are none.
    """
    return _norm(listed("get_total_norm", tensors), norm_type)


def _norm(tensors: list[Tensor], norm_type: float) -> float:
    arrays, p = [tensor.data for tensor in tensors if tensor.size], float(norm_type)
    if p == 0 or math.isnan(p):
        raise ValueError(f"get_total_norm: norm_type is the p of (Σ|x|ᵖ)^(1/p), got {norm_type!r}; 2 is usual.")
    if not arrays:
        return 0.0
    if math.isinf(p):
        extreme = np.max if p > 0 else np.min
        return float(extreme([extreme(np.abs(a)) for a in arrays]))
    with np.errstate(over="ignore", divide="ignore"):
        if p == 2:
            squares = [float(np.dot(a.ravel(), a.ravel())) for a in arrays]
            if math.isfinite(total := sum(squares)) and total > 1e-30:
                return math.sqrt(total)
        largest = float(max(np.abs(a).max() for a in arrays))
        if not 0 < largest < math.inf:
            return largest if p > 0 else 0.0
        powers = sum(float(np.sum((np.abs(a.astype(np.float64)) / largest) ** p)) for a in arrays)
    return float(largest * powers ** (1 / p))


def _checked_norm(
    caller: str, gradients: list[Any], max_norm: float, norm_type: float, error_if_nonfinite: bool
) -> float:
    if not max_norm >= 0:
        raise ValueError(f"{caller}: max_norm must not be negative, got {max_norm}.")
    total = _norm(gradients, norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise ValueError(
            f"{caller}: the norm of the gradients is {total}. Look for the first operation whose gradient is "
            f"not finite, or lower the learning rate."
        )
    return total


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
        The p of the p-norm, as in :func:`get_total_norm`.
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
    TypeError
        The parameters are no Tensors.
    """
    gradients = _gradients("clip_grad_norm_", parameters)
    total = _checked_norm("clip_grad_norm_", gradients, max_norm, norm_type, error_if_nonfinite)
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:  # a NaN norm scales too, as it does in PyTorch
        for gradient in gradients:
            scale = gradient.data.dtype.type(factor)
            gradient.data = np.multiply(gradient.data, scale, out=_own_memory(gradient))
    return total


def clip_grad_norm_per_group_(
    groups: Any, max_norm: float | Sequence[float], norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> list[float]:
    """:func:`clip_grad_norm_` on each group by itself, so that large gradients in one do not shrink the others'.

    Parameters
    ----------
    groups : optimizer, or sequence of groups
        A group is a dict with "params", a module, or an iterable of Tensors.
    max_norm : float or sequence of float
        For all groups, or one for each.
    norm_type : float
    error_if_nonfinite : bool
        Raise when a norm is NaN or infinite, before anything is changed.

    Returns
    -------
    list of float
        The groups' norms before clipping.

    Raises
    ------
    ValueError
        Another number of bounds than of groups, a negative bound, or a norm that is not finite.
    TypeError
        The groups hold no Tensors.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> a, b = tg.tensor([0.0], requires_grad=True), tg.tensor([0.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([{"params": [a]}, {"params": [b]}], lr=0.1)
    >>> (100 * a + 0.5 * b).sum().backward()
    >>> tg.nn.utils.clip_grad_norm_per_group_(optimizer, 1.0)
    [100.0, 0.5]
    >>> a.grad, b.grad
    (tensor([1.]), tensor([0.5]))
    """
    caller = "clip_grad_norm_per_group_"
    given = getattr(groups, "param_groups", groups)
    if not isinstance(given, Iterable):
        raise TypeError(f"{caller}: expected an optimizer or a list of groups, got {type(given).__name__}.")
    parts = [_members(caller, group) for group in given]
    several: Any = max_norm if np.ndim(max_norm) else [max_norm] * len(parts)
    bounds = [float(bound) for bound in several]
    if len(bounds) != len(parts):
        raise ValueError(f"{caller}: {len(bounds)} values of max_norm for {len(parts)} groups.")
    for members, bound in zip(parts, bounds, strict=True):  # what can fail comes first
        _checked_norm(caller, _gradients(caller, members), bound, norm_type, error_if_nonfinite)
    return [
        clip_grad_norm_(members, bound, norm_type, error_if_nonfinite)
        for members, bound in zip(parts, bounds, strict=True)
    ]


def _members(caller: str, group: Any) -> list[Tensor]:
    members = group["params"] if isinstance(group, dict) else group
    return listed(caller, members.parameters() if hasattr(members, "parameters") else members)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clip every element of every gradient to [−clip_value, clip_value].

    Raises
    ------
    ValueError
        A negative `clip_value`.
    TypeError
        The parameters are no Tensors.
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value must not be negative, got {clip_value}.")
    for gradient in _gradients("clip_grad_value_", parameters):
        gradient.data = np.clip(gradient.data, -clip_value, clip_value, out=_own_memory(gradient))
