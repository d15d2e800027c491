"""``viz.landscape``: a real network's loss on the plane of its own training path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.modes import no_grad
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from .mpl import COLORS, axes_or_new
from .race_plots import levels

__all__ = ["Landscape", "landscape", "snapshot"]

Array = np.ndarray[Any, Any]


def snapshot(model: Any) -> Array:
    """All parameters of a model as one vector, copied: collect one after each few steps for :func:`landscape`."""
    return np.concatenate([p.data.ravel().astype(np.float64) for p in model.parameters()])


@dataclass
class Landscape:
    """A loss on a plane through weight space.

    Attributes
    ----------
    x, y : ndarray
        Coordinates along the two directions, from the end of the path, in units of distance between weights.
    loss : ndarray, shape (len(y), len(x))
    path : ndarray, shape (steps, 2)
        The training path, projected.
    explained : tuple of float
        Share of the path's variance along each direction; what is missing to 1 is not seen in the picture.
    """

    x: Array
    y: Array
    loss: Array
    path: Array
    explained: tuple[float, float]

    def plot(self, ax: Any = None) -> Any:
        """Contours and the path, on matplotlib axes, which are returned."""
        ax = axes_or_new(ax)
        marks = levels(self.loss)
        filled = ax.contourf(self.x, self.y, self.loss, levels=marks, cmap="Blues", alpha=0.6, extend="max")
        ax.contour(self.x, self.y, self.loss, levels=marks, colors="#5d7fa8", linewidths=0.4)
        ax.figure.colorbar(filled, ax=ax, label="loss", format="%.2g")
        ax.plot(*self.path.T, color=COLORS[1], marker=".", markersize=4, linewidth=1.4, label="training")
        ax.plot(*self.path[0], "o", color="#17212f", label="start")
        ax.plot(*self.path[-1], "*", color="#17212f", markersize=13, label="end")
        first, second = (f"{100 * share:.1f}%" for share in self.explained)
        ax.set(xlabel=f"first direction ({first} of the path's variance)", ylabel=f"second direction ({second})")
        ax.legend(fontsize=8)
        return ax


def landscape(
    model: Any, loss: Callable[[], Any], trajectory: Sequence[Array], *, resolution: int = 25, margin: float = 0.25
) -> Landscape:
    """The loss on the plane of the two principal directions of a training path.

    The directions are those along which the path, seen from its end, spreads most (Li et al. 2018, "Visualizing the
    loss landscape of neural nets", arXiv 1712.09913, section 7).

    Parameters
    ----------
    model : Module
        Its parameters are put back, whatever happens.
    loss : callable
        ``loss()`` computes the loss with the model's present parameters, e.g. on one fixed batch.
    trajectory : sequence of ndarray
        Snapshots (:func:`snapshot`), three at least.
    resolution : int
        Points along each axis; `loss` is called resolution² times.
    margin : float
        Room round the path, as a share of its extent.

    Raises
    ------
    ShapeError
        A snapshot is not of this model.
    ValueError
        There are fewer than three snapshots, or the path does not move.
    """
    path = np.asarray(trajectory, np.float64)
    parameters = list(model.parameters())
    count = sum(p.size for p in parameters)
    if path.ndim != 2 or path.shape[1] != count:
        raise ShapeError(
            f"viz.landscape: the model has {count} parameters, the trajectory has shape {path.shape}. "
            f"Collect viz.snapshot(model) of the same model."
        )
    if len(path) < 3:
        raise ValueError(f"viz.landscape: two directions need three snapshots at least, got {len(path)}.")
    end = path[-1]
    _, spread, directions = np.linalg.svd(path - end, full_matrices=False)
    if not spread[0] > 0:
        raise ValueError("viz.landscape: the path does not move: all snapshots are equal.")
    flat = (path - end) @ directions[:2].T
    low, high = flat.min(axis=0), flat.max(axis=0)
    reach = np.maximum(high - low, 0.15 * (high - low).max())
    centre = (low + high) / 2
    x, y = (
        np.linspace(centre[i] - (0.5 + margin) * reach[i], centre[i] + (0.5 + margin) * reach[i], resolution)
        for i in (0, 1)
    )
    before = [p.data.copy() for p in parameters]
    values = np.empty((resolution, resolution))
    try:
        with no_grad(), np.errstate(all="ignore"):
            for row, b in enumerate(y):
                for column, a in enumerate(x):
                    _write(parameters, end + a * directions[0] + b * directions[1])
                    values[row, column] = float(loss())
    finally:
        for parameter, old in zip(parameters, before, strict=True):
            parameter.data[...] = old
    shares = np.square(spread) / np.square(spread).sum()
    return Landscape(x, y, values, flat, (float(shares[0]), float(shares[1])))


def _write(parameters: Sequence[Tensor], vector: Array) -> None:
    at = 0
    for parameter in parameters:
        parameter.data[...] = vector[at : at + parameter.size].reshape(parameter.shape)
        at += parameter.size
