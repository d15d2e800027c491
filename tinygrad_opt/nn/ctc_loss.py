"""Connectionist temporal classification: the loss of a sequence of labels whose places in time are not known.

Graves et al. 2006, "Connectionist Temporal Classification". The labels with a blank before, between and after them are
the states of a chain, through which a path moves from left to right; the likelihood sums over all paths that spell the
labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from .loss import Loss, check_reduction

__all__ = ["CTCLoss", "ctc_loss"]

_NEVER = -1e30
"""The logarithm of a probability of zero: finite, so that differences of two of them are numbers."""


class Chain(NamedTuple):
    """The states of each sample's chain.

    Attributes
    ----------
    labels : ndarray, shape (N, L)
        The label of each state: blanks at the even places.
    skip : ndarray of bool, shape (N, L)
        Whether a path may enter from two places before, passing over a blank.
    frames : ndarray, shape (N,)
        The number of time steps of each sample.
    last : ndarray, shape (N,)
        The place of the last blank of each sample.
    """

    labels: Any
    skip: Any
    frames: Any
    last: Any


def _chain(targets: Any, frames: Any, lengths: Any, blank: int) -> Chain:
    count, width = targets.shape
    used = np.arange(width) < lengths[:, None]
    labels = np.full((count, 2 * width + 1), blank)
    labels[:, 1::2] = np.where(used, targets, blank)
    skip = np.zeros(labels.shape, bool)
    skip[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    return Chain(labels, skip, frames, 2 * lengths)


def _shifted(a: Any, by: int) -> Any:
    """Each state's value as the state `by` places later sees it (earlier for a negative `by`)."""
    empty = np.full((a.shape[0], min(abs(by), a.shape[1])), _NEVER, a.dtype)
    return np.concatenate([empty, a[:, :-by]] if by > 0 else [a[:, -by:], empty], axis=1)


def _entering(a: Any, skip: Any) -> Any:
    """ln of the probability to come into each state: from itself, from the one before, or over a blank."""
    return np.logaddexp(np.logaddexp(a, _shifted(a, 1)), np.where(skip, _shifted(a, 2), _NEVER))


def _forward(log_probs: Any, chain: Chain) -> tuple[list[Any], list[Any]]:
    """ln p(state at t) by its label alone, and ln of the probability of all paths up to there, for each time step."""
    emitted = [np.take_along_axis(frame, chain.labels, 1) for frame in log_probs]
    start = np.arange(chain.labels.shape[1]) < 2
    reached = [np.where(start, emitted[0], _NEVER)]
    for frame in emitted[1:]:
        reached.append(_entering(reached[-1], chain.skip) + frame)
    return emitted, reached


def _final(reached: list[Any], chain: Chain) -> tuple[Any, Any, Any]:
    """ln of the probability to end in the last blank, and in the last label, and of either."""
    places = np.stack([chain.last, np.maximum(chain.last - 1, 0)], axis=1)
    ends = np.stack([np.take_along_axis(frame, places, 1) for frame in reached])
    ends = ends[chain.frames - 1, np.arange(len(places))]
    none = np.where(chain.last > 0, _NEVER, 0.0).astype(ends.dtype)  # no time steps spell no labels, and nothing else
    blank = np.where(chain.frames > 0, ends[:, 0], none)
    label = np.where((chain.last > 0) & (chain.frames > 0), ends[:, 1], _NEVER)
    return blank, label, np.logaddexp(blank, label)


def _occupancy(log_probs: Any, chain: Chain) -> Any:
    """The probability of each label at each time step, given that the labels are spelt: (T, N, C)."""
    emitted, reached = _forward(log_probs, chain)
    blank, label, total = _final(reached, chain)
    place = np.arange(chain.labels.shape[1])
    at_blank, at_label = place == chain.last[:, None], place == chain.last[:, None] - 1
    ending = np.exp(blank - total)[:, None] * at_blank + np.exp(label - total)[:, None] * at_label
    classes = (chain.labels[:, :, None] == np.arange(log_probs.shape[2])).astype(log_probs.dtype)
    shares = None
    found = []
    for t in range(len(emitted) - 1, -1, -1):
        here = ending * (chain.frames == t + 1)[:, None]
        if shares is not None:
            ahead = emitted[t + 1] - reached[t + 1]
            here = here + shares * np.exp(np.minimum(reached[t] + ahead, 0))
            for step, allowed in ((1, True), (2, chain.skip)):
                onward = _later(np.where(allowed, shares, 0), step)
                here = here + onward * np.exp(np.minimum(reached[t] + _shifted(ahead, -step), 0))
        shares = here
        found.append(np.matmul(np.expand_dims(here, 1), classes)[:, 0])
    return np.stack(found[::-1])


def _later(shares: Any, by: int) -> Any:
    """The share of the state `by` places later, 0 where there is none."""
    empty = np.zeros((shares.shape[0], min(by, shares.shape[1])), shares.dtype)
    return np.concatenate([shares[:, by:], empty], axis=1)


