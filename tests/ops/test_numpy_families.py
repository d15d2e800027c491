"""Polynomials, histograms, ufuncs' methods, np.emath and windows agree with NumPy, in value and in both derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.errors import DetachError, GradientError, ShapeError

RNG = np.random.default_rng(3)
P, Q = np.array([2.0, -1.0, 0.5, 3.0]), np.array([1.5, 0.3])
X, Y, W = RNG.uniform(-1, 1, 8), RNG.standard_normal(8), RNG.uniform(0.5, 2, 8)
A, B = RNG.uniform(0.5, 1.5, (3, 4)), RNG.uniform(0.5, 1.5, (2, 2))

windows = np.lib.stride_tricks.sliding_window_view

CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "polyval": (np.polyval, (P, X)),
    "polyadd": (np.polyadd, (P, Q)),
    "polysub": (np.polysub, (Q, P)),
    "polymul": (np.polymul, (P, Q)),
    "polydiv": (np.polydiv, (P, Q)),
    "polydiv by a longer one": (np.polydiv, (Q, P)),
    "polyder": (np.polyder, (P,)),
    "polyder twice": (lambda p: np.polyder(p, 2), (P,)),
    "polyder to nothing": (lambda p: np.polyder(p, 5), (P,)),
    "polyint": (np.polyint, (P,)),
    "polyint with constants": (lambda p, k: np.polyint(p, 2, k), (P, Q)),
    "poly": (np.poly, (P,)),
    "poly of a matrix": (np.poly, (np.array([[2.0, 1.0], [-0.5, 2.0]]),)),
    "roots, some complex": (lambda p: np.sort_complex(np.roots(p)), (P,)),
    "roots, real": (lambda p: np.sort(np.roots(p)), (np.array([1.0, -3.0, 0.5]),)),
    "roots, none": (np.roots, (np.array([2.0]),)),
    "polyfit": (lambda x, y: np.polyfit(x, y, 2), (X, Y)),
    "polyfit weighted": (lambda x, y, w: np.polyfit(x, y, 2, w=w, cov=True), (X, Y, W)),
    "polyfit full": (lambda x, y: np.polyfit(x, y, 2, full=True)[:2], (X, Y)),
    "polyfit columns": (lambda x, y: np.polyfit(x, y, 1, cov="unscaled"), (X, RNG.standard_normal((8, 2)))),
    "histogram": (lambda a: np.histogram(a, 4), (X,)),
    "histogram of equal values": (np.histogram, (np.array([2.0]),)),
    "histogram density": (lambda a: np.histogram(a, 4, density=True), (X,)),
    "histogram weights": (lambda a, w: np.histogram(a, 4, range=(-0.5, 0.5), weights=w, density=True), (X, W)),
    "histogram edges": (lambda a, w: np.histogram(a, np.array([-1, 0, 0.3, 2]), weights=w), (X, W)),
    "histogram auto": (lambda a: np.histogram(a, "auto"), (X,)),
    "histogram_bin_edges": (lambda a: np.histogram_bin_edges(a, 5), (X,)),
    "histogram2d": (lambda a, b: np.histogram2d(a, b, 3), (X, Y)),
    "histogram2d density": (
        lambda a, b, w: np.histogram2d(a, b, [3, np.array([-1.0, 0.0, 2.0])], weights=w, density=True),
        (X, Y, W),
    ),
    "histogramdd": (lambda s: np.histogramdd(s, 3), (RNG.standard_normal((7, 3)),)),
    "histogramdd edges": (
        np.histogramdd,
        (RNG.standard_normal((7, 2)), np.array([[-2.0, 0.0, 2.5], [-1.0, 0.5, 2.0]])),
    ),
    "histogramdd ranges": (lambda s: np.histogramdd(s, (2, 3), [(-1, 1), (0, 2)]), (RNG.standard_normal((7, 2)),)),
    "sort_complex": (np.sort_complex, (X,)),
    "windows": (lambda x: windows(x, 3), (X,)),
    "windows in two axes": (lambda x: windows(x, (2, 2)), (A,)),
    "windows along an axis": (lambda x: windows(x, 2, axis=1), (A,)),
    "emath.sqrt": (np.emath.sqrt, (X,)),
    "emath.sqrt real": (np.emath.sqrt, (W,)),
    "emath.log": (np.emath.log, (X,)),
    "emath.log2": (np.emath.log2, (X,)),
    "emath.log10": (np.emath.log10, (X,)),
    "emath.logn": (lambda x: np.emath.logn(2, x), (X,)),
    "emath.arcsin": (np.emath.arcsin, (np.array([2.0, -3.0, 0.5]),)),
    "emath.arccos": (np.emath.arccos, (np.array([2.0, -3.0, 0.5]),)),
    "emath.arctanh": (np.emath.arctanh, (np.array([2.0, -3.0, 0.5]),)),
    "emath.power": (np.emath.power, (X, W)),
    "emath.power whole": (lambda x: np.emath.power(x, np.array([-1, 2])), (Q,)),
}

UFUNCS = "add multiply subtract divide power maximum minimum logaddexp logaddexp2 hypot arctan2 float_power".split()  # noqa: SIM905


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, (tuple, list)):
        for f, e in zip(found, expected, strict=True):
            same(f, e)
        return
    found, expected = tg.as_tensor(found).data, np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def agrees(function: Callable[..., Any], arrays: tuple[Any, ...]) -> None:
    same(function(*map(tg.tensor, arrays)), function(*arrays))

    def smooth(*tensors: Any) -> tuple[Any, ...]:
        out = function(*tensors)
        flat = [
            p
            for part in (out if isinstance(out, tuple) else (out,))
            for p in (part if isinstance(part, tuple) else (part,))
        ]
        return tuple(part for part in flat if part.dtype.kind in "fc")

    assert gradcheck(smooth, arrays, order=2, readonly_upstream=True)


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    agrees(*CALLS[name])


@pytest.mark.parametrize("name", UFUNCS)
def test_methods_of_ufuncs(name: str) -> None:
    ufunc = getattr(np, name)
    agrees(ufunc.outer, (A[0], B))
    for axis in (0, -1):
        agrees(lambda a, axis=axis: ufunc.reduce(a, axis=axis), (A,))
        agrees(lambda a, axis=axis: ufunc.reduce(a, axis, keepdims=True), (A,))
        agrees(lambda a, axis=axis: ufunc.accumulate(a, axis=axis), (A,))
        agrees(lambda a, axis=axis: ufunc.reduceat(a, [0, 2, 1, 2], axis=axis), (A,))


def test_reductions_of_all_axes_and_with_options() -> None:
    agrees(lambda a: np.hypot.reduce(a, axis=None), (A,))
    agrees(lambda a: np.add.reduce(a, axis=(0, 1), initial=3.0, where=np.array([True, False, True, True])), (A,))


@pytest.mark.parametrize(
    ("ufunc", "indices", "operands"),
    [
        (np.add, np.array([0, 2, 0]), (np.array([1.0, 2.0, 4.0]),)),
        (np.multiply, np.array([0, 2, 0]), (np.array([1.5, 2.0, 4.0]),)),
        (np.negative, np.array([0, 2, 0]), ()),
        (np.exp, np.array([1, 1]), ()),
    ],
)
def test_at(ufunc: Any, indices: Any, operands: tuple[Any, ...]) -> None:
    def run(array: Any, *more: Any) -> Any:
        array = np.copy(array)
        ufunc.at(array, indices, *more)
        return array

    agrees(run, (P, *operands))


def test_zeros_at_the_ends_of_a_polynomial() -> None:
    p = np.array([0.0, 1.0, -3.0, 2.0, 0.0])
    t = tg.tensor(p, requires_grad=True)
    found = np.roots(t)
    same(found, np.roots(p))
    np.sum(np.real(found)).backward()  # the sum of the roots is −p₁/p₀
    np.testing.assert_allclose(t.grad.data[1:3], [-3.0, -1.0])
    same(np.roots(tg.zeros(3, np.float64)), np.roots(np.zeros(3)))


def test_counts_are_whole_and_densities_keep_what_gradient_there_is() -> None:
    t = tg.tensor(X, requires_grad=True)
    counts, edges = np.histogram(t, 4)
    assert counts.dtype == np.int64
    assert edges.requires_grad
    density, _ = np.histogram(t, np.array([-1.0, 0.0, 1.0]), density=True)
    density.sum().backward()
    assert t.grad.tolist() == [0.0] * 8


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: np.polyadd(t, tg.tensor(A)), ShapeError, r"polyadd: coefficients are a vector.*\(3, 4\)"),
        (lambda t: np.polyder(t, -1), ValueError, "0 or more, got -1; polyint"),
        (lambda t: np.polyint(t, -1), ValueError, "0 or more, got -1; polyder"),
        (lambda t: np.polyint(t, 3, [1.0, 2.0]), ValueError, "3 constants of integration are wanted, got 2"),
        (lambda t: np.poly(tg.tensor(A)), ShapeError, r"square matrix, got shape \(3, 4\)"),
        (lambda t: np.polyfit(t, P[:3], 1), ShapeError, r"got \(4,\) and \(3,\)"),
        (lambda t: np.polyfit(t, P, -1), ValueError, "degree must be 0 or more, got -1"),
        (lambda t: np.polyfit(t, P, 1, w=P[:2]), ShapeError, r"one weight a point is wanted, got \(2,\)"),
        (lambda t: np.polyfit(t, P, 3, cov=True), ValueError, r"more than deg \+ 1 = 4 points, got 4"),
        (lambda t: np.histogram(t, weights=Q), ShapeError, r"one weight a value is wanted: \(4,\), got \(2,\)"),
        (lambda t: np.histogram2d(t, tg.tensor(Q)), ShapeError, "the same shape"),
        (lambda t: np.histogramdd((t, t), (3,)), ShapeError, "2 dimensions, 1 bins"),
        (lambda t: np.geomspace(t, 0.0, 3), ValueError, "of one sign, and not 0"),
        (lambda t: windows(t, 2, writeable=True), ValueError, "windows of a Tensor are copies"),
        (lambda t: np.add.at(np.ones(4), [0, 1, 2, 3], t), DetachError, r"np\.add\.at cannot write.*tg\.as_tensor"),
        (lambda t: np.add.at(t, [0], 1.0), GradientError, r"np\.add\.at: this Tensor is a leaf.*t\.clone"),
        (lambda t: np.hypot.reduce(t, where=P > 0), TypeError, r"np\.hypot\.reduce on Tensors takes no where="),
        (lambda t: np.hypot.reduce(t[:0]), ValueError, "nothing to put together"),
        (lambda t: np.add.accumulate(t.sum()), TypeError, "0-d Tensor has no axis"),
        (lambda t: np.add.reduceat(t, [0, 4]), IndexError, "index 4 is out of bounds for 4 elements"),
    ],
)
def test_wrong_calls_say_what_to_do(call: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.tensor(P, requires_grad=True))
