"""AdaHessian: Adam whose second moment is that of the curvature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..autograd import Tensor, enable_grad, grad
from ..autograd.tensor import new_tensor
from ..errors import GradientError
from ..random import get_generator
from .flat import Flat
from .groups import table
from .optimizer import Optimizer
from .rule import update_rule
from .wrapper import generator_state, restore_generator

__all__ = ["AdaHessian", "adahessian"]


@update_rule(state=("h", "m", "v"))
def adahessian(  # type: ignore[no-untyped-def]
    p, g, h, m, v, *, lr, beta1, beta2, eps, weight_decay, hessian_power, t
):
    """m ← β₁·m + (1−β₁)·g ;  v ← β₂·v + (1−β₂)·h² ;  θ ← θ − η·(m̂ / ((√v̂)^k + ε) + λ·θ)

    h is the estimate of the Hessian's diagonal that belongs to this step.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * h * h
    size = np.sqrt(v / (1 - beta2**t))
    if hessian_power != 1:
        size = size**hessian_power
    return p * (1 - lr * weight_decay) - lr * (m / (1 - beta1**t)) / (size + eps), h, m, v


class AdaHessian(Optimizer):
    """AdaHessian: divide by a running root mean square of the Hessian's diagonal instead of the gradient's.

    Principle: for random signs z, z·(Hz) has the diagonal of H as its mean, and Hz is one gradient of a gradient. So
    the scaling knows the curvature, as Newton's method does, at about twice Adam's cost.

    Source: Yao et al. 2021 (arXiv 2006.00719), Algorithm 1; Hutchinson's estimator; kernels average |h| over their
    window.

    Strengths: indifferent to the scale of the parameters, curvature-sized steps. Weaknesses: two passes and their
    memory; noise of the estimate. Use it on small, ill-conditioned problems; every operation of the loss needs a
    second derivative.

    Differences: one random sign vector a step, as the paper. ``step`` takes a closure that returns the loss *without*
    calling backward.

    Parameters
    ----------
    params : iterable
    lr : float
        η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε.
    weight_decay : float
        λ, decoupled.
    hessian_power : float
        k.
    generator : numpy.random.Generator, optional
        For the signs.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = tg.optim.AdaHessian([w], lr=1.0)
    >>> _ = optimizer.step(lambda: (w * w * tg.tensor([0.5, 50.0])).sum())
    >>> w.data.round(3).tolist()  # Newton's step on a quadratic
    [0.0, 0.0]
    """

    rule = adahessian
    backward_in_closure = False
    defaults = table(lr=0.15, betas=(0.9, 0.999), eps=1e-4, weight_decay=0.0, hessian_power=1.0)
    ranges = table(hessian_power=(0.0, 1.0, "(]"))

    def __init__(self, params: Any, *args: Any, generator: np.random.Generator | None = None, **hyper: Any) -> None:
        super().__init__(params, *args, **hyper)
        self.generator = generator

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; `closure` computes and returns the loss, and leaves the backward pass to the optimizer."""
        if not callable(closure):
            raise TypeError(
                f"AdaHessian.step needs a closure that returns the loss, without calling backward(); got "
                f"{type(closure).__name__}."
            )
        params: list[Tensor] = [p for group in self.param_groups for p in group["params"] if p.requires_grad]
        with enable_grad():
            loss = closure()
            first = grad(loss, params, create_graph=True, allow_unused=True)
            used = [(p, g) for p, g in zip(params, first, strict=True) if g is not None]
            if not used:
                raise GradientError("AdaHessian.step: the loss does not depend on any of the parameters.")
            draw = get_generator(self.generator)
            signs = [new_tensor((draw.integers(0, 2, p.shape) * 2 - 1).astype(p.dtype), None) for p, _ in used]
            product = sum((g * z).sum() for (_, g), z in zip(used, signs, strict=True))
            live = isinstance(product, Tensor) and product.requires_grad
            second = grad(product, [p for p, _ in used], allow_unused=True) if live else [None] * len(used)
        curvature = {}
        for (p, g), z, hz in zip(used, signs, second, strict=True):
            p.grad = g.detach()
            h = np.zeros_like(p.data) if hz is None else z.data * hz.data
            if h.ndim > 2:
                window = tuple(range(2, h.ndim))
                h = np.broadcast_to(np.abs(h).mean(axis=window, keepdims=True), h.shape)
            curvature[id(p)] = h
        self._place(curvature)
        super().step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """As the base's, with the state of the generator where it is one of the optimizer's own."""
        saved = super().state_dict()
        return saved if self.generator is None else {**saved, "generator": generator_state(self.generator)}

    def load_state_dict(self, state_dict: Mapping[str, Any], *, hyperparameters: bool = True) -> None:
        """As the base's, with the state of the generator."""
        super().load_state_dict(state_dict, hyperparameters=hyperparameters)
        restore_generator(self.generator, state_dict.get("generator"))

    def _place(self, curvature: dict[int, Any]) -> None:
        """Put the estimates where the rule finds them."""
        for index, executors in enumerate(self._executors):
            for executor in executors:
                if isinstance(executor, Flat):
                    executor.allocate("h", self._values(index))
                for position, p in enumerate(executor.params):
                    if id(p) in curvature:
                        executor.read(position)["h"][...] = curvature[id(p)]
