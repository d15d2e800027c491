"""``viz.lr_sensitivity``: which learning rates train, and where 2/λmax says that they cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.grad import grad
from ..autograd.tensor import Tensor, tensor
from .mpl import COLORS, axes_or_new, tidy
from .text import number

__all__ = ["Sensitivity", "lr_sensitivity", "sharpness"]

Array = np.ndarray[Any, Any]


def sharpness(
    loss: Callable[[], Tensor], parameters: Sequence[Tensor], *, iterations: int = 30, seed: int = 0
) -> float:
    """The largest eigenvalue (by size) of the loss's Hessian, λmax, by power iteration with Hessian-vector products.

    Gradient descent on a quadratic with a larger learning rate than 2/λmax diverges.

    Parameters
    ----------
    loss : callable
        ``loss()`` gives one number.
    parameters : sequence of Tensor
    iterations : int
    seed : int
        Of the first vector.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> p = tg.tensor([1.0, 1.0], requires_grad=True, dtype="f8")
    >>> round(tg.viz.sharpness(lambda: p[0] ** 2 + 3 * p[1] ** 2, [p]), 6)
    6.0
    """
    parameters = list(parameters)
    rng = np.random.default_rng(seed)
    slopes = grad(loss(), parameters, create_graph=True, allow_unused=True)
    used = [(p, g) for p, g in zip(parameters, slopes, strict=True) if g is not None and g.requires_grad]
    if not used:
        return 0.0  # a loss that is linear in its parameters has no curvature
    vector = [rng.standard_normal(p.shape) for p, _ in used]
    value = 0.0
    for _ in range(iterations):
        norm = np.sqrt(sum(float(np.sum(v * v)) for v in vector))
        if not norm > 0 or not np.isfinite(norm):
            return float(norm)
        vector = [v / norm for v in vector]
        products = grad(
            [g for _, g in used],
            [p for p, _ in used],
            [tensor(v.astype(p.dtype)) for v, (p, _) in zip(vector, used, strict=True)],
            retain_graph=True,
            allow_unused=True,
        )
        image = [
            np.zeros(p.shape) if h is None else h.data.astype(np.float64)
            for (p, _), h in zip(used, products, strict=True)
        ]
        value = sum(float(np.sum(v * h)) for v, h in zip(vector, image, strict=True))
        vector = image
    return value


@dataclass
class Sensitivity:
    """Final losses against learning rates.

    Attributes
    ----------
    rates : ndarray, shape (rates,)
    losses : ndarray, shape (rates, seeds)
        Infinite where a run diverged.
    limit : float or None
        The stability limit 2/λmax, when it is known.
    """

    rates: Array
    losses: Array
    limit: float | None = None

    @property
    def best(self) -> float:
        """The rate with the lowest median loss."""
        return float(self.rates[np.argmin(np.median(self.losses, axis=1))])

    def plot(self, ax: Any = None) -> Any:
        """Median and range of the final loss against the rate, and the limit; returns the axes."""
        ax = axes_or_new(ax)
        median = np.median(self.losses, axis=1)
        fine = np.isfinite(median)
        ax.plot(self.rates[fine], median[fine], marker="o", color=COLORS[0], label="median of the seeds")
        top = np.where(np.isfinite(self.losses), self.losses, np.nan)
        if self.losses.shape[1] > 1 and fine.any():
            ax.fill_between(
                self.rates[fine],
                self.losses[fine].min(axis=1),
                np.nanmax(top[fine], axis=1),
                color=COLORS[0],
                alpha=0.18,
            )
        high = float(np.nanmax(top)) if np.isfinite(top).any() else 1.0
        if not fine.all():
            ax.plot(self.rates[~fine], np.full((~fine).sum(), high), "x", color="#b3402a", label="diverged")
        if self.limit is not None:
            ax.axvline(self.limit, color="#b3402a", linestyle="--", label=f"2/λmax = {number(self.limit, 3)}")
        ax.set(xscale="log", xlabel="learning rate", ylabel="final loss")
        if np.nanmin(top) > 0:
            ax.set_yscale("log")
        return tidy(ax)


def lr_sensitivity(
    train: Callable[..., float],
    rates: Sequence[float] | None = None,
    *,
    seeds: int = 1,
    curvature: float | None = None,
) -> Sensitivity:
    """Train at each learning rate and collect the final losses.

    Parameters
    ----------
    train : callable
        ``train(lr)``, or ``train(lr, seed)`` when `seeds` is more than 1, gives the final loss. NaN counts as diverged.
    rates : sequence of float, optional
        By default 1e-4 … 10, three to a decade.
    seeds : int
    curvature : float, optional
        λmax at the start (:func:`sharpness`), to draw the limit 2/λmax of gradient descent.
    """
    tried = np.asarray(np.logspace(-4, 1, 16) if rates is None else sorted(rates), np.float64)
    losses = np.full((len(tried), seeds), np.inf)
    with np.errstate(all="ignore"):
        for i, rate in enumerate(tried):
            for seed in range(seeds):
                final = float(train(float(rate), seed) if seeds > 1 else train(float(rate)))
                losses[i, seed] = final if np.isfinite(final) else np.inf
    limit = 2 / curvature if curvature is not None and curvature > 0 else None
    return Sensitivity(tried, losses, limit)
