"""A plan: a recording with its arrays laid out once, so that replaying it allocates next to nothing.

Each array that the step makes has a buffer of its own. Ufuncs and matrix products write into theirs; what another
function returns is copied into it. A transpose or a reshape is a view of its operand's buffer: it is taken here, once,
and costs nothing in a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.node import Leaf, Spec
from ..autograd.tensor import Tensor, new_tensor
from ..func.tree import leaves, rebuild
from .record import Call, CompileError, Recorder
from .writers import writes

__all__ = ["Plan"]

Array = np.ndarray[Any, Any]


class Plan:
    """What a compiled step does, in order; print it, or draw it with :meth:`graph`.

    Attributes
    ----------
    calls : list of Call
        The recording.
    """

    def __init__(self, recorder: Recorder, arguments: Sequence[Array], result: Any) -> None:
        self.calls = recorder.calls
        self.notes: list[str] = []  # for each call: "write", "copy", "view" or "call"
        self._bound: dict[int, Array] = {}
        self._keep: list[Any] = [recorder, arguments]  # their ids are the keys
        self._thunks: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self._places = [self._reserve(array) for array in arguments]
        self._number = {id(array): f"argument {i}" for i, array in enumerate(arguments)}
        for call in self.calls:
            self._lay_out(call)
        self._grads = [(leaf, None if leaf.grad is None else self._gradient(leaf.grad)) for leaf in recorder.leaves]
        self._result = result
        self._returned: list[Array] = []
        for value in leaves(result):
            if isinstance(value, Tensor):
                self._returned.append(self._known(value.data))

    # Laying out

    def _reserve(self, array: Array) -> Array:
        buffer = self._bound[id(array)] = np.empty_like(array, subok=False)
        return buffer

    def _find(self, array: Array) -> Array | None:
        """The buffer of an array, or of the array that it is a view of; None for one that the step did not make."""
        if id(array) in self._bound:
            return self._bound[id(array)]
        owner = array.base
        if isinstance(owner, np.ndarray) and id(owner) in self._bound:
            bound = self._bound[id(owner)]
            offset = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
            if bound.flags.c_contiguous and owner.flags.c_contiguous and offset >= 0:
                return np.ndarray(array.shape, array.dtype, bound, offset, array.strides)
        return None

    def _known(self, array: Array) -> Array:
        found = self._find(array)
        if found is None:
            raise CompileError("compile: the step returns a Tensor that was computed outside of recorded operations.")
        return found

    def _bind(self, value: Any) -> Any:
        """A value as a replay takes it: buffers for arrays; what was there before the step stays itself."""
        if isinstance(value, np.ndarray):
            found = self._find(value)
            return value if found is None else found
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return tuple([self._bind(part) for part in value])
        if isinstance(value, list):
            return [self._bind(part) for part in value]
        return value

    def _gradient(self, grad: Tensor) -> Tensor:
        return new_tensor(self._bind(grad.data), None)

    def _lay_out(self, call: Call) -> None:
        if call.kind == "step":
            grads = [(leaf, self._gradient(grad)) for leaf, grad in call.kwargs["grads"].items()]
            self._thunks.append((_take_step, (call.function, grads)))
            self.notes.append("call")
            return
        inputs = tuple([self._bind(value) for value in call.inputs])
        kwargs = {key: self._bind(value) for key, value in call.kwargs.items()}
        arrays = [value for value in leaves(list(call.inputs)) if isinstance(value, np.ndarray)]
        single = call.outputs[0] if len(call.outputs) == 1 else None
        if single is not None and any(np.may_share_memory(single, array) for array in arrays):
            view = np.asarray(call.function(*inputs, **kwargs))
            if any(np.may_share_memory(view, self._bind(array)) for array in arrays):
                self._bound[id(single)] = view
                self.notes.append("view")
                return
        buffers = [None if array is None else self._reserve(array) for array in call.outputs]
        written = writes(call.name, call.function, inputs, kwargs, buffers[0]) if single is not None else []
        if written:
            self._thunks += written
            self.notes.append("write")
        else:
            self._thunks.append((_copy_result, (call.function, inputs, kwargs, buffers)))
            self.notes.append("copy")

    # Running

    def run(self, arguments: Sequence[Array]) -> Any:
        """Do the step for these arrays; the result's Tensors are new ones."""
        for place, array in zip(self._places, arguments, strict=True):
            place[...] = array
        for function, inputs in self._thunks:
            function(*inputs)
        for leaf, grad in self._grads:
            leaf.grad = grad
        made = [new_tensor(array.copy(), None) for array in self._returned]
        if isinstance(self._result, Tensor):
            return made[0]
        found = iter(made)
        return rebuild(self._result, [next(found) if isinstance(v, Tensor) else v for v in leaves(self._result)])

    # To learn from

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(array.nbytes for array in self._bound.values() if array.base is None)

    def __str__(self) -> str:
        rows: list[str] = []
        for call, note in zip(self.calls, self.notes, strict=True):
            shapes = ", ".join(
                f"{array.dtype}{list(array.shape)}" for array in call.outputs if isinstance(array, np.ndarray)
            )
            rows.append(f"{len(rows):4d}  {call.kind:8s}  {call.name:24s}  {note:5s}  {shapes}".rstrip())
        counts = {note: self.notes.count(note) for note in ("write", "copy", "view", "call")}
        head = (
            f"{len(self.calls)} operations: {counts['write']} write into their buffer, {counts['copy']} are copied "
            f"into it, {counts['view']} are views taken once; {self.nbytes:,} bytes"
        )
        return "\n".join([head, *rows])

    def graph(self) -> Any:
        """The plan as a picture: operations in order, an arrow for each array that goes from one to another.

        Returns
        -------
        graphviz.Digraph
        """
        import graphviz

        colours = {"write": "#dbeafe", "copy": "#fef3c7", "view": "#f3f4f6", "call": "#dcfce7"}
        picture = graphviz.Digraph(
            "plan", node_attr={"shape": "box", "style": "filled,rounded", "fontname": "Helvetica"}
        )
        maker: dict[int, str] = {}
        for i, (call, note) in enumerate(zip(self.calls, self.notes, strict=True)):
            shapes = ", ".join(str(tuple(array.shape)) for array in call.outputs if isinstance(array, np.ndarray))
            label = graphviz.escape(f"{i}: {call.name}" + (f"\n{shapes}" if shapes else ""))
            picture.node(str(i), label, fillcolor=colours[note], tooltip=f"{call.kind}, {note}")
            taken = leaves([list(call.inputs), *call.kwargs.values()]) if call.kind != "step" else []
            taken += [grad.data for grad in call.kwargs.get("grads", {}).values()]
            for array in taken:
                source = maker.get(id(array)) or maker.get(id(getattr(array, "base", None)))
                if source is not None:
                    picture.edge(source, str(i))
            maker.update({id(array): str(i) for array in call.outputs if array is not None})
        return picture

    def signature(self) -> list[Any]:
        """The recording without its arrays' identities, save for those that were there before: two that are equal
        do the same."""
        known = dict(self._number)

        def name(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                if id(value) in known:
                    return known[id(value)]
                if id(value.base) in known:
                    return known[id(value.base)], value.shape, value.strides
                return "array from outside", id(value), value.shape
            if isinstance(value, (tuple, list)):
                return [name(part) for part in value]
            if isinstance(value, Spec):
                return value.shape, value.dtype
            if isinstance(value, dict):
                return {str(key): name(part) for key, part in value.items()}
            return value.data.ctypes.data if isinstance(value, Tensor) else value

        entries = []
        for i, call in enumerate(self.calls):
            kwargs = {} if call.kind == "step" else call.kwargs
            entries.append((call.kind, call.name, name(call.inputs), name(kwargs)))
            known.update({id(array): f"{i}.{j}" for j, array in enumerate(call.outputs) if array is not None})
        return entries


def _copy_result(
    function: Callable[..., Any], inputs: tuple[Any, ...], kwargs: dict[str, Any], buffers: list[Any]
) -> None:
    result = function(*inputs, **kwargs)
    if len(buffers) == 1 and result.__class__ is not tuple:
        buffers[0][...] = result
        return
    for buffer, part in zip(buffers, result, strict=True):
        if buffer is not None:
            buffer[...] = part


def _take_step(step: Callable[[], Any], grads: list[tuple[Leaf, Tensor]]) -> None:
    for leaf, grad in grads:
        leaf.grad = grad
        leaf.passes = 1
    step()
