"""Muon: momentum whose singular values are all made equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ShapeError
from .each import Each
from .flat import Flat
from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Muon", "muon", "orthogonalize"]


def orthogonalize(x: Any, a: float, b: float, c: float, steps: int, eps: float) -> Any:
    """Nearly U·Vᵀ of a matrix U·S·Vᵀ, by the Newton–Schulz iteration X ← aX + (b·XXᵀ + c·(XXᵀ)²)X.

    The coefficients trade accuracy for speed: the singular values end between about 0.7 and 1.2.
    """
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / np.maximum(np.sqrt(np.sum(x * x)), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x


@update_rule(state=("m",), elementwise=False)
def muon(  # type: ignore[no-untyped-def]
    p, g, m, *, lr, weight_decay, momentum, nesterov, a, b, c, eps, ns_steps, adjust_lr_fn
):
    """m ← μ·m + (1−μ)·g ;  O ≈ U·Vᵀ of X/max(‖X‖, ε), X = (1−μ)·g + μ·m or m ;  θ ← θ − ηλ·θ − η'·O"""
    if p.ndim != 2:
        raise ShapeError(f"Muon is for matrices, got a parameter of shape {p.shape}; give the others to AdamW.")
    rows, columns = p.shape
    if adjust_lr_fn == "match_rms_adamw":
        rate = lr * 0.2 * max(rows, columns) ** 0.5
    else:
        rate = lr * max(1, rows / columns) ** 0.5
    m = momentum * m + (1 - momentum) * g
    u = orthogonalize((1 - momentum) * g + momentum * m if nesterov else m, a, b, c, ns_steps, eps)
    return p * (1 - lr * weight_decay) - rate * u, m


class Muon(Optimizer):
    """Muon: step along the nearest orthogonal matrix to the momentum.

    Principle: updates of matrices are nearly of low rank: a few directions dominate. Replacing all singular values by
    1 lets the rare directions learn as fast as the others; it is steepest descent under the spectral norm.

    Source: Jordan et al. 2024 (kellerjordan.github.io/posts/muon); Nesterov's form and rescaling: Liu et al. 2025
    (arXiv 2502.16982).

    Strengths: fewer steps than AdamW on transformers; one array of state. Weaknesses: 2-D parameters only; a few
    matrix products a step. Use it for hidden weight matrices, AdamW for embeddings, heads, biases and norms.

    Differences: as ``torch.optim.Muon``, but the iteration runs in the parameter's dtype where PyTorch's runs in
    bfloat16, so results agree to two digits only. optax corrects the momentum's bias before Nesterov's look ahead;
    PyTorch and this do not.

    Parameters
    ----------
    params : iterable
        Matrices.
    lr : float
        η.
    weight_decay : float
        λ, decoupled.
    momentum : float
        μ.
    nesterov : bool
    ns_coefficients : (float, float, float)
    eps : float
        The least norm that the momentum is divided by.
    ns_steps : int
    adjust_lr_fn : {None, "original", "match_rms_adamw"}
        η' = η·√max(1, rows/columns), or η·0.2·√max(rows, columns).
    """

    rule = muon
    defaults = table(
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    )
    spread = table(ns_coefficients=("a", "b", "c"))
    torch_state = table(m="momentum_buffer")

    def _make_executors(self, group: Mapping[str, Any]) -> list[Flat | Each]:
        for name, p in zip(group["param_names"], group["params"], strict=True):
            if p.ndim != 2:
                raise ShapeError(
                    f"Muon is for matrices, and parameter '{name}' has shape {p.shape}. Give Muon the hidden weight "
                    f"matrices, and all else to another optimizer, e.g. AdamW."
                )
        return super()._make_executors(group)

    def _check(self, values: Any) -> None:
        super()._check(values)
        if values["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn is None, 'original' or 'match_rms_adamw', got {values['adjust_lr_fn']!r}."
            )
