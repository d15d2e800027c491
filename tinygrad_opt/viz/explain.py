"""The words and formulas of the backprop page: one step of the walk in, a piece of HTML out, user text escaped."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from .mathml import array_math, bracketed, formula_math, names_in
from .text import array_lines, clean, of_shape
from .trace import Operation, Trace, Value, options_text, slot_names
from .walk import Arrival, Sent, Visit, Walk

__all__ = ["Explainer"]


class Explainer:
    """Writes the steps of one graph as dicts: title, html, and what to light in the picture."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.root = trace.roots[0]
        self.users = trace.users()

    # Forward

    def start(self) -> dict[str, Any]:
        """The first step: nothing computed yet."""
        count = len(self.trace.operations)
        operations = f"{count} operation{'' if count == 1 else 's'}"
        html = (
            f"<p>This is how {_name(self.root)} is computed, in {operations}. Amber boxes are what we want gradients "
            f"for; grey ones are constants.</p><p>Go forward with <kbd>→</kbd> or the buttons: first the values, from "
            f"the inputs to the result, then the gradients, from the result back to the inputs.</p>"
        )
        given = [v.key for v in self.trace.values.values() if v.maker is None]
        return _step("forward", "Before the first operation", html, given, show=given)

    def forward(self, operation: Operation) -> dict[str, Any]:
        """One operation computes its output."""
        out = operation.outputs[0]
        formula = operation.primitive.formula
        numbers = _numbers(operation)
        lines = [_equation(_symbol(out), _named(formula, operation), "formula")] if formula else []
        result = array_math(out.array) if out.array is not None else None
        if formula and result is not None:
            lines.append(_equation(_symbol(out), _filled(formula, numbers), "numbers", result))
        html = (
            "".join(lines)
            + _options(operation)
            + _table([(slot, value, value.array) for slot, value in _slots(operation)], "Operand")
        )
        html += "".join(_array_row(f"{_name(value)}", value.array, value) for value in operation.outputs)
        lit = [_op(operation), *(v.key for _, v in operation.inputs), *(v.key for v in operation.outputs)]
        edges = [[v.key, _op(operation)] for _, v in operation.inputs]
        edges += [[_op(operation), v.key] for v in operation.outputs]
        names = ", ".join(clean(value.name) for value in operation.outputs)
        title = f"{operation.primitive.name} computes {names}"
        return _step("forward", title, html, lit, edges, show=[v.key for v in operation.outputs])

    # Backward

    def seed(self) -> dict[str, Any]:
        """The gradient of the result with respect to itself."""
        one = _equation(_d(self.root, self.root), "<mn>1</mn>", "numbers")
        html = f"<p>The pass begins at the result: if {_name(self.root)} grows by 1, it grows by 1.</p>{one}"
        return _step("backward", "Start at the result", html, [self.root.key])

    def backward(self, visit: Visit, one: Walk) -> dict[str, Any]:
        """An operation hands the gradient on to its operands."""
        operation = visit.operation
        html = "<h3>What arrives</h3>" + "".join(
            self._arrived(value, [a for a in visit.arrivals if a.value is value])
            for value in operation.outputs
            if any(a.value is value for a in visit.arrivals)
        )
        html += "<h3>What it sends on</h3>" + "".join(self._sent(operation, sent, visit) for sent in visit.sent)
        lost = [a for a in one.late if a.value in operation.outputs]
        if lost:
            html += (
                f'<p class="lost">Too early: {len(lost)} more gradient{"" if len(lost) == 1 else "s"} will reach '
                f"{_name(lost[0].value)} after this, and be lost.</p>"
            )
        lit = [_op(operation), *(a.value.key for a in visit.arrivals), *(s.value.key for s in visit.sent)]
        edges = [[s.value.key, _op(operation)] for s in visit.sent] + [
            [_op(operation), v.key] for v in operation.outputs
        ]
        return _step("backward", f"Back through {operation.primitive.name}", html, lit, edges)

    def _arrived(self, value: Value, arrivals: list[Arrival]) -> str:
        total = sum(arrival.gradient for arrival in arrivals)
        left = f"<mi>g</mi><mo>=</mo>{_d(self.root, value)}"
        if len(arrivals) == 1:
            source = arrivals[0].source
            origin = (
                f"One gradient, sent by {escape(source.primitive.name)}." if source else "The gradient to start with."
            )
            shown = array_math(total)
            line = _equation(left, shown, "numbers") if shown else _array_row("g", total)
            return f"<p>{origin}</p>{line}"
        parts = [array_math(arrival.gradient) for arrival in arrivals]
        text = (
            f"<p>{_name(value)} is used {len(arrivals)} times, so {len(arrivals)} gradients arrive and are summed.</p>"
        )
        if all(parts):
            return text + _equation(
                left, "<mo>+</mo>".join(bracketed(part or "") for part in parts), "numbers", array_math(total)
            )
        rows = (_array_row(f"from {escape(a.source.primitive.name) if a.source else ''}", a.gradient) for a in arrivals)
        return text + "".join(rows) + _array_row("the sum g", total)

    def _sent(self, operation: Operation, sent: Sent, visit: Visit) -> str:
        rule = _rule(operation, sent.position)
        partial = _d(operation.outputs[0], sent.value)
        uses = len(self.users[sent.value.key])
        share = f", one of {uses} shares <i>s</i> of its gradient, which are summed" if uses > 1 else ""
        way = f"<p>To {_name(sent.value)}{share}:</p>"
        whole = "<mi>s</mi>" if share else _d(self.root, sent.value)
        numbers = _numbers(operation) | {"g": visit.gradient}
        lines = []
        raw = array_math(sent.raw)
        left = "<mi>r</mi>" if sent.summed else whole
        if rule:
            lines.append(_equation(left, _named(rule, operation), "formula"))
            if raw is not None:
                lines.append(_equation(left, _filled(rule, numbers), "numbers", raw))
        else:
            lines.append(_equation(left, f"<mi>g</mi><mo>·</mo>{partial}", "formula"))
        if raw is None or not rule:
            lines.append(_array_row("the result", sent.raw))
        if sent.summed:
            lines.append(
                f"<p>{_name(sent.value)} has shape {of_shape(sent.gradient.shape)} and was repeated to "
                f"{of_shape(sent.raw.shape)}: each copy had its share, "
                f"so the shares are summed over the repeated axes.</p>"
            )
            total = array_math(sent.gradient)
            shown = _equation(whole, "<mo>Σ</mo><mi>r</mi>", "numbers", total) if total else ""
            lines.append(shown or _array_row("the sum", sent.gradient))
        return f'<div class="sent">{way}{"".join(lines)}</div>'

    def outcome(self, one: Walk, right: Walk) -> dict[str, Any]:
        """The gradients at the end, beside the right ones if they differ."""
        leaves = [v for v in self.trace.values.values() if v.kind == "leaf"]
        wrong = one is not right
        rows = []
        for value in leaves:
            mine, true = one.gradients.get(value.key), right.gradients.get(value.key)
            cells = f"<th scope=row>{_name(value)}</th><td>{_short(mine)}</td>"
            if wrong:
                same = mine is not None and true is not None and bool(np.allclose(mine, true, equal_nan=True))
                cells += f"<td>{_short(true)}</td><td>{'right' if same else '<strong>wrong</strong>'}</td>"
            rows.append(f"<tr>{cells}</tr>")
        head = "<th scope=col>Value</th><th scope=col>Gradient</th>"
        if wrong:
            head = (
                "<th scope=col>Value</th><th scope=col>This order</th><th scope=col>Right order</th><th scope=col></th>"
            )
        table = f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        return _step("backward", "The gradients", _moral(one, wrong) + table, [v.key for v in leaves])


