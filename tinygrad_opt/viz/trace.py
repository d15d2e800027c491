"""Reading the recorded graph: which values there are, which operations made them, and what is still known of each.

The engine records Nodes and Leaves; a picture shows values and operations. Everything that draws or walks a graph
(pictures, the backprop page, health reports) starts from the Trace made here. All of it is iterative.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd.graph import Leaf, Node, Spec, ancestors
from ..autograd.primitive import Primitive
from ..autograd.tensor import Tensor

__all__ = ["Operation", "Trace", "Value", "broadcasts", "options_text", "order_matters", "read", "slot_names"]

COMMUTATIVE = {"add", "multiply", "maximum", "minimum", "fmax", "fmin", "logaddexp", "equal", "not_equal", "hypot"}


class Value:
    """An array in the graph: a leaf, a constant, or what an operation made.

    Attributes
    ----------
    kind : str
        "leaf" (wants a gradient), "constant", or "computed".
    shape, dtype
        None when a backward pass has released them.
    array : ndarray or None
        The numbers; None when they were not kept.
    grad : ndarray or None
        Filled by :func:`tinygrad_opt.viz.gradients.attach_gradients`.
    maker : Operation or None
    """

    __slots__ = ("array", "dtype", "grad", "key", "kind", "maker", "name", "node", "part", "shape")

    def __init__(self, key: str, kind: str, node: Node | Leaf | None = None) -> None:
        self.key = key
        self.kind = kind
        self.node = node
        self.name: str | None = None
        self.shape: tuple[int, ...] | None = None
        self.dtype: Any = None
        self.array: np.ndarray[Any, Any] | None = None
        self.grad: np.ndarray[Any, Any] | None = None
        self.maker: Operation | None = None
        self.part = 0

    def know(self, array: Any) -> None:
        """Take over what an array, or the Spec that is left of one, tells."""
        if isinstance(array, (np.ndarray, np.generic, int, float, complex)):
            array = np.asarray(array)
            self.array, self.shape, self.dtype = array, array.shape, array.dtype
        elif isinstance(array, Spec) and self.shape is None:
            self.shape, self.dtype = array.shape, array.dtype

    @property
    def size(self) -> int:
        """Number of elements; 0 when the shape is not known any more."""
        return int(np.prod(self.shape)) if self.shape is not None else 0

    @property
    def lone(self) -> bool:
        """Whether this is known to be a single number."""
        return self.shape is not None and self.size == 1


class Operation:
    """One recorded operation: its inputs by position, its outputs, its options."""

    __slots__ = ("inputs", "module", "node", "number", "options", "outputs", "primitive")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.primitive: Primitive = node.primitive
        self.number = node.number
        self.module = node.module
        self.inputs: list[tuple[int, Value]] = []
        self.outputs: list[Value] = []
        self.options: dict[str, Any] = dict(node.kwargs)


class Trace:
    """The graph behind some results.

    Attributes
    ----------
    operations : list of Operation
        In the order they ran.
    values : dict
        Every Value.
    roots : list of Value
        The results.
    notes : list of str
        What could not be had, for the reader.
    freed : str or None
        Where a backward pass released the saved arrays.
    failed : Operation or None
        The operation that raised, with its message in ``error``.
    stages : dict
        By operation number: to which of several results, in order, the operation first belongs.
    classes : dict
        Class name of each module by path, as far as the modules are known.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.values: dict[Any, Value] = {}
        self.roots: list[Value] = []
        self.notes: list[str] = []
        self.freed: str | None = None
        self.classes: dict[str, str] = {}
        self.failed: Operation | None = None
        self.error = ""
        self.stages: dict[int, str] = {}

    def users(self) -> dict[str, list[Operation]]:
        """The operations that read each value, by its key."""
        found: dict[str, list[Operation]] = {}
        for operation in self.operations:
            for _, value in operation.inputs:
                found.setdefault(value.key, []).append(operation)
        return found


def read(roots: Sequence[Tensor], names: Mapping[str, Any] | None = None) -> Trace:
    """The Trace of everything that the roots were computed from.

    Parameters
    ----------
    roots : sequence of Tensor
    names : mapping of str to Tensor or ndarray, optional
        Names for values that have none of their own.
    """
    trace = Trace()
    operations: dict[int, Operation] = {}
    for node in reversed(ancestors([root._node for root in roots])):
        if node.primitive.name == "[i]":
            continue
        operation = operations[node.number] = Operation(node)
        trace.operations.append(operation)
        _read_inputs(trace, operation, operations)
        if node.freed and trace.freed is None:
            trace.freed = node.inputs.location
    for number, root in enumerate(roots):
        value = _of_parent(trace, root._node, operations) if root._node is not None else None
        if value is None:
            value = _constant(trace, root.data, f"root{number}")
        value.know(root.data)
        value.name = value.name or root.name
        trace.roots.append(value)
    _name(trace, names or {})
    return trace


def _read_inputs(trace: Trace, operation: Operation, operations: dict[int, Operation]) -> None:
    node = operation.node
    primitive = node.primitive
    count = len(node.parents) if primitive.variadic else primitive.arrays
    known = node.inputs if not node.freed else [None] * len(node.parents)
    for position, parent in enumerate(node.parents):
        saved = known[position]
        if position >= count:
            operation.options[_parameter_name(primitive, position)] = saved
            continue
        value = _of_parent(trace, parent, operations) if parent is not None else None
        if value is None:
            value = _constant(trace, saved, f"{node.number}i{position}")
        value.know(saved)
        operation.inputs.append((position, value))


