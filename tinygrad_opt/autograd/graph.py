"""The backward pass over the recorded graph.

A backward pass hands each node the gradient of the result with respect to the node's output, asks the node's primitive
for the gradients of its inputs, and passes them on. A node may run only when every gradient that flows into it has
arrived. Creation order gives that for free: whatever uses a value was made after it, so the pass visits nodes by
falling creation number.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import FreedGraphError, GradientError, ShapeError, StaleValueError, user_place
from .node import KEEP_SIZE, BinaryNode, Extras, Freed, Leaf, Lift, Node, Spec, UnaryNode, ancestors, next_number
from .part import Part, plus

__all__ = [
    "KEEP_SIZE",
    "Extras",
    "Leaf",
    "Lift",
    "Node",
    "Spec",
    "ancestors",
    "fit_gradient",
    "next_number",
    "run_backward",
    "sum_to_shape",
]


def sum_to_shape(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum over the axes along which an operand of this shape was repeated.

    Works on arrays and on Tensors. Raises ShapeError when `shape` does not broadcast to the gradient's.
    """
    extra = gradient.ndim - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, gradient.shape[extra:], strict=True)):
        raise ShapeError(f"a gradient of shape {gradient.shape} cannot be summed to an operand of shape {shape}")
    axes = tuple(range(extra)) + tuple(
        extra + axis for axis, n in enumerate(shape) if n == 1 and gradient.shape[extra + axis] != 1
    )
    return np.sum(gradient, axis=axes).reshape(shape)


def fit_gradient(gradient: Any, like: Any, node: Node, position: int, lift: Lift | None) -> Any:
    """Bring what a rule returned to the shape and dtype of the input it belongs to, or say what is wrong."""
    rule = f"the gradient rule of {node.primitive.name} for argument {position}"
    if gradient.__class__ is tuple and node.primitive.name == "[i]":
        return gradient
    if isinstance(gradient, (int, float, complex)) and like.shape == ():
        gradient = np.asarray(gradient, dtype=None if isinstance(gradient, complex) else like.dtype)
    if not hasattr(gradient, "dtype"):
        raise GradientError(
            f"{rule} returned {type(gradient).__name__}; it must return an array of shape {like.shape}."
        )
    if gradient.dtype.kind not in "fc":
        raise GradientError(
            f"{rule} returned an array of {gradient.dtype}; it must return floating-point numbers, as {like.dtype}."
        )
    is_tensor = isinstance(gradient.data, ndarray)
    if lift is None and is_tensor:  # the rule called functions of ours
        gradient = gradient.data
    elif lift is not None and not is_tensor:  # the rule returned a constant
        gradient = lift(np.asarray(gradient), None)
    if gradient.shape != like.shape:
        arrays = (node.output, *node.inputs)
        as_out = gradient.shape == getattr(arrays[0], "shape", None)
        try:
            if not as_out and gradient.ndim > max([getattr(array, "ndim", 64) for array in arrays]):
                raise ShapeError  # none of them has the axes along which the argument would have been repeated
            gradient = sum_to_shape(gradient, like.shape)
        except ShapeError:
            raise ShapeError(
                f"{rule} returned shape {gradient.shape}; the argument has shape {like.shape}, "
                f"and the rule must return that, or a shape that it broadcasts to."
            ) from None
    if gradient.dtype != like.dtype:
        if gradient.dtype.kind == "c" and like.dtype.kind != "c":
            gradient = gradient.real
        gradient = gradient.astype(like.dtype)
    return gradient


def _used_up(node: Node) -> str:
    return (
        f"backward: this graph was already used at {node.inputs.location}, which released its saved arrays "
        f"(first met at '{node.primitive.name}'). Compute the loss again, or pass retain_graph=True to the first pass."
    )


def _check_current(node: Node) -> None:
    """Raise when a rule reads a parameter that an optimizer has changed since, here or through a view made here."""
    outputs = node.output if node.output.__class__ is tuple else (node.output,)
    view = any(out.view if out.__class__ is Spec else out.base is not None for out in outputs)
    for position, parent in enumerate(node.parents):
        if isinstance(parent, Leaf) and parent.written > node.number and (view or node.primitive.reads(node, position)):
            name = f"'{parent.name}'" if parent.name else "a parameter"
            raise StaleValueError(
                f"backward: {name} was changed by an optimizer step after '{node.primitive.name}' had used it, so the "
                f"gradient would be wrong. Run the forward pass again after step(), or call step() after it."
            )


