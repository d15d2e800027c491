"""What a wrong call to an operation says: the function, what it got, what it wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.exceptions import AxisError
from numpy.linalg import LinAlgError

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
    "quantile, empty": (
        lambda: np.quantile(V[:0], 0.5),
        ValueError,
        r"nothing to choose from in an array of shape \(0,\)",
    ),
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
    "max, the mend": (lambda: np.max(V[:0]), ShapeError, "no identity; give initial="),
    "percentile": (lambda: np.percentile(V, [50, 150]), ValueError, r"percentile: q .* 0 and 100, got \[50.0, 150.0\]"),
    "insert, outside": (lambda: np.insert(V, 9, 1.0), IndexError, "insert: index 9 is out of bounds for 4 elements"),
    "insert, axis": (lambda: np.insert(X, 0, 1.0, axis=5), AxisError, "insert: axis 5 is out of bounds"),
    "split, axis": (lambda: np.split(X, 2, axis=2), AxisError, "split: axis 2 is out of bounds"),
    "dsplit": (lambda: np.dsplit(X, 1), AxisError, "split: axis 2 is out of bounds for array of dimension 2"),
    "unstack, 0-d": (lambda: np.unstack(tg.tensor(1.0)), AxisError, "unstack: axis 0 is out of bounds"),
    "rollaxis": (lambda: np.rollaxis(X, 5), AxisError, "rollaxis: axis 5 is out of bounds"),
    "rot90": (lambda: np.rot90(X, 1, (0, -2)), ValueError, "rot90: the two axes must be different"),
    "sort": (lambda: np.sort(X, axis=3), AxisError, "sort: axis 3 is out of bounds"),
    "partition": (lambda: np.partition(X, 0, axis=3), AxisError, "partition: axis 3 is out of bounds"),
    "trapezoid": (lambda: np.trapezoid(X, axis=2), AxisError, "trapezoid: axis 2 is out of bounds"),
    "norm, axis": (lambda: np.linalg.matrix_norm(V), AxisError, "norm: axis -2 is out of bounds"),
    "average, zero": (lambda: np.average(V, weights=V * 0), ZeroDivisionError, "average: the weights sum to zero"),
    "float16": (lambda: np.linalg.inv(tg.eye(2, dtype=np.float16)), TypeError, r"float16 .*; compute it in float32"),
    "integer powers": (
        lambda: tg.tensor([1, 2]) ** -1,
        ShapeError,
        "negative integer powers .*; make the base a float",
    ),
    "sign of bool": (lambda: np.sign(tg.tensor([True])), TypeError, r"sign\(\(1,\) bool\): ufunc 'sign'"),
    "bits of floats": (lambda: V & 1, TypeError, "bitwise_and.*; convert first"),
    "stack": (lambda: np.stack([X, V]), ShapeError, "must have the same shape; np.concatenate joins"),
    "not positive": (
        lambda: np.linalg.cholesky(-tg.eye(2)),
        LinAlgError,
        "not positive definite; add a small multiple",
    ),
    "keepdim": (lambda: np.sum(X, keepdim=True), TypeError, "keepdim"),
    "not numbers": (lambda: V + "one", TypeError, "expected numbers"),
    "integers": (lambda: tg.tensor([1, 2]).requires_grad_(), GradientError, "cannot require a gradient"),
}


@pytest.mark.parametrize("name", WRONG)
def test_message(name: str) -> None:
    call, error, text = WRONG[name]
    with pytest.raises(error, match=text):
        call()