def _of_parent(trace: Trace, parent: Node | Leaf, operations: dict[int, Operation]) -> Value:
    if isinstance(parent, Leaf):
        value = trace.values.get(id(parent))
        if value is None:
            value = trace.values[id(parent)] = Value(f"leaf{len(trace.values)}", "leaf", parent)
            value.name = parent.name
            if parent.grad is not None:
                value.shape, value.dtype = parent.grad.shape, parent.grad.dtype
        return value
    maker = parent.parents[0] if parent.primitive.name == "[i]" else parent
    return _output(trace, operations[maker.number], parent)  # type: ignore[union-attr]


def _output(trace: Trace, operation: Operation, node: Node) -> Value:
    value = trace.values.get(node)
    if value is None:
        value = trace.values[node] = Value(f"value{node.number}", "computed", node)
        value.maker = operation
        value.part = node.kwargs.get("index", 0) if node.primitive.name == "[i]" else 0
        value.know(node.output)
        value.name = node.extras.name if node.extras is not None else None
        operation.outputs.append(value)
    return value


def _constant(trace: Trace, saved: Any, key: str) -> Value:
    """A constant; one array that is used twice is one value, a plain number one for each use."""
    place = id(saved) if isinstance(saved, np.ndarray) and saved.ndim else key
    value = trace.values.get(("constant", place))
    if value is None:
        value = trace.values["constant", place] = Value(f"constant{len(trace.values)}", "constant")
    return value


def _name(trace: Trace, names: Mapping[str, Any]) -> None:
    """Give values their names from a mapping, own names first."""
    by_array: dict[int, str] = {}
    for name, thing in names.items():
        if isinstance(thing, Tensor):
            if thing._node is None:
                by_array.setdefault(id(thing.data), name)
                continue
            value = trace.values.get(id(thing._node) if isinstance(thing._node, Leaf) else thing._node)
            if value is not None:
                value.name = value.name or name
                if value.array is None and not (isinstance(value.node, Leaf) and value.node.written):
                    value.know(thing.data)
        elif isinstance(thing, np.ndarray):
            by_array.setdefault(id(thing), name)
    if by_array:
        for value in trace.values.values():
            if value.kind == "constant" and value.array is not None and not value.name:
                value.name = by_array.get(id(value.array))


def _parameter_name(primitive: Primitive, position: int) -> str:
    names = slot_names(primitive)
    return names[position] if position < len(names) else f"argument {position}"


def slot_names(primitive: Primitive) -> list[str]:
    """The names of a primitive's parameters: a, b for a ufunc, none for a variable number."""
    if isinstance(primitive.forward, np.ufunc):
        return ["x"] if primitive.forward.nin == 1 else ["a", "b", "c"][: primitive.forward.nin]
    try:
        parameters = inspect.signature(primitive.forward).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def order_matters(operation: Operation) -> bool:
    """Whether exchanging the operands would change the result."""
    return len(operation.inputs) > 1 and operation.primitive.name not in COMMUTATIVE


def broadcasts(operation: Operation, value: Value) -> tuple[int, ...] | None:
    """The shape to which an operand is repeated by broadcasting, or None when it is used as it is."""
    shapes = [v.shape for _, v in operation.inputs]
    if value.shape is None or len(shapes) < 2 or any(shape is None for shape in shapes):
        return None
    known: list[tuple[int, ...]] = [shape for shape in shapes if shape is not None]
    out = operation.outputs[0].shape if operation.outputs else None
    own = value.shape
    tail: tuple[int, ...] = ()
    if operation.primitive.name == "matmul":
        if len(own) < 2 or any(len(shape) < 2 for shape in known):
            return None
        tail, own = own[-2:], own[:-2]
        known, out = [shape[:-2] for shape in known], out[:-2] if out is not None else None
    try:
        common = np.broadcast_shapes(*known)
    except ValueError:
        return None
    return (*common, *tail) if common == out and own != common else None


def options_text(operation: Operation) -> list[str]:
    """The static options of an operation that differ from its defaults, as ``axis=0``; arrays by their shape."""
    try:
        usual = inspect.signature(operation.primitive.forward).parameters
    except (TypeError, ValueError):
        usual = {}  # type: ignore[assignment]
    lines = []
    for name, option in operation.options.items():
        if option is None or option is False or (name in usual and _same(option, usual[name].default)):
            continue
        lines.append(f"{name}={_option(option)}"[:60])
    return lines


def _same(option: Any, usual: Any) -> bool:
    return type(option) is type(usual) and not isinstance(option, np.ndarray) and bool(repr(option) == repr(usual))


def _option(option: Any) -> str:
    if isinstance(option, np.ndarray):
        return f"array {option.shape}" if option.size > 4 else str(option.tolist())
    if isinstance(option, (tuple, list)):
        inside = ", ".join(map(_option, option))
        return f"({inside},)" if len(option) == 1 and isinstance(option, tuple) else f"({inside})"
    if isinstance(option, slice):
        parts = ["" if part is None else str(part) for part in (option.start, option.stop, option.step)]
        return ":".join(parts[:2] if not parts[2] else parts)
    return repr(option).replace("-", "−") if isinstance(option, (int, float)) else repr(option)
