"""A gradient that is zero but for one place: what reading a part of an array sends back.

Many reads of one array, a loop over its rows, would each make an array of zeros of its whole size, to be added up. A
Part is written where it belongs when it arrives: the loop's gradient takes time in proportion to what was read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Part", "plus"]


class Part:
    """`values` at `place` of an array of this shape; the place names no element twice."""

    __slots__ = ("place", "shape", "values")

    def __init__(self, values: Any, place: Any, shape: tuple[int, ...]) -> None:
        self.values, self.place, self.shape = values, place, shape

    def whole(self) -> Any:
        """The gradient as an array."""
        total = np.zeros(self.shape, self.values.dtype)
        total[self.place] = self.values
        return total


def plus(total: Any, gradient: Any, own: bool) -> Any:
    """What has arrived and one more, as an array; a total that is the engine's `own` is added to in place."""
    if total.__class__ is Part:
        total, own = total.whole(), True
    if gradient.__class__ is Part:
        total = total if own else total.copy()
        total[gradient.place] += gradient.values
    elif own:
        total += gradient
    else:
        total = total + gradient
    return total
