"""The compiled twins of the cross-entropy of logits against labels and of its gradient, in single precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .functions import any_order, compiled, exp, largest, total
from .threads import in_parts

__all__ = ["cross_entropy", "residual"]

_f = np.float32
_WORK = 8  # an element costs as much as so many multiplications


@any_order
def _sum_exp(row, top):  # type: ignore[no-untyped-def]
    """Σ exp(row − top)"""
    sum_ = _f(0)
    for j in range(row.size):
        sum_ += exp(row[j] - top)
    return sum_


@compiled
def _losses(x, labels, first, last):  # type: ignore[no-untyped-def]
    """Σ (ln Σ eˣ − x[label]) over some rows, in double precision."""
    loss = 0.0
    for n in range(first, last):
        row = x[n]
        top = largest(row)
        loss += math.log(_sum_exp(row, top)) + top - row[labels[n]]
    return loss


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
    parts = in_parts(lambda first, last: _losses(x, labels, first, last), len(x), x.size * _WORK)
    return np.asarray(sum(parts) / len(x), np.float32)


def residual(g: Any, x: Any, labels: Any) -> Any:
    """g/N · (softmax(x) − onehot(labels))."""
    x = np.ascontiguousarray(x)
    p, share = np.empty(x.shape, np.float32), np.float32(g / len(x))
    in_parts(lambda first, last: _residual(x, labels, share, p, first, last), len(x), x.size * _WORK)
    return p
