"""``viz.flow``: how signals and gradients fare in each layer, with the thresholds that matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.graph import Spec
from ..autograd.tensor import Tensor, new_tensor
from .gradients import attach_gradients
from .mpl import COLORS, axes_or_new, plain, pyplot, tidy
from .text import number
from .trace import Operation, Trace, read

__all__ = ["Flow", "Layer", "flow"]

Array = np.ndarray[Any, Any]

HEALTHY_UPDATE = (1e-4, 1e-2)
"""Below it a layer hardly learns in a step, above it a step changes too much of it; about 1e-3 is usual."""
MUCH = 0.5
"""Share of dead or saturated units from which a layer is reported."""
VANISHING = 1e-3
"""Gradient of a layer against the largest one, from which it is reported as vanishing."""

_BOUNDED: dict[str, Callable[[Array], Array]] = {
    "tanh": lambda y: np.abs(y) > 0.97,
    "sigmoid": lambda y: (y < 0.03) | (y > 0.97),
    "softsign": lambda y: np.abs(y) > 0.97,
}
_RECTIFIED = ("relu", "relu6", "maximum")


@dataclass
class Layer:
    """The health of one layer; NaN where a number does not apply or was not kept.

    Attributes
    ----------
    path, kind : str
    mean, std : float
        Of its output.
    gradient : float
        Root mean square of the gradient at its output.
    dead : float
        Share of rectified units that are 0 for every example.
    saturated : float
        Share of outputs of tanh or sigmoid within 3 % of their limits.
    weight, weight_gradient : float
        Norms of its parameters and of their gradient, all together.
    update : float
        |Δ| / |weight|, where Δ is the step that the optimizer would take now, or lr · gradient without one.
    """

    path: str
    kind: str
    mean: float = np.nan
    std: float = np.nan
    gradient: float = np.nan
    dead: float = np.nan
    saturated: float = np.nan
    weight: float = np.nan
    weight_gradient: float = np.nan
    update: float = np.nan


class Flow:
    """The layers of a model in the order they ran; prints as a table.

    Attributes
    ----------
    layers : list of Layer
    warnings : list of str
        What is out of the healthy range, one sentence each.
    """

    def __init__(self, layers: list[Layer], notes: list[str]) -> None:
        self.layers = layers
        self.notes = notes
        self.warnings = _warnings(layers)

    def table(self) -> str:
        """The numbers as text."""
        head = ["layer", "output", "gradient", "dead", "saturated", "|weight|", "|grad|", "update/weight"]
        rows = [
            [
                f"{layer.path}: {layer.kind}",
                f"{_text(layer.mean)} ± {_text(layer.std)}" if np.isfinite(layer.mean) else _text(layer.mean),
                *map(_text, (layer.gradient,)),
                *(f"{100 * x:.0f}%" if np.isfinite(x) else "" for x in (layer.dead, layer.saturated)),
                *map(_text, (layer.weight, layer.weight_gradient, layer.update)),
            ]
            for layer in self.layers
        ]
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in [head, *rows]
        ]
        return "\n".join(line.rstrip() for line in [*lines, *self.warnings, *self.notes])

    __str__ = __repr__ = table

    def plot_gradients(self, ax: Any = None) -> Any:
        """The gradient at each layer's output, and of its weights; returns the axes."""
        ax = self._points(ax, [("at the output (rms)", "gradient"), ("of the weights (norm)", "weight_gradient")])
        largest = np.nanmax([layer.gradient for layer in self.layers])
        if np.isfinite(largest) and largest > 0:
            ax.axhline(VANISHING * largest, color="#b3402a", linestyle="--", linewidth=1)
            ax.text(-0.5, VANISHING * largest, "vanishing below", color="#b3402a", fontsize=8, va="bottom")
        ax.set_ylabel("gradient")
        return ax

    def plot_activations(self, ax: Any = None) -> Any:
        """Mean and standard deviation of each layer's output; returns the axes."""
        ax = axes_or_new(ax)
        places = np.arange(len(self.layers))
        mean = np.array([layer.mean for layer in self.layers])
        std = np.array([layer.std for layer in self.layers])
        ax.errorbar(places, mean, std, fmt="o", color=COLORS[0], capsize=4, label="mean ± standard deviation")
        ax.axhline(0, color="#8593a6", linewidth=0.8)
        ax.set(ylabel="output")
        return self._named(ax)

    def plot_dead(self, ax: Any = None) -> Any:
        """Dead and saturated shares, with the limit from which they are reported; returns the axes."""
        ax = self._bars(ax, [("dead", "dead"), ("saturated", "saturated")])
        ax.axhline(MUCH, color="#b3402a", linestyle="--", linewidth=1)
        ax.text(-0.5, MUCH + 0.01, "reported above", color="#b3402a", fontsize=8, va="bottom")
        ax.set(ylim=(0, 1), ylabel="share of units")
        return ax

    def plot_updates(self, ax: Any = None) -> Any:
        """The next step's length against the weights' norm, and the healthy band; returns the axes."""
        ax = self._points(ax, [("update / weight", "update")])
        ax.axhspan(*HEALTHY_UPDATE, color="#2e9b63", alpha=0.13)
        ax.text(-0.5, HEALTHY_UPDATE[1], "healthy", color="#2e7d52", fontsize=8, va="top")
        ax.set_ylabel("update / weight")
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, HEALTHY_UPDATE[0] / 3), max(high, HEALTHY_UPDATE[1] * 3))
        return ax

    def plot(self) -> Any:
        """All four pictures in one matplotlib Figure."""
        figure = pyplot("viz.flow").figure(figsize=(11, 7), layout="constrained")
        panels = (self.plot_gradients, self.plot_activations, self.plot_dead, self.plot_updates)
        for place, panel in enumerate(panels, start=1):
            panel(figure.add_subplot(2, 2, place))
        return figure

    def _points(self, ax: Any, series: list[tuple[str, str]]) -> Any:
        """Marks on a logarithmic scale, where a bar would have no foot."""
        ax = axes_or_new(ax)
        for i, (label, attribute) in enumerate(series):
            heights = np.array([getattr(layer, attribute) for layer in self.layers], np.float64)
            there = np.flatnonzero(np.isfinite(heights) & (heights > 0))
            ax.plot(there, heights[there], marker="os"[i], color=COLORS[i], label=label, linewidth=1, markersize=7)
        ax.set_yscale("log")
        return self._named(ax)

    def _bars(self, ax: Any, series: list[tuple[str, str]]) -> Any:
        ax = axes_or_new(ax)
        width = 0.8 / len(series)
        for i, (label, attribute) in enumerate(series):
            heights = np.array([getattr(layer, attribute) for layer in self.layers], np.float64)
            places = np.arange(len(heights)) + (i - (len(series) - 1) / 2) * width
            ax.bar(places, heights, width, color=COLORS[i], label=label)
        return self._named(ax)

    def _named(self, ax: Any) -> Any:
        names = [plain(f"{layer.path}: {layer.kind}") for layer in self.layers]
        ax.set_xticks(range(len(names)), names, rotation=30 if len(names) < 9 else 90, ha="right", fontsize=8)
        ax.set_xlim(-0.6, len(names) - 0.4)
        return tidy(ax)


