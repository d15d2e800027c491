"""Running an update rule on the parameters of a group, all of them or none.

`Flat` is for elementwise rules: the parameters of one dtype lie end to end in one buffer, of which each ``p.data``
is a view, and the states likewise; so a step over many small parameters costs a few NumPy calls. `Each` is for rules
that look at shapes: it runs them on each parameter by itself. Both work in two phases. `prepare` does all that can
fail, gradients checked and new values computed; `commit` writes.

Gradients are gathered into a scratch buffer where they are small. A large parameter is run on its own gradient, in
blocks that stay in the processor's cache; that writes as it goes, so the rule is tried on one element before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..errors import GradientError, ShapeError
from .rule import UpdateRule

__all__ = ["BLOCK", "LARGE", "Each", "Flat", "Segment"]

Array = np.ndarray[Any, Any]

LARGE = 32768
"""Parameters of at least this many elements are not gathered with others."""

BLOCK = 32768
"""Elements that are updated at once, so that the temporaries of a rule stay in the cache."""


class Segment:
    """Neighbouring parameters that are updated in one go: all have a gradient and the same step count."""

    __slots__ = ("arrays", "clock", "first", "last", "new", "scratch", "size", "steps", "value")

    def __init__(self, first: int, last: int, steps: int, clock: dict[str, float]) -> None:
        self.first = first
        self.last = last
        self.steps = steps
        self.clock = clock
        self.scratch: Array | None = None
        self.value: Array
        self.arrays: list[Array | None] = []
        self.size = 0
        self.new: Any = None


def checked_gradient(gradient: Array, parameter: Array, label: str) -> Array:
    """A gradient in its parameter's shape and dtype, or an error that names the parameter."""
    if gradient.shape != parameter.shape:
        raise ShapeError(
            f"step(): {label} has shape {parameter.shape}, its gradient {gradient.shape}. After a change of shape call "
            f"zero_grad() and run backward() again."
        )
    if gradient.dtype == parameter.dtype:
        return gradient
    if gradient.dtype.kind not in "fiu":
        raise GradientError(f"step(): {label} is {parameter.dtype}, its gradient {gradient.dtype}.")
    return gradient.astype(parameter.dtype)


class Group:
    """What both executors share: the parameters, their step counts and clocks, and which have a gradient."""

    def __init__(self, rule: UpdateRule, params: Sequence[Tensor], labels: Sequence[str]) -> None:
        self.rule = rule
        self.params = list(params)
        self.labels = list(labels)
        self.steps = [0] * len(params)
        self.clocks = [rule.first_clock() for _ in params]
        self.gradients: list[Any] = []
        self.leaves: list[Any] = []
        self.missing: list[int] = []
        self.summed: int | None = None
        self.segments: list[Segment] = []

    def collect(self) -> None:
        """Look at every parameter: which have a gradient, whose were summed over several passes."""
        gradients: list[Any] = []
        leaves: list[Any] = []
        missing: list[int] = []
        for position, p in enumerate(self.params):
            leaf: Any = p._node
            if leaf is None or (gradient := leaf.grad) is None:
                missing.append(position)
                gradients.append(None)
                continue
            if leaf.passes > 1 and self.summed is None:
                self.summed = position
            gradients.append(gradient.data)
            leaves.append(leaf)
        self.gradients = gradients
        self.leaves = leaves
        self.missing = missing

    def hyper(self, segment: Segment, values: dict[str, Any]) -> dict[str, Any]:
        """The rule's keyword arguments for one segment's next step."""
        values = values.copy()
        values["t"] = segment.steps + 1
        if self.rule.advance is not None:
            values |= (clock := self.rule.advance(**values, **segment.clock))
            segment.new = clock
        return {name: values[name] for name in self.rule.hyper}


