"""Negative log-likelihoods of counts and of noisy measurements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from .loss import Loss, pair, reduce

__all__ = ["GaussianNLLLoss", "PoissonNLLLoss", "gaussian_nll_loss", "poisson_nll_loss"]


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """−ln of the Poisson probability of a count, up to a constant: exp(x) − t · x for a predicted log-rate x.

    Parameters
    ----------
    input : array_like
        ln λ, or λ itself with ``log_input=False``.
    target : array_like of the same shape
        Counts.
    log_input : bool
    full : bool
        Add Stirling's approximation of ln t! where t > 1.
    eps : float
        Added to λ under the logarithm, with ``log_input=False``.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape.
    ValueError
        An unknown `reduction`.
    """
    x, t = pair("poisson_nll_loss", input, target)
    losses = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if full:
        safe = np.where(t.data > 1, t, 1)
        stirling = safe * np.log(safe) - safe + 0.5 * np.log(2 * math.pi * safe)
        losses = losses + np.where(t.data > 1, stirling, 0)
    return reduce("poisson_nll_loss", losses, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """½ (ln var + (input − target)² / var): a normal density of predicted mean and variance (Nix & Weigend 1994).

    Parameters
    ----------
    input, target : array_like of one shape
    var : float or array_like
        Of the input's shape; or without the last axis, for one variance a row; or with axes of 1, along which it is
        the same.
    full : bool
        Add the constant ½ ln 2π.
    eps : float
        The least variance; where it takes the place of a smaller one, that one gets the gradient all the same.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        The target does not broadcast to the input's shape, or the variance does not belong to it.
    ValueError
        A negative variance, or an unknown `reduction`.
    """
    x, t = pair("gaussian_nll_loss", input, target)
    v: Any = as_tensor(var)
    if v.ndim == 0:
        v = np.broadcast_to(v, x.shape)
    if v.size and not v.data.min() >= 0:
        raise ValueError(f"gaussian_nll_loss: the variance must not be negative, found {v.data.min():.4g}.")
    if v.shape != x.shape:
        if v.shape == x.shape[:-1]:
            v = np.expand_dims(v, -1)
        elif v.ndim != x.ndim or any(m not in (1, n) for m, n in zip(v.shape, x.shape, strict=True)):
            raise ShapeError(f"gaussian_nll_loss: var of shape {v.shape} does not belong to an input of {x.shape}.")
    v = v + np.maximum(eps - v.data, 0).astype(v.dtype)  # raised to eps, as a constant: the gradient passes
    losses = 0.5 * (np.log(v) + np.square(x - t) / v)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduce("gaussian_nll_loss", losses, reduction)


class PoissonNLLLoss(Loss):
    """:func:`poisson_nll_loss` as a Module.

    Parameters
    ----------
    log_input, full : bool
    eps : float
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return poisson_nll_loss(input, target, self.log_input, self.full, self.eps, self.reduction)


class GaussianNLLLoss(Loss):
    """:func:`gaussian_nll_loss` as a Module.

    Parameters
    ----------
    full : bool
    eps : float
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """The loss."""
        return gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
