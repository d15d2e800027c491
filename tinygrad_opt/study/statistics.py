"""The statistics of a comparison: robust means, paired resampling, chances of winning, tie groups, profiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "beats",
    "bootstrap",
    "expected_best",
    "iqm",
    "mean_interval",
    "profile",
    "profile_score",
    "resample",
    "tie_groups",
]

# Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom (any table of the distribution).
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def iqm(values: Any, axis: int = -1) -> Any:
    """Interquartile mean: the mean without the lowest and the highest quarter (Agarwal et al. 2021, arXiv 2108.13264).

    Of n values, ⌊n/4⌋ are left out at each end.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=axis)
    n = ordered.shape[axis]
    return np.take(ordered, np.arange(n // 4, n - n // 4), axis=axis).mean(axis=axis)


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half the width of its 95 % interval by Student's t; infinite values make both infinite or NaN."""
    array = np.asarray(values, dtype=np.float64)
    n = len(array)
    if not np.isfinite(array).all():
        return math.inf, math.nan
    if n < 2:
        return float(array.mean()), math.nan
    quantile = _T95[n - 2] if n <= 31 else 1.96
    return float(array.mean()), float(quantile * array.std(ddof=1) / math.sqrt(n))


def resample(tasks: int, seeds: int, count: int = 10_000, seed: int = 0) -> np.ndarray[Any, Any]:
    """Positions of seeds drawn with replacement within each task: (count, tasks, seeds).

    The same positions are used for all optimizers, since their runs with one seed are a pair.
    """
    return np.random.default_rng(seed).integers(0, seeds, (count, tasks, seeds))


def bootstrap(
    scores: np.ndarray[Any, Any], statistic: Callable[..., Any], draws: np.ndarray[Any, Any]
) -> tuple[float, float, float]:
    """A statistic over all tasks and seeds, with its 95 % interval from stratified resampling.

    Parameters
    ----------
    scores : ndarray (tasks, seeds)
    statistic : callable
        Of an array along its last axis.
    draws : ndarray (count, tasks, seeds)
        From :func:`resample`.
    """
    tasks = np.arange(scores.shape[0])[:, None]
    samples = statistic(scores[tasks, draws].reshape(len(draws), -1))
    low, high = np.quantile(samples, [0.025, 0.975], method="closest_observation")
    return float(statistic(scores.reshape(-1))), float(low), float(high)


def beats(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], draws: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """How often A's loss is below B's with the same task and seed (a tie counts half), with its 95 % interval.

    Parameters
    ----------
    a, b : ndarray (tasks, seeds)
        Losses; infinite for a run that diverged.
    """
    wins = (a < b) + 0.5 * (a == b)
    return bootstrap(wins, lambda x: x.mean(axis=-1), draws)


def tie_groups(losses: Mapping[str, np.ndarray[Any, Any]], draws: np.ndarray[Any, Any]) -> list[list[str]]:
    """Names in groups, best first; within a group, nobody can be told from its first member.

    The first of a group has the highest chance of beating the others, averaged over them; it is joined by all for whom
    the interval of the chance that it beats them contains one half.
    """
    names = list(losses)
    chance = {
        a: float(np.mean([beats(losses[a], losses[b], draws[:1])[0] for b in names if b != a] or [0.5])) for a in names
    }
    left = sorted(names, key=lambda name: -chance[name])
    groups = []
    while left:
        first = left[0]
        group = [first]
        for other in left[1:]:
            _, low, high = beats(losses[first], losses[other], draws)
            if low <= 0.5 <= high:
                group.append(other)
        groups.append(group)
        left = [name for name in left if name not in group]
    return groups


def expected_best(losses: Sequence[float], k: int) -> float:
    """The expected lowest of `k` losses drawn without replacement (after Dodge et al. 2019, arXiv 1909.03004)."""
    ordered = sorted(losses)
    n = len(ordered)
    if not 1 <= k <= n:
        raise ValueError(f"expected_best: k must lie in 1..{n}, the number of trials, got {k}.")
    weights = [math.comb(n - i - 1, k - 1) / math.comb(n, k) for i in range(n)]
    return sum(weight * loss for weight, loss in zip(weights, ordered, strict=True) if weight)


def profile(times: Mapping[str, Sequence[float]], ratios: Sequence[float]) -> dict[str, list[float]]:
    """Performance profiles: the share of problems solved within τ times the best time (Dolan & Moré 2002).

    Parameters
    ----------
    times : mapping of str to sequence of float
        For each optimizer, one time for each problem; infinite where it never got there.
    ratios : sequence of float
        The τ at which to evaluate, 1 and more.
    """
    table = np.array(list(times.values()), dtype=np.float64)
    best = table.min(axis=0)
    with np.errstate(invalid="ignore"):
        slower = np.where(np.isfinite(table), table / np.maximum(best, 1e-12), np.inf)
    return {
        name: [float(np.mean(row <= ratio + 1e-12)) for ratio in ratios]
        for name, row in zip(times, slower, strict=True)
    }


def profile_score(times: Mapping[str, Sequence[float]], top: float = 4.0) -> dict[str, float]:
    """The mean height of a performance profile over τ in [1, `top`] (Dahl et al. 2023, arXiv 2306.07179)."""
    table = np.array(list(times.values()), dtype=np.float64)
    best = table.min(axis=0)
    with np.errstate(invalid="ignore"):
        slower = np.where(np.isfinite(table), table / np.maximum(best, 1e-12), np.inf)
    area = np.clip((top - slower) / (top - 1.0), 0.0, 1.0).mean(axis=1)
    return dict(zip(times, area.tolist(), strict=True))
