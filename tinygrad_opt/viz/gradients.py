"""Gradients of every value of a graph, for pictures: computed apart, so that no ``grad`` changes and no hook runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.graph import Leaf, Node, run_backward
from ..autograd.tensor import Tensor
from ..errors import FreedGraphError, GradientError, StaleValueError
from .trace import Trace

__all__ = ["attach_gradients"]


def attach_gradients(trace: Trace, root: Tensor) -> None:
    """Fill ``grad`` of every Value with d root / d value; what cannot be had is explained in ``trace.notes``.

    When the graph was used up or a parameter has changed since, leaves show the gradient they accumulated.

    Raises
    ------
    GradientError
        The root is not one number, or needs no gradient.
    """
    if root._node is None:
        raise GradientError(
            "viz: grads=True, but the result does not require a gradient; make an input with requires_grad=True."
        )
    if root.size != 1:
        raise GradientError(
            f"viz: grads=True needs one number to differentiate; this has shape {root.shape}. "
            f"Draw its .sum() or .mean()."
        )
    seen: dict[Node | Leaf, Any] = {}
    quiet = [op.node for op in trace.operations]
    quiet += [v.node for v in trace.values.values() if isinstance(v.node, Node)]
    extras = {node: node.extras for node in quiet if node.extras is not None}
    try:
        for node in extras:
            node.extras = None  # neither the user's hooks nor retain_grad take part in a drawing
        arrived = run_backward(
            [(root._node, np.ones(root.shape, root.dtype))], retain_graph=True, visit=seen.__setitem__
        )
        seen.update(arrived)
    except (FreedGraphError, StaleValueError) as error:
        _fall_back(trace, error)
        return
    finally:
        for node, extra in extras.items():
            node.extras = extra
    for value in trace.values.values():
        gradient = seen.get(value.node) if value.node is not None else None
        if isinstance(gradient, np.ndarray) or np.isscalar(gradient):
            value.grad = np.asarray(gradient)


def _fall_back(trace: Trace, error: GradientError) -> None:
    for value in trace.values.values():
        if isinstance(value.node, Leaf) and value.node.grad is not None:
            value.grad = value.node.grad.data
    if isinstance(error, FreedGraphError):
        trace.notes.append(
            f"Gradients of intermediate values were not kept: the graph was used up at {trace.freed}. "
            f"Draw it before backward(), or call backward(retain_graph=True)."
        )
    else:
        trace.notes.append(
            "Gradients of intermediate values cannot be computed: an optimizer step has changed a parameter since."
        )
