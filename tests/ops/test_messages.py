"""What a wrong call to an operation says: the function, what it got, what it wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import GradientError, ShapeError

X = tg.Tensor(np.arange(6.0).reshape(2, 3))
V = tg.Tensor(np.arange(4.0))

WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "split": (lambda: np.split(V, 3), ValueError, r"split: 4 elements along axis 0 .* 3 equal parts; array_split"),
    "array_split": (lambda: np.array_split(V, 0), ValueError, r"array_split: .* at least 1, got 0"),
    "block, empty": (lambda: tg.block([]), ValueError, "block: a list of blocks is empty"),
    "block, depths": (lambda: np.block([[X], X]), ValueError, "block: .* different depths"),
    "insert": (lambda: np.insert(X, 1, V, axis=0), ShapeError, r"insert: values of shape \(.*\) do not fit"),
    "concatenate": (lambda: np.concatenate([X, V]), ShapeError, r"concatenate\(\(2, 3\) float64, \(4,\) float64"),
    "reshape": (lambda: X.reshape(4, 2), ShapeError, r"reshape\(\(2, 3\) float64\): cannot reshape .* \(4, ?2\)"),
    "diag": (lambda: np.diag(X[None]), ShapeError, r"diag: expected a vector or a matrix, got shape \(1, 2, 3\)"),
    "ix_": (lambda: np.ix_(X), ShapeError, r"ix_: expected vectors, got shapes \(2, 3\)"),
    "meshgrid": (lambda: np.meshgrid(V, V, indexing="yx"), ValueError, "meshgrid: indexing .* got 'yx'"),
    "pad, mode": (lambda: np.pad(X, 1, "mirror"), ValueError, "pad: unknown mode 'mirror'; choose one of constant"),
    "pad, widths": (lambda: np.pad(X, ((1, 2, 3),)), ValueError, r"pad: pad_width must be .* 2 axes"),
    "pad, negative": (lambda: np.pad(X, -1), ValueError, "pad: widths must not be negative, got -1"),
    "quantile, q": (lambda: np.quantile(V, 1.5), ValueError, "q must lie between 0 and 1, got 1.5"),
    "quantile, method": (
        lambda: np.quantile(V, 0.5, method="upper"),
        ValueError,
        "method 'upper' is none of NumPy's; choose one of .*linear",
    ),
    "quantile, empty": (lambda: np.median(V[:0]), ValueError, r"nothing to choose from in an array of shape \(0,\)"),
    "average": (
        lambda: np.average(X, axis=1, weights=V),
        ShapeError,
        r"average: weights of shape \(4,\) for a of shape \(2, 3\) along axis 1",
    ),
    "clip": (lambda: np.clip(V, 0, 1, min=0), TypeError, "clip: give each bound once"),
    "diff, 0-d": (lambda: np.diff(tg.tensor(1.0)), ShapeError, "diff: a 0-d array"),
    "diff, n": (lambda: np.diff(V, -1), ValueError, "diff: n must be 0 or more, got -1"),
    "gradient, edge": (lambda: np.gradient(V[:2], edge_order=2), ValueError, "edge_order 2 needs 3 samples, got 2"),
    "gradient, spacings": (lambda: np.gradient(X, 1.0, 2.0, 3.0), TypeError, "3 spacings were given for 2 axes"),
    "gradient, coordinates": (lambda: np.gradient(V, [1.0, 2.0]), ShapeError, r"4 coordinates .* got shape \(2,\)"),
    "cumulative_sum": (lambda: np.cumulative_sum(X), ValueError, "needs an axis for an array of 2 axes"),
    "broadcast": (
        lambda: X + V,
        ShapeError,
        r"add: shapes \(2, 3\) and \(4,\) do not broadcast: axis -1 is 3 against 4",
    ),
    "max of nothing": (lambda: np.max(V[:0]), ShapeError, r"max\(\(0,\) float64\): zero-size array"),
    "not numbers": (lambda: V + "one", TypeError, "expected numbers"),
    "integers": (lambda: tg.tensor([1, 2]).requires_grad_(), GradientError, "cannot require a gradient"),
}


@pytest.mark.parametrize("name", WRONG)
def test_message(name: str) -> None:
    call, error, text = WRONG[name]
    with pytest.raises(error, match=text):
        call()
