"""The recorded graph and the backward pass over it.

The graph is made of Nodes (one an operation) and Leaves (one a Tensor that wants a gradient), never of Tensors:
rebinding or dropping a Tensor cannot break it, and no reference runs in a circle.

A backward pass hands each node the gradient of the result with respect to the node's output, asks the node's
primitive for the gradients of its inputs, and passes them on. A node may run only when every gradient that
flows into it has arrived. Creation order gives that for free: whatever uses a value was made after it, so the pass
visits nodes by falling creation number.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from ..errors import FreedGraphError, GradientError, ShapeError, StaleValueError, user_location

if TYPE_CHECKING:
    from .primitive import Primitive

__all__ = [
    "KEEP_SIZE",
    "Extras",
    "Leaf",
    "Node",
    "Spec",
    "ancestors",
    "fit_gradient",
    "next_number",
    "run_backward",
    "sum_to_shape",
]

KEEP_SIZE = 1024
"""Arrays up to this many elements stay with their node even when no gradient rule reads them: pictures can then
show every value of a small graph, and a stand-in would cost more than it saves."""

next_number: Callable[[], int] = itertools.count(1).__next__

Lift = Callable[[Any, Any], Any]


class Spec:
    """What is left of an array that need not be kept: its shape and dtype."""

    __slots__ = ("dtype", "shape")

    def __init__(self, array: Any) -> None:
        self.shape: tuple[int, ...] = array.shape
        self.dtype: np.dtype[Any] = array.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    def __repr__(self) -> str:
        return f"Spec(shape={self.shape}, dtype={self.dtype})"


class Extras:
    """What only some nodes have: hooks, a retained gradient, a name."""

    __slots__ = ("grad", "hooks", "name", "retain")

    def __init__(self) -> None:
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.retain = False
        self.grad: Any = None
        self.name: str | None = None


class Leaf:
    """Where gradients arrive: the end of the graph that belongs to one Tensor.

    Attributes
    ----------
    grad : Tensor or None
        The accumulated gradient.
    passes : int
        Backward passes that went into ``grad``.
    written : int
        Creation number at the last change of the values in place, 0 if never; a node older than that has saved
        values that are no longer there.
    """

    __slots__ = ("grad", "hooks", "name", "passes", "written")

    def __init__(self, name: str | None = None) -> None:
        self.grad: Any = None
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self.name = name
        self.passes = 0
        self.written = 0


class Node:
    """One recorded operation.

    Attributes
    ----------
    primitive : Primitive
    inputs : tuple
        The input arrays and static arguments in call order; a Spec where no rule needs the values; a Freed after
        the backward pass.
    kwargs : dict
    output : ndarray, tuple of ndarray, or Spec
    parents : tuple of Node, Leaf or None
        What made each input; None for what needs no gradient.
    number : int
        Creation number, rising.
    module : str
        Path of the module whose forward made it.
    """

    __slots__ = ("extras", "inputs", "kwargs", "module", "number", "output", "parents", "primitive")

    def __init__(
        self, primitive: Primitive, inputs: Any, kwargs: Any, output: Any, parents: Any, number: int, module: str
    ) -> None:
        self.primitive = primitive
        self.inputs = inputs
        self.kwargs = kwargs
        self.output = output
        self.parents: tuple[Node | Leaf | None, ...] = parents
        self.number = number
        self.module = module
        self.extras: Extras | None = None

    def __repr__(self) -> str:
        return f"<Node {self.number}: {self.primitive.name}>"

    @property
    def freed(self) -> bool:
        """Whether a backward pass has released what this node saved."""
        return self.inputs.__class__ is Freed

    def extra(self) -> Extras:
        """The node's Extras, made on first use."""
        if self.extras is None:
            self.extras = Extras()
        return self.extras


class Freed:
    """Stands for the inputs of a node whose graph was used up, and says where."""

    __slots__ = ("location",)

    def __init__(self, location: str) -> None:
        self.location = location


