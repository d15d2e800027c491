"""Recording: every array a step computes, and from which arrays, while the step runs as it always does.

The forward functions of all primitives are watched. The backward pass is run here, with the same gradient rules on
Tensors, so that a rule's own operations are seen as well; a rule that gives the gradients of a fused operation all
together is kept whole.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autograd.graph import fit_gradient
from ..autograd.modes import no_grad
from ..autograd.node import Leaf, Node
from ..autograd.primitive import Primitive
from ..autograd.registry import implementations, primitives
from ..autograd.tensor import Tensor, as_array, new_tensor
from ..errors import GradientError

__all__ = ["Call", "CompileError", "Recorder", "recording"]


class CompileError(RuntimeError):
    """A step that cannot be recorded and replayed, with the reason and the mend."""


class Call:
    """One entry of a recording: a function, what it takes, and the arrays that it makes.

    Attributes
    ----------
    kind : {"forward", "gradient", "step"}
    name : str
    function : callable
    inputs, kwargs
        Arrays, numbers and options, nested as the function takes them.
    outputs : list of ndarray
    """

    __slots__ = ("function", "inputs", "kind", "kwargs", "name", "outputs")

    def __init__(
        self,
        kind: str,
        name: str,
        function: Callable[..., Any],
        inputs: Any,
        kwargs: dict[str, Any],
        outputs: list[Any],
    ) -> None:
        self.kind, self.name, self.function = kind, name, function
        self.inputs, self.kwargs, self.outputs = inputs, kwargs, outputs


class Recorder:
    """What one run of a step has done."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.made: dict[int, np.ndarray[Any, Any]] = {}  # by id; holding them keeps the ids from being used again
        self.leaves: dict[Leaf, None] = {}  # those whose grad the step has set
        self.depth = 0

    def watch(self, op: Primitive, forward: Callable[..., Any]) -> Callable[..., Any]:
        """A forward function that notes its calls in the thread that records."""
        thread = threading.get_ident()

        @functools.wraps(forward)
        def watched(*inputs: Any, **kwargs: Any) -> Any:
            if self.depth or threading.get_ident() != thread:
                return forward(*inputs, **kwargs)
            self.depth += 1
            try:
                out = forward(*inputs, **kwargs)
            finally:
                self.depth -= 1
            out = tuple([np.asarray(part) for part in out]) if isinstance(out, tuple) else np.asarray(out)
            self.note("forward", op.name, forward, inputs, kwargs, out)
            return out

        return watched

    def note(self, kind: str, name: str, function: Any, inputs: Any, kwargs: dict[str, Any], out: Any) -> None:
        """Add an entry."""
        outputs = list(out) if isinstance(out, tuple) else [out]
        for array in outputs:
            if array is not None:
                self.made[id(array)] = array
        self.calls.append(Call(kind, name, function, inputs, kwargs, outputs))

    # The backward pass

    def backward(
        self,
        outputs: Sequence[Tensor],
        gradients: Sequence[Any] | None = None,
        *,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Stands for ``Tensor.backward`` while recording: the same rules in the same order."""
        if create_graph:
            raise CompileError("compile: a step that differentiates its own gradients cannot be recorded.")
        waiting: dict[int, tuple[Any, Any]] = {}
        for output, given in zip(outputs, gradients or [None] * len(outputs), strict=True):
            if output._node is None or (given is None and output.size != 1):
                raise GradientError("compile: backward() needs a scalar that requires a gradient, or a gradient.")
            start = _one(output.shape, output.dtype) if given is None else as_array(given, output.dtype)
            _arrive(waiting, output._node, new_tensor(start, None))
        with no_grad():
            while waiting:
                node, g = waiting.pop(max(waiting))
                if isinstance(node, Leaf):
                    self.reach(node, g)
                else:
                    for parent, gradient in self.pull(node, g):
                        _arrive(waiting, parent, gradient)

    def reach(self, leaf: Leaf, gradient: Any) -> None:
        """Add a gradient to a leaf's."""
        if leaf.hooks:
            raise CompileError(f"compile: {_named(leaf)} has a gradient hook, which a replay would not run.")
        if leaf.grad is not None:
            if id(leaf.grad.data) not in self.made:
                raise CompileError(
                    f"compile: {_named(leaf)} has a gradient from before the step. Call zero_grad() first in the step."
                )
            gradient = np.add(leaf.grad, gradient)
        elif id(gradient.data) not in self.made or gradient.data.base is not None or self.shares(gradient):
            gradient = np.copy(gradient)
        leaf.grad = gradient
        leaf.passes += 1
        self.leaves[leaf] = None

    def shares(self, gradient: Tensor) -> bool:
        """Whether another leaf has got the same array."""
        return any(leaf.grad is not None and leaf.grad.data is gradient.data for leaf in self.leaves)

    def pull(self, node: Node, g: Any) -> Iterator[tuple[Any, Any]]:
        """A node's parents, each with the gradient that goes there, as Tensors."""
        op = node.primitive
        if node.extras is not None and (node.extras.hooks or node.extras.retain):
            raise CompileError(f"compile: '{op.name}' has a gradient hook or retains its gradient; remove it.")
        if op.name == "[i]":
            parts = [None] * node.kwargs["count"]
            parts[node.kwargs["index"]] = g
            yield node.parents[0], tuple(parts)
            return
        if isinstance(g, tuple):
            g = tuple([_zero(o.shape, o.dtype) if part is None else part for part, o in zip(g, node.output)])  # noqa: B905
        known: Sequence[Any] = self.together(node, g) if op.joint is not None else ()
        for place, parent in enumerate(node.parents):
            if parent is None:
                continue
            gradient: Any
            if known:
                gradient = new_tensor(known[place], None)
            else:
                rule = functools.partial(op.each, place) if op.each is not None else op.rules[place]
                inputs = [_stand_in(x) for x in node.inputs]
                gradient = rule(g, _stand_in(node.output), *inputs, **node.kwargs)
            yield parent, fit_gradient(gradient, node.inputs[place], node, place, _tensor)

    def together(self, node: Node, g: Any) -> tuple[Any, ...]:
        """The gradients of a fused operation, by its joint rule as one entry."""
        op = node.primitive
        needed = tuple([parent is not None for parent in node.parents])
        arrays = tuple([part.data for part in g]) if isinstance(g, tuple) else g.data

        def rule(g: Any, out: Any, *inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
            found = op.joint(needed, g, out, *inputs, **kwargs)  # type: ignore[misc]
            return tuple([None if part is None else np.asarray(getattr(part, "data", part)) for part in found])

        inputs = (arrays, node.output, *node.inputs)
        self.depth += 1
        try:
            found = rule(*inputs, **node.kwargs)
        finally:
            self.depth -= 1
        found = tuple([array if want else None for array, want in zip(found, needed, strict=True)])
        self.note("gradient", op.name, rule, inputs, node.kwargs, found)
        return found


def _named(leaf: Leaf) -> str:
    return f"parameter '{leaf.name}'" if leaf.name else "a leaf"


def _arrive(waiting: dict[int, tuple[Any, Any]], node: Any, gradient: Any) -> None:
    """Add to what waits at a node."""
    if node.number in waiting:
        before = waiting[node.number][1]
        if isinstance(gradient, tuple):
            gradient = tuple(
                [b if a is None else a if b is None else a + b for a, b in zip(before, gradient, strict=True)]
            )
        else:
            gradient = before + gradient
    waiting[node.number] = node, gradient


@functools.cache
def _one(shape: tuple[int, ...], dtype: Any) -> Any:
    return np.ones(shape, dtype)


@functools.cache
def _zero(shape: tuple[int, ...], dtype: Any) -> Tensor:
    return new_tensor(np.zeros(shape, dtype), None)


def _tensor(array: Any, _parent: Any = None) -> Tensor:
    return new_tensor(array, None)


def _stand_in(value: Any) -> Any:
    """A Tensor without a graph for each array."""
    if isinstance(value, np.ndarray):
        return new_tensor(value, None)
    if value.__class__ is tuple:
        return tuple([_stand_in(part) for part in value])
    return value


_lock = threading.Lock()
_READS = ("item", "tolist", "numpy", "__float__", "__int__", "__bool__", "__index__", "__array__", "__complex__")


@contextmanager
def recording(recorder: Recorder, step_class: type) -> Iterator[None]:
    """Watch this thread's operations; other threads work on, unseen."""
    undo: list[Callable[[], None]] = []
    thread = threading.get_ident()

    def replace(owner: Any, name: str, new: Any) -> None:
        old = owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)
        setattr(owner, name, new)
        undo.append(lambda: setattr(owner, name, old))

    def refuse(name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(read)
        def refused(self: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == thread and not recorder.depth:
                raise CompileError(
                    f"compile: the step reads a Tensor's value ({name.strip('_')}), and a replay would go on with the "
                    f"value that was recorded. Return the Tensor and read it outside of the step."
                )
            return read(self, *args, **kwargs)

        return refused

    def take_step(step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def noted(self: Any, closure: Any = None) -> Any:
            if recorder.depth or threading.get_ident() != thread:
                return step(self, closure)
            if closure is not None:
                raise CompileError("compile: an optimizer step with a closure cannot be recorded.")
            grads = {leaf: leaf.grad for leaf in recorder.leaves if leaf.grad is not None}
            for leaf, grad in grads.items():
                if id(grad.data) not in recorder.made:
                    raise CompileError(
                        f"compile: the gradient of {_named(leaf)} was changed by something that is not recorded "
                        f"(clipping?) between backward() and step()."
                    )
            recorder.depth += 1
            try:
                step(self)
            finally:
                recorder.depth -= 1
            recorder.note("step", type(self).__name__, lambda: self.step(), (), {"grads": grads}, ())
            return None

        return noted

    plain_backward = implementations["backward"]

    def backward(*args: Any, **kwargs: Any) -> None:
        run = recorder.backward if threading.get_ident() == thread and not recorder.depth else plain_backward
        run(*args, **kwargs)

    with _lock:
        try:
            for op in {id(p): p for p in primitives.values()}.values():
                replace(op, "forward", recorder.watch(op, op.forward))
            for name in _READS:
                owner = next(kind for kind in Tensor.__mro__ if name in kind.__dict__)
                replace(owner, name, refuse(name, getattr(Tensor, name)))
            replace(step_class, "step", take_step(step_class.__dict__["step"]))
            implementations["backward"] = backward
            yield
        finally:
            implementations["backward"] = plain_backward
            while undo:
                undo.pop()()
