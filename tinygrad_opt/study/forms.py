"""Gradient descent's three forms side by side: all examples a step, one, or a few."""

from __future__ import annotations

from . import tasks
from .plan import Arm

__all__ = ["FORMS", "arms"]

FORMS: dict[int | None, str] = {0: "batch", None: "mini-batch", 1: "stochastic"}
"""Examples a step (0: all of them; None: as many as the task usually takes) → what that is called."""

# Steps as multiples of the study's: enough single examples for more than one epoch of the digits.
_STEPS = {0: 1, None: 1, 1: 6}


def arms(task: str, steps: int) -> tuple[Arm, ...]:
    """Plain gradient descent on a task, once in each form."""
    tasks.find(task)
    return tuple(Arm(task, "sgd", size, steps * _STEPS[size]) for size in FORMS)
