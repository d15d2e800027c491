"""Gradient descent, plain and with the usual additions."""

from __future__ import annotations

from typing import Any

from .groups import table
from .optimizer import Optimizer
from .rule import update_rule

__all__ = ["SGD", "sgd"]


@update_rule(state=("v",), when={"v": "momentum"})
def sgd(  # type: ignore[no-untyped-def]
    p, g, v, *, lr, momentum, dampening, weight_decay, nesterov, maximize, t
) -> Any:
    """θ ← θ − η·d, with d = g;  momentum: v ← μ·v + (1−τ)·g, d = v;  Nesterov: d = g + μ·v

    τ is the dampening; the first v is g itself. Weight decay λ adds λ·θ to g beforehand.
    """
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    if momentum:
        v = g if t == 1 else momentum * v + (1 - dampening) * g
        g = g + momentum * v if nesterov else v
    return p - lr * g, v


class SGD(Optimizer):
    """Stochastic gradient descent: θ ← θ − η·∇J.

    Principle: step against the gradient of the loss on a batch, which points downhill on average. One class for
    batch, stochastic and mini-batch gradient descent; which one it is depends on the batches that are fed.

    Equation (in full): g ← ∇J + λθ;  v ← μv + (1−τ)g;  θ ← θ − η·v, or θ ← θ − η(g + μv) with Nesterov's momentum.

    Source: Robbins & Monro 1951 (doi:10.1214/aoms/1177729586); momentum: Polyak 1964
    (doi:10.1016/0041-5553(64)90137-5); Nesterov's form for learning: Sutskever et al. 2013, equations 3 and 4.

    Strengths: no state, one hyperparameter, the best understood; tuned, it often generalizes best on vision tasks.
    Weaknesses: one rate for all directions, so narrow valleys make it slow (the rate must stay below 2/λmax); needs
    tuning and a schedule. Use it when the problem is well scaled or the budget allows tuning; add momentum=0.9.

    Differences: as ``torch.optim.SGD``. Unlike :class:`Momentum`, v is a sum of gradients, not their average: the
    same path needs a rate (1−β) times as large. Raising momentum from 0 during training starts v at 0.

    Parameters
    ----------
    params : iterable
    lr : float
        Learning rate η.
    momentum : float
        μ; 0 keeps no state.
    dampening : float
        τ, which must be 0 with `nesterov`.
    weight_decay : float
        λ, an L2 penalty.
    nesterov, maximize : bool

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([2.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([1.6], requires_grad=True)
    """

    rule = sgd
    defaults = table(lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False)
    torch_state = table(v="momentum_buffer")

    def _check(self, values: Any) -> None:
        super()._check(values)
        if values["nesterov"] and (values["momentum"] <= 0 or values["dampening"] != 0):
            raise ValueError(
                f"SGD: nesterov=True needs momentum > 0 and dampening = 0, got momentum={values['momentum']}, "
                f"dampening={values['dampening']}."
            )
