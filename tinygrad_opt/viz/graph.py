"""``viz.graph``: the picture of a recorded graph, values and operations apart."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ..autograd.graph import ancestors
from ..autograd.tensor import Tensor
from .draw import Drawing
from .failure import failed_operation
from .fold import fold
from .gradients import attach_gradients
from .labels import Labels
from .metric import Metric
from .naming import class_names, is_module, local_names
from .picture import Picture
from .trace import Value, read

__all__ = ["graph"]


def graph(
    what: Any,
    *inputs: Any,
    depth: int | None = None,
    values: bool = False,
    grads: bool = False,
    names: Mapping[str, Any] | None = None,
    repeats: bool | None = None,
    direction: Literal["down", "right"] = "down",
    theme: Literal["light", "dark", "auto"] = "light",
    color: str | Callable[[Value], float | None] | None = None,
    stages: bool = False,
    limit: int = 120,
) -> Picture:
    """Draw how a result was computed.

    Values are boxes (amber: leaves that want a gradient; grey: constants; green: the result), operations are
    rounded pills with their formula. Hover over a node for its gradient rule, its module and what it saved; and for
    the line of your code that made it, if both ran inside of ``with tg.autograd.note_lines():``.

    Parameters
    ----------
    what : Tensor, sequence or dict of Tensors, Module, or exception
        The result, or several. A Module is called with `inputs`, and its output is drawn. Of an exception, what was
        computed up to the operation that raised it is drawn, with its message.
    *inputs
        Arguments for a Module.
    depth : int, optional
        Collapse modules nested deeper than this to one box each: 0 gives a single box.
    values : bool
        Write the numbers into the boxes: small arrays in full, large ones summarised.
    grads : bool
        Write the gradient of the (first) result with respect to every value. They are computed for the picture
        alone: no ``grad`` changes and no hook runs.
    names : mapping of str to Tensor or ndarray, optional
        Labels for values that have no name. The caller's local variables are used as well.
    repeats : bool, optional
        Draw only the first of several equal blocks, marked "× 12": always (True), never (False), or when the
        graph has more than `limit` operations (None).
    direction : str
        Which way the data flow.
    theme : str
        "auto" follows the reader's system, in SVG.
    color : str or callable, optional
        Colour the values by "gradient" (root mean square), "ratio" (gradient norm / weight norm of parameters:
        times the learning rate, the update-to-weight ratio of gradient descent),
        "dead" (share of units that are 0 for all examples), "memory" (bytes kept), or by a function of a Value, which
        has ``array``, ``grad``, ``shape``, ``name`` and ``kind``; None where it does not apply.
    stages : bool
        Put what each of several results adds into a box of its own. With the loss first and gradients made with
        ``create_graph=True`` after it, these are the forward, the backward and the double backward pass.
    limit : int
        Fold what has more operations than about this; what was folded is written below the picture.

    Returns
    -------
    graphviz.Digraph
        A :class:`Picture`, which saves itself as SVG, PNG, PDF or DOT: ``picture.save("loss.svg")``.

    Raises
    ------
    GradientError
        `grads` is asked for and the result is not one number that requires a gradient.
    TypeError
        There is no Tensor in `what`.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> x = tg.tensor(3.0, requires_grad=True, name="x")
    >>> picture = tg.viz.graph(x * x, values=True, grads=True)
    >>> picture.source.count("->")
    3
    """
    failed = None
    if isinstance(what, BaseException):
        roots, failed, titles = failed_operation(what)
        models: list[Any] = []
        if not roots:
            raise TypeError(
                "viz.graph: no operation and no computed Tensor is to be found in this exception's traceback."
            )
    else:
        roots, titles, models = _roots(what, inputs)
    variables, found = local_names(sys._getframe(1).f_locals)
    labels = {**(names or {}), **titles}
    labels |= {name: thing for name, thing in variables.items() if name not in labels}
    trace = read(roots, labels)
    trace.classes = class_names(models or found, trace)
    if isinstance(what, BaseException):
        trace.failed = next((op for op in trace.operations if op.node is failed), None)
        trace.error = f"{type(what).__name__}: {what}"
        if trace.failed is None:
            trace.notes.append(trace.error)
    if stages:
        trace.stages = _stages(roots, what)
    if grads or (color in ("gradient", "ratio") and failed is None):
        attach_gradients(trace, roots[0])
    metric = Metric(color, trace.values.values()) if color is not None else None
    items, groups, notes = fold(trace, depth, repeats, limit)
    drawing = Drawing(trace, items, groups, labels=Labels(values, grads, metric), theme=theme)
    title = f"Graph of {trace.roots[0].name or 'a result'}: {len(trace.operations)} operations"
    picture = drawing.picture(direction, [*([metric.legend()] if metric else []), *notes, *trace.notes], title)
    picture.theme = theme
    return picture


def _stages(roots: list[Tensor], what: Any) -> dict[int, str]:
    """For each operation, the name of the first result that needs it."""
    usual = ("forward", "backward", "double backward", "third backward")
    titles = list(map(str, what)) if isinstance(what, Mapping) else []
    found: dict[int, str] = {}
    for i, root in enumerate(roots):
        name = titles[i] if len(titles) == len(roots) else usual[i] if i < len(usual) else f"result {i + 1}"
        for node in ancestors([root._node]):
            found.setdefault(node.number, name)
    return found


def _roots(what: Any, inputs: tuple[Any, ...]) -> tuple[list[Tensor], dict[str, Any], list[Any]]:
    """The Tensors to draw, the names they and the parameters come with, and the Module if there is one."""
    names: dict[str, Any] = {}
    models: list[Any] = []
    if is_module(what):
        names |= dict(what.named_parameters())
        models = [what]
        what = what(*inputs)
    elif inputs:
        raise TypeError(
            f"viz.graph: inputs are for a Module, but the first argument is a {type(what).__name__}. "
            f"To draw several results pass them as one list or dict."
        )
    found: list[Tensor] = []
    stack: list[tuple[str, Any]] = [("", what)]
    while stack:
        path, thing = stack.pop()
        if isinstance(thing, Tensor):
            found.append(thing)
            if path:
                names[path] = thing
        elif isinstance(thing, Mapping):
            stack += [(f"{path}.{key}" if path else str(key), item) for key, item in reversed(list(thing.items()))]
        elif isinstance(thing, (list, tuple)):
            stack += [(path, item) for item in reversed(thing)]
        elif thing is not None:
            raise TypeError(
                f"viz.graph: expected a Tensor, a list or dict of Tensors, or a Module with its input, "
                f"got {type(thing).__name__}."
            )
    if not found:
        raise TypeError("viz.graph: there is no Tensor to draw.")
    return found, names, models
