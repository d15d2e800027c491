"""Tensor: an array, and the node of the graph that made it.

Operators and methods look up their implementation by NumPy function, and so does NumPy when it meets a Tensor
(NEP 13, NEP 18); no operation is defined here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..errors import DetachError, GradientError, ShapeError
from .dtypes import as_array, check_differentiable
from .graph import Leaf, Node
from .modes import mode
from .registry import implementations, lookup, operators

__all__ = ["Tensor", "as_array", "as_tensor", "from_numpy", "new_tensor", "tensor"]

_REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_REDUCTIONS |= {np.logical_and: np.all, np.logical_or: np.any}


def _method(function: Any) -> Callable[..., Any]:
    """A method that calls whatever stands for a NumPy function."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return implementations[function](self, *args, **kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"Like :func:`numpy.{function.__name__}`, differentiable."
    return method


def _operator(function: Any, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def operator(self: Tensor, other: Any) -> Any:
        return operators[function](self, other)

    def reflected(self: Tensor, other: Any) -> Any:
        return operators[function](other, self)

    return reflected if swapped else operator


def _in_place(function: Any) -> Callable[[Any, Any], Any]:
    """``t += other``: a new array, to which the same Tensor object is rebound."""

    def operator(self: Tensor, other: Any) -> Tensor:
        self._rebind(operators[function](self, other), f"in-place {function.__name__}")
        return self

    return operator


class Tensor:
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
        from .grad import backward

        backward([self], [gradient], retain_graph=retain_graph, create_graph=create_graph)

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

    # The way out to NumPy and Python

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as an ndarray (shared memory).

        Raises
        ------
        DetachError
            When the Tensor requires a gradient, which the array would not carry: ``t.detach().numpy()``.
        """
        return self.__array__()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self._node is not None and mode.grad_enabled:
            raise DetachError(
                "this Tensor requires a gradient, and as a plain array it would lose it. "
                "Stay with Tensors (np.* functions accept them), or write t.detach().numpy() on purpose."
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The value of a one-element Tensor as a Python number."""
        if self.data.size != 1:
            raise ShapeError(f"item(): needs exactly one element, this has shape {self.shape}.")
        return self.data.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.data.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __bool__(self) -> bool:
        if self.data.size != 1:
            raise ValueError(f"the truth value of a Tensor of shape {self.shape} is ambiguous: use .any() or .all().")
        return bool(self.data.item())

    def __index__(self) -> int:
        return self.data.__index__()

    # Shape and dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents of the axes."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.data.dtype

    @property
    def nbytes(self) -> int:
        """The bytes that the elements take."""
        return self.data.nbytes

    @property
    def T(self) -> Tensor:
        """The Tensor with its axes reversed."""
        return implementations[np.transpose](self)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        """The Tensor with its last two axes exchanged."""
        return implementations[np.matrix_transpose](self)  # type: ignore[no-any-return]

    @property
    def real(self) -> Tensor:
        """The real part."""
        return implementations[np.real](self)  # type: ignore[no-any-return]

    @property
    def imag(self) -> Tensor:
        """The imaginary part."""
        return implementations[np.imag](self)  # type: ignore[no-any-return]

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape; one extent may be -1."""
        return implementations[np.reshape](self, shape[0] if len(shape) == 1 else shape)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """Axes permuted; reversed when none are given."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else (axes or None)
        return implementations[np.transpose](self, order)  # type: ignore[no-any-return]

    def flatten(self) -> Tensor:
        """One axis, in row-major order."""
        return self.reshape(-1)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """The values in another dtype; differentiable between floating-point dtypes."""
        return implementations[np.astype](self, np.dtype(dtype))  # type: ignore[no-any-return]

    def copy(self) -> Tensor:
        """A copy with its own memory, through which gradients flow."""
        return implementations[np.copy](self)  # type: ignore[no-any-return]

    clone = copy

    # NumPy's two protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.pop("out", None) is not None:
            raise DetachError(
                f"np.{ufunc.__name__} cannot write a Tensor's values into an array that knows no gradient "
                f"(an ndarray on the left of += and its kin does this). Write a = a + t instead."
            )
        if method == "reduce" and ufunc in _REDUCTIONS:
            kwargs.setdefault("axis", 0)
            return lookup(_REDUCTIONS[ufunc])(*inputs, **kwargs)
        if method != "__call__":
            raise DetachError(
                f"np.{ufunc.__name__}.{method} is not defined on Tensors; pass t.detach().numpy() on purpose."
            )
        return lookup(ufunc)(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise DetachError(
                f"np.{function.__name__}: Tensors know no out=, which would lose their gradient; assign the result."
            )
        return lookup(function)(*args, **kwargs)

    # Indexing

    def __getitem__(self, index: Any) -> Tensor:
        return implementations["getitem"](self, index)  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._rebind(implementations["setitem"](self, value, index), "t[…] = …")

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("len(): a 0-d Tensor has no length.")
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.data.ndim:
            raise TypeError("a 0-d Tensor cannot be iterated over.")
        return (self[i] for i in range(len(self.data)))

    def __contains__(self, value: Any) -> bool:
        return bool((self.data == as_array(value)).any())

    # Operators

    __add__ = _operator(np.add)
    __radd__ = _operator(np.add, swapped=True)
    __sub__ = _operator(np.subtract)
    __rsub__ = _operator(np.subtract, swapped=True)
    __mul__ = _operator(np.multiply)
    __rmul__ = _operator(np.multiply, swapped=True)
    __truediv__ = _operator(np.true_divide)
    __rtruediv__ = _operator(np.true_divide, swapped=True)
    __floordiv__ = _operator(np.floor_divide)
    __rfloordiv__ = _operator(np.floor_divide, swapped=True)
    __mod__ = _operator(np.remainder)
    __rmod__ = _operator(np.remainder, swapped=True)
    __divmod__ = _operator(np.divmod)
    __rdivmod__ = _operator(np.divmod, swapped=True)
    __pow__ = _operator(np.power)
    __rpow__ = _operator(np.power, swapped=True)
    __matmul__ = _operator(np.matmul)
    __rmatmul__ = _operator(np.matmul, swapped=True)
    __and__ = _operator(np.bitwise_and)
    __rand__ = _operator(np.bitwise_and, swapped=True)
    __or__ = _operator(np.bitwise_or)
    __ror__ = _operator(np.bitwise_or, swapped=True)
    __xor__ = _operator(np.bitwise_xor)
    __rxor__ = _operator(np.bitwise_xor, swapped=True)
    __lt__ = _operator(np.less)
    __le__ = _operator(np.less_equal)
    __gt__ = _operator(np.greater)
    __ge__ = _operator(np.greater_equal)
    __eq__ = _operator(np.equal)
    __ne__ = _operator(np.not_equal)
    __iadd__ = _in_place(np.add)
    __isub__ = _in_place(np.subtract)
    __imul__ = _in_place(np.multiply)
    __itruediv__ = _in_place(np.true_divide)
    __ifloordiv__ = _in_place(np.floor_divide)
    __imod__ = _in_place(np.remainder)
    __ipow__ = _in_place(np.power)
    __imatmul__ = _in_place(np.matmul)
    __neg__ = _method(np.negative)
    __abs__ = _method(np.absolute)
    __invert__ = _method(np.invert)

    def __pos__(self) -> Tensor:
        return self

    def __hash__(self) -> int:
        return id(self)

    # Methods that ndarray has

    sum = _method(np.sum)
    mean = _method(np.mean)
    prod = _method(np.prod)
    var = _method(np.var)
    std = _method(np.std)
    max = _method(np.max)
    min = _method(np.min)
    argmax = _method(np.argmax)
    argmin = _method(np.argmin)
    any = _method(np.any)
    all = _method(np.all)
    cumsum = _method(np.cumsum)
    cumprod = _method(np.cumprod)
    clip = _method(np.clip)
    round = _method(np.round)
    conj = _method(np.conjugate)
    conjugate = _method(np.conjugate)
    dot = _method(np.dot)
    trace = _method(np.trace)
    diagonal = _method(np.diagonal)
    ravel = _method(np.ravel)
    squeeze = _method(np.squeeze)
    swapaxes = _method(np.swapaxes)
    repeat = _method(np.repeat)
    take = _method(np.take)
    compress: Callable[..., Any]
    nonzero = _method(np.nonzero)
    argsort = _method(np.argsort)
    argpartition = _method(np.argpartition)
    searchsorted = _method(np.searchsorted)
    choose = _method(np.choose)

    def __getattr__(self, name: str) -> NoReturn:
        if not name.startswith("_"):
            for function in implementations:
                if getattr(function, "__name__", None) == name:
                    raise AttributeError(
                        f"a Tensor has no method '{name}', as an ndarray has none; write np.{name}(t) or tg.{name}(t)."
                    )
        raise AttributeError(f"a Tensor has no attribute '{name}'")

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


class Hook:
    """A handle for a hook on a Tensor's gradient; ``remove()`` takes the hook away."""

    def __init__(self, node: Node | Leaf, hook: Callable[[Tensor], Tensor | None]) -> None:
        if isinstance(node, Node):
            self._hooks = node.extra().hooks
        else:
            if node.hooks is None:
                node.hooks = {}
            self._hooks = node.hooks
        self._key = id(self)

        def run(gradient: Any) -> Any:
            lifted = isinstance(gradient, Tensor)
            given = gradient if lifted else new_tensor(np.asarray(gradient), None)
            new = hook(given)
            if new is None:
                return gradient
            if new.shape != given.shape:
                raise ShapeError(f"a gradient hook returned shape {new.shape} for a gradient of shape {given.shape}.")
            return new if lifted else new.data

        self._hooks[self._key] = run

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self._key, None)


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

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.tensor([[1.0, 2.0]], requires_grad=True)
    tensor([[1., 2.]], requires_grad=True)
    """
    array = as_array(data, dtype)
    if isinstance(data, (np.ndarray, Tensor)) or array.base is not None:
        array = array.copy()
    return Tensor(array, requires_grad, name=name)


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