class Flat(Group):
    """The executor for elementwise rules, over parameters of one dtype."""

    def __init__(self, rule: UpdateRule, params: Sequence[Tensor], labels: Sequence[str]) -> None:
        super().__init__(rule, params, labels)
        self.dtype = params[0].dtype
        self.state: dict[str, Array] = {}
        self.planned_missing: list[int] | None = None
        self.planned_active: tuple[bool, ...] = ()
        self.views: list[Array] = []
        self.offsets: list[int] = [0]
        self.value = np.empty(0, self.dtype)
        self.adopt()

    # Layout

    def adopt(self) -> None:
        """Copy the parameters into one buffer and make each ``p.data`` a view of it."""
        owners: dict[int, str] = {}
        for p, label in zip(self.params, self.labels, strict=True):
            if p.dtype != self.dtype:
                raise TypeError(
                    f"step(): {label} has become {p.dtype}; the optimizer was made for {self.dtype}. Make a new "
                    f"optimizer after a change of dtype."
                )
            other = owners.setdefault(p.data.__array_interface__["data"][0], label) if p.size else label
            if other is not label:
                raise ValueError(f"{other} and {label} share memory; tie them by using the same Tensor in both places.")
        shapes = [view.shape for view in self.views]
        for p, label, shape in zip(self.params, self.labels, shapes, strict=False):
            if p.shape != shape:
                raise ShapeError(
                    f"step(): {label} had shape {shape} and now has {p.shape}. Make a new optimizer, since its state "
                    f"belongs to the old shape."
                )
        buffer = np.concatenate([p.data.reshape(-1) for p in self.params])
        offsets = [0]
        views = []
        for p in self.params:
            offsets.append(offsets[-1] + p.size)
            views.append(buffer[offsets[-2] : offsets[-1]].reshape(p.shape))
        self.value, self.offsets, self.views = buffer, offsets, views
        for p, view in zip(self.params, views, strict=True):
            p.data = view
        self.save_plan()

    def save_plan(self) -> None:
        """Write the step counts back to the parameters and forget the plan."""
        for segment in self.segments:
            for position in range(segment.first, segment.last):
                self.steps[position] = segment.steps
                self.clocks[position] = segment.clock
        self.segments = []
        self.planned_missing = None

    def plan(self, values: Mapping[str, Any], active: tuple[bool, ...]) -> None:
        """Find the segments, allocate what is not there yet, and cut the views that a step works on."""
        self.save_plan()
        rule = self.rule
        for name, wanted in zip(rule.state, active, strict=True):
            if not wanted:
                continue
            fill = values[rule.init[name]] if name in rule.init else 0.0  # type: ignore[index]
            if name not in self.state:
                self.state[name] = np.full(self.value.size, fill, self.dtype)
            elif fill:
                for i in range(len(self.params)):
                    if not self.steps[i]:
                        self.state[name][self.offsets[i] : self.offsets[i + 1]] = fill
        gone = set(self.missing)
        segments: list[Segment] = []
        for i, p in enumerate(self.params):
            if i in gone:
                continue
            last = segments[-1] if segments else None
            if (
                last is not None
                and last.last == i
                and p.size < LARGE
                and self.params[i - 1].size < LARGE
                and self.steps[i] == last.steps
                and self.clocks[i] == last.clock
            ):
                last.last = i + 1
            else:
                segments.append(Segment(i, i + 1, self.steps[i], self.clocks[i]))
        for segment in segments:
            low, high = self.offsets[segment.first], self.offsets[segment.last]
            segment.size = high - low
            segment.value = self.value[low:high]
            segment.arrays = [
                self.state[name][low:high] if wanted else None for name, wanted in zip(rule.state, active, strict=True)
            ]
            if segment.last - segment.first > 1:
                segment.scratch = np.empty(segment.size, self.dtype)
        self.segments = segments
        self.planned_missing = self.missing
        self.planned_active = active

    # The step

    def prepare(
        self, values: dict[str, Any], check: bool, compiled: Callable[..., Any] | None
    ) -> list[Callable[[], None]]:
        """Do all that can fail; return what writes the new values."""
        for p, view in zip(self.params, self.views, strict=True):
            if p.data is not view:
                self.adopt()
                break
        active = self.rule.active(values) if self.rule.when else (True,) * len(self.rule.state)
        if self.missing != self.planned_missing or active != self.planned_active:
            self.plan(values, active)
        return [self.prepare_segment(segment, values, check, compiled) for segment in self.segments]

    def prepare_segment(
        self, segment: Segment, values: dict[str, Any], check: bool, compiled: Callable[..., Any] | None
    ) -> Callable[[], None]:
        """The work of one segment: a function that writes what was computed, or computes it in place."""
        g = self.gather(segment)
        if check and not math.isfinite(g.dot(g)):
            self.check_finite(segment)
        hyper = self.hyper(segment, values)
        if compiled is not None:
            kernel = compiled(self.rule, hyper, self.dtype, segment.size)
            if kernel is not None:
                return lambda: self.run_kernel(kernel, segment, g, hyper)
        if segment.size > BLOCK:
            self.compute(segment, slice(0, 1), g, hyper)
            return lambda: self.run_blocks(segment, g, hyper)
        new = self.compute(segment, slice(None), g, hyper)
        return lambda: self.write(segment, new)

    def gather(self, segment: Segment) -> Array:
        """The gradients of a segment, end to end."""
        gradients = self.gradients[segment.first : segment.last]
        if segment.scratch is None:
            first = segment.first
            return checked_gradient(gradients[0], self.views[first], self.labels[first]).reshape(-1)
        for i, gradient in enumerate(gradients, segment.first):
            if gradient.shape != self.views[i].shape or gradient.dtype is not self.dtype:
                gradients[i - segment.first] = checked_gradient(gradient, self.views[i], self.labels[i])
        return np.concatenate(gradients, axis=None, out=segment.scratch)

    def check_finite(self, segment: Segment) -> None:
        """Raise GradientError for the first parameter of a segment with a NaN or an infinity in its gradient."""
        for i in range(segment.first, segment.last):
            check_finite(self.gradients[i], self.labels[i])

    def compute(self, segment: Segment, part: slice, g: Array, hyper: dict[str, Any]) -> Sequence[Any]:
        """The rule on a part of a segment, its result checked."""
        value = segment.value[part]
        states = [None if array is None else array[part] for array in segment.arrays]
        return checked_result(self.rule, self.rule.function(value, g[part], *states, **hyper), value, states)

    def write(self, segment: Segment, new: Sequence[Any]) -> None:
        segment.value[...] = new[0]
        for array, result in zip(segment.arrays, new[1:], strict=True):
            if array is not None:
                array[...] = result
        self.advance(segment)

    def run_blocks(self, segment: Segment, g: Array, hyper: dict[str, Any]) -> None:
        function, value = self.rule.function, segment.value
        kept = [array is not None for array in segment.arrays]
        for low in range(0, segment.size, BLOCK):
            part = slice(low, low + BLOCK)
            states = [None if array is None else array[part] for array in segment.arrays]
            new = function(value[part], g[part], *states, **hyper)
            if not isinstance(new, tuple):
                new = (new,)
            value[part] = new[0]
            for keep, state, result in zip(kept, states, new[1:], strict=True):
                if keep:
                    state[...] = result  # type: ignore[index]
        self.advance(segment)

    def run_kernel(self, kernel: Any, segment: Segment, g: Array, hyper: dict[str, Any]) -> None:
        kernel(segment.value, g, segment.arrays, hyper)
        self.advance(segment)

    def advance(self, segment: Segment) -> None:
        segment.steps += 1
        if segment.new is not None:
            segment.clock, segment.new = segment.new, None

    # Access to the state of one parameter

    def forget(self, position: int) -> None:
        """Put one parameter back to before its first step."""
        self.save_plan()
        self.steps[position] = 0
        self.clocks[position] = self.rule.first_clock()
        for array in self.read(position).values():
            array[...] = 0

    def read(self, position: int) -> dict[str, Array]:
        """Views of one parameter's states."""
        low, high, shape = self.offsets[position], self.offsets[position + 1], self.params[position].shape
        return {name: array[low:high].reshape(shape) for name, array in self.state.items()}

    def restore(self, position: int, steps: int, clock: dict[str, float], arrays: Mapping[str, Array]) -> None:
        """Set one parameter's step count and states."""
        self.save_plan()
        self.steps[position] = steps
        self.clocks[position] = {**self.rule.first_clock(), **clock}
        for name, array in arrays.items():
            if name not in self.state:
                self.state[name] = np.zeros(self.value.size, self.dtype)
            self.read(position)[name][...] = array


