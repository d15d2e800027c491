"""Primitives: the operations whose gradient is declared, each in one place.

A primitive is a forward function on arrays, one gradient rule for each array argument, the text of its formula, and
sample inputs on which the test suite checks every rule to second order. A rule is called as
``rule(g, out, *inputs, **options)`` and returns the vector-Jacobian product for its argument. It runs on arrays in a
plain backward pass and on Tensors under ``create_graph=True``; summing over broadcast axes is the engine's work.

A rule parameter whose name begins with an underscore is known to the rule only by ``shape``, ``ndim``, ``dtype`` and
``size``: its values need not be kept until the backward pass. ``lambda g, y, _x: g * y`` is exp's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

import numpy as np
from numpy import ndarray

from .arguments import convert, plain_option
from .array_methods import quick_operator
from .graph import KEEP_SIZE, Lift, Node, Spec, next_number
from .messages import explain_failure, refuse_options
from .modes import begin, current, mode
from .quick import allocate, quick_binary, quick_unary
from .registry import declared, implementations, operators, primitives
from .rules import Rule, Rules
from .signatures import argument_names, count_arrays
from .tensor import Tensor, new_tensor

__all__ = ["Primitive", "primitive"]

Samples = Callable[[np.random.Generator], Iterable[Any]]


class Primitive(Rules):
    """An operation with declared gradients; calling it records a Node when a gradient is wanted.

    Parameters
    ----------
    forward : callable
        Takes ndarrays (and static options), returns an ndarray or a tuple of them.
    name : str, optional
        By default the forward function's name.
    vjp : sequence of callable or None, optional
        One rule for each array argument; None where the argument has no gradient. May be given later by
        decorators: ``@f.vjp(0)``, ``@f.vjp_each`` (any number of array arguments), ``@f.vjp_joint`` (all together).
    arrays : int or None, optional
        How many leading arguments are arrays; those behind are static options. By default a ufunc's inputs, or the
        parameters without a default value (all positional ones for ``*args``).
    formula, gradient : str, optional
        The mathematics as text, e.g. ``"exp(x)"`` and ``"g · exp(x)"``, for pictures.
    samples : callable, optional
        ``samples(rng)`` yields arguments to check the gradients on: a tuple, or a tuple and a dict of options.
    differentiable : bool
        False for functions whose output has no gradient at all, such as comparisons.
    real : bool
        Whether the rules hold for real numbers only; recording a complex result then raises.
    part : callable, optional
        ``part(g, *inputs)``: in a plain pass, the gradient of the only array argument as a Part; None for its rule's.
    elementwise : bool
        Whether each element of the result comes from one element of each argument, as a ufunc's does, also where the
        result is complex: recording is quicker then.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        *,
        name: str | None = None,
        vjp: Sequence[Rule | None] = (),
        arrays: int | None = None,
        formula: str | None = None,
        gradient: str | Sequence[str] | None = None,
        samples: Samples | None = None,
        differentiable: bool = True,
        real: bool = False,
        part: Callable[..., Any] | None = None,
        elementwise: bool = False,
    ) -> None:
        count, variadic = (arrays, False) if arrays is not None else count_arrays(forward)
        elementwise |= isinstance(forward, np.ufunc) and forward.signature is None and differentiable
        super().__init__(name or forward.__name__, count, vjp, elementwise, variadic, part)
        self.forward = forward
        self.__name__ = self.name
        self.__qualname__ = self.name
        self.__doc__ = forward.__doc__
        self.__module__ = forward.__module__ or __name__
        self.array_names: tuple[str, ...] = ()
        self.formula = formula or self.name
        self.gradient = gradient
        self.make_samples = samples
        self.differentiable = differentiable
        self.real = real
        self.accepted: np.dtype[Any] | None = None
        self.unary, self.binary = quick_unary(self), quick_binary(self)
        self.quick_arity = self.arrays if self.arrays in (1, 2) and not self.variadic else -1
        self.quick: Callable[..., Any] = self.unary if self.arrays == 1 else self.binary

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return declared, (self.name,)  # what holds a primitive can be pickled: it is found again by its name

    def samples(self, rng: np.random.Generator | None = None) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """The sample inputs as (args, kwargs) pairs; empty when none are declared."""
        if self.make_samples is None:
            return []
        rng = rng or np.random.default_rng(0)
        return [
            sample if len(sample) == 2 and isinstance(sample[1], dict) else (sample, {})
            for sample in self.make_samples(rng)
        ]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and len(args) == self.quick_arity:
            return self.quick(*args)
        for name in self.array_names[len(args) :]:  # np.mean(a=t)
            if name in kwargs:
                args = (*args, kwargs.pop(name))
        if kwargs and isinstance(self.forward, np.ufunc):
            refuse_options(self.name, kwargs)
        inputs, parents = convert(self.name, args, self.arrays, self.variadic)
        for key, value in kwargs.items():
            kwargs[key] = plain_option(self.name, key, value)
        return self._run(inputs, parents, kwargs)

    def _run(self, inputs: tuple[Any, ...], parents: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute, and record a node when a gradient is wanted."""
        try:
            out = self.forward(*inputs, **kwargs) if kwargs else self.forward(*inputs)
        except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
            raise explain_failure(self, error, inputs, kwargs) from error
        return self._record(inputs, parents, kwargs, out)

    def _record(self, inputs: tuple[Any, ...], parents: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> Any:
        if out.__class__ is not ndarray:
            if out.__class__ is tuple:
                return self._record_several(inputs, parents, kwargs, out)
            out = np.asarray(out)
        made = allocate(Tensor)
        made.data = out
        made._node = None
        for parent in parents:
            if parent is not None:
                break
        else:
            return made
        here = current(None) or begin()
        if not here.grad_enabled or (out.dtype is not self.accepted and not self._accepts(out.dtype)):
            return made
        if self.complete and out.size <= KEEP_SIZE:
            for array in inputs:
                if array.__class__ is ndarray and array.size > KEEP_SIZE:
                    inputs, out = self._drop_unread(inputs, parents, out)
                    break
        else:
            inputs, out = self._drop_unread(inputs, parents, out)
        made._node = node = allocate(Node)
        node.primitive = self
        node.inputs = inputs
        node.kwargs = kwargs
        node.output = out
        node.parents = parents
        node.number = next_number()
        node.module = here.module
        node.extras = None
        return made

    def _accepts(self, dtype: np.dtype[Any]) -> bool:
        """Whether a result of this dtype can have a gradient; the last one that can is remembered."""
        if not self.differentiable or not (self.elementwise or dtype.kind in "fc"):
            return False
        if self.real and dtype.kind == "c":
            raise self._complex_result()
        self.accepted = dtype
        return True

    def _complex_result(self) -> TypeError:
        return TypeError(
            f"{self.name}: its gradient is that of real numbers, and a complex argument requires one. Pass real and "
            f"imaginary parts apart, or compute it with NumPy's functions, which are differentiable for both."
        )

    def _drop_unread(self, inputs: tuple[Any, ...], parents: tuple[Any, ...], out: Any) -> tuple[tuple[Any, ...], Any]:
        """The inputs and the output, the large arrays that no rule will read replaced by their shape and dtype."""
        unread, out_unread = self._find_unread(parents)
        if unread:
            kept = list(inputs)
            for position in unread:
                if (array := kept[position]).__class__ is ndarray and array.size > KEEP_SIZE:
                    kept[position] = Spec(array)
            inputs = tuple(kept)
        return inputs, Spec(out) if out_unread and out.size > KEEP_SIZE else out

    def _record_several(
        self, inputs: tuple[Any, ...], parents: tuple[Any, ...], kwargs: dict[str, Any], out: tuple[Any, ...]
    ) -> tuple[Tensor, ...]:
        """The Tensors of an operation with several outputs; each has a node of its own that picks it."""
        out = tuple([np.asarray(part) for part in out])
        if not mode.grad_enabled or not self.differentiable or all(parent is None for parent in parents):
            return tuple(new_tensor(part, None) for part in out)
        if self.real and any(part.dtype.kind == "c" for part in out):
            raise self._complex_result()
        self.simple = False
        inputs, _ = self._drop_unread(inputs, parents, np.empty(()))
        node = Node(self, inputs, kwargs, out, parents, next_number(), mode.module)
        return tuple(new_tensor(part, _pick_node(node, i)) for i, part in enumerate(out))

    def lift(self, node: Node, lift: Lift) -> tuple[list[Any], Any]:
        """A node's inputs and output as Tensors that stand in the graph where the arrays stood."""
        inputs = [
            v if p is None or v.__class__ is tuple else lift(v, p)
            for v, p in zip(node.inputs, node.parents, strict=True)
        ]
        out = node.output
        if out.__class__ is tuple:
            return inputs, tuple(lift(part, _pick_node(node, i)) for i, part in enumerate(out))
        return inputs, lift(out, node)

    def fill(self, g: Any, out: Any, lift: Lift | None) -> Any:
        """For a node with several outputs, zeros in place of the gradients that none of its users has sent."""
        if g.__class__ is not tuple:
            return g
        zeros = [np.broadcast_to(np.zeros((), part.dtype), part.shape) for part in out]  # takes no memory
        return tuple(
            part if part is not None else (zero if lift is None else lift(zero, None))
            for part, zero in zip(g, zeros, strict=True)
        )


def _pick_node(node: Node, index: int) -> Node | None:
    part = node.output[index]
    if part.dtype.kind not in "fc":
        return None
    kwargs = {"index": index, "count": len(node.output)}
    return Node(pick, (node.output,), kwargs, part, (node,), next_number(), node.module)


pick = Primitive(
    lambda _parts, index, count: _parts[index],
    name="[i]",
    arrays=1,
    vjp=[lambda g, y, _parts, index, count: tuple(g if i == index else None for i in range(count))],
    formula="output i",
    gradient="g, for that output",
)
"""Chooses one output of an operation that has several."""


@overload
def primitive(
    forward: None = None, *, numpy: Any = (), **options: Any
) -> Callable[[Callable[..., Any]], Primitive]: ...
@overload
def primitive(forward: Callable[..., Any], *, numpy: Any = (), **options: Any) -> Primitive: ...
def primitive(forward: Callable[..., Any] | None = None, *, numpy: Sequence[Any] | Any = (), **options: Any) -> Any:
    """Declare a primitive, as a call or as a decorator; the arguments are those of :class:`Primitive`.

    A ufunc answers for itself; `numpy` names (further) NumPy functions that the primitive stands for on Tensors.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> @tg.primitive
    ... def squared_relu(x):
    ...     return np.maximum(x, 0) ** 2
    >>> @squared_relu.vjp(0)
    ... def _(g, y, x):
    ...     return g * 2 * np.maximum(x, 0)
    >>> x = tg.tensor([-1.0, 3.0], requires_grad=True)
    >>> squared_relu(x).sum().backward()
    >>> x.grad
    tensor([0., 6.])
    """
    if forward is None:
        return functools.partial(primitive, numpy=numpy, **options)
    made = Primitive(forward, **options)
    primitives[made.name] = made
    stands_for = list(numpy) if isinstance(numpy, (tuple, list)) else [numpy]
    if isinstance(forward, np.ufunc):
        stands_for.append(forward)
    made.array_names = argument_names([*stands_for, forward])[: made.arrays]
    for function in stands_for:
        implementations[function] = made
        operators[function] = made if made.quick_arity < 0 else made.quick
        if made.arrays == 2:
            quick_operator(function, made.binary)
    return made
