"""``viz.stepper``: one HTML page that walks through a computation and back, operation by operation."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor
from .draw import Drawing
from .explain import Explainer
from .fold import fold
from .labels import Labels
from .naming import class_names, local_names
from .picture import write_whole
from .text import clean, gradient_lines
from .trace import Trace, read
from .walk import Walk, sum_arrivals, walk, walk_wrongly

__all__ = ["page_from", "stepper"]

MOST_OPERATIONS = 400


def stepper(loss: Tensor, path: str | os.PathLike[str] = "backprop.html", *, title: str | None = None) -> Path:
    """Write a page that shows backpropagation step by step.

    The page is one file and needs no network. Arrow keys, a slider and a play button go through the forward pass and
    then back; each step lights its operation and writes its formula, its gradient rule and the numbers. A switch shows
    the pass in a wrong order, with what it loses. ``backprop.html#5`` opens it at step 5.

    Parameters
    ----------
    loss : Tensor
        One number that requires a gradient, computed by at most 400 operations. No ``grad`` changes.
    path : path
        Written whole or not at all; its folder is made.
    title : str, optional

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    GradientError, FreedGraphError
        `loss` is not one number, requires no gradient, or its graph was used up by ``backward``.
    ValueError
        The graph is too large to walk through.
    """
    names, models = local_names(sys._getframe(1).f_locals)
    trace = read([loss], names)
    trace.classes = class_names(models, trace)
    if len(trace.operations) > MOST_OPERATIONS:
        raise ValueError(
            f"viz.stepper: {len(trace.operations):,} operations are too many to walk through (at most "
            f"{MOST_OPERATIONS}). Use a smaller model or batch of steps, or viz.graph, which folds."
        )
    _number_values(trace)
    right, wrong = walk(trace, loss), walk_wrongly(trace, loss)
    for value in trace.values.values():
        value.grad = right.gradients.get(value.key)
    heading = clean(title or f"Backpropagation through {trace.roots[0].name}", 120)
    items, _, _ = fold(trace, None, False, MOST_OPERATIONS)
    drawing = Drawing(trace, items, [], labels=Labels(values=True, grads=True), theme="light")
    picture = drawing.picture("down", [], heading)
    picture.theme = "auto"
    explain = Explainer(trace)
    data = {
        "forward": [explain.start(), *map(explain.forward, trace.operations)],
        "right": _backward(explain, right, right),
        "wrong": _backward(explain, wrong, right),
    }
    page = page_from("stepper", heading, {"GRAPH": picture.svg()}, data)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, page.encode())


def _number_values(trace: Trace) -> None:
    """Give every computed value a name, so that the text can speak of it."""
    trace.roots[0].name = trace.roots[0].name or "result"
    for operation in trace.operations:
        for value in operation.outputs:
            value.name = value.name or f"v{operation.number - trace.operations[0].number + 1}"
    taken = {value.name for value in trace.values.values() if value.name}
    leaves = [value for value in trace.values.values() if value.kind == "leaf" and not value.name]
    for count, value in enumerate(leaves, start=1):
        value.name = f"w{count}" if f"w{count}" not in taken else f"w{count}′"


def _backward(explain: Explainer, one: Walk, right: Walk) -> list[dict[str, Any]]:
    """The steps back: the seed, each visit with the sums as they stand then, and the outcome."""
    root = explain.trace.roots[0]
    grads: dict[str, list[str]] = {root.key: gradient_lines(np.ones(root.shape or ()))}
    steps = [explain.seed() | {"grads": dict(grads)}]
    arrived: dict[str, list[Any]] = {}
    late = {id(arrival.gradient) for arrival in one.late}
    for visit in one.visits:
        for sent in visit.sent:
            if id(sent.gradient) not in late:
                so_far = arrived.setdefault(sent.value.key, [])
                so_far.append(_Sum(sent.gradient))
                grads[sent.value.key] = gradient_lines(sum_arrivals(so_far))
        steps.append(explain.backward(visit, one) | {"grads": dict(grads)})
    steps.append(explain.outcome(one, right) | {"grads": dict(grads)})
    return steps


class _Sum:
    """A gradient in the form that sum_arrivals adds up."""

    def __init__(self, gradient: Any) -> None:
        self.gradient = gradient


def page_from(name: str, title: str, parts: dict[str, str], data: Any, scripts: Sequence[str] = ()) -> str:
    """A self-contained page from the package's template: styles, scripts and data written into one file.

    The data are JSON in which every ``<`` is escaped, so no text in them can end the script element.
    """
    folder = resources.files(__package__).joinpath("pages")

    def read_file(file: str) -> str:
        return folder.joinpath(file).read_text(encoding="utf-8")

    encoded = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char, code in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        encoded = encoded.replace(char, code)
    escaped = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    filled = {
        "TITLE": escaped,
        "STYLE": read_file("page.css") + read_file(f"{name}.css"),
        "SCRIPT": "".join(map(read_file, scripts or (f"{name}.js",))),
        "DATA": encoded,
        **parts,
    }
    pieces = read_file(f"{name}.html").split("%%")  # text, key, text, key, …: inserted text is never searched again
    return "".join(piece if i % 2 == 0 else filled[piece] for i, piece in enumerate(pieces))