class Each(Group):
    """The executor for rules that look at a parameter as a whole."""

    def __init__(self, rule: UpdateRule, params: Sequence[Tensor], labels: Sequence[str]) -> None:
        super().__init__(rule, params, labels)
        self.states: list[dict[str, Any]] = [{} for _ in params]

    def save_plan(self) -> None:
        """Nothing is planned ahead here."""

    def prepare(
        self, values: dict[str, Any], check: bool, compiled: Callable[..., Any] | None
    ) -> list[Callable[[], None]]:
        """Compute the new values of every parameter; return what writes them."""
        return [self.prepare_one(i, values, check) for i, gradient in enumerate(self.gradients) if gradient is not None]

    def prepare_one(self, i: int, values: dict[str, Any], check: bool) -> Callable[[], None]:
        p, rule, label = self.params[i], self.rule, self.labels[i]
        g = checked_gradient(self.gradients[i], p.data, label)
        if check and not math.isfinite(g.reshape(-1).dot(g.reshape(-1))):
            check_finite(g, label)
        segment = Segment(i, i + 1, self.steps[i], self.clocks[i])
        hyper = self.hyper(segment, values)
        old = self.states[i]
        states = []
        for name, wanted in zip(rule.state, rule.active(values), strict=True):
            state = old.get(name) if wanted else None
            states.append(self.first_state(name, p.data, values) if wanted and state is None else state)
        for array in states:
            if isinstance(array, np.ndarray) and array.shape == p.shape and array.dtype != p.dtype:
                raise TypeError(f"step(): {label} has become {p.dtype}, its state is {array.dtype}.")
        new = checked_result(rule, rule.function(p.data, g, *states, **hyper), p.data, states)

        def commit() -> None:
            p.data[...] = new[0]
            kept = zip(rule.state, new[1:], strict=True)
            self.states[i] = {name: value for name, value in kept if value is not None}
            self.steps[i] += 1
            if segment.new is not None:
                self.clocks[i] = segment.new

        return commit

    def first_state(self, name: str, p: Array, values: Mapping[str, Any]) -> Any:
        init = self.rule.init.get(name, 0.0)
        if callable(init):
            return init(p)
        return np.full_like(p, values[init] if isinstance(init, str) else init)

    def forget(self, position: int) -> None:
        """Put one parameter back to before its first step."""
        self.steps[position] = 0
        self.clocks[position] = self.rule.first_clock()
        self.states[position] = {}

    def read(self, position: int) -> dict[str, Any]:
        """One parameter's states."""
        return self.states[position]

    def restore(self, position: int, steps: int, clock: dict[str, float], arrays: Mapping[str, Any]) -> None:
        """Set one parameter's step count and states."""
        self.steps[position] = steps
        self.clocks[position] = {**self.rule.first_clock(), **clock}
        self.states[position] = {name: np.array(array) for name, array in arrays.items()}


