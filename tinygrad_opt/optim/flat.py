"""The executor for elementwise rules: a whole group in a few calls, whatever the number of its parameters.

The parameters lie end to end in one buffer, of which each ``p.data`` is a view, and so do the states. Small gradients
are gathered into a scratch buffer. A large parameter is run on its own gradient, in blocks that stay in the
processor's cache; as that writes while it goes, the rule is tried on one element before.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..kernels import kernels
from ..kernels.rules import LEAST, Batch, find
from .blocks import in_blocks
from .execute import Array, Executor, check_finite, checked_gradient, checked_result, keep_apart
from .rule import UpdateRule
from .segments import Cohort, Segment

__all__ = ["BLOCK", "LARGE", "Flat"]

LARGE = 32768
"""Parameters of at least this many elements are not gathered with others."""

BLOCK = 1 << 17
"""Elements that NumPy updates at once: few enough for temporaries to stay in the cache, many for calls to be cheap."""


class Flat(Executor):
    """Runs an elementwise rule on parameters of one dtype that lie in one buffer."""

    def __init__(self, rule: UpdateRule, params: Sequence[Tensor], labels: Sequence[str]) -> None:
        super().__init__(rule, params, labels)
        self.state: dict[str, Array] = {}
        self.cohorts: list[Cohort] = []
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
        for cohort in self.cohorts:
            for segment in cohort.segments:
                for position in range(segment.first, segment.last):
                    self.steps[position] = cohort.steps
                    self.clocks[position] = cohort.clock
        self.cohorts = []
        self.planned = None

    def plan(self, values: Mapping[str, Any], active: tuple[bool, ...]) -> None:
        """Find the cohorts and their segments, allocate what is not there yet, and cut the views of a step."""
        self.settle()
        kept = [name for name, wanted in zip(self.rule.state, active, strict=True) if wanted]
        for name in kept:
            self.allocate(name, values)
        gone = set(self.missing)
        cohorts: list[Cohort] = []
        for i, p in enumerate(self.params):
            if i in gone:
                continue
            checked_gradient(self.gradients[i], self.views[i], self.labels[i])
            steps, clock = self.steps[i], self.clocks[i]
            cohort = next((one for one in cohorts if one.fits(steps, clock)), None)
            if cohort is None:
                cohort = Cohort(steps, clock)
                cohorts.append(cohort)
            cohort.size += p.size
            last = cohort.segments[-1] if cohort.segments else None
            if last is not None and last.last == i and max(self.params[i - 1].size, p.size) < LARGE:
                last.last = i + 1
            else:
                cohort.segments.append(Segment(i, i + 1))
        for cohort in cohorts:
            for segment in cohort.segments:
                self.cut(segment, kept)
        self.cohorts = cohorts
        self.planned, self.active = self.missing, active

    def cut(self, segment: Segment, kept: Sequence[str]) -> None:
        """Cut the views that a step works on."""
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
        self.suspected = False
        for cohort in self.cohorts:
            self.prepare_cohort(cohort, values, check)

    def prepare_cohort(self, cohort: Cohort, values: dict[str, Any], check: bool) -> None:
        """Gather, check, and compute the new values; or find out that computing them in place will work."""
        if cohort.values is not values or self.rule.advance is not None:
            cohort.hyper, cohort.next_clock = self.hyper(values, cohort.steps, cohort.clock)
            cohort.values, cohort.choice = values, ""
        elif self.rule.counts:
            cohort.hyper["t"] = cohort.steps + 1
        batch = cohort.batch
        if cohort.size >= LEAST and (batch is None or batch.kernel.timed or cohort.choice != kernels()):
            batch = self.choose(cohort)
        for segment in cohort.segments:
            segment.g = self.gather(segment)
            segment.new = None
        if batch is None:
            for segment in cohort.segments:
                self.prepare_segment(segment, cohort, check)
            cohort.tried = values
            return
        batch.renew([segment.g for segment in cohort.segments], cohort.hyper)
        if (check or not batch.watches) and batch.not_finite():
            self.suspected = True
            if check:
                for segment in cohort.segments:
                    self.check(segment)

    def choose(self, cohort: Cohort) -> Batch | None:
        """Find a cohort's compiled rule, or None where NumPy's is to run."""
        kernel = find(self.rule, cohort.hyper, self.dtype, cohort.size, self.value.size)
        if kernel is None:
            cohort.batch = None
        elif cohort.batch is None or cohort.batch.kernel is not kernel:
            cohort.batch = Batch(kernel, [(s.value, s.states) for s in cohort.segments])
        cohort.choice = kernels()
        return cohort.batch

    def prepare_segment(self, segment: Segment, cohort: Cohort, check: bool) -> None:
        """For NumPy: compute the new values of a small segment; try the rule on one element of a large one."""
        g, hyper = segment.g, cohort.hyper
        large = g.size > BLOCK
        if (check or not large) and not math.isfinite(g.dot(g)):
            self.suspected = True
            if check:
                self.check(segment)
        if large:
            self.run_part(segment, hyper, slice(0, 1))
            return
        new = self.rule.function(segment.value, g, *segment.states, **hyper)
        if cohort.tried is not cohort.values:
            segment.new = checked_result(self.rule, new, segment.value, segment.states)
            return
        segment.new = new = new if new.__class__ is tuple else (new,)
        for result in new:
            if id(result) in segment.inputs:
                segment.new = keep_apart([*new], segment.value, segment.states)
                break

    def check(self, segment: Segment) -> None:
        """Raise GradientError when a gradient of the segment is not finite."""
        for i in range(segment.first, segment.last):
            check_finite(self.gradients[i], self.labels[i])

    def gather(self, segment: Segment) -> Array:
        """The gradients of a segment, end to end."""
        if segment.scratch is not None:
            for place, gradient in zip(segment.places, self.gradients[segment.first : segment.last], strict=True):
                place[...] = gradient  # half the time that np.concatenate takes
            return segment.scratch
        first = segment.first
        return checked_gradient(self.gradients[first], self.views[first], self.labels[first]).reshape(-1)

    def commit(self) -> None:
        for cohort in self.cohorts:
            if cohort.batch is not None:
                self.suspected |= cohort.batch.run()
            else:
                for segment in cohort.segments:
                    self.write(segment, cohort)
            for segment in cohort.segments:
                segment.g = None
            cohort.steps += 1
            cohort.clock = cohort.next_clock
        self.gradients = []

    def write(self, segment: Segment, cohort: Cohort) -> None:
        """Write what NumPy has computed for a small segment; compute and write a large one block by block."""
        if segment.new is not None:
            for array, place in segment.kept:
                array[...] = segment.new[place]
            segment.new = None
            return
        write = functools.partial(self.write_part, segment, cohort.hyper)
        self.suspected |= in_blocks(segment.g.size, BLOCK, write)

    def write_part(self, segment: Segment, hyper: dict[str, Any], part: slice) -> bool:
        """Compute and write a part of a large segment; whether its gradient may hold a NaN or an infinity."""
        g = segment.g[part]
        value, states, new = self.run_part(segment, hyper, part)
        value[...] = new[0]
        for state, result in zip(states, new[1:], strict=True):
            if state is not None:
                state[...] = result
        return not math.isfinite(g.dot(g))

    def run_part(self, segment: Segment, hyper: dict[str, Any], part: slice) -> tuple[Array, list[Any], list[Any]]:
        """The rule on a part of a segment: the part's values and states, and what becomes of them."""
        value = segment.value[part]
        states = [None if state is None else state[part] for state in segment.states]
        new = self.rule.function(value, segment.g[part], *states, **hyper)
        return value, states, checked_result(self.rule, new, value, states)

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
