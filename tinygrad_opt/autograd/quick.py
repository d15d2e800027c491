"""The quick way through the commonest operations: one or two arrays, no options.

A small operation in NumPy takes a third of a microsecond; what the tape adds should not be a multiple of that. So here
the node is made in place, without a constructor's call, and what is seldom is left to ``Primitive``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy import ndarray
from numpy.linalg import LinAlgError

from .arguments import convert
from .dtypes import as_array
from .messages import explain_failure
from .modes import begin, current
from .node import BinaryNode, UnaryNode, next_number
from .tensor import Tensor

if TYPE_CHECKING:
    from .primitive import Primitive

__all__ = ["NO_OPTIONS", "allocate", "quick_binary", "quick_unary"]

allocate: Any = object.__new__
NO_OPTIONS: dict[str, Any] = {}
_FAILURES = (ValueError, TypeError, IndexError, LinAlgError)


def quick_unary(op: Primitive) -> Callable[[Any], Any]:
    """A function of one array that calls the primitive."""

    def unary(a: Any) -> Any:
        if not isinstance(a, Tensor):
            return op._run((as_array(a),), (None,), NO_OPTIONS)
        x, p = a.data, a._node
        try:
            out = op.forward(x)
        except _FAILURES as error:
            raise explain_failure(op, error, (x,), NO_OPTIONS) from error
        if out.__class__ is not ndarray or (p is not None and out.size > op.quick_size):
            return op._record((x,), (p,), NO_OPTIONS, out)
        made = allocate(Tensor)
        made.data = out
        made._node = None
        if p is None or not (here := current(None) or begin()).grad_enabled:
            return made
        node = UnaryNode()
        node.primitive = op
        node.x = x
        node.p = p
        node.output = out
        node.number = next_number()
        node.module = here.module
        node.extras = None
        made._node = node
        return made

    return unary


def quick_binary(op: Primitive) -> Callable[[Any, Any], Any]:
    """A function of two arrays that calls the primitive."""

    def binary(a: Any, b: Any) -> Any:
        x: Any
        y: Any
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            x, y, p, q = a.data, b.data, a._node, b._node
        elif isinstance(a, Tensor) and (b.__class__ is float or b.__class__ is int):
            x, y, p, q = a.data, b, a._node, None
        else:
            (x, y), (p, q) = convert(op.name, (a, b), 2, False)
        try:
            out = op.forward(x, y)
        except _FAILURES as error:
            raise explain_failure(op, error, (x, y), NO_OPTIONS) from error
        constant = p is None and q is None
        if out.__class__ is not ndarray or (not constant and out.size > op.quick_size):
            return op._record((x, y), (p, q), NO_OPTIONS, out)
        made = allocate(Tensor)
        made.data = out
        made._node = None
        if constant or not (here := current(None) or begin()).grad_enabled:
            return made
        node = BinaryNode()
        node.primitive = op
        node.x = x
        node.y = y
        node.p = p
        node.q = q
        node.output = out
        node.number = next_number()
        node.module = here.module
        node.extras = None
        made._node = node
        return made

    return binary