def _release(nodes: Iterable[Any], freed: Freed) -> None:
    for node in nodes:
        kind = node.__class__
        if kind is UnaryNode:
            node.x = freed
            continue
        if kind is BinaryNode:
            node.x = freed
            node.y = None
            continue
        node.inputs = freed
        out = node.output
        if out.__class__ is ndarray:
            if out.size > KEEP_SIZE:
                node.output = Spec(out)
        elif out.__class__ is tuple:
            node.output = tuple([Spec(part) if part.size > KEEP_SIZE else part for part in out])


def _leads_to(roots: Iterable[Node | Leaf], targets: Iterable[Any]) -> set[Any]:
    """The nodes from which a gradient still has to travel to reach a target."""
    useful = set(targets)
    for node in reversed(ancestors(roots)):
        if any(parent in useful for parent in node.parents if parent is not None):
            useful.add(node)
    return useful


def run_backward(
    roots: Sequence[tuple[Node | Leaf, Any]],
    *,
    retain_graph: bool = False,
    lift: Lift | None = None,
    targets: Sequence[Node | Leaf] | None = None,
    visit: Callable[[Node, Any], None] | None = None,
) -> dict[Any, Any]:
    """One backward pass.

    Parameters
    ----------
    roots : sequence of (Node or Leaf, gradient)
        Where the pass starts, with the gradient that enters there.
    retain_graph : bool
        Keep the saved arrays for another pass.
    lift : callable, optional
        ``lift(array, parent)`` gives the Tensor that stands for a saved array in the graph. With it the rules run
        on Tensors and the gradients are differentiable themselves; without it they run on arrays.
    targets : sequence of Node or Leaf, optional
        Compute only the gradients that lead to these, and return theirs; by default, those of all leaves.
    visit : callable, optional
        Called as ``visit(node, gradient)`` before each node's rules run: for pictures and diagnostics.

    Returns
    -------
    dict
        Gradient by Leaf (and by Node, for targets). Nothing is written to any leaf: a pass that raises
        leaves every gradient as it was.
    """
    wanted = frozenset(targets) if targets is not None else None
    useful = _leads_to([root for root, _ in roots], wanted) if wanted is not None else None
    found: dict[Node | Leaf, Any] = {}
    waiting: dict[int, list[Any]] = {}  # by number: node, gradient so far, whether that is a sum nobody else holds
    heap: list[int] = []
    done: list[Node] = []
    sums: set[Leaf] = set()  # leaves whose gradient is a sum nobody else holds
    edges: Sequence[tuple[Any, Any]] = roots
    quick = lift is None and useful is None and visit is None and _pull is _plain_pull
    while True:
        node: Any = None
        for parent, gradient in edges:
            if parent.__class__ is Leaf:
                if parent not in found:
                    found[parent] = gradient if gradient.__class__ is not Part else gradient.whole()
                else:
                    found[parent] = _plus(found[parent], gradient, parent in sums, lift)
                    sums.add(parent)
            elif node is None and (not heap or parent.number > -heap[0]):  # the next one, so far: no need to queue
                node, g = parent, gradient
            else:
                for ahead, arriving in ((node, g), (parent, gradient)) if node is not None else ((parent, gradient),):
                    if _add(waiting, ahead, arriving, lift):
                        heappush(heap, -ahead.number)
                node = None
        if node is None:
            if not heap:
                break
            node, g, _ = waiting.pop(-heappop(heap))
        if g.__class__ is Part:
            g = g.whole()
        if quick and (node.__class__ is not Node or len(node.parents) < 3):
            last = -heap[0] if heap else 0
            node, g = _descend(node, g, last, done)
            if node.number <= last:
                edges = ((node, g),)
                continue
        edges = ()
        if node.extras is not None:
            g = _observe(node.extras, g)
        if visit is not None:
            visit(node, g)
        if useful is not None and wanted is not None:
            if node in wanted:
                found[node] = g
            if not any(parent in useful for parent in node.parents):
                continue
        done.append(node)
        edges = _pull(node, g, lift, useful)
    if not retain_graph:
        _release(done, Freed(user_place()))
    return found


def _add(waiting: dict[int, list[Any]], node: Node, gradient: Any, lift: Lift | None) -> bool:
    """Add to what has reached a node; True if it is the first to arrive."""
    entry = waiting.get(node.number)
    if entry is None:
        waiting[node.number] = [node, gradient, False]
        return True
    entry[1] = _plus(entry[1], gradient, entry[2], lift)
    entry[2] = True
    return False


