"""Gradients and products with Jacobians, of functions of nested Tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import autograd
from ..autograd.modes import enable_grad, mode
from ..autograd.node import Leaf, ancestors
from ..autograd.tensor import Tensor, as_tensor, new_tensor
from ..errors import GradientError, ShapeError
from .tree import leaves, rebuild, tree_map

__all__ = ["Forward", "Function", "Run", "grad", "jvp", "value_and_grad", "vjp", "zeros"]

Function = Callable[..., Any]


def _own(value: Any, caller: str) -> Tensor:
    """A Tensor of the same values that requires a gradient, connected to whatever `value` came from."""
    tensor = as_tensor(value)
    if tensor.dtype.kind not in "fc":
        raise GradientError(
            f"{caller}: an argument of dtype {tensor.dtype} cannot be differentiated; "
            f"make it floating point, or choose others with argnums."
        )
    if tensor.requires_grad and mode.grad_enabled:
        return np.copy(tensor)  # type: ignore[return-value]
    return new_tensor(tensor.data, Leaf(tensor.name))


def _tracks(outputs: Sequence[Tensor], own: Sequence[Tensor]) -> bool:
    """Whether the outputs depend on anything that requires a gradient besides the arguments made by `_own`."""
    ours = {id(tensor._node) for tensor in own}
    inside = ancestors([output._node for output in outputs])
    return any(
        parent is not None and parent.__class__ is Leaf and id(parent) not in ours
        for node in inside
        for parent in node.parents
    )


class Run:
    """One evaluation of a function on arguments of its own, ready to be differentiated.

    Attributes
    ----------
    inputs : list of Tensor
        The leaves of the chosen arguments, as the function got them.
    output : nest of Tensor
        What it returned, still in the graph.
    tracked : bool
        Whether the caller needs derivatives of the derivatives.
    """

    def __init__(
        self, function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], argnums: Any, caller: str
    ) -> None:
        places = [argnums] if isinstance(argnums, int) else list(argnums)
        if not all(-len(args) <= place < len(args) for place in places):
            raise ValueError(f"{caller}: argnums={argnums} for a call with {len(args)} positional arguments.")
        outer = mode.grad_enabled
        arguments = list(args)
        for place in places:
            arguments[place] = tree_map(lambda value: _own(value, caller), args[place])
        self.chosen = arguments[argnums] if isinstance(argnums, int) else tuple(arguments[p] for p in argnums)
        self.inputs = leaves(self.chosen)
        with enable_grad():
            self.output = function(*arguments, **kwargs)
        self.outer = outer
        self.caller = caller

    def track(self, outputs: Sequence[Any]) -> None:
        """Check the outputs, and find out whether the derivatives are to be recorded."""
        for output in outputs:
            if not isinstance(output, Tensor):
                raise TypeError(f"{self.caller}: the function must return Tensors, got {type(output).__name__}.")
        self.tracked = self.outer and _tracks(outputs, self.inputs)

    def release(self, value: Any) -> Any:
        """A result for the caller: in the graph only when the caller needs that."""
        return tree_map(lambda t: t if self.tracked or not isinstance(t, Tensor) else t.detach(), value)

    def pull(self, outputs: Sequence[Tensor], cotangents: Sequence[Any], create_graph: bool) -> list[Tensor]:
        """Gradients of the inputs; zeros where there is no path."""
        reached = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
        if not reached:
            return zeros(self.inputs)
        found = autograd.grad(
            [o for o, _ in reached],
            self.inputs,
            [c for _, c in reached],
            create_graph=create_graph,
            retain_graph=True,
            allow_unused=True,
        )
        return _filled(found, self.inputs)


def zeros(like: Sequence[Tensor]) -> list[Any]:
    """Zeros of the shapes and dtypes of some Tensors."""
    return [Tensor(np.zeros(t.shape, t.dtype)) for t in like]


def _filled(found: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor]:
    return [Tensor(np.zeros(t.shape, t.dtype)) if g is None else g for g, t in zip(found, like, strict=True)]


def value_and_grad(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that returns ``(value, gradient)``: :func:`grad` without a second evaluation.

    With `has_aux`, ``((value, aux), gradient)``.
    """

    @functools.wraps(function)
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        run = Run(function, args, kwargs, argnums, "grad")
        value, aux = run.output if has_aux else (run.output, None)
        run.track([value])
        if value.size != 1:
            raise GradientError(
                f"grad: the function must return one number, got shape {value.shape}. "
                f"Return .mean() or .sum() of it, or use jacobian()."
            )
        found = run.pull([value], [Tensor(np.ones(value.shape, value.dtype))], run.tracked)
        gradient = rebuild(run.chosen, found)
        return ((run.release(value), run.release(aux)) if has_aux else run.release(value)), run.release(gradient)

    return evaluate


