"""Finding the first NaN or infinity, forward or backward, and the line of the user's code that it comes from.

While some thread is inside :class:`detect_anomaly`, every primitive's forward function and the pass's step are wrapped;
outside nothing is, so the checks cost nothing when they are off.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from . import graph
from .lines import line_of, note_lines, source_line
from .modes import mode
from .node import Leaf, Node, Spec
from .part import Part
from .registry import primitives
from .tensor import Tensor

__all__ = ["AnomalyError", "detect_anomaly"]


class AnomalyError(FloatingPointError):
    """A NaN or an infinity where all that went in was finite."""


_MENDS = {
    "log": "Keep its input away from 0, or use log_softmax, log1p or a loss that takes logits.",
    "log2": "Keep its input away from 0.",
    "log10": "Keep its input away from 0.",
    "exp": "Subtract the maximum first, or use softmax, logsumexp or a loss that takes logits.",
    "divide": "A divisor is 0: add a small constant to it, or choose it with where() before dividing.",
    "sqrt": "Its slope at 0 is infinite: add a small constant inside. where() behind it does not block it; "
    "choose the input with where() before sqrt.",
    "power": "At 0 a power below 1 has infinite slope, and a negative base has none: keep the base positive.",
    "matmul": "The products overflow: are the weights or the inputs too large, the learning rate too high?",
    "multiply": "The product overflows: are the values growing from step to step?",
}


class _State(threading.local):
    depth = 0


_here = _State()
_lock = threading.Lock()
_active = [0]
_undo: list[Callable[[], None]] = []


class detect_anomaly:
    """Context manager: raise at the first operation whose result, or gradient, is NaN or infinite from finite input.

    A NaN or an infinity that is handed in (−∞ in an attention mask) is no anomaly. Only this thread is watched. Run
    forward and backward pass inside, so that the error of the backward pass can name the line of the forward one. It
    is slow: for finding a fault, not for training.

    Raises
    ------
    AnomalyError
        Names the operation, the module, the user's line, the values that went in, and the usual mend.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> x = tg.tensor([0.0, 1.0], requires_grad=True)
    >>> with tg.autograd.detect_anomaly():
    ...     np.sqrt(x).sum().backward()
    Traceback (most recent call last):
    tinygrad_opt.autograd.anomaly.AnomalyError: the gradient of 'sqrt' at ... is inf; ...
    """

    def __init__(self) -> None:
        self._lines = note_lines()

    def __enter__(self) -> detect_anomaly:
        with _lock:
            _active[0] += 1
            if _active[0] == 1:
                _install()
        self._lines.__enter__()
        _here.depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _here.depth -= 1
        self._lines.__exit__(kind, error, trace)
        with _lock:
            _active[0] -= 1
            if not _active[0]:
                while _undo:
                    _undo.pop()()


def _install() -> None:
    """Put the checks in, and note how to take them out."""

    def replace(owner: Any, name: str, new: Any) -> None:
        old = getattr(owner, name)
        setattr(owner, name, new)
        _undo.append(lambda: setattr(owner, name, old))

    for op in {id(p): p for p in primitives.values()}.values():
        replace(op, "forward", _checked_forward(op.name, op.forward))
    replace(graph, "_pull", _checked_pull(graph._pull))


def _arrays(values: Any) -> list[np.ndarray[Any, Any]]:
    """The floating-point arrays among some values, Tensors unwrapped."""
    found = []
    for value in values:
        array = value.data if isinstance(value, Tensor) else value
        if isinstance(array, (np.ndarray, np.floating, float)) and np.asarray(array).dtype.kind in "fc":
            found.append(np.asarray(array))
    return found


def _flaw(made: Any, given: Any) -> str | None:
    """What is new in a result: "NaN", "inf", or nothing."""
    outputs, inputs = _arrays(made), _arrays(given)
    if all(np.isfinite(array).all() for array in outputs):
        return None
    if any(np.isnan(array).any() for array in outputs):
        return None if any(np.isnan(array).any() for array in inputs) else "NaN"
    return "inf" if all(np.isfinite(array).all() for array in inputs) else None


def _described(values: Any) -> str:
    """The range of each floating-point array."""
    texts = []
    for array in _arrays(values):
        if array.size and array.dtype.kind == "f":
            low, high = np.min(array), np.max(array)
            text = f"shape {array.shape}, min = {low:.6g}, max = {high:.6g}" if array.ndim else f"{low:.6g}"
            if low > 0 or high < 0:
                texts.append(text)
            else:
                texts.append(text + (f", {np.sum(array == 0)} zeros" if array.ndim and np.any(array == 0) else ""))
        else:
            texts.append(f"shape {array.shape}")
    texts += [f"shape {value.shape}, whose values were not kept" for value in values if isinstance(value, Spec)]
    return "; ".join(texts) or "no floating-point input"


def _checked_forward(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def checked(*inputs: Any, **kwargs: Any) -> Any:
        if not _here.depth:
            return forward(*inputs, **kwargs)
        with np.errstate(all="ignore"):
            out = forward(*inputs, **kwargs)
        flaw = _flaw(out if isinstance(out, tuple) else (out,), inputs)
        if flaw is not None:
            where = f" (in {mode.module})" if mode.module else ""
            raise AnomalyError(
                f"'{name}' at {source_line()}{where} gave {flaw}; it got {_described(inputs)}. {_MENDS.get(name, '')}"
            )
        return out

    return checked


def _checked_pull(pull: Callable[..., Any]) -> Callable[..., Any]:
    def checked(node: Node, g: Any, lift: Any, useful: Any) -> Any:
        if not _here.depth:
            return pull(node, g, lift, useful)
        inputs, outputs = node.inputs, node.output
        with np.errstate(all="ignore"):
            edges = pull(node, g, lift, useful)
        arriving = g if isinstance(g, tuple) else (g,)
        for parent, gradient in edges:
            flaw = _flaw((gradient.values if isinstance(gradient, Part) else gradient,), arriving)
            if flaw is not None:
                place = node.parents.index(parent)
                raise AnomalyError(_backward_message(node, inputs, outputs, parent, place, flaw))
        return edges

    return checked


def _backward_message(node: Node, inputs: Any, outputs: Any, parent: Any, place: int, flaw: str) -> str:
    name = node.primitive.name
    line = line_of(node) or "a line run outside of detect_anomaly"
    where = f" (in {node.module})" if node.module else ""
    of = f"argument {place}" + (f", '{parent.name}'" if isinstance(parent, Leaf) and parent.name else "")
    forward = "finite" if _flaw(outputs if isinstance(outputs, tuple) else (outputs,), ()) is None else "not finite"
    return (
        f"the gradient of '{name}' at {line}{where} for {of} is {flaw}; the gradient that arrived was finite, the "
        f"forward value {forward}; its inputs: {_described(inputs)}. {_MENDS.get(name, '')}"
    )
