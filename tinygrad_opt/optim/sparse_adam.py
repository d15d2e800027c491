"""SparseAdam: Adam that leaves alone what had no gradient."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["SparseAdam", "sparse_adam"]


@update_rule(state=("m", "v"), elementwise=False)
def sparse_adam(p, g, m, v, *, lr, beta1, beta2, eps, maximize, t):  # type: ignore[no-untyped-def]
    """Where a row of g is not 0: m ← β₁·m + (1−β₁)·g ;  v ← β₂·v + (1−β₂)·g² ;  θ ← θ − η·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v + ε)

    The other rows and their averages stay as they are.
    """
    if maximize:
        g = -g
    touched = g != 0
    if g.ndim > 1:
        touched = np.max(touched, axis=tuple(range(1, g.ndim)), keepdims=True)
    m = np.where(touched, beta1 * m + (1 - beta1) * g, m)
    v = np.where(touched, beta2 * v + (1 - beta2) * g * g, v)
    rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    return p - np.where(touched, rate * m / (np.sqrt(v) + eps), 0.0), m, v


class SparseAdam(Optimizer):
    """SparseAdam: Adam for embeddings, in which a row moves only at the steps that saw it.

    Principle: at each step a batch touches a few rows of a large table. Adam goes on moving all the others by their old
    momentum, and lets their averages fade; here they wait.

    Source: Kingma & Ba 2015 (arXiv 1412.6980), Algorithm 1, on rows.

    Strengths: rare words keep their own averages; no drift between two sightings. Weaknesses: t counts steps, not
    sightings, so the bias correction of a row seen late is too small. Use it for large embeddings.

    Differences: as ``torch.optim.SparseAdam``, which takes the rows that a sparse gradient lists. Gradients are dense
    here, so a row counts as seen when its gradient is not 0. ε is added to √v before the bias correction. It runs per
    parameter, never compiled.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε.
    maximize : bool
    """

    rule = sparse_adam
    defaults = table(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False)
    torch_state = table(m="exp_avg", v="exp_avg_sq")
