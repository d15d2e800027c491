"""The executor for elementwise rules: a whole group in a few calls, whatever the number of its parameters.

The parameters lie end to end in one buffer, of which each ``p.data`` is a view, and so do the states. Small gradients
are gathered into a scratch buffer. A large parameter is run on its own gradient, in blocks that stay in the
processor's cache; as that writes while it goes, the rule is tried on one element before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..kernels.rules import LEAST, Batch, find, not_finite, run, together
from .execute import Array, Executor, check_finite, checked_gradient, checked_result, keep_apart
from .rule import UpdateRule

__all__ = ["BLOCK", "LARGE", "Flat"]

LARGE = 32768
"""Parameters of at least this many elements are not gathered with others."""

BLOCK = 32768
"""Elements that are updated at once, so that the temporaries of a rule stay in the cache."""


class Segment:
    """Neighbouring parameters that are updated in one go: all have a gradient and the same step count."""

    __slots__ = (
        "clock", "first", "g", "hyper", "inputs", "kept", "kernel", "last", "new", "next_clock", "places", "scratch",
        "seen", "states", "steps", "value",
    )  # fmt: skip

    def __init__(self, first: int, last: int, steps: int, clock: dict[str, float]) -> None:
        self.first = first
        self.last = last
        self.steps = steps
        self.clock = self.next_clock = clock
        self.value: Array
        self.states: list[Array | None] = []
        self.kept: list[tuple[Array, int]] = []
        self.inputs: set[int] = set()
        self.scratch: Array | None = None
        self.places: list[Array] = []
        self.g: Array
        self.hyper: dict[str, Any] = {}
        self.seen: dict[str, Any] | None = None
        self.new: Sequence[Any] | None = None
        self.kernel: Any = None


class Flat(Executor):
    """Runs an elementwise rule on parameters of one dtype that lie in one buffer."""

    def __init__(self, rule: UpdateRule, params: Sequence[Tensor], labels: Sequence[str]) -> None:
        super().__init__(rule, params, labels)
        self.state: dict[str, Array] = {}
        self.segments: list[Segment] = []
        self.compiled: list[Batch] = []
        self.planned: list[int] | None = None
        self.active: tuple[bool, ...] = ()
        self.values: dict[str, Any] | None = None
        self.offsets: list[int] = [0]
        self.value = np.empty(0, self.dtype)
        self.adopt()

    # Layout

    def adopt(self) -> None:
        """Copy the parameters into one buffer and make each ``p.data`` a view of it."""
        self.check_shapes()
        arrays = [np.asarray(p.data) for p in self.params]  # p.data * 0.5 of no axes is a scalar, not an array
        owners: dict[int, str] = {}
        for array, label in zip(arrays, self.labels, strict=True):
            owner = owners.setdefault(array.__array_interface__["data"][0], label) if array.size else label
            if owner is not label:
                raise ValueError(f"{owner} and {label} share memory; to tie them, use the same Tensor in both places.")
        buffer = np.concatenate([array.reshape(-1) for array in arrays])
        offsets = [0]
        views = []
        for p in self.params:
            offsets.append(offsets[-1] + p.size)
            views.append(buffer[offsets[-2] : offsets[-1]].reshape(p.shape))
        self.settle()
        self.value, self.offsets, self.views = buffer, offsets, views
        for p, view in zip(self.params, views, strict=True):
            p.data = view
        self.moved = False

    def settle(self) -> None:
        for segment in self.segments:
            for position in range(segment.first, segment.last):
                self.steps[position] = segment.steps
                self.clocks[position] = segment.clock
        self.segments = []
        self.planned = None

    def plan(self, values: Mapping[str, Any], active: tuple[bool, ...]) -> None:
        """Find the segments, allocate what is not there yet, and cut the views that a step works on."""
        self.settle()
        kept = [name for name, wanted in zip(self.rule.state, active, strict=True) if wanted]
        for name in kept:
            self.allocate(name, values)
        gone = set(self.missing)
        segments: list[Segment] = []
        for i, p in enumerate(self.params):
            if i in gone:
                continue
            if segments and p.size < LARGE and self.joins(segments[-1], i):
                segments[-1].last = i + 1
            else:
                segments.append(Segment(i, i + 1, self.steps[i], self.clocks[i]))
        for segment in segments:
            for i in range(segment.first, segment.last):
                checked_gradient(self.gradients[i], self.views[i], self.labels[i])
            low, high = self.offsets[segment.first], self.offsets[segment.last]
            segment.value = self.value[low:high]
            segment.states = [self.state[n][low:high] if n in kept else None for n in self.rule.state]
            segment.kept = [(array, i) for i, array in enumerate((segment.value, *segment.states)) if array is not None]
            segment.inputs = {id(array) for array, _ in segment.kept} if len(segment.kept) > 1 else set()
            if segment.last - segment.first > 1:
                segment.scratch = np.empty(high - low, self.dtype)
                segment.places = [
                    segment.scratch[self.offsets[i] - low : self.offsets[i + 1] - low].reshape(self.views[i].shape)
                    for i in range(segment.first, segment.last)
                ]
        self.segments = segments
        self.planned, self.active = self.missing, active

    def joins(self, segment: Segment, i: int) -> bool:
        """Whether parameter i may be updated together with the segment before it."""
        return (
            segment.last == i
            and self.params[i - 1].size < LARGE
            and self.steps[i] == segment.steps
            and self.clocks[i] == segment.clock
        )

    def allocate(self, name: str, values: Mapping[str, Any]) -> None:
        """Make a state, and fill it for the parameters that have not made a step."""
        init = self.rule.init.get(name)
        fill = values[init] if isinstance(init, str) else 0.0
        if name not in self.state:
            self.state[name] = np.full(self.value.size, fill, self.dtype)
        for i, steps in enumerate(self.steps):
            if not steps and fill:
                self.state[name][self.offsets[i] : self.offsets[i + 1]] = fill

    # The step

    def prepare(self, values: dict[str, Any], check: bool) -> None:
        if self.moved:
            self.adopt()
        if values is not self.values or self.missing != self.planned:
            active = self.rule.active(values)
            if self.missing != self.planned or active != self.active:
                self.plan(values, active)
            self.values = values
        for segment in self.segments:
            self.prepare_segment(segment, values, check)
        compiled = [segment for segment in self.segments if segment.kernel is not None]
        self.compiled = []  # also what a step has left that failed
        if compiled:
            self.compiled = together([s.kernel.bind(s.value, s.g, s.states, s.hyper) for s in compiled])
            if check and not_finite(self.compiled):
                for segment in compiled:
                    self.check(segment)

    def check(self, segment: Segment) -> None:
        """Raise GradientError when a gradient of the segment is not finite."""
        for i in range(segment.first, segment.last):
            check_finite(self.gradients[i], self.labels[i])

    def prepare_segment(self, segment: Segment, values: dict[str, Any], check: bool) -> None:
        """Gather, check, and compute the new values; or find out that computing them in place will work."""
        g = segment.g = self.gather(segment)
        if segment.seen is not values or self.rule.advance is not None:
            segment.hyper, segment.next_clock = self.hyper(values, segment.steps, segment.clock)
        elif self.rule.counts:
            segment.hyper["t"] = segment.steps + 1
        segment.new = None
        segment.kernel = None
        if g.size >= LEAST:
            segment.kernel = find(self.rule, segment.hyper, self.dtype, g.size, self.value.size)
        if segment.kernel is not None:
            return  # and it is checked with the others that are compiled
        if check and not math.isfinite(g.dot(g)):
            self.check(segment)
        if g.size > BLOCK:
            self.run_part(segment, slice(0, 1))
            return
        new = self.rule.function(segment.value, g, *segment.states, **segment.hyper)
        if segment.seen is not values:
            segment.new = checked_result(self.rule, new, segment.value, segment.states)
            segment.seen = values
            return
        segment.new = new = new if new.__class__ is tuple else (new,)
        for result in new:
            if id(result) in segment.inputs:
                segment.new = keep_apart([*new], segment.value, segment.states)
                break

    def gather(self, segment: Segment) -> Array:
        """The gradients of a segment, end to end."""
        if segment.scratch is not None:
            for place, gradient in zip(segment.places, self.gradients[segment.first : segment.last], strict=True):
                place[...] = gradient  # half the time that np.concatenate takes
            return segment.scratch
        first = segment.first
        return checked_gradient(self.gradients[first], self.views[first], self.labels[first]).reshape(-1)

    def commit(self) -> None:
        for segment in self.segments:
            if segment.new is not None:
                for array, place in segment.kept:
                    array[...] = segment.new[place]
                segment.new = None
            elif segment.kernel is None:
                self.run_blocks(segment)
            segment.steps += 1
            segment.clock = segment.next_clock
        if self.compiled:
            run(self.compiled)
            self.compiled = []

    def run_part(self, segment: Segment, part: slice) -> tuple[Array, list[Any], list[Any]]:
        """The rule on a part of a segment: the part's values and states, and what becomes of them."""
        value = segment.value[part]
        states = [None if state is None else state[part] for state in segment.states]
        new = self.rule.function(value, segment.g[part], *states, **segment.hyper)
        return value, states, checked_result(self.rule, new, value, states)

    def run_blocks(self, segment: Segment) -> None:
        """Run the rule block by block, writing as it goes."""
        for low in range(0, segment.g.size, BLOCK):
            value, states, new = self.run_part(segment, slice(low, low + BLOCK))
            value[...] = new[0]
            for state, result in zip(states, new[1:], strict=True):
                if state is not None:
                    state[...] = result

    # Access to the state of one parameter

    def read(self, position: int) -> dict[str, Any]:
        low, high, shape = self.offsets[position], self.offsets[position + 1], self.views[position].shape
        return {name: array[low:high].reshape(shape) for name, array in self.state.items()}

    def forget(self, position: int) -> None:
        self.settle()
        self.steps[position] = 0
        self.clocks[position] = self.rule.first_clock()
        for array in self.read(position).values():
            array[...] = 0

    def restore(self, position: int, steps: int, clock: dict[str, float], arrays: Mapping[str, Any]) -> None:
        self.settle()
        self.steps[position] = steps
        self.clocks[position] = {**self.rule.first_clock(), **clock}
        for name, array in arrays.items():
            if name not in self.state:
                self.state[name] = np.zeros(self.value.size, self.dtype)
            self.read(position)[name][...] = array
