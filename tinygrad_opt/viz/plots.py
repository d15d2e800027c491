"""The plots people expect, with matplotlib: each takes ``ax=`` and returns the axes it drew on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd.modes import no_grad
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from .mpl import COLORS, axes_or_new, plain, tidy

__all__ = [
    "attention",
    "confusion_matrix",
    "decision_boundary",
    "histograms",
    "images",
    "learning_curves",
    "schedule",
]

Array = np.ndarray[Any, Any]


def _array(values: Any) -> Array:
    return values.data if isinstance(values, Tensor) else np.asarray(values)


def learning_curves(
    curves: Mapping[str, Any], *, steps: Any = None, interval: float = 0.95, log: bool = True, ax: Any = None
) -> Any:
    """Losses against steps, one line a name; with several seeds, the mean and an interval for it.

    Parameters
    ----------
    curves : mapping of str to array_like
        Shape (steps,) or (seeds, steps).
    steps : array_like, optional
        What to put on the x axis; 0, 1, 2, … by default.
    interval : float
        Confidence of the interval for the mean: normal approximation, ± z · std / √seeds.
    log : bool
        Logarithmic y axis.
    """
    from statistics import NormalDist

    ax = axes_or_new(ax)
    z = NormalDist().inv_cdf(0.5 + interval / 2)
    for i, (name, values) in enumerate(curves.items()):
        runs = np.atleast_2d(_array(values)).astype(np.float64)
        x = np.arange(runs.shape[1]) if steps is None else np.asarray(steps)
        mean, color = runs.mean(axis=0), COLORS[i % len(COLORS)]
        ax.plot(x, mean, color=color, label=plain(name), linewidth=1.6)
        if len(runs) > 1:
            half = z * runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
            ax.fill_between(x, mean - half, mean + half, color=color, alpha=0.2, linewidth=0)
    ax.set(xlabel="step", ylabel="loss", yscale="log" if log else "linear")
    return tidy(ax)


def decision_boundary(
    predict: Callable[[Any], Any], x: Any, y: Any, *, resolution: int = 160, margin: float = 0.15, ax: Any = None
) -> Any:
    """What a classifier says everywhere in the plane of two features, with the data on top.

    Parameters
    ----------
    predict : callable
        A model: takes (n, 2) and gives logits, (n, classes), or (n,) or (n, 1) for two classes.
    x : array_like, shape (n, 2)
    y : array_like, shape (n,)
        Labels 0 … classes − 1.
    """
    x, y = _array(x), _array(y).ravel()
    if x.ndim != 2 or x.shape[1] != 2:
        raise ShapeError(f"decision_boundary: x must have two features, (n, 2); got {x.shape}.")
    ax = axes_or_new(ax)
    low, high = x.min(axis=0), x.max(axis=0)
    room = margin * (high - low)
    across, up = (np.linspace(low[i] - room[i], high[i] + room[i], resolution) for i in (0, 1))
    plane = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype(x.dtype if x.dtype.kind == "f" else "f4")
    with no_grad():
        logits = np.asarray(_array(predict(plane)), np.float64).reshape(len(plane), -1)
    if logits.shape[1] == 1:
        sure = 1 / (1 + np.exp(-np.clip(logits[:, 0], -50, 50)))
        shares = np.stack([1 - sure, sure], axis=1)
    else:
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
    colors = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in COLORS])
    mixed = shares @ np.resize(colors, (shares.shape[1], 3))
    faded = (1 - 0.45 * (1 - mixed)).reshape(resolution, resolution, 3)
    ax.imshow(faded, extent=(across[0], across[-1], up[0], up[-1]), origin="lower", aspect="auto")
    for label in range(shares.shape[1]):
        ahead = shares[:, label] - np.delete(shares, label, axis=1).max(axis=1)
        if ahead.min() < 0 < ahead.max():
            lead = ahead.reshape(resolution, resolution)
            ax.contour(across, up, lead, levels=[0.0], colors="white", linewidths=1.2)
        chosen = x[y == label]
        ax.scatter(
            *chosen.T, color=COLORS[label % len(COLORS)], edgecolor="white", linewidth=0.5, s=18, label=str(label)
        )
    ax.legend(fontsize=8, title="class", title_fontsize=8)
    return ax


def confusion_matrix(true: Any, predicted: Any, *, labels: Sequence[str] | None = None, ax: Any = None) -> Any:
    """How often each class (row) was taken for each class (column), with the counts written in.

    Parameters
    ----------
    true, predicted : array_like of int, shape (n,)
    labels : sequence of str, optional
        Names of the classes 0, 1, …
    """
    true, predicted = _array(true).ravel(), _array(predicted).ravel()
    if true.shape != predicted.shape:
        raise ShapeError(
            f"confusion_matrix: {true.size} true labels but {predicted.size} predicted ones. "
            f"Pass classes, not logits: logits.argmax(axis=1)."
        )
    count = max(int(true.max(initial=0)), int(predicted.max(initial=0))) + 1 if labels is None else len(labels)
    table = np.zeros((count, count), int)
    np.add.at(table, (true, predicted), 1)
    ax = axes_or_new(ax, (5.6, 5.0))
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(table.shape):
        if table[row, column]:
            ink = "white" if share[row, column] > 0.55 else "#17212f"
            ax.text(column, row, str(table[row, column]), ha="center", va="center", color=ink, fontsize=8)
    names = [str(i) for i in range(count)] if labels is None else [plain(label) for label in labels]
    ax.set_xticks(range(count), names, rotation=90 if max(map(len, names), default=0) > 3 else 0)
    ax.set_yticks(range(count), names)
    right = float(np.trace(table) / max(table.sum(), 1))
    ax.set(xlabel="predicted", ylabel="true", title=f"{100 * right:.1f}% right")
    return ax


def images(arrays: Any, *, columns: int | None = None, symmetric: bool | None = None, ax: Any = None) -> Any:
    """Weights, filters or pictures, tiled in one picture.

    Parameters
    ----------
    arrays : array_like
        Shape (n, h, w), (n, h, w, 3), (n, channels, h, w), of which the channels are averaged unless they are 3, or
        (n, h·w) when that is a square.
    columns : int, optional
    symmetric : bool, optional
        A scale with 0 in the middle; by default when there are negative numbers.
    """
    tiles = _array(arrays).astype(np.float64)
    if tiles.ndim == 2:
        side = int(np.sqrt(tiles.shape[1]))
        if side * side != tiles.shape[1]:
            raise ShapeError(f"images: rows of {tiles.shape[1]} numbers are no squares; reshape to (n, h, w).")
        tiles = tiles.reshape(-1, side, side)
    if tiles.ndim == 4 and tiles.shape[-1] != 3:
        tiles = np.moveaxis(tiles, 1, -1) if tiles.shape[1] == 3 else tiles.mean(axis=1)
    if tiles.ndim not in (3, 4):
        raise ShapeError(f"images: expected (n, h, w), (n, h, w, 3) or (n, channels, h, w), got {np.shape(arrays)}.")
    ax = axes_or_new(ax, (6, 6))
    count, height, width = tiles.shape[:3]
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]), np.nan)
    for i, tile in enumerate(tiles):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = tile
    low, high = float(np.nanmin(sheet)), float(np.nanmax(sheet))
    if tiles.ndim == 4:
        ax.imshow(np.nan_to_num((sheet - low) / ((high - low) or 1.0), nan=1.0))
    elif symmetric or (symmetric is None and low < 0):
        top_value = max(abs(low), abs(high)) or 1.0
        ax.figure.colorbar(ax.imshow(sheet, cmap="RdBu_r", vmin=-top_value, vmax=top_value), ax=ax, shrink=0.7)
    else:
        ax.imshow(sheet, cmap="gray", vmin=low, vmax=high)
    ax.set_axis_off()
    return ax


def _activations(model: Any, inputs: Any) -> dict[str, Array]:
    """What each layer that holds no other layers makes of the inputs, by its path, in the order they ran."""
    found: dict[str, Array] = {}

    def note(path: str) -> Callable[..., None]:
        return lambda layer, given, out: found.update({path: out.data}) if isinstance(out, Tensor) else None

    handles = [
        layer.register_forward_hook(note(path)) for path, layer in model.named_modules() if not list(layer.children())
    ]
    try:
        with no_grad():
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return found


def histograms(arrays: Any, inputs: Any = None, *, grads: bool = False, bins: int | None = None, ax: Any = None) -> Any:
    """How the numbers of several arrays are distributed, as outlines.

    Parameters
    ----------
    arrays : mapping of str to array_like, or Module
        Of a Module, its parameters; with `inputs`, the activations.
    inputs : array_like, optional
        What the Module is called with: what each of its layers makes of it is shown.
    grads : bool
        Of a Module or a mapping of Tensors, their gradients instead.
    bins : int, optional
        By default twice the square root of the largest array's size, 10 to 60.
    """
    if inputs is not None:
        if grads:
            raise ValueError("histograms: gradients of activations are in viz.flow(model, loss); leave inputs out.")
        arrays = _activations(arrays, inputs)
    elif hasattr(arrays, "named_parameters"):
        arrays = dict(arrays.named_parameters())
    found: dict[str, Array] = {}
    for name, values in arrays.items():
        values = getattr(values, "grad", None) if grads else values
        if values is not None:
            numbers = _array(values).ravel().astype(np.float64)
            found[name] = numbers[np.isfinite(numbers)]
    together = np.concatenate([*found.values(), np.empty(0)])
    if not together.size:
        raise ValueError(
            "histograms: nothing to draw" + (": no gradient is there; call backward() first." if grads else ".")
        )
    ax = axes_or_new(ax)
    largest = max(numbers.size for numbers in found.values())
    edges = np.histogram_bin_edges(together, bins or int(np.clip(2 * np.sqrt(largest), 10, 60)))
    for i, (name, numbers) in enumerate(found.items()):
        share = np.histogram(numbers, edges)[0] / max(numbers.size, 1)
        line = ("-", "--", ":")[i // len(COLORS) % 3]
        ax.stairs(share, edges, color=COLORS[i % len(COLORS)], label=plain(name), linestyle=line, linewidth=1.3)
    ax.set(xlabel="gradient" if grads else "value" if inputs is None else "activation", ylabel="share of the numbers")
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 4))
    return tidy(ax)


def schedule(rates: Any, steps: int | None = None, *, ax: Any = None) -> Any:
    """A learning rate against the step.

    Parameters
    ----------
    rates : callable, array_like, or mapping of str to either
        The rate of each step, or a function of the step.
    steps : int, optional
        How many steps to draw of a function.
    """
    ax = axes_or_new(ax, (6.4, 3.4))
    named = rates if isinstance(rates, Mapping) else {"": rates}
    for i, (name, one) in enumerate(named.items()):
        if callable(one):
            if steps is None:
                raise ValueError("schedule: say how many steps to draw of a function: schedule(f, steps=1000).")
            one = [one(step) for step in range(steps)]
        ax.plot(_array(one), color=COLORS[i % len(COLORS)], label=plain(name) or None, linewidth=1.8)
    ax.set(xlabel="step", ylabel="learning rate")
    ax.set_ylim(bottom=0)
    return tidy(ax)


def attention(weights: Any, *, queries: Sequence[str] = (), keys: Sequence[str] = (), ax: Any = None) -> Any:
    """Attention weights as a map: each row says where one query looks.

    Parameters
    ----------
    weights : array_like, shape (queries, keys)
        With leading axes (batch, heads), their mean is shown.
    queries, keys : sequence of str, optional
        Tokens to write at the axes; the keys are the queries if only those are given.
    """
    table = _array(weights).astype(np.float64)
    if table.ndim < 2:
        raise ShapeError(f"attention: expected (…, queries, keys), got {table.shape}.")
    table = table.reshape(-1, *table.shape[-2:]).mean(axis=0)
    ax = axes_or_new(ax, (5.6, 5.0))
    ax.figure.colorbar(ax.imshow(table, cmap="Blues", vmin=0), ax=ax, shrink=0.8, label="weight")
    for names, put in ((keys or queries, ax.set_xticks), (queries, ax.set_yticks)):
        if len(names):
            put(range(len(names)), [plain(name) for name in names])
    if len(keys or queries):
        ax.tick_params(axis="x", rotation=90)
    ax.set(xlabel="key", ylabel="query")
    return ax