def _samples(rng: np.random.Generator) -> Iterator[Any]:
    targets, lengths, frames = np.array([[1, 2, 2], [2, 0, 0]]), np.array([3, 1]), np.array([6, 4])
    yield rng.standard_normal((6, 2, 3)), _chain(targets, frames, lengths, 0)


@primitive(real=True, arrays=1, samples=_samples, formula="−ln p(labels)", gradient="−g · p(label at t | labels)")
def ctc(log_probs: Any, chain: Chain) -> Any:
    """−ln of the probability of each sample's labels, (N,); infinite where no path is long enough."""
    losses = -_final(_forward(log_probs, Chain(*chain))[1], Chain(*chain))[2]
    return np.where(losses > -0.1 * _NEVER, np.asarray(np.inf, losses.dtype), losses)


@ctc.vjp(0)
def _(g: Any, y: Any, log_probs: Any, chain: Chain) -> Any:
    g = np.where(np.isinf(y) & (g != 0), g.dtype.type(np.nan), g)  # an infinite loss has no slope to follow
    return -np.expand_dims(g, (0, 2)) * _occupancy(log_probs, Chain(*chain))


def _whole(name: str, lengths: Any) -> Any:
    array = np.atleast_1d(as_tensor(lengths).data)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"ctc_loss: {name} must be whole numbers, got {array.dtype}.")
    return array.astype(np.int64)


def _checked(targets: Any, lengths: Any, frames: Any, shape: tuple[int, ...], blank: int) -> Any:
    """The targets as (N, S); raises for lengths and labels that do not fit."""
    steps, count, classes = shape
    if not steps:
        raise ShapeError(f"ctc_loss: log_probs {shape} hold no time step.")
    if lengths.shape != (count,) or frames.shape != (count,):
        raise ShapeError(
            f"ctc_loss: log_probs {shape} are {count} samples; input_lengths and target_lengths must have shape "
            f"({count},), got {frames.shape} and {lengths.shape}."
        )
    if count and (frames.min() < 0 or frames.max() > steps or lengths.min() < 0):
        raise ValueError(f"ctc_loss: input_lengths must be 0..{steps} and target_lengths not negative.")
    if not hasattr(blank, "__index__") or not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: blank must be 0..{classes - 1}, got {blank}.")
    if targets.ndim == 1:  # all samples end to end
        if targets.size != lengths.sum():
            raise ShapeError(f"ctc_loss: {targets.size} targets, but the target_lengths add up to {lengths.sum()}.")
        parts = np.split(targets, np.cumsum(lengths)[:-1])
        width = max((len(part) for part in parts), default=0)
        targets = np.array([np.pad(part, (0, width - len(part))) for part in parts]).reshape(count, width)
    elif targets.ndim != 2 or len(targets) != count or (count and targets.shape[1] < lengths.max()):
        raise ShapeError(f"ctc_loss: targets must be ({count}, S) with S >= target_lengths, got {targets.shape}.")
    used = targets[np.arange(targets.shape[1]) < lengths[:, None]]
    if used.size and (used.min() < 0 or used.max() >= classes or (used == blank).any()):
        raise IndexError(
            f"ctc_loss: labels must be 0..{classes - 1} without the blank {blank}; found values from {used.min()} to "
            f"{used.max()}{' and blanks' if (used == blank).any() else ''}."
        )
    return targets


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """−ln of the probability that the network's output, without repetitions and blanks, reads as the targets.

    Parameters
    ----------
    log_probs : array_like, shape (T, N, C) or (T, C)
        Log-probabilities, e.g. of log_softmax.
    targets : array_like of int, shape (N, S), or all samples' end to end
        Labels, none of them the blank.
    input_lengths, target_lengths : array_like of int, shape (N,)
    blank : int
    reduction : {"mean", "sum", "none"}
        "mean" divides each loss by its number of labels first.
    zero_infinity : bool
        Count samples with fewer time steps than labels as 0 instead of infinite, and without gradient.

    Raises
    ------
    ShapeError, ValueError, IndexError
        Lengths or labels that do not fit.
    TypeError
        Lengths that are not whole numbers.
    """
    check_reduction("ctc_loss", reduction)
    x: Any = as_tensor(log_probs)
    single = x.ndim == 2
    x = np.expand_dims(x, 1) if single else x
    if x.ndim != 3:
        raise ShapeError(f"ctc_loss: log_probs must be (T, N, C) or (T, C), got shape {x.shape}.")
    frames, lengths = _whole("input_lengths", input_lengths), _whole("target_lengths", target_lengths)
    labels = _checked(as_tensor(targets).data, lengths, frames, x.shape, blank)
    chain = _chain(labels, frames, lengths, blank)
    losses = ctc(x, tuple(chain))
    if zero_infinity:
        possible = np.isfinite(losses.data)
        losses = np.where(possible, losses, 0)
    if reduction == "none":
        return losses[0] if single else losses
    if reduction == "sum":
        return np.sum(losses)
    return np.mean(losses / np.maximum(lengths, 1).astype(x.dtype))


class CTCLoss(Loss):
    """:func:`ctc_loss` as a Module.

    Parameters
    ----------
    blank : int
    reduction : {"mean", "sum", "none"}
    zero_infinity : bool
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        """The loss."""
        return ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
