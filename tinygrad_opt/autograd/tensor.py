"""Tensor: an array, and the node of the graph that made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..errors import DetachError, GradientError, ShapeError
from .array_methods import ArrayMethods
from .conversions import Conversions
from .dtypes import as_array, check_differentiable
from .modes import mode
from .node import Leaf, Node
from .registry import implementations

if TYPE_CHECKING:
    from .hook import Hook

__all__ = ["Tensor", "as_array", "as_tensor", "from_numpy", "new_tensor", "tensor"]


class Tensor(ArrayMethods, Conversions):
    """An ndarray that remembers how it was computed.

    Parameters
    ----------
    data : array_like
        An ndarray is wrapped, not copied, and keeps its dtype; Python floats become the default dtype.
    requires_grad : bool
        Record what is computed from this Tensor, so that ``backward`` can fill its ``grad``.
    dtype : dtype, optional
    name : str, optional
        Shown in pictures and messages.

    Attributes
    ----------
    data : ndarray
        The values. Assigning or writing to it goes round the graph.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x ** 2).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_name", "_node", "data")

    data: np.ndarray[tuple[int, ...], np.dtype[Any]]
    _name: str | None
    _node: Node | Leaf | None

    def __init__(
        self,
        data: ArrayLike | Tensor,
        requires_grad: bool = False,
        *,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(data, Tensor) and data._node is not None and not requires_grad and mode.grad_enabled:
            raise DetachError(
                "the Tensor to make a Tensor from requires a gradient, and the new one would not know it. Use it as it "
                "is, t.clone() for a copy through which gradients flow, or t.detach() for its values."
            )
        self.data = as_array(data, dtype)
        self._node = None
        if name is not None:
            self._name = name
        if requires_grad:
            self.requires_grad_()

    # The gradient and the graph

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this Tensor."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start or stop asking for a gradient; stopping forgets ``grad``. Returns self.

        Raises
        ------
        GradientError
            For an integer or bool Tensor, and when a computed Tensor is to stop (use ``detach``).
        """
        if requires_grad and self._node is None:
            check_differentiable(self.data.dtype)
            self._node = Leaf(self.name)
        elif not requires_grad:
            if isinstance(self._node, Node):
                raise GradientError("requires_grad_(False): this Tensor was computed; use t.detach() instead.")
            self._node = None
        return self

    @property
    def is_leaf(self) -> bool:
        """True unless the Tensor was computed from one that requires a gradient."""
        return not isinstance(self._node, Node)

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have accumulated; None before the first."""
        node = self._node
        if isinstance(node, Leaf):
            return node.grad  # type: ignore[no-any-return]
        if node is None or node.extras is None or node.extras.grad is None:
            return None
        grad = node.extras.grad
        return grad if isinstance(grad, Tensor) else new_tensor(np.asarray(grad), None)

    @grad.setter
    def grad(self, value: Tensor | ArrayLike | None) -> None:
        node = self._node
        if value is not None:
            if not isinstance(node, Leaf):
                raise GradientError(
                    "t.grad = …: only a leaf that requires a gradient can be given one; call requires_grad_() first."
                )
            value = value if isinstance(value, Tensor) else Tensor(value, dtype=self.dtype)
            if value.shape != self.shape:
                raise ShapeError(f"t.grad = …: the gradient has shape {value.shape}, the Tensor {self.shape}.")
        if isinstance(node, Leaf):
            node.grad = value
            node.passes = 0 if value is None else 1
        elif node is not None and node.extras is not None:
            node.extras.grad = None

    @property
    def name(self) -> str | None:
        """The name shown in pictures and messages."""
        try:
            return self._name
        except AttributeError:
            return None

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name
        if isinstance(self._node, Leaf):
            self._node.name = name
        elif self._node is not None:
            self._node.extra().name = name

    def backward(
        self,
        gradient: Tensor | ArrayLike | None = None,
        *,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add the gradients of this Tensor to ``grad`` of every leaf it was computed from.

        Parameters
        ----------
        gradient : array_like, optional
            The gradient that enters here, of this Tensor's shape; may be left out for a scalar (it is 1).
        retain_graph : bool, optional
            Keep what the pass needs for another one. By default as `create_graph`.
        create_graph : bool
            Record the pass itself, so that the gradients can be differentiated.

        Raises
        ------
        GradientError
            Not a scalar and no `gradient`; or no leaf that requires a gradient.
        FreedGraphError, StaleValueError
            The graph was used up, or an optimizer has changed what it saved.
        """
        implementations["backward"]((self,), (gradient,), retain_graph=retain_graph, create_graph=create_graph)

    def detach(self) -> Tensor:
        """The same values (shared, not copied) without the graph."""
        return new_tensor(self.data, None)

    def retain_grad(self) -> None:
        """Keep this computed Tensor's gradient in ``grad`` as well. Leaves always do."""
        if self._node is None:
            raise GradientError("retain_grad: this Tensor requires no gradient, so there will be none to retain.")
        if isinstance(self._node, Node):
            self._node.extra().retain = True

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Hook:
        """Call ``hook(gradient)`` when this Tensor's gradient is known; what it returns replaces the gradient.

        Returns a handle; ``handle.remove()`` takes the hook away.
        """
        if self._node is None:
            raise GradientError("register_hook: this Tensor requires no gradient, so the hook would never run.")
        from .hook import Hook

        return Hook(self._node, hook)

    def _rebind(self, new: Tensor, what: str) -> None:
        """Make this object stand for `new`'s values, at the same shape and dtype."""
        if isinstance(self._node, Leaf) and mode.grad_enabled:
            raise GradientError(
                f"{what}: this Tensor is a leaf that requires a gradient, and writing into it would cut it off. "
                f"Do it under tg.no_grad(), or on a copy: t = t.clone()."
            )
        if new.shape != self.shape:
            raise ShapeError(
                f"{what}: the result has shape {new.shape}, the Tensor {self.shape}. Write t = t … instead."
            )
        if new.dtype != self.dtype:
            if not np.can_cast(new.dtype, self.dtype, "same_kind"):
                raise TypeError(
                    f"{what}: the result is {new.dtype} and does not fit into a Tensor of {self.dtype}; write t = t …"
                )
            new = new.astype(self.dtype)
        self.data = new.data
        if not isinstance(self._node, Leaf):
            self._node = new._node

    # Text and copies

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="tensor(", threshold=200)
        if self.data.dtype not in (as_array(0.0).dtype, np.dtype(np.int64), np.dtype(bool)):
            text += f", dtype={self.data.dtype}"
        if self.name:
            text += f", name={self.name!r}"
        if isinstance(self._node, Node):
            text += f", made by {self._node.primitive.name}"
        elif self._node is not None:
            text += ", requires_grad=True"
        return f"tensor({text})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.data.size == 1 else format(str(self), spec)

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if isinstance(self._node, Node):
            raise GradientError("a computed Tensor cannot be copied apart from its graph: use t.detach() or t.clone().")
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        new.data = self.data.copy()
        new._node = None
        if self.name is not None:
            new._name = self.name
        if isinstance(self._node, Leaf):
            new._node = Leaf(self.name)
            if self._node.grad is not None:
                new.grad = new_tensor(self._node.grad.data.copy(), None)
        return new

    def __reduce__(self) -> Any:
        if isinstance(self._node, Node):
            raise GradientError("a computed Tensor cannot be pickled with its graph: use t.detach().")
        return _restore, (type(self), self.data, self.requires_grad, self.name)


def _restore(kind: type[Tensor], data: np.ndarray[Any, Any], requires_grad: bool, name: str | None) -> Tensor:
    new = kind.__new__(kind)
    new.data = data
    new._node = None
    new.name = name
    return new.requires_grad_() if requires_grad else new


_allocate = Tensor.__new__


def new_tensor(data: np.ndarray[Any, Any], node: Node | Leaf | None) -> Tensor:
    """A Tensor around an ndarray as it is, without any check: the engine's own constructor."""
    new = _allocate(Tensor)
    new.data = data
    new._node = node
    return new


def tensor(
    data: ArrayLike | Tensor,
    requires_grad: bool = False,
    *,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """A Tensor with its own copy of the data.

    Parameters
    ----------
    data : array_like
        Python floats become the default dtype (float32); NumPy arrays keep theirs.
    requires_grad : bool
        Whether to record what is computed from it.
    dtype : dtype, optional
    name : str, optional

    Raises
    ------
    DetachError
        `data` is a Tensor that requires a gradient, which the new one would not know, and `requires_grad` is False.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.tensor([[1.0, 2.0]], requires_grad=True)
    tensor([[1., 2.]], requires_grad=True)
    """
    made = Tensor(data, requires_grad, dtype=dtype, name=name)
    if isinstance(data, (np.ndarray, Tensor)) or made.data.base is not None:
        made.data = made.data.copy()
    return made


def as_tensor(data: ArrayLike | Tensor, dtype: DTypeLike | None = None) -> Tensor:
    """`data` as a Tensor, sharing memory where it can; a Tensor is returned as it is."""
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == dtype else data.astype(dtype)
    return Tensor(data, dtype=dtype)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A Tensor that shares memory with an ndarray."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, got {type(array).__name__}; use tg.tensor(data).")
    return Tensor(array)
