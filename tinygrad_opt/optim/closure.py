"""Calling the function that computes a loss anew, and telling a loss from such a function."""

from __future__ import annotations

from typing import Any

from ..autograd import enable_grad

__all__ = ["evaluate"]


def evaluate(closure: Any, caller: object) -> Any:
    """What a closure returns, with gradients recorded; None without one."""
    if closure is None:
        return None
    if not callable(closure):
        raise TypeError(
            f"{type(caller).__name__}.step takes a function that computes the loss and its gradients anew, or nothing; "
            f"got {type(closure).__name__}. With a loss in hand: loss.backward(), then step() without arguments."
        )
    with enable_grad():
        return closure()
