"""AdamW: Adam with weight decay taken out of the gradient."""

from __future__ import annotations

from .adam import adam
from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["AdamW", "adamw"]


@update_rule(state=("m", "v", "v_max"), when={"v_max": "amsgrad"})
def adamw(  # type: ignore[no-untyped-def]
    p, g, m, v, v_max, *, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, eps_root, t
):
    """θ ← θ − η·λ·θ, then Adam's step: θ ← θ − η·m̂ / (√v̂ + ε)"""
    return adam(
        p * (1 - lr * weight_decay), g, m, v, v_max, lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=0.0,
        amsgrad=amsgrad, maximize=maximize, decoupled_weight_decay=False, eps_root=eps_root, t=t,
    )  # fmt: skip


class AdamW(Optimizer):
    """AdamW: shrink the weights by ηλ a step, and apply Adam to the gradient of the loss alone.

    Principle: an L2 penalty in the gradient is divided by √v̂ like everything else, so weights with large gradients
    are hardly decayed. Decoupled, every weight shrinks at the same relative rate.

    Equation: θ ← θ − ηλθ − η·m̂/(√v̂ + ε), m̂ and v̂ as in Adam. ε stands outside of the root.

    Source: Loshchilov & Hutter 2019 (arXiv 1711.05101), Algorithm 2.

    Strengths: the standard for transformers; λ and η can be tuned almost apart. Weaknesses: two arrays of state;
    decay is tied to the schedule of η. Use it where Adam would need regularization. Exclude biases and norms from
    decay by putting them into a group with weight_decay=0.

    Differences: as ``torch.optim.AdamW``: the decay is multiplied by η, as the paper's by its schedule η only.

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
        λ.
    amsgrad, maximize : bool
    eps_root : float
        Added to v̂ under the root, for differentiating through the update.
    """

    rule = adamw
    defaults = table(
        lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False, eps_root=0.0
    )
    torch_state = table(m="exp_avg", v="exp_avg_sq", v_max="max_exp_avg_sq")
