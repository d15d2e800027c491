"""Python's floats beside an array of doubles are doubles: a list of them must not pass through the default dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

LIST = [0.1, 0.3, 0.7]
MATRIX = [[0.1, 0.3, 0.7], [0.2, 0.4, 1.1], [0.9, 0.6, 0.35]]
VECTOR = np.array([0.15, 0.35, 0.6])
SQUARE = np.array(MATRIX) * 1.1 + np.eye(3)


def written(write: Callable[[Any], Any], x: Any) -> Any:
    write(x := np.copy(x))
    return x


CASES: dict[str, Callable[[Any, Any], Any]] = {
    "dot": lambda x, m: np.dot(x, LIST),
    "dot, list first": lambda x, m: np.dot(MATRIX, x),
    "inner": lambda x, m: np.inner(LIST, x),
    "outer": lambda x, m: np.outer(x, LIST),
    "vdot": lambda x, m: np.vdot(x, LIST),
    "tensordot": lambda x, m: np.tensordot(m, MATRIX, 1),
    "einsum": lambda x, m: np.einsum("i,i", x, LIST),
    "einsum, interleaved": lambda x, m: np.einsum(m, [0, 1], LIST, [1]),
    "multi_dot": lambda x, m: np.linalg.multi_dot([m, MATRIX, m]),
    "kron": lambda x, m: np.kron(x, LIST),
    "cross": lambda x, m: np.cross(x, LIST),
    "vecmat": lambda x, m: np.vecmat(LIST, m),
    "convolve": lambda x, m: np.convolve(LIST, x),
    "correlate": lambda x, m: np.correlate(x, LIST),
    "interp": lambda x, m: np.interp(x, LIST, [0.1, 0.2, 0.9]),
    "interp at a number": lambda x, m: np.interp(0.15, x, LIST),
    "lstsq": lambda x, m: np.linalg.lstsq(m, LIST)[0],
    "tensorsolve": lambda x, m: np.linalg.tensorsolve(m, LIST),
    "hstack": lambda x, m: np.hstack([LIST, x]),
    "vstack": lambda x, m: np.vstack([LIST, x]),
    "dstack": lambda x, m: np.dstack([LIST, x]),
    "column_stack": lambda x, m: np.column_stack([LIST, x]),
    "append": lambda x, m: np.append(LIST, x),
    "insert": lambda x, m: np.insert(LIST, 1, x),
    "choose": lambda x, m: np.choose([0, 1, 0], [x, LIST]),
    "meshgrid": lambda x, m: np.meshgrid(x, LIST)[1],
    "broadcast_arrays": lambda x, m: np.broadcast_arrays(m, LIST)[1],
    "trapezoid": lambda x, m: np.trapezoid(LIST, x),
    "gradient": lambda x, m: np.gradient(LIST, x),
    "average": lambda x, m: np.average(LIST, weights=x),
    "cov": lambda x, m: np.cov(LIST, x),
    "polyval": lambda x, m: np.polyval(LIST, x),
    "polyadd": lambda x, m: np.polyadd(x, LIST),
    "polymul": lambda x, m: np.polymul(x, LIST),
    "polydiv": lambda x, m: np.polydiv(x, LIST)[0],
    "polyfit": lambda x, m: np.polyfit(LIST, x, 1),
    "histogram": lambda x, m: np.histogram(x, [0.1, 0.15, 0.35, 0.6, 0.9])[0],
    "histogramdd": lambda x, m: np.histogramdd([x, LIST], 2)[1][1],
    "union1d": lambda x, m: np.union1d(x, [0.15, 0.1]),
    "intersect1d": lambda x, m: np.intersect1d(x, [0.15, 0.6]),
    "setdiff1d": lambda x, m: np.setdiff1d(x, [0.15, 0.1]),
    "setxor1d": lambda x, m: np.setxor1d([0.15, 0.1], x),
    "pad": lambda x, m: np.pad(x, 1, constant_values=0.1),
    "pad, ramp": lambda x, m: np.pad(x, 1, "linear_ramp", end_values=0.1),
    "ufunc.at": lambda x, m: written(lambda y: np.add.at(y, [0, 0], 0.1), x),
    "ufunc.outer": lambda x, m: np.multiply.outer(LIST, x),
    "emath.power": lambda x, m: np.emath.power(x, 0.1),
    "complex": lambda x, m: np.fft.ifft(np.fft.fft(x) * LIST).real,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_list_of_floats_is_as_precise_as_its_partner(case: Callable[[Any, Any], Any]) -> None:
    expected = case(VECTOR, SQUARE)
    found = case(tg.tensor(VECTOR), tg.tensor(SQUARE))
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.data, expected, rtol=1e-13)


def test_beside_single_precision_it_is_single() -> None:
    x = tg.tensor(VECTOR, dtype=np.float32)
    for y in (np.dot(x, LIST), np.convolve(LIST, x), np.hstack([LIST, x]), np.polyval(LIST, x)):
        assert y.dtype == np.float32


def test_without_a_partner_it_has_the_default_dtype() -> None:
    assert tg.dot(LIST, LIST).dtype == tg.hstack([LIST, LIST]).dtype == np.float32
