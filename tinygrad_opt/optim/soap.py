"""SOAP: Adam in the eigenbasis of Shampoo's preconditioners."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule
from .shampoo import columns, rows

__all__ = ["SOAP", "soap"]


@update_rule(
    state=("m", "v", "l", "r", "q_l", "q_r"),
    elementwise=False,
    init={"l": rows, "r": columns, "q_l": rows, "q_r": columns},
)
def soap(  # type: ignore[no-untyped-def]
    p,
    g,
    m,
    v,
    l,  # noqa: E741
    r,
    q_l,
    q_r,
    *,
    lr,
    beta1,
    beta2,
    shampoo_beta,
    eps,
    weight_decay,
    every,
    t,
):
    """m ← β₁·m + (1−β₁)·G ;  v ← β₂·v + (1−β₂)·(Q_LᵀGQ_R)² ;  θ ← θ − η·Q_L·(Q_Lᵀm̂Q_R / (√v̂ + ε))·Q_Rᵀ − ηλ·θ

    L ← β·L + (1−β)·GGᵀ, R ← β·R + (1−β)·GᵀG; every f steps Q ← the orthogonal factor of L·Q_L (R·Q_R). Vectors: Adam.
    """
    m = beta1 * m + (1 - beta1) * g
    m_hat = m / (1 - beta1**t)
    p = p * (1 - lr * weight_decay)
    if p.ndim < 2:
        v = beta2 * v + (1 - beta2) * g * g
        return p - lr * m_hat / (np.sqrt(v / (1 - beta2**t)) + eps), m, v, l, r, q_l, q_r
    matrix = g.reshape(p.shape[0], -1)
    l = shampoo_beta * l + (1 - shampoo_beta) * (matrix @ matrix.T)  # noqa: E741
    r = shampoo_beta * r + (1 - shampoo_beta) * (matrix.T @ matrix)
    if t == 1:
        q_l, q_r = np.linalg.eigh(l)[1], np.linalg.eigh(r)[1]
    turned = (q_l.T @ matrix @ q_r).reshape(p.shape)
    v = beta2 * v + (1 - beta2) * turned * turned
    momentum = (q_l.T @ m_hat.reshape(matrix.shape) @ q_r).reshape(p.shape)
    step = momentum / (np.sqrt(v / (1 - beta2**t)) + eps)
    p = p - lr * (q_l @ step.reshape(matrix.shape) @ q_r.T).reshape(p.shape)
    if t % every == 0:
        q_l, q_r = np.linalg.qr(l @ q_l)[0], np.linalg.qr(r @ q_r)[0]
    return p, m, v, l, r, q_l, q_r


class SOAP(Optimizer):
    """SOAP: rotate a matrix gradient into the eigenbasis of its row and column covariances, and run Adam there.

    Principle: Shampoo with power ½ is Adafactor in that basis; so run Adam there, whose second moments may follow at
    every step while the basis is refreshed only now and then by one step of power iteration.

    Source: Vyas et al. 2024 (arXiv 2409.11321), Algorithm 3.

    Strengths: fewer steps than AdamW and Shampoo, stable with a rarely updated basis. Weaknesses: memory 2n² + 2m²
    more for n×m matrices; products with them at each step. Use it where a step is cheap against the loss, and sides
    are up to a few thousand.

    Differences: the basis begins as the eigenvectors of the first gradient's covariances, and the first step is taken
    (the authors' code skips it). Kernels are matrices of their first axis against the others. It runs per parameter,
    never compiled.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    betas : (float, float)
        β₁ and β₂.
    shampoo_beta : float
        β of the covariances.
    eps : float
        ε, outside of the root.
    weight_decay : float
        λ, decoupled.
    every : int
        f, steps from one refreshing of the basis to the next.
    """

    rule = soap
    defaults = table(lr=3e-3, betas=(0.95, 0.95), shampoo_beta=0.95, eps=1e-8, weight_decay=0.01, every=10)
    ranges = table(shampoo_beta=(0.0, 1.0, "[)"), every=(1, float("inf"), "[)"))
