"""Colouring the values of a picture by a number: where gradients vanish, where units are dead, what takes memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .text import number
from .trace import Value

__all__ = ["METRICS", "Metric"]

_SCALE = ("#f3f7fc", "#cfe0f2", "#94c0e3", "#4b92c9", "#1d5fa3", "#0b2f66")


def _rms(array: Any) -> float | None:
    if array is None or array.size == 0:
        return None
    return float(np.sqrt(np.mean(np.square(np.abs(array).astype(np.float64)))))


def _gradient(value: Value) -> float | None:
    return _rms(value.grad)


def _ratio(value: Value) -> float | None:
    if value.kind != "leaf" or value.array is None or value.grad is None:
        return None
    size = float(np.linalg.norm(value.array))
    return float(np.linalg.norm(value.grad)) / size if size else None


def _dead(value: Value) -> float | None:
    """Share of the units (last axis) of an activation that are 0 for every example."""
    if value.maker is None or value.maker.primitive.name not in ("relu", "maximum", "relu6") or value.array is None:
        return None
    if value.array.ndim < 2:
        return float(np.mean(value.array == 0))
    return float(np.mean(np.all(value.array == 0, axis=tuple(range(value.array.ndim - 1)))))


def _memory(value: Value) -> float | None:
    return float(value.array.nbytes) if value.array is not None else None


METRICS: dict[str, tuple[str, Callable[[Value], float | None]]] = {
    "gradient": ("root mean square of the gradient", _gradient),
    "ratio": ("gradient norm / weight norm, the update-to-weight ratio of gradient descent at rate 1", _ratio),
    "dead": ("share of units that are 0 for every example", _dead),
    "memory": ("bytes kept", _memory),
}
"""Name → what it measures, and the function of a Value that gives it (None: does not apply)."""


class Metric:
    """A number for each value, and the colour that stands for it.

    Parameters
    ----------
    color : str or callable
        A name from METRICS, or a function of a :class:`~tinygrad_opt.viz.trace.Value` (``array``, ``grad``,
        ``shape``, ``name``, ``kind``) that returns a number or None.
    values : iterable of Value
    """

    def __init__(self, color: str | Callable[[Value], float | None], values: Iterable[Value]) -> None:
        if isinstance(color, str):
            if color not in METRICS:
                raise ValueError(f"viz.graph: color={color!r} is not one of {', '.join(METRICS)}, nor a function.")
            self.title, measure = METRICS[color]
        else:
            self.title, measure = getattr(color, "__name__", "value"), color
        self.found: dict[str, float] = {}
        for value in values:
            measured = measure(value)
            if measured is not None:
                self.found[value.key] = float(measured)
        finite = [x for x in self.found.values() if math.isfinite(x)]
        positive = [x for x in finite if x > 0]
        self.low, self.high = (min(finite), max(finite)) if finite else (0.0, 0.0)
        self.logarithmic = bool(positive) and self.low >= 0 and max(positive) > 30 * min(positive)
        if self.logarithmic:
            self.low = min(positive)

    def color(self, key: str) -> str | None:
        """The colour of a value: light for the lowest number, dark for the highest, red for NaN and infinity."""
        x = self.found.get(key)
        if x is None:
            return None
        if not math.isfinite(x):
            return "#d03b2f"
        low, high = self.low, self.high
        if self.logarithmic:
            x, low, high = math.log(max(x, low)), math.log(low), math.log(high)
        at = (x - low) / (high - low) * (len(_SCALE) - 1) if high > low else 0.0
        step = min(int(at), len(_SCALE) - 2)
        return _mix(_SCALE[step], _SCALE[step + 1], at - step)

    def text(self, key: str) -> str | None:
        """The number itself."""
        return number(self.found[key], 3) if key in self.found else None

    def legend(self) -> str:
        """A sentence that explains the colours."""
        scale = ", on a logarithmic scale" if self.logarithmic else ""
        return f"Colour: {self.title}, from {number(self.low, 3)} (light) to {number(self.high, 3)} (dark){scale}."


def _mix(a: str, b: str, share: float) -> str:
    pairs = ((int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in pairs)
