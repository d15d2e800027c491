"""Gradient descent's three forms side by side: all examples a step, one, or a few."""

from __future__ import annotations

from . import tasks
from .runner import Arm

__all__ = ["FORMS", "arms"]

FORMS = {0: "batch", 32: "mini-batch", 1: "stochastic"}
"""Examples a step (0: all of them) → what that is called."""

# Steps as multiples of the study's: none of the forms gets so many that it takes much longer than the others.
_STEPS = {0: 1.0, 32: 1.0, 1: 6.0}


def arms(task: str, steps: int) -> tuple[Arm, ...]:
    """Plain gradient descent on a task, once in each form."""
    tasks.find(task)
    return tuple(Arm(task, "sgd", size, int(steps * _STEPS[size])) for size in FORMS)
