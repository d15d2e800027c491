"""What users call to get gradients: ``Tensor.backward`` and ``autograd.grad``."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import GradientError, ShapeError
from .graph import Leaf, Node, Spec, run_backward
from .modes import enable_grad, mode
from .quick import allocate
from .registry import implementations
from .tensor import Tensor, as_array, new_tensor

__all__ = ["backward", "grad"]

_AS_IT_IS = contextlib.nullcontext()


def _lift(array: Any, parent: Node | Leaf | None) -> Any:
    """The Tensor that stands for a saved array in the graph."""
    return array if array.__class__ is Spec else new_tensor(np.asarray(array), parent)


@functools.lru_cache(maxsize=64)
def _one(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """dL/dL, which nobody may write into."""
    one = np.ones(shape, dtype)
    one.flags.writeable = False
    return one


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
            array = output.data
            if array.size != 1:
                raise GradientError(
                    f"{caller} needs one number to differentiate; this has shape {output.shape}. "
                    f"Use .mean() or .sum(), or pass a gradient of shape {output.shape}."
                )
            gradient = _one(array.shape, array.dtype)
            if not create_graph:
                roots.append((output._node, gradient))
                continue
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
    from .lines import likely_cut

    cut = likely_cut()
    return text + (
        ". Either no input had requires_grad=True, or the chain was cut on the way: by detach(), item(), numpy(), a "
        "no_grad block, an integer or comparison result. "
        + (f"It may have been at {cut}. " if cut else "")
        + "Setting requires_grad on the result will not help."
    )


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
    if create_graph:
        with enable_grad():
            totals = _totals(outputs, gradients, retain_graph is not False, True)
    else:
        totals = _totals(outputs, gradients, bool(retain_graph), False)
    for leaf, total in totals:
        leaf.grad = total
        leaf.passes += 1


def _totals(
    outputs: Sequence[Tensor], gradients: Sequence[Any], retain_graph: bool, create_graph: bool
) -> list[tuple[Leaf, Tensor]]:
    """Each leaf with what its ``grad`` becomes."""
    roots = _roots(outputs, gradients, "backward()", create_graph)
    arrived = run_backward(roots, retain_graph=retain_graph, lift=_lift if create_graph else None)
    held = {id(gradient) for _, gradient in roots}
    apart = not create_graph and len(held.union(map(id, arrived.values()))) == len(held) + len(arrived)
    totals: list[tuple[Leaf, Tensor]] = []
    for leaf, gradient in arrived.items():
        if apart and not leaf.hooks and gradient.base is None:  # the commonest case of _finish, written out
            made = allocate(Tensor)
            made.data = gradient
            made._node = None
        else:
            made = _finish(leaf, gradient, held, create_graph)
        if leaf.grad is not None:
            made = leaf.grad + made if create_graph else _as_tensor(leaf.grad.data + made.data)
        totals.append((leaf, made))
    return totals


implementations["backward"] = backward  # Tensor.backward looks it up here, as it does the operations


def _finish(node: Node | Leaf, gradient: Any, held: set[int], create_graph: bool) -> Tensor:
    """What a user gets for the gradient that arrived at a node: after the hooks, a Tensor of its own.

    Rules may pass on views and the very array they were given: an array whose id is in `held`, because someone has it
    already, is copied.
    """
    if node.__class__ is Leaf and node.hooks:
        for hook in tuple(node.hooks.values()):
            gradient = hook(gradient)
    if create_graph:
        return gradient  # type: ignore[no-any-return]
    array = np.asarray(gradient)
    if array.base is not None or id(array) in held:
        array = array.copy()
    held.add(id(array))
    return new_tensor(array, None)


def _as_tensor(array: Any) -> Tensor:
    return new_tensor(np.asarray(array), None)


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
    with enable_grad() if create_graph else _AS_IT_IS:
        roots = _roots(made, grad_outputs, "grad()", create_graph)
        arrived = run_backward(
            roots,
            retain_graph=create_graph if retain_graph is None else retain_graph,
            lift=_lift if create_graph else None,
            targets=[tensor._node for tensor in wanted if tensor._node is not None],
        )
        result: list[Tensor | None] = []
        held = {id(gradient) for _, gradient in roots}
        for position, tensor in enumerate(wanted):
            if tensor._node is None or tensor._node not in arrived:
                if not allow_unused:
                    raise GradientError(
                        f"grad: the outputs do not depend on input {position} of shape {tensor.shape}. "
                        f"Pass allow_unused=True to get None for it."
                    )
                result.append(None)
                continue
            result.append(_finish(tensor._node, arrived[tensor._node], held, create_graph))
    return result[0] if single else tuple(result)