def _moral(one: Walk, wrong: bool) -> str:
    if not wrong:
        return "<p>Every operation waited until all gradients of its output had arrived: the order is topological.</p>"
    if not one.late:
        return "<p>Here no gradient arrives after its operation has run, so this order does no harm.</p>"
    count = len(one.late)
    return (
        f'<p class="lost">Operations ran when the first gradient reached them, and {count} '
        f"gradient{' came' if count == 1 else 's came'} too late. A value that is used several times must wait for all "
        f"of its users.</p>"
    )


def _step(
    phase: str, title: str, html: str, nodes: list[str], edges: list[list[str]] | None = None, show: Any = ()
) -> dict[str, Any]:
    return {
        "phase": phase,
        "title": title,
        "html": html,
        "nodes": sorted(set(nodes)),
        "edges": edges or [],
        "show": list(show),
    }


def _op(operation: Operation) -> str:
    return f"op{operation.number}"


def _name(value: Value) -> str:
    return f"<b>{escape(clean(value.name or 'a constant', 40))}</b>"


def _symbol(value: Value) -> str:
    return f"<mi>{escape(clean(value.name or '?', 24))}</mi>"


def _d(result: Value, value: Value) -> str:
    return f"<mfrac><mrow><mi>∂</mi>{_symbol(result)}</mrow><mrow><mi>∂</mi>{_symbol(value)}</mrow></mfrac>"


