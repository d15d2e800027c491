"""A table of what a model does with one input: each layer's output shape, parameters and memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..autograd.modes import no_grad
from ..autograd.tensor import Tensor
from .module import Module

__all__ = ["Row", "Summary", "summary"]


class Row(NamedTuple):
    """One call of one module.

    Attributes
    ----------
    path, kind : str
        Where the module stands, and its class.
    name : str
        Its path within the module that called it, e.g. ``layers.0``; ``model`` for the whole.
    shape : str
        The output's shape, or those of several outputs.
    parameters, trained : int
        How many parameters it has, its children's among them, and how many of those are not frozen.
    memory : int
        Bytes of the output.
    depth : int
        How deep it is nested.
    """

    path: str
    kind: str
    name: str
    shape: str
    parameters: int
    trained: int
    memory: int
    depth: int


class Summary:
    """What :func:`summary` found; its text is a table.

    Attributes
    ----------
    rows : list of Row
        In the order of the calls, outer modules before those in them.
    parameters, trained : int
        Totals, each parameter counted once.
    parameter_memory, output_memory : int
        Bytes of the parameters and buffers, and of all outputs of the innermost layers together.
    """

    def __init__(self, model: Module, rows: list[Row]) -> None:
        self.rows = rows
        parameters = list(model.parameters())
        self.parameters = sum(p.size for p in parameters)
        self.trained = sum(p.size for p in parameters if p.requires_grad)
        self.parameter_memory = sum(t.nbytes for t in (*parameters, *model.buffers()))
        inner = [row for row in rows if not any(other.path.startswith(row.path + ".") for other in rows if row.path)]
        self.output_memory = sum(row.memory for row in inner if row.path or len(rows) == 1)

    def __str__(self) -> str:
        heads = ("layer", "output shape", "parameters", "memory")
        table = [
            (
                "  " * row.depth + f"{row.name} ({row.kind})",
                row.shape,
                f"{row.parameters:,}" if row.parameters else "",
                _bytes(row.memory),
            )
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in (heads, *table)) for i in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
            for a, b, c, d in (heads, *table)
        ]
        rule = "─" * max(map(len, lines))
        frozen = self.parameters - self.trained
        totals = f"{self.parameters:,} parameters" + (f", {frozen:,} of them frozen" if frozen else "")
        return "\n".join(
            [
                lines[0],
                rule,
                *lines[1:],
                rule,
                f"{totals}; {_bytes(self.parameter_memory)} of state, {_bytes(self.output_memory)} of outputs",
            ]
        )

    __repr__ = __str__


def _bytes(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [tensor for part in parts for tensor in _tensors(part)]


def summary(model: Module, *inputs: Any) -> Summary:
    """Run a model once, in evaluation mode and without recording, and tell what each module made.

    Parameters
    ----------
    model : Module
    *inputs : array_like or tuple of int
        What to call it with. A tuple of ints is a shape, to be filled with zeros of the model's dtype.

    Returns
    -------
    Summary
        ``print`` it.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> model = tg.nn.Sequential(tg.nn.Linear(2, 16), tg.nn.Tanh(), tg.nn.Linear(16, 1))
    >>> model.summary((100, 2))
    layer               output shape  parameters  memory
    ────────────────────────────────────────────────────
    model (Sequential)  (100, 1)              65   400 B
      0 (Linear)        (100, 16)             48  6.4 KB
      1 (Tanh)          (100, 16)                 6.4 KB
      2 (Linear)        (100, 1)              17   400 B
    ────────────────────────────────────────────────────
    65 parameters; 260 B of state, 13.2 KB of outputs
    """
    rows: list[Row | None] = []
    handles = []
    open_rows: list[tuple[int, str]] = []
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    before_run = [(module, module.training, module._hooks) for module in model.modules()]
    paths = {id(module): path for path, module in model.named_modules()}

    def before(module: Module, args: Any) -> None:
        open_rows.append((len(rows), paths[id(module)]))
        rows.append(None)

    def after(module: Module, args: Any, out: Any) -> None:
        tensors = _tensors(out)
        own = list(module.parameters())
        shape = ", ".join(str(t.shape) for t in tensors[:3]) + (", …" if len(tensors) > 3 else "")
        trained = sum(p.size for p in own if p.requires_grad)
        memory = sum(t.nbytes for t in tensors)
        place, path = open_rows.pop()
        caller = open_rows[-1][1] if open_rows else ""
        name = path.removeprefix(f"{caller}.") if caller else path or "model"
        rows[place] = Row(
            path, type(module).__name__, name, shape, sum(p.size for p in own), trained, memory, len(open_rows)
        )

    given = [np.zeros(x, dtype) if _is_shape(x) else x for x in inputs]
    try:
        for module in model.modules():
            handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
        model.eval()
        with no_grad():
            model(*given)
    finally:
        for handle in handles:
            handle.remove()
        for module, training, hooks in before_run:
            object.__setattr__(module, "training", training)
            object.__setattr__(module, "_hooks", hooks)
    return Summary(model, [row for row in rows if row is not None])


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(n, int) for n in value)
