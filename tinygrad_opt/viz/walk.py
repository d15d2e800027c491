"""The backward pass written out: what arrives at each operation, what it sends on, and what a wrong order would do.

The engine keeps only what it needs; this walk runs the same gradient rules one by one and keeps everything, for pages
that show the pass step by step. Tests hold its results equal to the engine's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..autograd.graph import fit_gradient
from ..autograd.tensor import Tensor
from ..errors import FreedGraphError, GradientError
from .trace import Operation, Trace, Value

__all__ = ["Arrival", "Sent", "Visit", "Walk", "sum_arrivals", "walk", "walk_wrongly"]

Array = np.ndarray[Any, Any]


@dataclass
class Arrival:
    """A gradient that reaches a value: from which operation (None: the seed) and which of its operands."""

    value: Value
    source: Operation | None
    position: int
    gradient: Array


@dataclass
class Sent:
    """What an operation's rule gives for one operand: as returned, and summed over broadcast axes."""

    position: int
    value: Value
    raw: Array
    gradient: Array

    @property
    def summed(self) -> bool:
        """Whether broadcasting had to be undone."""
        return bool(self.raw.shape != self.gradient.shape)


@dataclass
class Visit:
    """One step back: an operation, the gradients that had reached its outputs, and those it sent on."""

    operation: Operation
    arrivals: list[Arrival]
    gradient: Any
    sent: list[Sent]


@dataclass
class Walk:
    """A whole backward pass: its visits in order, the final gradient of each value, and what came too late."""

    visits: list[Visit] = field(default_factory=list)
    gradients: dict[str, Array] = field(default_factory=dict)
    late: list[Arrival] = field(default_factory=list)


def walk_wrongly(trace: Trace, root: Tensor) -> Walk:
    """A walk in an order that loses gradients, if there is a plain one that does.

    Four are tried: operations run in the order in which a gradient first reaches them, or the last one reached first;
    operands are taken from left to right, or from right to left.
    """
    walks = (walk(trace, root, order) for order in ("first", "last", "first, reversed", "last, reversed"))
    tried = []
    for one in walks:
        if one.late:
            return one
        tried.append(one)
    return tried[0]


def walk(trace: Trace, root: Tensor, order: str = "topological") -> Walk:
    """Walk back from a result of one number.

    Parameters
    ----------
    trace : Trace
        Of that root.
    root : Tensor
    order : str
        "topological", or a wrong one: operations run once a gradient has reached them, the one reached "first" or
        "last" before others, with "reversed" operands; what arrives after that is lost.

    Raises
    ------
    GradientError
        The root is not one number, or needs no gradient.
    FreedGraphError
        A backward pass has used the graph up.
    """
    if root._node is None or root.size != 1:
        raise GradientError(
            f"viz.stepper: needs one number that requires a gradient; this has shape {root.shape}"
            f"{'' if root.requires_grad else ' and requires none'}."
        )
    if trace.freed is not None:
        raise FreedGraphError(
            f"viz.stepper: this graph was used up at {trace.freed}. Make the page before backward(), or call "
            f"backward(retain_graph=True)."
        )
    result = Walk()
    arrived: dict[str, list[Arrival]] = {}
    seed = Arrival(trace.roots[0], None, 0, np.ones(root.shape, root.dtype))
    arrived[seed.value.key] = [seed]
    right = order == "topological"
    ahead = deque(reversed(trace.operations)) if right else deque([seed.value.maker] if seed.value.maker else [])
    queued = {operation.number for operation in ahead}
    done = set[int]()
    while ahead:
        operation = ahead.pop() if order.startswith("last") else ahead.popleft()
        arrivals = [a for value in operation.outputs for a in arrived.get(value.key, [])]
        if not arrivals:
            continue
        visit = Visit(operation, arrivals, *_step(operation, arrived))
        done.add(operation.number)
        result.visits.append(visit)
        for sent in visit.sent if "reversed" not in order else reversed(visit.sent):
            arrival = Arrival(sent.value, operation, sent.position, sent.gradient)
            maker = sent.value.maker
            if maker is not None and maker.number in done:
                result.late.append(arrival)
                continue
            arrived.setdefault(sent.value.key, []).append(arrival)
            if maker is not None and maker.number not in queued:
                queued.add(maker.number)
                ahead.append(maker)
    result.gradients = {key: sum_arrivals(found) for key, found in arrived.items()}
    return result


def sum_arrivals(arrivals: list[Arrival]) -> Array:
    """The sum of what reached a value."""
    total = arrivals[0].gradient
    for arrival in arrivals[1:]:
        total = total + arrival.gradient
    return np.asarray(total)


def _step(operation: Operation, arrived: dict[str, list[Arrival]]) -> tuple[Any, list[Sent]]:
    """The gradient at an operation's output, and what its rules make of it."""
    node = operation.node
    primitive, out, inputs = node.primitive, node.output, node.inputs
    sums = {value.part: sum_arrivals(arrived[value.key]) for value in operation.outputs if value.key in arrived}
    g: Any = sums.get(0)
    if isinstance(out, tuple):
        g = primitive.fill(tuple(sums.get(i) for i in range(len(out))), out, None)
    rules = primitive.rules if primitive.simple else primitive.bind(node, g, out, inputs)
    sent = []
    for position, value in operation.inputs:
        if node.parents[position] is None:
            continue
        rule: Any = rules[position]
        raw = rule(g, out, *inputs, **node.kwargs)
        raw = raw.data if isinstance(raw, Tensor) else raw
        gradient = fit_gradient(raw, inputs[position], node, position, None)
        sent.append(Sent(position, value, np.asarray(raw), np.asarray(gradient)))
    return g, sent
