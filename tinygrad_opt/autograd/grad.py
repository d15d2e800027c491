"""What users call to get gradients: ``Tensor.backward`` and ``autograd.grad``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import GradientError, ShapeError
from .graph import Leaf, Node, Spec, run_backward
from .modes import enable_grad, mode
from .tensor import Tensor, as_array, new_tensor

__all__ = ["backward", "grad"]


def _lift(array: Any, parent: Node | Leaf | None) -> Any:
    """The Tensor that stands for a saved array in the graph."""
    return array if array.__class__ is Spec else new_tensor(np.asarray(array), parent)


def _roots(
    outputs: Sequence[Tensor], gradients: Sequence[Any], caller: str, create_graph: bool
) -> list[tuple[Node | Leaf, Any]]:
    """The starting points of a pass, checked."""
    roots: list[tuple[Node | Leaf, Any]] = []
    for output, gradient in zip(outputs, gradients, strict=True):
        if not isinstance(output, Tensor):
            raise TypeError(f"{caller}: expected a Tensor to differentiate, got {type(output).__name__}.")
        if output._node is None:
            raise GradientError(_no_path(output, caller))
        if gradient is None:
            if output.size != 1:
                raise GradientError(
                    f"{caller} needs one number to differentiate; this has shape {output.shape}. "
                    f"Use .mean() or .sum(), or pass a gradient of shape {output.shape}."
                )
            gradient = np.ones(output.shape, output.dtype)
        given = gradient if isinstance(gradient, Tensor) else new_tensor(as_array(gradient, output.dtype), None)
        if given.shape != output.shape:
            raise ShapeError(
                f"{caller}: the gradient has shape {given.shape}, the Tensor it belongs to {output.shape}."
            )
        if given.dtype != output.dtype:
            given = given.astype(output.dtype)
        roots.append((output._node, given if create_graph else given.data))
    return roots


def _no_path(output: Tensor, caller: str) -> str:
    name = f"'{output.name}'" if output.name else "this Tensor"
    text = f"{caller}: {name} has no path to any Tensor that requires a gradient"
    if not mode.grad_enabled:
        return text + ": recording is off here (no_grad). Compute it outside of that block."
    return text + (
        ". Either no input had requires_grad=True, or the chain was cut on the way: by detach(), item(), numpy(), a "
        "no_grad block, an integer or comparison result. Setting requires_grad on the result will not help."
    )


def _own(gradient: Any, start: set[int]) -> np.ndarray[Any, Any]:
    """A gradient array that nobody else holds: rules may pass on views and the very array they were given."""
    array = np.asarray(gradient)
    return array.copy() if array.base is not None or id(array) in start else array


def backward(
    outputs: Sequence[Tensor],
    gradients: Sequence[Any] | None = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradients of the outputs to ``grad`` of every leaf they were computed from.

    The same as calling ``backward`` on each output, in one pass.

    Raises
    ------
    GradientError, FreedGraphError, StaleValueError, ShapeError
        As :meth:`Tensor.backward`; then no ``grad`` has changed.
    """
    gradients = [None] * len(outputs) if gradients is None else gradients
    with enable_grad() if create_graph else contextlib.nullcontext():
        arrived = run_backward(
            _roots(outputs, gradients, "backward()", create_graph),
            retain_graph=create_graph if retain_graph is None else retain_graph,
            lift=_lift if create_graph else None,
        )
        shared = _shared(arrived.values(), gradients)
        totals: list[tuple[Leaf, Tensor]] = []
        for leaf, gradient in arrived.items():
            gradient = _finish(leaf, gradient, shared, create_graph)
            totals.append((leaf, gradient if leaf.grad is None else _sum(leaf.grad, gradient, create_graph)))
    for leaf, total in totals:
        leaf.grad = total
        leaf.passes += 1


def _finish(node: Node | Leaf, gradient: Any, shared: set[int], create_graph: bool) -> Tensor:
    """What a user gets for the gradient that arrived at a node: after the hooks, a Tensor of its own."""
    if isinstance(node, Leaf) and node.hooks:
        for hook in tuple(node.hooks.values()):
            gradient = hook(gradient)
    return gradient if create_graph else new_tensor(_own(gradient, shared), None)


def _sum(before: Tensor, gradient: Tensor, create_graph: bool) -> Tensor:
    return before + gradient if create_graph else new_tensor(np.asarray(before.data + gradient.data), None)


def _shared(arrays: Any, gradients: Sequence[Any]) -> set[int]:
    """Ids of arrays that arrived at more than one leaf, or came in from the user."""
    seen: set[int] = set()
    shared: set[int] = set()
    for gradient in gradients:
        shared.add(id(gradient.data if isinstance(gradient, Tensor) else gradient))
    for array in arrays:
        (shared if id(array) in seen else seen).add(id(array))
    return shared


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """Gradients of the outputs with respect to the inputs, leaving every ``grad`` alone.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
        The inputs may be leaves or computed Tensors.
    grad_outputs : array_like or sequence, optional
        The gradient that enters each output (the v of vᵀJ); 1 for scalars.
    retain_graph : bool, optional
        By default as `create_graph`.
    create_graph : bool
        Record the computation of the gradients, for derivatives of higher order.
    allow_unused : bool
        Give None for inputs that the outputs do not depend on, instead of raising.

    Returns
    -------
    Tensor, or tuple of Tensor (or None)
        A single Tensor when `inputs` is one.

    Raises
    ------
    GradientError
        An input requires no gradient, or is not used and `allow_unused` is False.

    Examples
    --------
    The third derivative of x⁴ is 24x:

    >>> import tinygrad_opt as tg
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> first = tg.autograd.grad(x**4, x, create_graph=True)
    >>> second = tg.autograd.grad(first, x, create_graph=True)
    >>> tg.autograd.grad(second, x)
    tensor(48.)
    """
    single = isinstance(inputs, Tensor)
    wanted: Sequence[Tensor] = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    made: Sequence[Tensor] = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    if grad_outputs is None:
        grad_outputs = [None] * len(made)
    elif isinstance(outputs, Tensor) and not isinstance(grad_outputs, (list, tuple)):
        grad_outputs = [grad_outputs]
    elif len(grad_outputs) != len(made):
        raise ValueError(f"grad: {len(made)} outputs but {len(grad_outputs)} grad_outputs.")
    for position, tensor in enumerate(wanted):
        if tensor._node is None:
            raise GradientError(
                f"grad: input {position} of shape {tensor.shape} requires no gradient; make it with requires_grad=True."
            )
    with enable_grad() if create_graph else contextlib.nullcontext():
        arrived = run_backward(
            _roots(made, grad_outputs, "grad()", create_graph),
            retain_graph=create_graph if retain_graph is None else retain_graph,
            lift=_lift if create_graph else None,
            targets=[tensor._node for tensor in wanted if tensor._node is not None],
        )
        result: list[Tensor | None] = []
        shared = _shared(arrived.values(), grad_outputs)
        for position, tensor in enumerate(wanted):
            if tensor._node is None or tensor._node not in arrived:
                if not allow_unused:
                    raise GradientError(
                        f"grad: the outputs do not depend on input {position} of shape {tensor.shape}. "
                        f"Pass allow_unused=True to get None for it."
                    )
                result.append(None)
                continue
            result.append(_finish(tensor._node, arrived[tensor._node], shared, create_graph))
    return result[0] if single else tuple(result)
