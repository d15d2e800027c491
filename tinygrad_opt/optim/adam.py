"""Adam: momentum and a rate for each coordinate, both corrected for their start at zero."""

from __future__ import annotations

import numpy as np

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Adam", "adam"]


@update_rule(state=("m", "v", "v_max"), when={"v_max": "amsgrad"})
def adam(  # type: ignore[no-untyped-def]
    p, g, m, v, v_max, *, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay, eps_root, t
):
    """m ← β₁·m + (1−β₁)·g ;  v ← β₂·v + (1−β₂)·g² ;  θ ← θ − η·m̂ / (√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)

    Weight decay λ adds λ·θ to g beforehand. AMSGrad divides by the largest v so far.
    """
    if maximize:
        g = -g
    if weight_decay:
        if decoupled_weight_decay:
            p = p * (1 - lr * weight_decay)
        else:
            g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    if amsgrad:
        v_max = np.maximum(v_max, v)
    m_hat = m * (1 / (1 - beta1**t))  # factors: dividing takes five times as long as multiplying
    v_hat = (v_max if amsgrad else v) * (1 / (1 - beta2**t))
    if eps_root:
        v_hat = v_hat + eps_root
    return p - lr * m_hat / (np.sqrt(v_hat) + eps), m, v, v_max


class Adam(Optimizer):
    """Adam: the running mean of the gradients over the root of the running mean of their squares.

    Principle: momentum gives the direction, RMSProp's scaling gives each coordinate its rate, and dividing by 1 − βᵗ
    takes out the bias of averages that began at 0. The step is about η in size whatever the scale of the loss.

    Equation: m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  θ ← θ − η·m̂/(√v̂ + ε). ε stands outside of the root.

    Source: Kingma & Ba 2015 (arXiv 1412.6980), Algorithm 1; AMSGrad: Reddi, Kale & Kumar 2018 (arXiv 1904.09237),
    Algorithm 2.

    Strengths: works untuned on most networks; indifferent to the scale of gradients; fast early progress. Weaknesses:
    two arrays of state; can fail to converge on simple convex problems (AMSGrad's counterexample); often generalizes
    less well than tuned SGD; weight decay as an L2 penalty is scaled away where gradients are large (use AdamW). Use
    it first, for transformers and recurrent nets above all.

    Differences: as ``torch.optim.Adam``; so AMSGrad keeps the largest v, not the largest v̂. `eps_root` (as in optax)
    adds to v̂ under the root, for differentiating through the update where gradients are 0.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε.
    weight_decay : float
        An L2 penalty.
    amsgrad, maximize : bool
    decoupled_weight_decay : bool
        Makes it AdamW.
    eps_root : float

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([2.0, -300.0], requires_grad=True)
    >>> optimizer = tg.optim.Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([   1.5, -299.5], requires_grad=True)
    """

    rule = adam
    defaults = table(
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        amsgrad=False,
        maximize=False,
        decoupled_weight_decay=False,
        eps_root=0.0,
    )
    torch_state = table(m="exp_avg", v="exp_avg_sq", v_max="max_exp_avg_sq")
