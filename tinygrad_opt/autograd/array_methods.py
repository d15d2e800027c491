"""What a Tensor shares with an ndarray: shape, operators, methods, indexing, and NumPy's own dispatch.

Nothing is computed here. Each operator and method, and NumPy when it meets a Tensor (NEP 13, NEP 18), looks up by NumPy
function what stands for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import DTypeLike

from ..errors import DetachError
from .absent import explain_absence
from .dtypes import as_array
from .messages import refuse_options
from .registry import implementations, lookup, operators

__all__ = ["ArrayMethods", "quick_operator"]


def _method(function: Any) -> Callable[..., Any]:
    """A method that calls whatever stands for a NumPy function."""

    def method(self: ArrayMethods, *args: Any, **kwargs: Any) -> Any:
        return implementations[function](self, *args, **kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"Like :func:`numpy.{function.__name__}`, differentiable."
    return method


def _operator(function: Any, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def operator(self: ArrayMethods, other: Any) -> Any:
        return operators[function](self, other)

    def reflected(self: ArrayMethods, other: Any) -> Any:
        return operators[function](other, self)

    return reflected if swapped else operator


def _equality(function: Any) -> Callable[[Any, Any], Any]:
    """Elementwise with numbers; None and text are equal to no Tensor, and pytest.approx compares by its own rules."""

    def operator(self: ArrayMethods, other: Any) -> Any:
        if other is None or other.__class__ is str or getattr(other.__class__, "__array_ufunc__", True) is None:
            return NotImplemented
        return operators[function](self, other)

    return operator


def _in_place(function: Any) -> Callable[[Any, Any], Any]:
    """``t += other``: a new array, to which the same Tensor object is rebound."""

    def operator(self: ArrayMethods, other: Any) -> Any:
        self._rebind(operators[function](self, other), f"in-place {function.__name__}")
        return self

    return operator


_QUICK = {np.add: "add", np.subtract: "sub", np.multiply: "mul", np.true_divide: "truediv", np.matmul: "matmul"}


def quick_operator(function: Any, quick: Callable[[Any, Any], Any]) -> None:
    """Let an operator be its primitive's own function: for few numbers, looking it up takes as long as the sum."""
    if function in _QUICK:
        setattr(ArrayMethods, f"__{_QUICK[function]}__", quick)
        setattr(ArrayMethods, f"__r{_QUICK[function]}__", lambda self, other: quick(other, self))