def _plus(total: Any, gradient: Any, own: bool, lift: Lift | None) -> Any:
    """What has arrived and one more. The first gradient is borrowed; a sum is our `own`, and is added to in place."""
    if gradient.__class__ is tuple:
        return _join_parts(total, gradient)
    return total + gradient if lift is not None else plus(total, gradient, own)


def _pull(node: Node, g: Any, lift: Lift | None, useful: Container[Any] | None) -> list[tuple[Any, Any]]:
    """Run a node's gradient rules: its parents, each with the gradient that goes there."""
    primitive, inputs, out, kwargs = node.primitive, node.inputs, node.output, node.kwargs
    if inputs.__class__ is Freed:
        raise FreedGraphError(_used_up(node))
    parents = node.parents
    if useful is not None:
        parents = [parent if parent in useful else None for parent in parents]
    rules: Sequence[Any] = primitive.rules
    if lift is not None:
        inputs, out = primitive.lift(node, lift)
    if not primitive.simple:
        if primitive.part is not None and lift is None and (part := primitive.part(g, *inputs)) is not None:
            parent = node.parents[0]
            if parent.__class__ is Leaf and parent.written > node.number:
                _check_current(node)
            return [(parent, part)]
        g = primitive.fill(g, out, lift)
        rules = primitive.bind(node, g, out, inputs)
    edges = []
    count = len(inputs) if not kwargs else -1
    a, b, c = inputs if count == 3 else (*inputs, None) if count == 2 else (None, None, None)
    for position, parent in enumerate(parents):
        if parent is None:
            continue
        if parent.__class__ is Leaf and parent.written > node.number:
            _check_current(node)
        rule, like = rules[position], inputs[position]
        if count == 3:  # written out, for these are the commonest and unpacking takes as long as a small rule
            gradient = rule(g, out, a, b, c)
        elif count == 2:
            gradient = rule(g, out, a, b)
        else:
            gradient = rule(g, out, *inputs, **kwargs)
        if gradient.__class__ is not ndarray or gradient.shape != like.shape or gradient.dtype is not like.dtype:
            gradient = fit_gradient(gradient, like, node, position, lift)
        edges.append((parent, gradient))
    return edges


_plain_pull = _pull  # diagnostics put another in its place


def _descend(node: Any, g: Any, last: int, done: list[Node]) -> tuple[Node, Any]:
    """Follow a gradient down while it has one way to go, over nodes newer than `last`: no queue, no list of edges.

    Returns the first node that needs more care, with the gradient that has arrived there.
    """
    while node.number > last:
        kind = node.__class__
        if node.extras is not None:
            break
        place = 0
        if kind is UnaryNode:
            x, parent = node.x, node.p
            if parent.__class__ is Leaf or x.__class__ is Freed:
                break
            op = node.primitive
            gradient = op.rules[0](g, node.output, x)
            if gradient.__class__ is ndarray:
                if op.sound:
                    done.append(node)
                    node, g = parent, gradient
                    continue
                op.sound = gradient.size > 1 and gradient.shape == x.shape
        elif kind is BinaryNode:
            x, parent, other = node.x, node.p, node.q
            if x.__class__ is Freed:
                break
            if parent is None:
                if other.__class__ is Leaf:
                    break
                y, place, parent = node.y, 1, other
                gradient = node.primitive.rules[1](g, node.output, x, y)
                x = y
            elif other is not None or parent.__class__ is Leaf:
                break
            else:
                gradient = node.primitive.rules[0](g, node.output, x, node.y)
        else:
            op, inputs, parents = node.primitive, node.inputs, node.parents
            if not op.simple or node.kwargs or inputs.__class__ is Freed or len(parents) > 2:
                break
            if parents[0] is None:
                place = 1
            elif len(parents) == 2 and parents[1] is not None:
                break
            x, parent = inputs[place], parents[place]
            if parent.__class__ is Leaf:
                break
            gradient = op.rules[place](g, node.output, *inputs)
        if gradient.__class__ is not ndarray or gradient.shape != x.shape or gradient.dtype is not x.dtype:
            gradient = fit_gradient(gradient, x, node, place, None)
        done.append(node)
        node, g = parent, gradient
    return node, g


def _join_parts(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    """Add up what two users of an operation with several outputs have sent; None is nothing."""
    return tuple(b if a is None else a if b is None else a + b for a, b in zip(first, second, strict=True))


def _observe(extras: Extras, gradient: Any) -> Any:
    """Run a node's hooks and retain its gradient, if it is to be retained."""
    for hook in tuple(extras.hooks.values()):
        gradient = hook(gradient)
    if extras.retain:
        extras.grad = gradient.copy()
    return gradient
