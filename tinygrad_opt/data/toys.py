"""Small made-up classification problems in the plane, on which a decision boundary can be seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..random import get_generator
from .dataset import TensorDataset

__all__ = ["spirals", "two_moons", "xor"]


def _noisy(points: Any, labels: Any, noise: float, rng: np.random.Generator) -> TensorDataset:
    points = points + noise * rng.standard_normal(points.shape)
    order = rng.permutation(len(points))
    return TensorDataset(points[order].astype(np.float32), labels[order].astype(np.int64))


def _check(name: str, n: int, classes: int, noise: float) -> None:
    if n < classes:
        raise ValueError(f"{name}: n must be at least {classes}, one point for each class, got {n}.")
    if noise < 0:
        raise ValueError(f"{name}: noise is a standard deviation and must not be negative, got {noise}.")


def two_moons(n: int = 200, noise: float = 0.1, generator: np.random.Generator | None = None) -> TensorDataset:
    """Two interleaving half circles of radius 1.

    Parameters
    ----------
    n : int
        Number of points; the classes share them evenly.
    noise : float
        Standard deviation of the Gaussian noise on each coordinate.
    generator : numpy.random.Generator, optional
        By default the package's own.

    Returns
    -------
    TensorDataset
        points (n, 2) float32, labels (n,) int64 in {0, 1}.
    """
    _check("two_moons", n, 2, noise)
    rng = get_generator(generator)
    first, second = np.linspace(0, np.pi, n - n // 2), np.linspace(0, np.pi, n // 2)
    upper = np.stack([np.cos(first), np.sin(first)], axis=1)
    lower = np.stack([1 - np.cos(second), 0.5 - np.sin(second)], axis=1)
    labels = np.repeat([0, 1], [len(upper), len(lower)])
    return _noisy(np.concatenate([upper, lower]), labels, noise, rng)


def spirals(
    n: int = 300,
    classes: int = 3,
    turns: float = 0.75,
    noise: float = 0.03,
    generator: np.random.Generator | None = None,
) -> TensorDataset:
    """Arms that wind round the origin, one for each class.

    Parameters
    ----------
    n : int
        Number of points; the classes share them as evenly as they can.
    classes : int
    turns : float
        How far an arm winds on its way from radius 0 to radius 1.
    noise : float
        Standard deviation of the Gaussian noise on each coordinate.
    generator : numpy.random.Generator, optional
        By default the package's own.

    Returns
    -------
    TensorDataset
        points (n, 2) float32, labels (n,) int64 in 0..classes−1.
    """
    _check("spirals", n, classes, noise)
    rng = get_generator(generator)
    labels = np.arange(n) % classes
    radius = (np.arange(n) // classes + 1) / -(-n // classes)
    angle = 2 * np.pi * (turns * radius + labels / classes)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _noisy(points, labels, noise, rng)


def xor(n: int = 200, noise: float = 0.25, generator: np.random.Generator | None = None) -> TensorDataset:
    """Clouds round the corners (±1, ±1); the class says whether the signs differ: no straight line parts them.

    Parameters
    ----------
    n : int
        Number of points; ``xor(4, noise=0)`` is the truth table.
    noise : float
        Standard deviation of the Gaussian noise on each coordinate.
    generator : numpy.random.Generator, optional
        By default the package's own.

    Returns
    -------
    TensorDataset
        points (n, 2) float32, labels (n,) int64 in {0, 1}.
    """
    _check("xor", n, 2, noise)
    rng = get_generator(generator)
    corner = np.arange(n) % 4
    points = np.stack([np.where(corner & 1, 1.0, -1.0), np.where(corner & 2, 1.0, -1.0)], axis=1)
    return _noisy(points, (corner == 1) | (corner == 2), noise, rng)
