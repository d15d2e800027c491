"""A step length that satisfies the strong Wolfe conditions, for L-BFGS."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Point", "cubic_minimum", "strong_wolfe"]

SUFFICIENT = 1e-4
"""c₁: the share of the decrease promised by the slope that a step must bring."""

CURVATURE = 0.9
"""c₂: the share of the slope that may be left."""


class Point(NamedTuple):
    """A step length, with the loss, the gradient and the slope along the direction there."""

    t: float
    loss: float
    gradient: Any
    slope: float


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points with these values and slopes is least, kept within the bounds.

    Nocedal & Wright 2006, equation 3.59. The middle of the bounds where the cubic has no minimum.
    """
    if a.t > b.t:
        a, b = b, a
    low, high = bounds or (a.t, b.t)
    if a.t == b.t:
        return (low + high) / 2
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not 0 <= square < math.inf:
        return (low + high) / 2
    d2 = math.sqrt(square)
    fall, turn = b.slope + d2 - d1, b.slope - a.slope + 2 * d2
    if turn == 0:  # a straight line, as nearly as the numbers can tell
        return (low + high) / 2 if fall == 0 else high if fall < 0 else low
    return min(max(b.t - (b.t - a.t) * (fall / turn), low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, size: float, most: int, tolerance: float = 1e-9
) -> tuple[Point, int]:
    """Find a step with f(t) ≤ f(0) + c₁·t·f'(0) and |f'(t)| ≤ c₂·|f'(0)|.

    First the step grows until an acceptable point lies in between, then the bracket shrinks (Nocedal & Wright 2006,
    Algorithms 3.5 and 3.6), as in ``torch.optim.LBFGS``. When evaluations run out, the best point seen in the
    bracket is taken.

    Parameters
    ----------
    evaluate : callable
        The Point at a step length.
    start : Point
        At step length 0.
    t : float
        The first step length to try.
    size : float
        The direction's largest element, by which the width of the bracket is measured.
    most : int
        Evaluations at most, after the first.
    tolerance : float
        Width at which the bracket is small enough.

    Returns
    -------
    Point, int
        And the number of evaluations.
    """

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + SUFFICIENT * point.t * start.slope

    def flat_enough(point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    new, before = evaluate(t), start
    count, tries = 1, 0
    bracket: list[Point] = []
    while tries < most:
        if too_high(new) or (tries > 1 and new.loss >= before.loss):
            bracket = [before, new]
            break
        if flat_enough(new):
            return new, count
        if new.slope >= 0:
            bracket = [before, new]
            break
        t = cubic_minimum(before, new, (new.t + 0.01 * (new.t - before.t), new.t * 10))
        new, before = evaluate(t), new
        count, tries = count + 1, tries + 1
    if not bracket:
        return min(start, new, key=lambda point: point.loss), count
    return _zoom(evaluate, bracket, too_high, flat_enough, size, (count, tries, most), tolerance)


def _zoom(
    evaluate: Callable[[float], Point],
    bracket: list[Point],
    too_high: Callable[[Point], bool],
    flat_enough: Callable[[Point], bool],
    size: float,
    budget: tuple[int, int, int],
    tolerance: float,
) -> tuple[Point, int]:
    """Shrink a bracket around an acceptable point."""
    count, tries, most = budget
    stuck = False
    low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
    while tries < most and abs(bracket[1].t - bracket[0].t) * size >= tolerance:
        left, right = sorted(point.t for point in bracket)
        t = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        near_an_end = min(right - t, t - left) < margin
        if near_an_end and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck = False
        else:
            stuck = near_an_end
        new = evaluate(t)
        count, tries = count + 1, tries + 1
        if too_high(new) or new.loss >= bracket[low].loss:
            bracket[high] = new
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        done = flat_enough(new)
        if not done and new.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = new
        if done:
            break
    return bracket[low], count
