"""Checkpointing: keep a segment's inputs, and compute what is inside again when the backward pass needs it.

Memory falls from that of the whole segment to that of its arguments, for one more forward pass (Chen et al. 2016,
"Training deep nets with sublinear memory cost", arXiv:1604.06174).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import GradientError, user_location
from .grad import _lift
from .graph import run_backward
from .modes import enable_grad, mode
from .node import Leaf, Node, Spec, ancestors, next_number
from .primitive import Primitive
from .tensor import Tensor, new_tensor

__all__ = ["checkpoint"]


class _Segment:
    """A call that can be repeated with other Tensors and the same random numbers.

    Attributes
    ----------
    places : list
        Which positional arguments (int) and keyword arguments (str) are Tensors that require a gradient.
    captured, specs : list of Leaf, list of Spec
        What else the function used that requires one (parameters of its modules), and its shape and dtype.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        generators: Sequence[np.random.Generator],
    ) -> None:
        self.function, self.args, self.kwargs = function, list(args), dict(kwargs)
        self.places: list[Any] = [i for i, value in enumerate(args) if _wants_gradient(value)]
        self.places += [key for key, value in kwargs.items() if _wants_gradient(value)]
        for place in self.places:  # what the node keeps as its inputs need not be kept twice
            (self.args if isinstance(place, int) else self.kwargs)[place] = None
        self.generators = list(generators)
        self.states = [generator.bit_generator.state for generator in self.generators]
        self.module = mode.module
        self.captured: list[Leaf] = []
        self.specs: list[Spec] = []
        self.shapes: list[tuple[int, ...]] = []

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """Call the function with these Tensors for its arguments, recording."""
        args, kwargs = list(self.args), dict(self.kwargs)
        for place, tensor in zip(self.places, tensors, strict=True):
            (args if isinstance(place, int) else kwargs)[place] = tensor
        outer, mode.module = mode.module, self.module
        try:
            with enable_grad():
                return self.function(*args, **kwargs)
        finally:
            mode.module = outer

    def again(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Repeat the call as it was, with the random numbers of the first time."""
        now = [generator.bit_generator.state for generator in self.generators]
        for generator, state in zip(self.generators, self.states, strict=True):
            generator.bit_generator.state = state
        try:
            out = self.run(tensors)
        finally:
            for generator, state in zip(self.generators, now, strict=True):
                generator.bit_generator.state = state
        parts = list(out) if isinstance(out, (tuple, list)) else [out]
        shapes = [part.shape for part in parts]
        if shapes != self.shapes:
            raise GradientError(
                f"checkpoint: computed again, the function returned shapes {shapes}, the first time {self.shapes}; "
                f"it must do the same each time it is called with the same arguments."
            )
        return parts

    def gradients(self, *tensors: Any) -> tuple[Tensor, ...]:
        """The gradients of arguments and captured leaves, from both and the outputs' gradients, in the graph."""
        count = len(self.places)
        inputs, upstream = tensors[:count], tensors[count:]
        parts = self.again(inputs)
        targets = [t._node for t in inputs if t._node is not None] + self.captured
        roots = [(p._node, u) for p, u in zip(parts, upstream, strict=True) if p._node is not None]
        found = run_backward(roots, retain_graph=True, lift=_lift, targets=targets)
        like: list[Any] = [*inputs, *self.captured]
        return tuple(
            found[key] if (key := part if isinstance(part, Leaf) else part._node) in found else _zeros(spec)
            for part, spec in zip(like, [*inputs, *self.specs], strict=True)
        )


def _wants_gradient(value: Any) -> bool:
    return isinstance(value, Tensor) and value._node is not None


def _zeros(like: Any) -> Tensor:
    return new_tensor(np.zeros(like.shape, like.dtype), None)


def checkpoint(
    function: Callable[..., Any], *args: Any, generators: Sequence[np.random.Generator] = (), **kwargs: Any
) -> Any:
    """Call ``function(*args, **kwargs)`` and keep no intermediate values; the backward pass computes them again.

    Values and gradients are the same to the last bit, dropout included: the default generator, and those given, are
    set back for the repetition. Layers that count calls (a batch norm's running mean) count it as another call.

    Parameters
    ----------
    function : callable
        Returns a Tensor or a tuple of Tensors. It may be a module, and may use parameters from outside; a computed
        Tensor must be handed to it as an argument.
    *args, **kwargs
        Tensors among them (not inside lists) receive gradients.
    generators : sequence of numpy.random.Generator
        Other generators that the function draws from.

    Raises
    ------
    GradientError
        The function uses a computed Tensor that is not an argument; or, in the backward pass, does not do the same
        again.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> x = tg.tensor(0.5, requires_grad=True)
    >>> tg.checkpoint(lambda t: np.exp(np.sin(t)), x).backward()
    >>> x.grad.item() == float(np.exp(np.sin(np.float32(0.5))) * np.cos(np.float32(0.5)))
    True
    """
    if not mode.grad_enabled:
        return function(*args, **kwargs)
    from ..random import get_generator

    segment = _Segment(function, args, kwargs, [get_generator(), *generators])
    given = [args[place] if isinstance(place, int) else kwargs[place] for place in segment.places]
    own = [new_tensor(tensor.data, Leaf(tensor.name)) for tensor in given]
    before = next_number()
    out = segment.run(own)
    parts = list(out) if isinstance(out, (tuple, list)) else [out]
    for part in parts:
        if not isinstance(part, Tensor):
            raise TypeError(f"checkpoint: the function must return Tensors, got {type(part).__name__}.")
    segment.shapes = [part.shape for part in parts]
    segment.captured, segment.specs = _captured(parts, own, before)
    inputs = (*[tensor.data for tensor in given], *segment.specs)
    parents = (*[tensor._node for tensor in given], *segment.captured)
    arrays = tuple(part.data for part in parts)
    if isinstance(out, (tuple, list)):
        made = _checkpoint._record(inputs, parents, {"segment": segment}, arrays)
        return made if isinstance(out, tuple) else list(made)
    return _checkpoint._record(inputs, parents, {"segment": segment}, arrays[0])


def _captured(parts: Sequence[Tensor], own: Sequence[Tensor], before: int) -> tuple[list[Leaf], list[Spec]]:
    """The leaves besides the arguments that a segment used, with shape and dtype."""
    ours = {tensor._node for tensor in own}
    found: dict[Leaf, Spec] = {}
    for node in ancestors([part._node for part in parts]):
        if node.number < before:
            raise GradientError(
                f"checkpoint ({user_location()}): the function uses a Tensor from outside that '{node.primitive.name}' "
                f"computed; hand it to checkpoint as an argument, so that its gradient can be passed on."
            )
        for parent, value in zip(node.parents, node.inputs, strict=True):
            if isinstance(parent, Leaf) and parent not in ours:
                found[parent] = Spec(value)
    return list(found), list(found.values())


_checkpoint = Primitive(
    lambda *arrays, segment: None, name="checkpoint", formula="computed again when needed", gradient="of the segment"
)


@_checkpoint.vjp_joint
def _(needed: Any, g: Any, _out: Any, *inputs: Any, segment: _Segment) -> Any:
    upstream = g if isinstance(g, tuple) else (g,)
    count = len(segment.places)
    if any(isinstance(part, Tensor) for part in upstream):
        return checkpoint(segment.gradients, *inputs[:count], *upstream)
    own = [new_tensor(array, Leaf()) for array in inputs[:count]]
    parts = segment.again(own)
    roots = [(part._node, u) for part, u in zip(parts, upstream, strict=True) if part._node is not None]
    targets: list[Node | Leaf] = [tensor._node for tensor in own if tensor._node is not None]
    targets += segment.captured
    found = run_backward(roots, targets=targets)
    return tuple(
        found[target] if target in found else np.zeros(like.shape, like.dtype)
        for target, like in zip(targets, inputs, strict=True)
    )