def grad(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The gradient of a function that returns one number.

    Parameters
    ----------
    function : callable
    argnums : int or sequence of int
        Which positional arguments; for a sequence the result is a tuple.
    has_aux : bool
        The function returns ``(value, aux)``, and so does the gradient: ``(gradient, aux)``.

    Returns
    -------
    callable
        Takes the same arguments; returns a gradient nested like the chosen argument.

    Raises
    ------
    GradientError
        When called: the function does not return one number, or an argument is not floating point.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> cube = lambda x: x**3
    >>> tg.func.grad(tg.func.grad(cube))(tg.tensor(2.0))
    tensor(12.)
    """
    both = value_and_grad(function, argnums, has_aux)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(function: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and its vector-Jacobian product.

    Returns
    -------
    (value, pull) or (value, pull, aux)
        ``pull(cotangent)``, with a cotangent nested and shaped like the value, is vᵀJ: a tuple with one entry,
        nested alike, for each of the `primals`. It may be called any number of times.
    """
    run = Run(function, primals, {}, tuple(range(len(primals))), "vjp")
    value, aux = run.output if has_aux else (run.output, None)
    outputs = leaves(value)
    run.track(outputs)

    def pull(cotangent: Any) -> Any:
        given = [as_tensor(c, o.dtype) for c, o in _pairs(cotangent, outputs, "vjp: the cotangent")]
        tracked = run.outer and mode.grad_enabled and (run.tracked or any(c.requires_grad for c in given))
        found = run.pull(outputs, given, tracked)
        return rebuild(run.chosen, found if tracked else [g.detach() for g in found])

    released = run.release(value)
    return (released, pull, run.release(aux)) if has_aux else (released, pull)


def _pairs(given: Any, like: Sequence[Tensor], what: str) -> list[tuple[Any, Tensor]]:
    """The leaves of what the user gave, each with the Tensor whose shape it must have."""
    flat = leaves(given)
    if len(flat) != len(like):
        raise ValueError(f"{what} has {len(flat)} Tensors where {len(like)} are needed.")
    for value, tensor in zip(flat, like, strict=True):
        if np.shape(value.data if isinstance(value, Tensor) else value) != tensor.shape:
            raise ShapeError(f"{what} has shape {as_tensor(value).shape} where {tensor.shape} is needed.")
    return list(zip(flat, like, strict=True))


class Forward:
    """Jacobian-vector products, by differentiating the vector-Jacobian product, which is linear in its vector."""

    def __init__(self, run: Run, outputs: Sequence[Tensor]) -> None:
        self.run, self.outputs = run, outputs
        self.vectors = [new_tensor(np.zeros(o.shape, o.dtype), Leaf()) for o in outputs]
        with enable_grad():
            self.pulled = run.pull(outputs, self.vectors, True)

    def push(self, tangents: Sequence[Any], create_graph: bool) -> list[Tensor]:
        """The outputs' derivatives along `tangents`, one for each input."""
        reached = [(p, t) for p, t in zip(self.pulled, tangents, strict=True) if p.requires_grad]
        if not reached:
            return zeros(self.outputs)
        found = autograd.grad(
            [p for p, _ in reached],
            self.vectors,
            [t for _, t in reached],
            create_graph=create_graph,
            retain_graph=True,
            allow_unused=True,
        )
        return _filled(found, self.vectors)


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of a function and its Jacobian-vector product J t, the derivative along `tangents`.

    Forward mode by two reverse passes: about three evaluations, whatever the number of inputs and outputs.

    Parameters
    ----------
    primals, tangents : tuple or list
        One entry for each argument, nested and shaped alike.

    Returns
    -------
    (value, tangent) or (value, tangent, aux)
    """
    run = Run(function, list(primals), {}, tuple(range(len(primals))), "jvp")
    value, aux = run.output if has_aux else (run.output, None)
    outputs = leaves(value)
    run.track(outputs)
    given = [as_tensor(t, x.dtype) for t, x in _pairs(list(tangents), run.inputs, "jvp: the tangent")]
    run.tracked = run.tracked or (run.outer and any(t.requires_grad for t in given))
    pushed = rebuild(value, Forward(run, outputs).push(given, run.tracked))
    result = (run.release(value), run.release(pushed))
    return (*result, run.release(aux)) if has_aux else result
