"""What is written on each node of a picture, and what its tooltip says."""

from __future__ import annotations

from ..autograd.lines import line_of
from .metric import Metric
from .text import array_lines, clean, gradient_lines, of_dtype, of_shape, plural
from .trace import Operation, Value, options_text, slot_names

__all__ = ["Labels"]


class Labels:
    """Writes labels: pairs of lines and of what each line is (name, shape, formula, value, grad, note)."""

    def __init__(self, values: bool, grads: bool, metric: Metric | None = None) -> None:
        self.values = values
        self.grads = grads
        self.metric = metric

    def operation(self, operation: Operation) -> tuple[list[str], list[str], list[str]]:
        """Lines, kinds and tooltip of an operation: name, formula, options; gradient rules on hover."""
        primitive = operation.primitive
        options = options_text(operation)
        lines, kinds = [clean(primitive.name)], ["title"]
        if primitive.formula and primitive.formula != primitive.name:
            lines.append(clean(primitive.formula, 48))
            kinds.append("formula")
        for option in options:
            lines.append(clean(option, 40))
            kinds.append("note")
        tip = [f"{primitive.name}: {primitive.formula}", *options]
        rules = [primitive.gradient] if isinstance(primitive.gradient, str) else list(primitive.gradient or [])
        names = slot_names(primitive)
        for position, rule in enumerate(rules):
            if rule:
                tip.append(f"gradient of {names[position] if position < len(names) else position}: {rule}")
        if operation.module:
            tip.append(f"module {operation.module}")
        if line := line_of(operation.node):
            tip.append(f"made at {line}")
        tip.append(f"operation number {operation.number}")
        tip += self._saved(operation)
        return lines, kinds, [clean(line, 120) for line in tip]

    def _saved(self, operation: Operation) -> list[str]:
        if operation.node.freed:
            return ["saved arrays: released by a backward pass"]
        kept = [value for _, value in operation.inputs if value.array is not None and value.array.ndim]
        if not kept:
            return []
        return ["saved: " + ", ".join(f"{of_shape(v.array.shape)} {v.dtype}" for v in kept if v.array is not None)]

    def value(self, value: Value) -> tuple[list[str], list[str]]:
        """Lines and kinds of a value: name, shape and dtype, numbers, gradient."""
        lines: list[str] = []
        kinds: list[str] = []
        if value.name:
            lines, kinds = [clean(value.name, 48)], ["name"]
        small = value.array is not None and value.array.ndim == 0
        if not (small and (self.values or (value.kind == "constant" and not value.name))):
            lines.append(self._kind_text(value))
            kinds.append("shape")
        if self.values or (small and value.kind == "constant"):
            text = array_lines(value.array) if value.array is not None else ["values not kept"]
            lines += text
            kinds += ["value" if value.array is not None else "note"] * len(text)
        if self.grads and value.kind != "constant":
            text = ["grad not kept"] if value.grad is None else gradient_lines(value.grad)
            lines += text
            kinds += ["grad" if value.grad is not None else "note"] * len(text)
        measured = self.metric.text(value.key) if self.metric is not None else None
        if measured is not None:
            lines.append(measured)
            kinds.append("value")
        return lines, kinds

    def _kind_text(self, value: Value) -> str:
        if value.shape is None:
            return "shape not kept"
        return f"{of_shape(value.shape)} {of_dtype(value.dtype)}"

    def value_tip(self, value: Value) -> list[str]:
        """The tooltip of a value."""
        kind = {"leaf": "requires a gradient", "constant": "constant", "computed": "computed"}[value.kind]
        lines = [f"{clean(value.name)}: {kind}" if value.name else kind, self._kind_text(value)]
        if value.shape is not None:
            lines.append(f"{plural(value.size, 'element')}, {plural(value.size * value.dtype.itemsize, 'byte')}")
        if value.array is not None:
            lines += array_lines(value.array)
        return lines