def check_finite(gradient: Array, label: str) -> None:
    """Raise GradientError when a gradient holds a NaN or an infinity."""
    finite = np.isfinite(gradient)
    if finite.all():
        return
    count = int(finite.size - np.count_nonzero(finite))
    place = tuple(int(i) for i in np.argwhere(~finite)[0])
    raise GradientError(
        f"step(): the gradient of {label} has {count} of {finite.size} elements that are not finite, the first "
        f"{gradient[place]} at {place}; nothing was updated. Look for log(0), division by 0, or a learning rate "
        f"that is too large; or pass error_if_nonfinite=False to go on regardless."
    )


def checked_result(rule: UpdateRule, new: Any, value: Array, states: Sequence[Any]) -> Sequence[Any]:
    """What a rule returned, as a sequence of arrays in the shapes and dtype that it was given."""
    new = new if isinstance(new, tuple) else (new,)
    if len(new) != 1 + len(states):
        raise TypeError(
            f"update rule {rule.__name__} returned {len(new)} values; it must return the parameter and its states, "
            f"{1 + len(states)} in all."
        )
    for name, result, old in zip(("p", *rule.state), new, (value, *states), strict=True):
        if old is None or not (rule.elementwise or name == "p"):
            continue
        result_dtype = getattr(result, "dtype", None)
        if getattr(result, "shape", None) != old.shape or (result_dtype is not old.dtype and result_dtype != old.dtype):
            raise TypeError(
                f"update rule {rule.__name__} returned for {name} {type(result).__name__} of shape "
                f"{getattr(result, 'shape', ())} and dtype {result_dtype}; it was given {old.shape}, {old.dtype}."
            )
    return new
