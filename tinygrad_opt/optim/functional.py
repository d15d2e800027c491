"""Update rules on Tensors: training that one can differentiate through, to learn a learning rate by backpropagation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor, as_tensor, grad
from ..errors import GradientError
from . import groups as given
from .optimizer import Optimizer

__all__ = ["Functional", "unroll"]


class Functional:
    """An optimizer as a pure function of Tensors; hyperparameters may be Tensors that require a gradient.

    Parameters
    ----------
    optimizer : type
        A class of this package with one update rule, e.g. ``optim.Adam``.
    *args, **hyper
        Its hyperparameters.

    Raises
    ------
    TypeError
        The optimizer is not one pure rule: LBFGS, AdaHessian, Prodigy.
    GradientError
        The rule is built on the sign of the gradient, so that its derivative says nothing.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> lr = tg.tensor(0.1, requires_grad=True)
    >>> sgd = tg.optim.Functional(tg.optim.SGD, lr=lr)
    >>> w = [tg.tensor([2.0])]
    >>> w, state = sgd.update(w, [tg.tensor([4.0])], sgd.init(w))
    >>> w[0].sum().backward()
    >>> lr.grad
    tensor(-4.)
    """

    def __init__(self, optimizer: type[Optimizer], *args: Any, **hyper: Any) -> None:
        name = optimizer.__name__
        if not hasattr(optimizer, "rule"):
            raise TypeError(f"Functional: {name} has no update rule of its own, so it cannot run on Tensors.")
        if optimizer.step is not Optimizer.step:
            raise TypeError(
                f"Functional: {name} does more in a step than its update rule says (it estimates something first), "
                f"so it cannot run on Tensors."
            )
        if not optimizer.rule.differentiable:
            raise GradientError(
                f"Functional: the rule of {name} is built on signs or comparisons; its derivative is 0 almost "
                f"everywhere, so that nothing can be learnt through it."
            )
        self.rule = optimizer.rule
        bound = given.bind_arguments(name, optimizer.defaults, args, hyper)
        given.check_hyperparameters(
            name, {key: given.plain(v) for key, v in bound.items()}, optimizer.defaults, optimizer.ranges
        )
        self.values = given.spread(bound, optimizer.spread)

    def init(self, params: Sequence[Tensor]) -> dict[str, Any]:
        """The state before the first step."""
        rule, states = self.rule, []
        for p in params:
            arrays: list[Any] = []
            for name, wanted in zip(rule.state, rule.active(self.values), strict=True):
                fill = rule.init.get(name, 0.0)
                if not wanted:
                    arrays.append(None)
                elif callable(fill):
                    first = fill(p.data)
                    arrays.append(None if first is None else as_tensor(first))
                else:
                    value = given.plain(self.values[fill]) if isinstance(fill, str) else fill
                    arrays.append(Tensor(np.full(p.shape, value, p.dtype)))
            states.append(arrays)
        return {"t": 0, "clock": rule.first_clock(), "arrays": states}

    def update(
        self, params: Sequence[Tensor], gradients: Sequence[Tensor | None], state: dict[str, Any]
    ) -> tuple[list[Tensor], dict[str, Any]]:
        """One step: new parameters and the new state, as functions of all that came in.

        A parameter whose gradient is None stays as it is.
        """
        values = {**self.values, "t": state["t"] + 1}
        clock = state["clock"]
        if self.rule.advance is not None:
            clock = self.rule.advance(**{**values, **clock})
            values |= clock
        hyper = {name: values[name] for name in self.rule.hyper}
        new_params, new_arrays = [], []
        for p, g, arrays in zip(params, gradients, state["arrays"], strict=True):
            if g is None:
                new_params.append(p)
                new_arrays.append(arrays)
                continue
            result = self.rule.function(p, g, *arrays, **hyper)
            new, *rest = result if isinstance(result, tuple) else (result,)
            new_params.append(new if new.dtype == p.dtype else new.astype(p.dtype))
            new_arrays.append(rest)
        return new_params, {"t": values["t"], "clock": clock, "arrays": new_arrays}


def unroll(loss: Callable[..., Tensor], params: Sequence[Tensor], optimizer: Functional, steps: int) -> list[Tensor]:
    """Train for some steps and keep the whole of it in the graph.

    Parameters
    ----------
    loss : callable
        ``loss(*params)`` gives a scalar Tensor.
    params : sequence of Tensor
        The start. Gradients flow to those that require one, and to the hyperparameters of `optimizer`.
    optimizer : Functional
    steps : int

    Returns
    -------
    list of Tensor
        The trained parameters, as a differentiable function of the start and the hyperparameters.

    Examples
    --------
    Twenty steps on x² multiply x by (1 − 2η) each; the derivative by η follows:

    >>> import tinygrad_opt as tg
    >>> lr = tg.tensor(0.25, requires_grad=True)
    >>> (x,) = tg.optim.unroll(lambda x: x * x, [tg.tensor(1.0)], tg.optim.Functional(tg.optim.SGD, lr=lr), 3)
    >>> x.backward()
    >>> x.item(), lr.grad.item()  # (1 − 2η)³ and −6 (1 − 2η)²
    (0.125, -1.5)
    """
    current = [p if p.requires_grad else Tensor(p.data, requires_grad=True) for p in params]
    state = optimizer.init(current)
    for _ in range(steps):
        gradients = grad(loss(*current), current, create_graph=True, allow_unused=True)
        current, state = optimizer.update(current, gradients, state)
    return current
