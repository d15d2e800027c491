"""What a step over a flat buffer is cut into: segments with a gradient each, and cohorts that step in time."""

from __future__ import annotations

from typing import Any

from ..kernels.rules import Batch
from .execute import Array

__all__ = ["Cohort", "Segment"]


class Segment:
    """Neighbouring parameters that are updated in one go: one large one, or small ones whose gradients are gathered."""

    __slots__ = ("first", "g", "inputs", "kept", "last", "new", "places", "scratch", "states", "value")

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last
        self.value: Array
        self.states: list[Array | None] = []
        self.kept: list[tuple[Array, int]] = []
        self.inputs: set[int] = set()
        self.scratch: Array | None = None
        self.places: list[Array] = []
        self.g: Any = None
        self.new: Any = None


class Cohort:
    """Segments that have made as many steps: one set of hyperparameters for all, and one call of a compiled rule."""

    __slots__ = ("batch", "choice", "clock", "hyper", "next_clock", "segments", "size", "steps", "tried", "values")

    def __init__(self, steps: int, clock: dict[str, float]) -> None:
        self.steps = steps
        self.clock = self.next_clock = clock
        self.segments: list[Segment] = []
        self.size = 0
        self.hyper: dict[str, Any] = {}
        self.values: dict[str, Any] | None = None
        self.tried: dict[str, Any] | None = None
        self.batch: Batch | None = None
        self.choice = ""

    def fits(self, steps: int, clock: dict[str, float]) -> bool:
        """Whether a parameter that has made so many steps belongs here."""
        return self.steps == steps and self.clock == clock