def _filled(formula: str, numbers: dict[str, Any]) -> str:
    """A formula with the numbers in place; nothing when they are too many to stand in one line."""
    if any(np.size(array) > 4 for array in numbers.values()):
        return ""
    return formula_math(formula, numbers)


def _named(formula: str, operation: Operation) -> str:
    """A formula with the operands' own names in place of a and b, if it speaks of each operand by its slot."""
    slots = dict(_slots(operation))
    if len(operation.inputs) == 1 and "x" not in slots:
        slots = {"x": operation.inputs[0][1]}
    words = names_in(formula)
    if not set(slots) <= names_in(operation.primitive.formula or "") or not words & {*slots, "y"}:
        return formula_math(formula)
    names = {}
    for slot, value in {**slots, "y": operation.outputs[0]}.items():
        lone = not value.name and value.array is not None and value.lone
        names[slot] = array_math(value.array) if lone else _symbol(value) if value.name else f"<mi>{slot}</mi>"
    return formula_math(formula, names)


def _equation(left: str, right: str, kind: str, result: str | None = None) -> str:
    end = f"<mo>=</mo>{result}" if result is not None and result != right and right else result or ""
    return f'<div class="math {kind}"><math display="block"><mrow>{left}<mo>=</mo>{right}{end}</mrow></math></div>'


def _slots(operation: Operation) -> list[tuple[str, Value]]:
    names = slot_names(operation.primitive)
    words = names_in(operation.primitive.formula or "")
    for long, short in (("weight", "W"), ("bias", "b")):
        if long in names and long not in words and short in words:
            names = [short if name == long else name for name in names]
    return [(names[p] if p < len(names) else str(p + 1), value) for p, value in operation.inputs]


def _numbers(operation: Operation) -> dict[str, Any]:
    """The operands by the names that the formulas give them."""
    found = {slot: value.array for slot, value in _slots(operation) if value.array is not None}
    if len(operation.inputs) == 1 and len(found) == 1:
        found.setdefault("x", next(iter(found.values())))
    if operation.outputs and operation.outputs[0].array is not None:
        found.setdefault("y", operation.outputs[0].array)
    return found


def _rule(operation: Operation, position: int) -> str:
    gradient = operation.primitive.gradient
    rules = [gradient] if isinstance(gradient, str) else list(gradient or [])
    if len(rules) == 1 and len(operation.inputs) == 1:
        return str(rules[0] or "")
    return str(rules[position] or "") if position < len(rules) else ""


def _options(operation: Operation) -> str:
    options = options_text(operation)
    return f"<p>with {escape(', '.join(options))}</p>" if options else ""


def _table(rows: list[tuple[str, Value, Any]], first: str) -> str:
    cells = "".join(
        f"<tr><th scope=row>{escape(slot)}</th><td>{_name(value)}</td><td>{of_shape(value.shape or ())}</td>"
        f"<td>{_short(array)}</td></tr>"
        for slot, value, array in rows
    )
    head = f"<tr><th scope=col>{first}</th><th scope=col>Name</th><th scope=col>Shape</th><th scope=col>Value</th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{cells}</tbody></table></div>'


def _short(array: Any) -> str:
    if array is None:
        return "not kept"
    return "<br>".join(map(escape, array_lines(array)))


def _array_row(label: str, array: Any, value: Value | None = None) -> str:
    if array is None:
        return f"<p>{label}: its numbers were not kept.</p>"
    if value is not None and np.size(array) == 1:
        return ""
    shape = of_shape(np.shape(array))
    return f'<p class="array">{label}, {shape}: <span>{_short(array)}</span></p>'