def flow(model: Any, loss: Tensor, *, optimizer: Any = None, lr: float = 1e-3) -> Flow:
    """The health of each layer, from the graph of a loss.

    Parameters
    ----------
    model : Module
    loss : Tensor
        One number computed by the model, before ``backward`` has used its graph up (or after
        ``backward(retain_graph=True)``). The gradients are computed apart; no ``grad`` changes.
    optimizer : Optimizer, optional
        Whose next step, from the gradients of this loss, gives the update-to-weight ratio; it takes none.
    lr : float
        Without an optimizer the ratio is that of plain gradient descent at this rate.

    Returns
    -------
    Flow

    Raises
    ------
    GradientError
        `loss` is not one number that requires a gradient.
    ValueError
        No layer of the model took part in the loss.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> model = tg.nn.Sequential(tg.nn.Linear(2, 4), tg.nn.ReLU(), tg.nn.Linear(4, 1))
    >>> report = tg.viz.flow(model, model(np.ones((3, 2), np.float32)).mean())
    >>> [layer.kind for layer in report.layers]
    ['Linear', 'ReLU', 'Linear']
    """
    trace = read([loss], dict(model.named_parameters()))
    attach_gradients(trace, loss)
    modules = dict(model.named_modules())
    steps = _steps(trace, lr) if optimizer is None else _next_steps(trace, model, optimizer)
    layers: list[Layer] = []
    for path, operations in _by_module(trace).items():
        module = modules.get(path)
        if module is not None:
            layers.append(_layer(path, type(module).__name__, operations, steps))
    if not layers:
        raise ValueError("viz.flow: no layer of the model took part in this loss. Was it computed by another model?")
    return Flow(layers, trace.notes)


def _steps(trace: Trace, lr: float) -> dict[str, Array]:
    """The step of plain gradient descent for each leaf, by its key."""
    return {v.key: lr * v.grad for v in trace.values.values() if v.kind == "leaf" and v.grad is not None}


