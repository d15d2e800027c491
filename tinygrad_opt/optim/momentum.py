"""Momentum as an exponential average of gradients."""

from __future__ import annotations

from .groups import REQUIRED, table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["Momentum", "momentum"]


@update_rule(state=("v",))
def momentum(p, g, v, *, lr, beta):  # type: ignore[no-untyped-def]
    """v ← β·v + (1−β)·g ;  θ ← θ − η·v"""
    v = beta * v + (1 - beta) * g
    return p - lr * v, v


class Momentum(Optimizer):
    """Gradient descent on a running average of the gradients: v ← βv + (1−β)∇J;  θ ← θ − ηv.

    Principle: steps that keep their direction add up, those that flip from one side of a valley to the other cancel.
    v is an exponential moving average over about 1/(1−β) steps, from 0.

    Source: Polyak 1964 (doi:10.1016/0041-5553(64)90137-5) for the heavy ball; this averaged form as in Ng's Deep
    Learning course (2017) and as Adam's first moment without bias correction.

    Strengths: damps oscillation across narrow valleys, passes flat stretches, smooths the noise of small batches; the
    learning rate keeps the meaning it has in plain descent, whatever β is.
    Weaknesses: overshoots and circles around minima; its first steps are short, since v begins at 0; one rate
    for all directions still. Use it wherever plain descent zigzags.

    Differences: ``SGD(momentum=β)``, as in PyTorch, sums gradients, v ← βv + ∇J. With dampening=β it averages too,
    save that its first v is the first gradient itself; here v₁ = (1−β)∇J.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    beta : float
        β, the weight of the past; 0 is plain gradient descent.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([2.0], requires_grad=True)
    >>> optimizer = tg.optim.Momentum([w], lr=0.1, beta=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([1.8], requires_grad=True)
    """

    rule = momentum
    defaults = table(lr=REQUIRED, beta=0.9)