def ancestors(roots: Iterable[Node | Leaf | None]) -> list[Node]:
    """All nodes that the roots were made from, the roots among them, latest first."""
    seen: dict[int, Node] = {}
    stack = [root for root in roots if root.__class__ is Node]
    while stack:
        node = stack.pop()
        if node.number not in seen:  # type: ignore[union-attr]
            seen[node.number] = node  # type: ignore[union-attr,assignment]
            stack.extend(parent for parent in node.parents if parent.__class__ is Node)  # type: ignore[union-attr]
    return [seen[number] for number in sorted(seen, reverse=True)]


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
    name = node.primitive.name
    if gradient is None or not hasattr(gradient, "dtype"):
        if not isinstance(gradient, (int, float, complex)) or like.shape != ():
            raise GradientError(
                f"the gradient rule of {name} for argument {position} returned {type(gradient).__name__}; "
                f"it must return an array of shape {like.shape}."
            )
        gradient = np.asarray(gradient, dtype=like.dtype)
    if isinstance(gradient.data, ndarray) and lift is None:  # a rule that used our functions returned a Tensor
        gradient = gradient.data
    elif lift is not None and not isinstance(gradient.data, ndarray):
        gradient = lift(gradient, None)
    if gradient.shape != like.shape:
        try:
            gradient = sum_to_shape(gradient, like.shape)
        except ShapeError:
            raise ShapeError(
                f"the gradient rule of {name} for argument {position} returned shape {gradient.shape}; the argument "
                f"has shape {like.shape}, and the rule must return that, or a shape that it broadcasts to."
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


def _check_current(node: Node, position: int) -> None:
    """Raise when a rule of the node reads a parameter that an optimizer has changed since; other changes are harmless."""
    for place, parent in enumerate(node.parents):
        if parent.__class__ is Leaf and parent.written > node.number and node.primitive.reads(node, place):  # type: ignore[union-attr]
            name = f"'{parent.name}'" if parent.name else "a parameter"  # type: ignore[union-attr]
            raise StaleValueError(
                f"backward: {name} was changed by an optimizer step after '{node.primitive.name}' had used it, so the "
                f"gradient would be wrong. Run the forward pass again after step(), or step() after the last backward()."
            )


def _release(nodes: Iterable[Node], location: str) -> None:
    freed = Freed(location)
    for node in nodes:
        node.inputs = freed
        out = node.output
        if out.__class__ is tuple:
            node.output = tuple(Spec(part) if part.size > KEEP_SIZE else part for part in out)
        elif out.__class__ is not Spec and out.size > KEEP_SIZE:
            node.output = Spec(out)


def _leads_to(roots: Iterable[Node | Leaf], targets: set[Any]) -> set[Any]:
    """The nodes from which a gradient still has to travel to reach a target."""
    useful = set(targets)
    for node in reversed(ancestors(roots)):  # type: ignore[arg-type]
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
) -> dict[Node | Leaf, Any]:
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
    wanted = set(targets) if targets is not None else None
    useful = _leads_to([root for root, _ in roots], wanted) if wanted is not None else None
    arrived: dict[Node | Leaf, Any] = {}
    gradients: dict[int, Any] = {}  # by node number: what has reached a node that has not run yet
    owned: set[int] = set()  # numbers whose gradient is a sum that nobody else holds
    waiting: dict[int, Node] = {}
    heap: list[int] = []
    done: list[Node] = []

    def send(parent: Any, gradient: Any) -> None:
        if parent.__class__ is Leaf:
            arrived[parent] = arrived[parent] + gradient if parent in arrived else gradient
            return
        number = parent.number
        if number not in waiting:
            gradients[number] = gradient
            waiting[number] = parent
            heappush(heap, -number)
        elif lift is None and number in owned:
            gradients[number] += gradient
        else:
            gradients[number] = gradients[number] + gradient
            owned.add(number)

    def send_part(parent: Any, index: int, gradient: Any) -> None:
        """Deliver the gradient of one output of a node that has several."""
        parts = gradients.setdefault(parent.number, [None] * len(parent.output))
        parts[index] = gradient if parts[index] is None else parts[index] + gradient
        if parent.number not in waiting:
            waiting[parent.number] = parent
            heappush(heap, -parent.number)

    for root, gradient in roots:
        send(root, gradient)
    while heap:
        number = -heappop(heap)
        node = waiting.pop(number)
        g = gradients.pop(number)
        if node.extras is not None:
            g = _observe(node.extras, g)
        if wanted is not None and node in wanted:
            arrived[node] = g
        if visit is not None:
            visit(node, g)
        done.append(node)
        primitive, inputs, out, kwargs = node.primitive, node.inputs, node.output, node.kwargs
        if inputs.__class__ is Freed:
            raise FreedGraphError(_used_up(node))
        if primitive.name == "[i]":
            send_part(node.parents[0], kwargs["index"], g)
            continue
        if lift is not None:
            inputs, out = primitive.lift(node, lift)
        if primitive.simple:
            rules = primitive.rules
        else:
            g = primitive.fill(g, out, lift)
            rules = primitive.bind(node, g, out, inputs)
        for position, parent in enumerate(node.parents):
            if parent is None or (useful is not None and parent not in useful):
                continue
            if kwargs:
                gradient = rules[position](g, out, *inputs, **kwargs)
            else:
                gradient = rules[position](g, out, *inputs)
            like = inputs[position]
            if gradient.__class__ is not ndarray or gradient.shape != like.shape or gradient.dtype is not like.dtype:
                gradient = fit_gradient(gradient, like, node, position, lift)
            if parent.__class__ is Leaf and parent.written > number:
                _check_current(node, position)
            send(parent, gradient)
    if not retain_graph:
        _release(done, user_location())
    return arrived


def _observe(extras: Extras, gradient: Any) -> Any:
    """Run a node's hooks and retain its gradient, if it is to be retained."""
    for hook in tuple(extras.hooks.values()):
        gradient = hook(gradient)
    if extras.retain:
        extras.grad = gradient.copy()
    return gradient
