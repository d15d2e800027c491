"""AMSGrad: Adam whose rates never rise."""

from __future__ import annotations

from .adam import Adam
from .groups import table

__all__ = ["AMSGrad"]


class AMSGrad(Adam):
    """AMSGrad: Adam divided by the largest second moment so far; ``Adam(amsgrad=True)``.

    Principle: Adam can diverge on a convex problem where rare large gradients are forgotten too fast. With the
    maximum of v the effective rate only falls, and convergence can be proved.

    Source: Reddi, Kale & Kumar 2018 (arXiv 1904.09237), Algorithm 2.

    Strengths: the guarantee. Weaknesses: in practice seldom better than Adam; one outlier slows a coordinate for
    good; a third array of state. Use it where Adam oscillates late in training.

    Differences: as in ``torch.optim``, with Adam's bias correction, which the paper's algorithm lacks; the largest v
    is taken, not the largest v̂. Parameters as :class:`Adam`.
    """

    formula = "m, v as in Adam ; v_max ← max(v_max, v) ; θ ← θ − η·m̂ / (√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v_max/(1−β₂ᵗ)"
    defaults = table(**{**Adam.defaults, "amsgrad": True})