def _next_steps(trace: Trace, model: Any, optimizer: Any) -> dict[str, Array]:
    """The step that an optimizer would take for each parameter it has, by the leaf's key."""
    from ..optim.explain import terms

    if not hasattr(optimizer, "rule"):
        trace.notes.append(f"{type(optimizer).__name__} is not one formula a step: its updates are not shown.")
        return {}
    own = {id(p) for group in optimizer.param_groups for p in group["params"]}
    found: dict[str, Array] = {}
    for parameter in model.parameters():
        leaf = parameter._node
        value = trace.values.get(id(leaf))
        if id(parameter) in own and leaf is not None and value is not None and value.grad is not None:
            before, passes = leaf.grad, leaf.passes
            try:
                leaf.grad = new_tensor(value.grad, None)
                found[value.key] = terms(optimizer, parameter)["Δ"]
            finally:
                leaf.grad, leaf.passes = before, passes
    return found


def _norm(arrays: Iterable[Array]) -> float:
    """The Euclidean norm of several arrays together."""
    return float(np.sqrt(sum(float(np.sum(np.square(a.astype(np.float64)))) for a in arrays)))


def _by_module(trace: Trace) -> dict[str, list[Operation]]:
    """The operations of each module itself, in the order in which modules first ran."""
    found: dict[str, list[Operation]] = {}
    for operation in trace.operations:
        if operation.module:
            found.setdefault(operation.module, []).append(operation)
    return found


def _layer(path: str, kind: str, operations: list[Operation], steps: dict[str, Array]) -> Layer:
    layer = Layer(path, kind)
    out = operations[-1].outputs[0]
    made = _output(operations[-1])
    if made is not None and made.size:
        exact = made.astype(np.float64)
        layer.mean, layer.std = float(exact.mean()), float(exact.std())
    if out.grad is not None and out.size:
        layer.gradient = float(np.sqrt(np.mean(np.square(out.grad.astype(np.float64)))))
    for operation in operations:
        name, array = operation.primitive.name, _output(operation)
        if array is None or not array.size:
            continue
        if name in _RECTIFIED:
            others = tuple(range(max(array.ndim - 1, 1))) if array.ndim < 4 else (0, 2, 3)
            layer.dead = float(np.mean(np.all(array == 0, axis=others)))
        elif name in _BOUNDED:
            layer.saturated = float(np.mean(_BOUNDED[name](array)))
    leaves = {v.key: v for op in operations for _, v in op.inputs if v.kind == "leaf"}.values()
    weights = [v.array for v in leaves if v.array is not None]
    slopes = [v.grad for v in leaves if v.grad is not None]
    if weights:
        layer.weight = _norm(weights)
    if slopes:
        layer.weight_gradient = _norm(slopes)
    moves = [(v.array, steps[v.key]) for v in leaves if v.key in steps and v.array is not None]
    if moves and (size := _norm(weight for weight, _ in moves)) > 0:
        layer.update = _norm(step for _, step in moves) / size
    return layer


def _output(operation: Operation) -> Array | None:
    """What an operation made; computed again where no gradient rule needed it and the engine let it go."""
    value, node = operation.outputs[0], operation.node
    if value.array is not None or node.freed or any(isinstance(given, Spec) for given in node.inputs):
        return value.array
    made = node.primitive.forward(*node.inputs, **node.kwargs)
    return np.asarray(made[value.part] if isinstance(made, tuple) else made)


def _text(x: float) -> str:
    return number(x, 3) if np.isfinite(x) or np.isinf(x) else ""


def _warnings(layers: list[Layer]) -> list[str]:
    found = []
    largest = max((layer.gradient for layer in layers if np.isfinite(layer.gradient)), default=np.nan)
    for layer in layers:
        name = f"{layer.path}: {layer.kind}"
        if any(np.isinf(x) for x in (layer.mean, layer.gradient, layer.weight_gradient)):
            found.append(f"{name}: an infinite number.")
        if layer.gradient < VANISHING * largest:
            found.append(f"{name}: the gradient vanishes, {number(layer.gradient, 2)} against {number(largest, 2)}.")
        if layer.dead > MUCH:
            found.append(f"{name}: {100 * layer.dead:.0f}% of the units are 0 for every example.")
        if layer.saturated > MUCH:
            found.append(f"{name}: {100 * layer.saturated:.0f}% of the outputs are saturated.")
        if layer.update > HEALTHY_UPDATE[1]:
            found.append(f"{name}: a step would change {100 * layer.update:.2g}% of the weights; lower the rate.")
        if layer.update < HEALTHY_UPDATE[0]:
            found.append(f"{name}: a step would change only {100 * layer.update:.2g}% of the weights.")
    return found
