"""The compiled twins of the cross-entropy of logits against labels and of its gradient, in single precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .functions import any_order, compiled, exp, largest, total
from .sharing import shared

__all__ = ["cross_entropy", "residual"]

_f = np.float32
_WORK = 8  # an element costs as much as so many multiplications
_PARTS = 8  # of the rows, each with a sum of its own, whatever the number of threads


@any_order
def _sum_exp(row, top):  # type: ignore[no-untyped-def]
    """Σ exp(row − top)"""
    sum_ = _f(0)
    for j in range(row.size):
        sum_ += exp(row[j] - top)
    return sum_


@shared
@compiled
def _losses(x, labels, sums, first, last):  # type: ignore[no-untyped-def]
    """Σ (ln Σ eˣ − x[label]) over the rows of some parts, in double precision."""
    count, parts = len(x), len(sums)
    for i in range(first, last):
        for n in range(count * i // parts, count * (i + 1) // parts):
            row = x[n]
            top = largest(row)
            sums[i] += math.log(_sum_exp(row, top)) + top - row[labels[n]]


@shared
@compiled
def _residual(x, labels, share, p, first, last):  # type: ignore[no-untyped-def]
    for n in range(first, last):
        row, target = x[n], p[n]
        top = largest(row)
        for j in range(row.size):
            target[j] = exp(row[j] - top)
        rate = share / total(target)
        for j in range(row.size):
            target[j] *= rate
        target[labels[n]] -= share


def cross_entropy(x: Any, labels: Any) -> Any:
    """The mean of ln Σ eˣ − x[label] over the rows of (N, C); the labels are taken to be 0 … C − 1."""
    x = np.ascontiguousarray(x)
    sums = np.zeros(min(_PARTS, len(x)))
    _losses(len(sums), x.size * _WORK, x, labels, sums)
    return np.asarray(sums.sum() / len(x), np.float32)


def residual(g: Any, x: Any, labels: Any) -> Any:
    """g/N · (softmax(x) − onehot(labels))."""
    x = np.ascontiguousarray(x)
    p, share = np.empty(x.shape, np.float32), np.float32(g / len(x))
    _residual(len(x), x.size * _WORK, x, labels, share, p)
    return p
