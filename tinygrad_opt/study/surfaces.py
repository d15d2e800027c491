"""Functions of two variables with known shapes, for illustration: they stay out of every score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import data, nn
from .tasks import Problem, task

__all__ = ["Surface", "surfaces"]


@dataclass(frozen=True)
class Surface:
    """f(x, y), where to start, and where its lowest points are."""

    function: Callable[[Any, Any], Any]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    formula: str


surfaces: dict[str, Surface] = {
    "rosenbrock": Surface(
        lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
        (-1.5, 2.0),
        ((1.0, 1.0),),
        "(1 − x)² + 100 (y − x²)²",
    ),
    "beale": Surface(
        lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2 + (2.625 - x + x * y**3) ** 2,
        (1.0, 1.5),
        ((3.0, 0.5),),
        "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
    ),
    "himmelblau": Surface(
        lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
        (0.0, 0.0),
        ((3.0, 2.0), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)),
        "(x² + y − 11)² + (x + y² − 7)²",
    ),
    "saddle": Surface(
        lambda x, y: x * x - y * y + y**4 / 4,
        (1.0, 0.0),
        ((0.0, 2**0.5), (0.0, -(2**0.5))),
        "x² − y² + y⁴/4",
    ),
    "rastrigin": Surface(
        lambda x, y: 20 + x * x + y * y - 10 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)),
        (2.2, -1.7),
        ((0.0, 0.0),),
        "20 + x² + y² − 10 (cos 2πx + cos 2πy)",
    ),
    "valley": Surface(lambda x, y: 0.5 * (x * x + 100 * y * y), (-9.0, 1.0), ((0.0, 0.0),), "½ (x² + 100 y²)"),
}


class _Point(nn.Module):
    def __init__(self, function: Callable[[Any, Any], Any], start: Any) -> None:
        super().__init__()
        self.function = function
        self.point = nn.Parameter(np.asarray(start, np.float64))

    def forward(self, _: Any) -> Any:
        return self.function(self.point[0], self.point[1])


def _identity(value: Any) -> Any:
    return value


def _register(name: str, surface: Surface) -> None:
    def build(rng: np.random.Generator) -> Problem:
        start = np.asarray(surface.start) + 0.05 * rng.standard_normal(2)
        once = data.TensorDataset(np.zeros(1))
        return Problem(_Point(surface.function, start), _identity, (once, once, once))

    build.__doc__ = (
        f"f(x, y) = {surface.formula}, without noise, from near {surface.start}. Illustration only: not scored."
    )
    task(name, f"{name} in the plane", batch_size=None, cost="two numbers", scored=False)(build)


for _name, _surface in surfaces.items():
    _register(_name, _surface)
