"""What the executors of update rules share: the look at the gradients, and the checks.

An executor runs a rule on the parameters of one group and one dtype, all of them or none, in two phases: `prepare`
does all that can fail, gradients checked and new values computed; `commit` writes. `flat.Flat` is the one for
elementwise rules, `each.Each` the one for rules that look at a parameter as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..errors import GradientError, ShapeError
from .rule import UpdateRule

__all__ = ["Array", "Executor", "check_finite", "checked_gradient", "checked_result", "keep_apart", "not_finite"]

Array = np.ndarray[Any, Any]


class Executor:
    """The parameters of one group and one dtype, their step counts, and which of them have a gradient."""

    def __init__(self, rule: UpdateRule, params: Sequence[Tensor], labels: Sequence[str]) -> None:
        self.rule = rule
        self.params = list(params)
        self.dtype = params[0].dtype
        self.shapes = [p.shape for p in params]
        self.labels = list(labels)
        self.steps = [0] * len(params)
        self.clocks = [rule.first_clock() for _ in params]
        self.gradients: list[Any] = []
        self.leaves: list[Any] = []
        self.missing: list[int] = []
        self.summed: int | None = None
        self.suspected = False
        self.views: list[Any] = [None] * len(params)
        self.moved = False

    def collect(self) -> None:
        """Look at every parameter: which have a gradient, whose were summed over several passes."""
        leaves: list[Any] = []
        gradients: list[Any] = []
        missing: list[int] = []
        for p, view in zip(self.params, self.views, strict=True):
            if p.data is not view:
                self.moved = True
            leaf: Any = p._node
            gradient = None if leaf is None else leaf.grad
            if gradient is None:
                missing.append(len(gradients))
                gradients.append(None)
                continue
            if leaf.passes > 1 and self.summed is None:
                self.summed = len(gradients)
            leaves.append(leaf)
            gradients.append(gradient.data)
        self.leaves, self.gradients, self.missing = leaves, gradients, missing

    def strayed(self) -> bool:
        """Whether parameters have taken another dtype since."""
        return self.moved and any(p.dtype != self.dtype for p in self.params)

    def check_shapes(self) -> None:
        """Raise ShapeError for a parameter that has taken another shape since."""
        for p, shape, label in zip(self.params, self.shapes, self.labels, strict=True):
            if p.shape != shape:
                raise ShapeError(
                    f"step(): {label} had shape {shape} and now has {p.shape}. Make a new optimizer, since its state "
                    f"belongs to the old shape."
                )

    def hyper(
        self, values: dict[str, Any], steps: int, clock: dict[str, float]
    ) -> tuple[dict[str, Any], dict[str, float]]:
        """The rule's keyword arguments for the step after `steps`, and the clock after it."""
        values = {**values, "t": steps + 1}
        if self.rule.advance is not None:
            clock = self.rule.advance(**{**values, **clock})
            values |= clock
        return {name: values[name] for name in self.rule.hyper}, clock

    def prepare(self, values: dict[str, Any], check: bool) -> None:
        """Do all that can fail about a step with these hyperparameters; with `check`, NaN in a gradient makes it fail.

        After `commit`, ``suspected`` says whether a gradient may have held a NaN or an infinity.
        """
        raise NotImplementedError

    def commit(self) -> None:
        """Write what `prepare` has computed."""
        raise NotImplementedError

    def settle(self) -> None:
        """Bring ``steps`` and ``clocks`` up to date, and forget any plan."""

    def read(self, position: int) -> dict[str, Any]:
        """One parameter's states by name, as views where they are arrays."""
        raise NotImplementedError

    def forget(self, position: int) -> None:
        """Put one parameter back to before its first step."""
        raise NotImplementedError

    def restore(self, position: int, steps: int, clock: dict[str, float], arrays: Mapping[str, Any]) -> None:
        """Set one parameter's step count and states."""
        raise NotImplementedError


def checked_gradient(gradient: Array, parameter: Array, label: str) -> Array:
    """A gradient in its parameter's shape and dtype, or an error that names the parameter."""
    if gradient.shape != parameter.shape:
        raise ShapeError(
            f"step(): {label} has shape {parameter.shape}, its gradient {gradient.shape}. After a change of "
            f"shape call zero_grad() and run backward() again."
        )
    if gradient.dtype == parameter.dtype:
        return gradient
    if gradient.dtype.kind not in "fiu":
        raise GradientError(f"step(): {label} is {parameter.dtype}, its gradient {gradient.dtype}.")
    return gradient.astype(parameter.dtype)


def not_finite(gradient: Array, label: str) -> str:
    """A sentence about the NaNs and infinities in a gradient; empty when there are none."""
    finite = np.isfinite(gradient)
    if finite.all():
        return ""
    count = int(finite.size - np.count_nonzero(finite))
    place = tuple(int(i) for i in np.argwhere(~finite)[0])
    return (
        f"step(): the gradient of {label} has {count} of {finite.size} elements that are not finite, the first "
        f"{gradient[place]} at {place}"
    )


def check_finite(gradient: Array, label: str) -> None:
    """Raise GradientError when a gradient holds a NaN or an infinity."""
    if found := not_finite(gradient, label):
        raise GradientError(
            f"{found}; nothing was updated. Look for log(0), division by 0, or a learning rate that is too large; or "
            f"pass error_if_nonfinite=False to go on regardless."
        )


def checked_result(rule: UpdateRule, new: Any, value: Array, states: Sequence[Any]) -> list[Any]:
    """What a rule returned, as a list: as many values as it took, in their shapes and dtype."""
    results = list(new) if isinstance(new, tuple) else [new]
    if len(results) != 1 + len(states):
        raise TypeError(
            f"update rule {rule.name} returned {len(results)} values; it must return the parameter and its "
            f"states, {1 + len(states)} in all."
        )
    for name, result, before in zip(("p", *rule.state), results, (value, *states), strict=True):
        if before is None or not (rule.elementwise or name == "p"):
            continue
        shape, dtype = getattr(result, "shape", None), getattr(result, "dtype", None)
        if shape != before.shape or dtype != before.dtype:
            raise TypeError(
                f"update rule {rule.name} returned for {name} a {type(result).__name__} of shape {shape} and "
                f"dtype {dtype}; it was given {before.shape}, {before.dtype}."
            )
    return keep_apart(results, value, states)


def keep_apart(results: list[Any], value: Array, states: Sequence[Any]) -> list[Any]:
    """Copy what a rule passed on under another name (``return p, m_before``), before it is overwritten."""
    old = (value, *states)
    for i, result in enumerate(results):
        for j, before in enumerate(old):
            if result is before and i != j and before is not None:
                results[i] = result.copy()
    return results
