"""From the Trace and its folding to DOT: which nodes, edges and clusters there are, and what is written on them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from .clusters import Clusters, belongs
from .fold import Item, Repeat
from .labels import Labels
from .layout import WAYPOINT
from .picture import Picture
from .text import clean, dot_attributes, dot_text, number, of_shape, plural
from .theme import FONT, THEMES
from .trace import Operation, Trace, Value, broadcasts, order_matters, slot_names

__all__ = ["Drawing"]

Metric = Callable[[Any], float | None]
LEFT = "\\l"
"""Ends a left-justified line in DOT."""


class Drawing:
    """Turns one folded Trace into a Picture."""

    def __init__(self, trace: Trace, items: list[Item], repeats: list[Repeat], *, labels: Labels, theme: str) -> None:
        self.trace = trace
        self.items = items
        self.labels = labels
        self.theme = THEMES["dark" if theme == "dark" else "light"]
        self.clusters = Clusters(items, trace.classes, trace.stages)
        self.item_of: dict[int, Item] = {op.number: item for item in items for op in item.operations}
        self.twin: dict[int, Operation] = {}
        self.block_of: dict[int, tuple[Repeat, int]] = {}
        self._pair_hidden(items, repeats)
        self.drawn: set[str] = set()
        self.places: dict[str, tuple[str, ...]] = {}
        self.loops: dict[str, str] = {}
        self.edges: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.roots = {value.key for value in trace.roots}
        self.users = trace.users()
        self._privates: dict[int, dict[str, Value]] = {}

    def _pair_hidden(self, items: list[Item], repeats: list[Repeat]) -> None:
        """Pair every operation of a hidden block with its counterpart in the drawn one."""
        for repeat in repeats:
            first = [op for item in items if item.repeat is repeat for op in item.operations]
            for op in first:
                self.block_of[op.number] = repeat, 0
            for number_, block in enumerate(repeat.hidden, start=1):
                hidden = [op for item in block for op in item.operations]
                for op, twin in zip(hidden, first, strict=True):
                    self.twin[op.number] = twin
                    self.item_of[op.number] = self.item_of[twin.number]
                    self.block_of[op.number] = repeat, number_

    def _shown(self, value: Value) -> Value:
        """The value that is drawn for one that may lie in a hidden block."""
        if value.maker is None or value.maker.number not in self.twin:
            return value
        twin = self.twin[value.maker.number]
        return next((v for v in twin.outputs if v.part == value.part), twin.outputs[0] if twin.outputs else value)

    def picture(self, direction: str, notes: list[str], title: str) -> Picture:
        """The finished Picture."""
        picture = Picture(
            graph_attr={
                "rankdir": {"down": "TB", "right": "LR"}[direction],
                "nodesep": "0.22",
                "ranksep": "0.3",
                "fontname": FONT,
                "fontsize": "9.5",
                "fontcolor": self.theme.muted,
                "bgcolor": self.theme.background,
                "labelloc": "b",
                "labeljust": "l",
            },
            node_attr={"shape": "box", "style": "rounded,filled", "fontname": FONT, "fontsize": "10.5"}
            | {"fontcolor": self.theme.text, "margin": "0.15,0.06", "height": "0.2", "width": "0.2"},
            edge_attr={"fontname": FONT, "fontsize": "9", "arrowsize": "0.55", "color": self.theme.line}
            | {"fontcolor": self.theme.muted, "labeldistance": "1.5", "labelangle": "40"},
        )
        picture.title, picture.notes = title, notes
        for item in self.items:
            self._draw_item(item)
        for operation in self.trace.operations:
            self._connect(operation)
        for value in self.trace.roots:
            if value.maker is not self.trace.failed or value.maker is None:
                self._draw_value(value)
        self._stack_clusters()
        self.clusters.write(picture, self.theme)
        for (tail, head, *_), attributes in self.edges.items():
            picture.body.append(f"\t{tail} -> {head} {dot_attributes(_counted(attributes))}\n")
        if notes:
            lines = [part + "    " for note in notes for part in textwrap.wrap(clean(note, 400), 84)]  # room to spare
            picture.body.append(f"\tgraph {dot_attributes({'label': dot_text(lines, LEFT) + LEFT})}\n")
        return picture

    # Nodes

    def _draw_item(self, item: Item) -> None:
        operation = item.operations[0]
        name = _item_name(item)
        if item.kind == "operation":
            lines, kinds, tip = self.labels.operation(operation)
        else:
            lines, kinds, tip = self._group_label(item)
        kind = item.kind
        if operation is self.trace.failed:
            kind, message = "error", textwrap.wrap(clean(self.trace.error, 400), 46)
            lines, kinds = [*lines, *message], [*kinds, *["note"] * len(message)]
        attributes = {"class": kind, "lines": " ".join(kinds), "label": dot_text(lines), "tooltip": dot_text(tip)}
        attributes |= _room(lines, kinds)
        fill, border = self.theme.nodes[kind]
        self._add(self.clusters.of_item(item), name, attributes | self._paint(name, fill, border))
        for output in operation.outputs if kind == "operation" else []:
            self._draw_value(output)

    def _add(self, place: tuple[str, ...], name: str, attributes: dict[str, str]) -> None:
        self.places[name] = place
        self.clusters.add(place, name, attributes)

    def _group_label(self, item: Item) -> tuple[list[str], list[str], list[str]]:
        inside = [v for v in self._private(item).values() if v.kind == "leaf" and _inner(v, item)]
        lines, kinds = [plural(len(item.operations), "operation")], ["note"]
        kind = self.trace.classes.get(item.label)
        lines.insert(0, clean(f"{item.label}: {kind}" if kind else item.label, 48))
        kinds.insert(0, "title")
        modules = [op.module for op in item.operations if op.module]
        if item.kind == "stretch" and modules:
            lines.append(clean(modules[0] if modules[0] == modules[-1] else f"{modules[0]} … {modules[-1]}", 48))
            kinds.append("note")
        if inside:
            lines.append(f"{plural(len(inside), 'parameter')}, {plural(sum(v.size for v in inside), 'number')}")
            kinds.append("note")
        tip = [item.label, *(f"{v.name or 'unnamed'} {v.shape}" for v in inside[:20])]
        return lines, kinds, [clean(line, 120) for line in tip]

    def _private(self, item: Item) -> dict[str, Value]:
        """Leaves and constants that no other item reads, by key; found once for each item."""
        found = self._privates.get(id(item))
        if found is None:
            own = {op.number for op in item.operations}
            found = self._privates[id(item)] = {
                value.key: value
                for operation in item.operations
                for _, value in operation.inputs
                if value.maker is None and all(user.number in own for user in self.users[value.key])
            }
        return found

    def _draw_value(self, value: Value) -> None:
        if value.key in self.drawn:
            return
        self.drawn.add(value.key)
        kind = "result" if value.key in self.roots else value.kind
        lines, kinds = self.labels.value(value)
        fill, border = self.theme.nodes[kind]
        attributes = {"class": "value " + kind, "lines": " ".join(kinds), "label": dot_text(lines)}
        attributes["tooltip"] = dot_text(self.labels.value_tip(value))
        attributes |= _room(lines, kinds)
        users = [self.item_of[op.number] for op in self.users.get(value.key, [])]
        hidden = value.maker is not None and value.maker.number in self.twin
        place = () if hidden else self.clusters.of_value(value, self._maker(value), users)
        self._add(place, value.key, attributes | self._paint(value.key, fill, border))
        if value.maker is not None:
            item = self.item_of[value.maker.number]
            attributes = {"weight": "12"}
            if item.kind == "operation" and isinstance(value.maker.node.output, tuple):
                attributes["taillabel"] = f" {value.part} "
            self.edges[_item_name(item), value.key] = attributes

    def _maker(self, value: Value) -> Item | None:
        """The item that made a value."""
        return self.item_of[value.maker.number] if value.maker is not None else None

    def _paint(self, name: str, fill: str, border: str) -> dict[str, str]:
        metric = self.labels.metric.color(name) if self.labels.metric is not None else None
        return {"fillcolor": metric or fill, "color": border} | ({"metric": metric} if metric else {})

    # Edges

    def _connect(self, operation: Operation) -> None:
        hidden = operation.number in self.twin
        item = self.item_of[operation.number]
        names = slot_names(operation.primitive)
        private = self._private(item) if item.kind != "operation" else {}
        for place, (position, value) in enumerate(operation.inputs):
            source = self._maker(value)
            if source is None and (hidden or (value.key in private and _inner(value, item))):
                continue
            back = value.maker is not None and self._crosses(value.maker, operation)
            if source is item and not back:
                continue
            if hidden and source is not None and source.repeat is item.repeat and not back:
                continue
            head = _item_name(item)
            attributes = {"style": "dashed", "constraint": "false", "label": " next"} if back else {}
            if item.kind == "operation" and not back:
                attributes |= self._operand(operation, place, position, names, value)
            if source is not None and source.kind == "stretch":
                self._bundle(source, item)
                continue
            shown = self._shown(value)
            self._draw_value(shown)
            if source is not None and not back:
                attributes["weight"] = (
                    "12"  # the stream of computed values runs straight, its inputs join from the side
                )
            if back:  # one dashed arrow for each value that the next block receives
                self.edges.setdefault((shown.key, self.loops.setdefault(shown.key, head), "next"), attributes)
                continue
            self.edges.setdefault((shown.key, head, position if item.kind == "operation" else 0), attributes)

    def _stack_clusters(self) -> None:
        """Keep a module's parameters below what flows in, so that modules stand under each other, not in stairs."""
        incoming: dict[str, list[str]] = {}
        for (tail, head, *_), attributes in list(self.edges.items()):
            if attributes.get("style") != "dashed":
                incoming.setdefault(head, []).append(tail)
        for head, tails in incoming.items():
            place = self.places.get(head, ())
            outside = [tail for tail in tails if self.places.get(tail, ())[: len(place)] != place]
            inside = [tail for tail in tails if tail not in incoming and self.places.get(tail, ()) == place != ()]
            for tail in outside[:1]:
                for source in inside:
                    self.edges.setdefault((tail, source, "order"), {"style": "invis"})
                if inside:
                    self._lead_in(tail, head, place)

    def _lead_in(self, tail: str, head: str, place: tuple[str, ...]) -> None:
        """Let the edge into a module pass a point beside its parameters; else it runs round the module's box."""
        found = [key for key in self.edges if key[:2] == (tail, head)]
        if len(found) != 1 or not place:
            return
        point = f"{WAYPOINT}{len(self.edges)}"
        flat = {"width": "1.6", "height": "0.01", "margin": "0", "fixedsize": "true"}  # room for what stands below
        self.clusters.add(place, point, {"style": "invis", "label": "", **flat})
        self.edges[tail, point, 0] = {"weight": "20", "dir": "none"}
        self.edges[point, head, 0] = self.edges.pop(found[0]) | {"weight": "20", "labelangle": "-40"}

    def _crosses(self, maker: Operation, user: Operation) -> bool:
        """Whether a value goes from one block of a repetition to a later one."""
        made, used = self.block_of.get(maker.number), self.block_of.get(user.number)
        return made is not None and used is not None and made[0] is used[0] and made[1] != used[1]

    def _bundle(self, source: Item, item: Item) -> None:
        """One edge for all values between two stretches."""
        if source is not item:
            edge = self.edges.setdefault((_item_name(source), _item_name(item)), {"count": 0})
            edge["count"] += 1

    def _operand(
        self, operation: Operation, place: int, position: int, names: list[str], value: Value
    ) -> dict[str, str]:
        attributes = {}
        if order_matters(operation):
            own = names[position] if position < len(names) else number(place + 1)
            if not (value.name or "").endswith(own) or operation.primitive.name == "matmul":
                attributes["headlabel"] = f" {clean(own, 20)} "
        target = broadcasts(operation, value)
        if target is not None and (value.shape or value.kind != "constant"):
            attributes["label"] = f"  {of_shape(value.shape or ())} → {of_shape(target)}   "
        return attributes


def _room(lines: list[str], kinds: list[str]) -> dict[str, str]:
    """A wider margin where Graphviz takes a line for shorter than it is drawn: bold letters, true minus signs."""
    drawn = [
        len(line) * (1.08 if kind in ("name", "title") else 1.0) + 0.4 * line.count("−")
        for line, kind in zip(lines, kinds, strict=False)
    ]
    extra = 0.036 * (max(drawn, default=0) - max(map(len, lines), default=0))  # half a letter's width, in inches
    return {"margin": f"{0.15 + extra:.2f},0.06"} if extra > 0.02 else {}


def _inner(value: Value, item: Item) -> bool:
    """Whether a leaf or constant disappears into a collapsed item: its parameters and lone numbers do, data do not."""
    return value.lone or belongs(value, item.label if item.kind == "module" and item.label != "everything" else "")


def _counted(attributes: dict[str, Any]) -> dict[str, str]:
    """Edge attributes, with the number of values that a bundle carries as its label."""
    if "count" in attributes:
        return {"label": f" {plural(attributes['count'], 'value')} "}
    return attributes


def _item_name(item: Item) -> str:
    return f"op{item.operations[0].number}"
