"""Shampoo: a preconditioner for the rows and one for the columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Shampoo", "columns", "inverse_root", "rows", "shampoo"]


def inverse_root(matrix: Any, power: float, eps: float) -> Any:
    """(A + εI)^(−1/power) of a symmetric positive semidefinite matrix, by its eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * (np.maximum(values, 0.0) + eps) ** (-1 / power)) @ vectors.T


def rows(p: Any) -> Any:
    """The first L of a matrix or kernel, an n×n zero; none for a vector."""
    return np.zeros((p.shape[0],) * 2, p.dtype) if p.ndim > 1 else None


def columns(p: Any) -> Any:
    """The first R of a matrix or kernel, an m×m zero; none for a vector."""
    return np.zeros((p.size // p.shape[0],) * 2, p.dtype) if p.ndim > 1 else None


def _vector(p: Any) -> Any:
    return np.zeros_like(p) if p.ndim < 2 else None


@update_rule(state=("l", "r", "s"), elementwise=False, init={"l": rows, "r": columns, "s": _vector})
def shampoo(p, g, l, r, s, *, lr, weight_decay, eps, maximize):  # type: ignore[no-untyped-def]  # noqa: E741
    """L ← L + G·Gᵀ ;  R ← R + Gᵀ·G ;  θ ← θ − η·(L + εI)^(−¼)·G·(R + εI)^(−¼)

    Kernels are taken as matrices of their first axis against the others; vectors use AdaGrad, s ← s + g².
    """
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    if p.ndim < 2:
        s = s + g * g
        return p - lr * g / (np.sqrt(s) + eps), l, r, s
    matrix = g.reshape(p.shape[0], -1)
    l = l + matrix @ matrix.T  # noqa: E741
    r = r + matrix.T @ matrix
    step = inverse_root(l, 4, eps) @ matrix @ inverse_root(r, 4, eps)
    return p - lr * step.reshape(p.shape), l, r, s


class Shampoo(Optimizer):
    """Shampoo: AdaGrad with full matrices, as far as a Kronecker product can hold them.

    Principle: the full AdaGrad matrix of an n×m weight has (nm)² entries. L ⊗ R, of an n×n and an m×m matrix, bounds
    it, and its inverse root takes two small eigenproblems.

    Source: Gupta, Koren & Singer 2018 (arXiv 1802.09568), Algorithm 1.

    Strengths: few steps on ill-conditioned layers. Weaknesses: an eigendecomposition of both sides at each step; sums
    that never forget. Use it for small matrices, and SOAP or Muon for large ones.

    Differences: the paper has L₀ = εI, here ε is added to the eigenvalues. It runs per parameter, never compiled.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    weight_decay : float
        An L2 penalty.
    eps : float
        ε.
    maximize : bool
    """

    rule = shampoo
    defaults = table(lr=0.1, weight_decay=0.0, eps=1e-6, maximize=False)
