"""The executor for rules that look at a parameter as a whole: its norm, its rows, its singular vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor
from .execute import Array, Executor, check_finite, checked_gradient, checked_result
from .rule import UpdateRule

__all__ = ["Each"]


class Each(Executor):
    """Runs a rule on each parameter by itself; new values are written when all have been computed."""

    def __init__(self, rule: UpdateRule, params: Sequence[Tensor], labels: Sequence[str]) -> None:
        super().__init__(rule, params, labels)
        self.states: list[dict[str, Any]] = [{} for _ in params]
        self.pending: list[tuple[int, Sequence[Any], dict[str, float]]] = []

    def prepare(self, values: dict[str, Any], check: bool) -> None:
        self.check_shapes()
        self.suspected = False
        some = [i for i, gradient in enumerate(self.gradients) if gradient is not None and self.params[i].size]
        self.pending = [self.compute(i, values, check) for i in some]

    def compute(self, i: int, values: dict[str, Any], check: bool) -> tuple[int, Sequence[Any], dict[str, float]]:
        """The new values of one parameter."""
        p, rule, label, old = self.params[i].data, self.rule, self.labels[i], self.states[i]
        g = checked_gradient(self.gradients[i], p, label)
        if not math.isfinite(np.vdot(g, g)):
            self.suspected = True
            if check:
                check_finite(g, label)
        hyper, clock = self.hyper(values, self.steps[i], self.clocks[i])
        states = []
        for name, wanted in zip(rule.state, rule.active(values), strict=True):
            state = old.get(name) if wanted else None
            states.append(self.first_state(name, p, values) if wanted and state is None else state)
        return i, checked_result(rule, rule.function(p, g, *states, **hyper), p, states), clock

    def first_state(self, name: str, p: Array, values: Mapping[str, Any]) -> Any:
        init = self.rule.init.get(name, 0.0)
        if callable(init):
            return init(p)
        return np.full_like(p, values[init] if isinstance(init, str) else init)

    def commit(self) -> None:
        for i, new, clock in self.pending:
            p = self.params[i]
            if p.data.flags.writeable:
                p.data[...] = new[0]
            else:
                p.data = np.array(new[0])
            self.states[i] = {k: v for k, v in zip(self.rule.state, new[1:], strict=True) if v is not None}
            self.steps[i] += 1
            self.clocks[i] = clock
        self.pending = []
        self.gradients = []

    def read(self, position: int) -> dict[str, Any]:
        return self.states[position]

    def forget(self, position: int) -> None:
        self.steps[position] = 0
        self.clocks[position] = self.rule.first_clock()
        self.states[position] = {}

    def restore(self, position: int, steps: int, clock: dict[str, float], arrays: Mapping[str, Any]) -> None:
        self.steps[position] = steps
        self.clocks[position] = {**self.rule.first_clock(), **clock}
        self.states[position] = {name: np.array(array, self.dtype) for name, array in arrays.items()}
