"""What the recorded graph is made of: a Node for each operation, a Leaf for each Tensor that wants a gradient.

It is made of these, never of Tensors: rebinding or dropping a Tensor cannot break it, and no reference runs in a
circle.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .primitive import Primitive

__all__ = ["KEEP_SIZE", "Extras", "Freed", "Leaf", "Lift", "Node", "Spec", "ancestors", "next_number"]

KEEP_SIZE = 4096
"""Arrays up to this many elements stay with their node even when no gradient rule reads them: pictures can then
show every value of a small graph, and a stand-in would cost more than it saves."""

next_number: Callable[[], int] = itertools.count(1).__next__

Lift = Callable[[Any, Any], Any]


class Spec:
    """What is left of an array that need not be kept: its shape and dtype, and whether it was a view of another."""

    __slots__ = ("dtype", "shape", "view")

    def __init__(self, array: Any) -> None:
        self.shape: tuple[int, ...] = array.shape
        self.dtype: np.dtype[Any] = array.dtype
        self.view: bool = array.base is not None

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
        self.hooks: dict[object, Callable[[Any], Any]] = {}
        self.retain = False
        self.grad: Any = None
        self.name: str | None = None


class Leaf:
    """Where gradients arrive: the end of the graph that belongs to one Tensor.

    Attributes
    ----------
    grad : Tensor or None
        The accumulated gradient.
    number : int
        Creation number.
    passes : int
        Backward passes that went into ``grad``.
    written : int
        Creation number at the last change of the values in place, 0 if never; a node older than that has saved
        values that are no longer there.
    """

    __slots__ = ("grad", "hooks", "name", "number", "passes", "written")

    def __init__(self, name: str | None = None) -> None:
        self.grad: Any = None
        self.hooks: dict[object, Callable[[Any], Any]] | None = None
        self.name = name
        self.number = next_number()
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
        self,
        primitive: Primitive,
        inputs: Any,
        kwargs: Any,
        output: Any,
        parents: Any,
        number: int,
        module: str,
    ) -> None:
        self.primitive = primitive
        self.inputs = inputs
        self.kwargs = kwargs
        self.output = output
        self.parents: Sequence[Node | Leaf | None] = parents
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


class UnaryNode(Node):
    """A Node of one array without options: the array and what made it lie in slots, which spares two tuples."""

    __slots__ = ("p", "x")

    x: Any
    p: Node | Leaf
    __init__ = object.__init__  # quick.py sets the slots, which takes half as long
    kwargs: dict[str, Any] = {}  # noqa: RUF012  nobody writes to it

    @property
    def inputs(self) -> Any:
        return self.x if self.x.__class__ is Freed else (self.x,)

    @property
    def parents(self) -> Any:  # type: ignore[override]
        return (self.p,)


class BinaryNode(Node):
    """A Node of two arrays without options, in slots likewise."""

    __slots__ = ("p", "q", "x", "y")

    x: Any
    y: Any
    p: Node | Leaf | None
    q: Node | Leaf | None
    __init__ = object.__init__  # quick.py sets the slots, which takes half as long
    kwargs: dict[str, Any] = {}  # noqa: RUF012  nobody writes to it

    @property
    def inputs(self) -> Any:
        return self.x if self.x.__class__ is Freed else (self.x, self.y)

    @property
    def parents(self) -> Any:  # type: ignore[override]
        return self.p, self.q


class Freed:
    """Stands for the inputs of a node whose graph was used up, and says where."""

    __slots__ = ("place",)

    def __init__(self, place: tuple[str, int]) -> None:
        self.place = place

    @property
    def location(self) -> str:
        """File and line of the backward pass, as ``train.py:41``."""
        return f"{os.path.basename(self.place[0])}:{self.place[1]}"


def ancestors(roots: Iterable[Node | Leaf | None]) -> list[Node]:
    """All nodes that the roots were made from, the roots among them, latest first."""
    seen: dict[int, Node] = {}
    stack = [root for root in roots if isinstance(root, Node)]
    while stack:
        node = stack.pop()
        if node.number not in seen:
            seen[node.number] = node
            stack.extend(parent for parent in node.parents if isinstance(parent, Node))
    return [seen[number] for number in sorted(seen, reverse=True)]
