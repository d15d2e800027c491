"""What an optimizer says about uses that are allowed and seldom meant, each once."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import GradientError
from .execute import Executor, not_finite
from .groups import many

__all__ = ["Advice", "OptimizerWarning", "disagreement", "no_gradients"]


_INSIDE = (__name__.split(".")[0], "numpy")


class OptimizerWarning(UserWarning):
    """A use of an optimizer that is allowed and seldom meant; each kind is said once an optimizer."""


def _outside() -> int:
    """How many frames up from the caller the user's code is, so that a warning names the user's line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    return level


class Advice:
    """The warnings of one optimizer, and which of them it has given."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def say(self, kind: str, message: str) -> None:
        """Warn, unless this kind of warning was given before."""
        if kind not in self.said:
            self.said.add(kind)
            warnings.warn(message, OptimizerWarning, stacklevel=_outside())

    def summed(self, executor: Executor, on_purpose: bool) -> None:
        """Say that a gradient is the sum over several backward passes."""
        position, executor.summed = executor.summed, None
        if on_purpose or position is None:
            return
        leaf: Any = executor.params[position]._node
        self.say(
            "summed",
            f"step() uses gradients summed over {leaf.passes} backward() calls (first met at "
            f"{executor.labels[position]}). Call zero_grad() after each step; or, if the sum is meant, pass "
            f"accumulates=True to the optimizer.",
        )

    def not_finite(self, groups: Sequence[Mapping[str, Any]]) -> None:
        """Name the first parameter whose gradient held a NaN or an infinity in a step that was made nevertheless."""
        if "not finite" in self.said:
            return
        for group in groups:
            for p, name in zip(group["params"], group["param_names"], strict=True):
                found = "" if p.grad is None else not_finite(p.grad.data, f"parameter '{name}'")
                if found:
                    self.say(
                        "not finite",
                        f"{found}. The step was made with it, as PyTorch's would be; those elements and their state "
                        f"are seldom finite from here on. tg.detect_anomaly() finds the operation it came from; with "
                        f"error_if_nonfinite=True the optimizer raises before it updates anything.",
                    )
                    return

    def unused(self, groups: Sequence[Mapping[str, Any]]) -> None:
        """Name the parameters that have no gradient, unless none has one."""
        if "unused" in self.said:
            return
        names = _without_gradient(groups)
        total = sum(len(group["params"]) for group in groups)
        if names and len(names) < total:
            self.say(
                "unused",
                f"step(): {len(names)} of {total} parameters have no gradient and stay as they are: {_listed(names)}. "
                f"They were not used in the loss, or have left the model, as optimizer.check(model) tells. If that is "
                f"meant, pass allow_unused=True to the optimizer.",
            )


def _without_gradient(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        name
        for group in groups
        for p, name in zip(group["params"], group["param_names"], strict=True)
        if p._node is not None and p._node.grad is None
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def disagreement(groups: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> str:
    """In what an optimizer's groups and a model's parameters by name differ; empty when they agree."""
    held = {id(p): name for group in groups for p, name in zip(group["params"], group["param_names"], strict=True)}
    owned = {id(p) for p in model.values()}
    left = [name for key, name in held.items() if key not in owned]
    missing = [name for name, p in model.items() if p.requires_grad and id(p) not in held]
    parts = []
    if left:
        parts.append(
            f"the optimizer holds {many(left, 'parameter')} no longer in the model: {_listed(left)}. A layer was "
            f"replaced after the optimizer had been made; make the optimizer afterwards"
        )
    if missing:
        parts.append(
            f"the optimizer lacks {many(missing, 'trainable parameter')} of the model: {_listed(missing)}. Add what "
            f"is lacking by add_param_group, or freeze it"
        )
    return "; ".join(parts)


def no_gradients(groups: Sequence[Mapping[str, Any]]) -> GradientError:
    """The error for a step in which no parameter has a gradient."""
    total = sum(len(group["params"]) for group in groups)
    frozen = not _without_gradient(groups)
    why = "all are frozen (requires_grad is False)" if frozen else "call loss.backward() before step()"
    return GradientError(
        f"step(): none of the {total} parameters has a gradient: {why}; or the loss was made from other Tensors "
        f"than these, e.g. from a copy of the model."
    )