class ArrayMethods:
    """The part of Tensor that reads like ndarray; every method returns Tensors, differentiable."""

    __slots__ = ()

    data: np.ndarray[tuple[int, ...], np.dtype[Any]]

    def _rebind(self, new: Any, what: str) -> None:
        """Make this object stand for `new`'s values, at the same shape and dtype."""
        raise NotImplementedError

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
    def itemsize(self) -> int:
        """The bytes that one element takes."""
        return self.data.itemsize

    @property
    def device(self) -> str:
        """Where the elements are: always "cpu"."""
        return "cpu"

    @property
    def T(self) -> Any:
        """The Tensor with its axes reversed."""
        return implementations[np.transpose](self)

    @property
    def mT(self) -> Any:
        """The Tensor with its last two axes exchanged."""
        return implementations[np.matrix_transpose](self)

    @property
    def real(self) -> Any:
        """The real part."""
        return implementations[np.real](self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return implementations[np.imag](self)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """The same elements in another shape; one extent may be -1. Options are those of :func:`numpy.reshape`."""
        return implementations[np.reshape](self, shape[0] if len(shape) == 1 else shape, **options)

    def transpose(self, *axes: Any) -> Any:
        """Axes permuted; reversed when none are given."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else (axes or None)
        return implementations[np.transpose](self, order)

    def flatten(self, order: Any = "C") -> Any:
        """One axis: row by row, or column by column with order "F"."""
        return implementations[np.ravel](self, order)

    def astype(self, dtype: DTypeLike, order: Any = "K", casting: Any = "unsafe", *, copy: bool = True) -> Any:
        """The values in another dtype; differentiable between floating-point dtypes.

        With `copy` False, a Tensor that has the dtype already is returned as it is.
        """
        new = np.dtype(dtype)
        if not np.can_cast(self.dtype, new, casting):
            raise TypeError(f"astype: {self.dtype} does not become {new} with casting={casting!r}; leave casting away.")
        return self if new == self.dtype and not copy else implementations[np.astype](self, new)

    def copy(self, order: Any = "C") -> Any:
        """A copy with its own memory, through which gradients flow."""
        return implementations[np.copy](self, order)

    clone = copy

    # NumPy's two protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc in operators:
            return operators[ufunc](*inputs)
        if kwargs.pop("out", None) is not None:
            raise DetachError(
                f"np.{ufunc.__name__} cannot write a Tensor's values into an array that knows no gradient "
                f"(an ndarray on the left of += and its kin does this). Write a = a + t instead."
            )
        if method != "__call__":
            return implementations["ufunc", method](ufunc, *inputs, **kwargs)
        refuse_options(ufunc.__name__, kwargs)
        return lookup(ufunc)(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise DetachError(
                f"np.{function.__name__}: Tensors know no out=, which would lose their gradient; assign the result."
            )
        return lookup(function)(*args, **kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        return importlib.import_module(__package__.rpartition(".")[0])

    def to_device(self, device: Any, /, *, stream: None = None) -> Self:
        """The Tensor itself: everything is on the CPU."""
        if device != "cpu":
            raise ValueError(f"to_device({device!r}): everything is on the CPU here; leave it away.")
        return self

    def __dlpack__(self, **options: Any) -> Any:
        return np.asarray(self).__dlpack__(**options)  # raises where a gradient would be lost

    def __dlpack_device__(self) -> Any:
        return self.data.__dlpack_device__()

    # Indexing

    def __getitem__(self, index: Any) -> Any:
        return implementations["getitem"](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._rebind(implementations["setitem"](self, value, index), "t[…] = …")

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("len(): a 0-d Tensor has no length.")
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
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
    __lshift__ = _operator(np.left_shift)
    __rlshift__ = _operator(np.left_shift, swapped=True)
    __rshift__ = _operator(np.right_shift)
    __rrshift__ = _operator(np.right_shift, swapped=True)
    __lt__ = _operator(np.less)
    __le__ = _operator(np.less_equal)
    __gt__ = _operator(np.greater)
    __ge__ = _operator(np.greater_equal)
    __eq__ = _equality(np.equal)
    __ne__ = _equality(np.not_equal)
    __iadd__ = _in_place(np.add)
    __isub__ = _in_place(np.subtract)
    __imul__ = _in_place(np.multiply)
    __itruediv__ = _in_place(np.true_divide)
    __ifloordiv__ = _in_place(np.floor_divide)
    __imod__ = _in_place(np.remainder)
    __ipow__ = _in_place(np.power)
    __imatmul__ = _in_place(np.matmul)
    __iand__ = _in_place(np.bitwise_and)
    __ior__ = _in_place(np.bitwise_or)
    __ixor__ = _in_place(np.bitwise_xor)
    __ilshift__ = _in_place(np.left_shift)
    __irshift__ = _in_place(np.right_shift)
    __neg__ = _method(np.negative)
    __abs__ = _method(np.absolute)
    __invert__ = _method(np.invert)

    def __pos__(self) -> Self:
        return self

    def __round__(self, ndigits: int | None = None) -> Any:
        return implementations[np.round](self, ndigits or 0)

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
    nonzero = _method(np.nonzero)
    argsort = _method(np.argsort)
    argpartition = _method(np.argpartition)
    searchsorted = _method(np.searchsorted)
    choose = _method(np.choose)
    put = _method(np.put)

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """Like :func:`numpy.compress`, differentiable."""
        return implementations[np.compress](condition, self, axis)

    def sort(self, axis: int = -1) -> None:
        """Sort in place, as an ndarray does: the Tensor is bound to its sorted values. np.sort returns a new one."""
        self._rebind(implementations[np.sort](self, axis), "t.sort()")

    def partition(self, kth: Any, axis: int = -1) -> None:
        """Partition in place, as an ndarray does; np.partition returns a new Tensor."""
        self._rebind(implementations[np.partition](self, kth, axis), "t.partition()")

    def fill(self, value: Any) -> None:
        """Write one value everywhere, as an ndarray does."""
        self[...] = value

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(explain_absence(name))
