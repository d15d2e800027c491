"""Ties, zeros and infinities: values, gradients and second-order gradients as PyTorch gives them.

Each case is written once in NumPy's vocabulary and once in PyTorch's. PyTorch's numbers are frozen in
reference/edge_cases.json (made by make_edge_cases.py); where PyTorch is installed they are compared live as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

REFERENCE = Path(__file__).parent / "reference" / "edge_cases.json"
inf, nan = math.inf, math.nan

Case = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]
"""Ours, PyTorch's (called with the torch module first), and the inputs."""

CASES: dict[str, Case] = {
    # Ties
    "max of all, tie": (np.max, lambda t, x: t.amax(x), ([1.0, 3.0, 3.0, 2.0],)),
    "max along an axis, ties": (
        lambda x: np.max(x, axis=-1),
        lambda t, x: t.amax(x, -1),
        ([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]],),
    ),
    "max over two axes, tie": (
        lambda x: np.max(x, axis=(0, 2)),
        lambda t, x: t.amax(x, (0, 2)),
        ([[[1.0, 2.0]], [[2.0, 0.0]]],),
    ),
    "min of all, tie": (np.min, lambda t, x: t.amin(x), ([3.0, 1.0, 1.0, 1.0],)),
    "max of zeros of both signs": (np.max, lambda t, x: t.amax(x), ([0.0, -0.0, -1.0],)),
    "maximum, tie": (np.maximum, lambda t, a, b: t.maximum(a, b), ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])),
    "maximum, broadcast tie": (np.maximum, lambda t, a, b: t.maximum(a, b), ([1.0, 2.0], 1.0)),
    "minimum, tie": (np.minimum, lambda t, a, b: t.minimum(a, b), ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])),
    "fmax, tie and NaN": (np.fmax, lambda t, a, b: t.fmax(a, b), ([1.0, nan, 3.0], [1.0, 3.0, nan])),
    "fmin, tie and NaN": (np.fmin, lambda t, a, b: t.fmin(a, b), ([1.0, nan, 3.0], [1.0, 3.0, nan])),
    "infinite slope behind a maximum": (
        lambda x: np.sqrt(np.maximum(x, 0.0)),
        lambda t, x: t.sqrt(t.maximum(x, t.zeros_like(x))),
        ([-1.0, 4.0],),
    ),
    "clip at its bounds": (
        lambda x: np.clip(x, -1.0, 1.0),
        lambda t, x: t.clamp(x, -1, 1),
        ([-2.0, -1.0, 0.0, 1.0, 2.0],),
    ),
    "clip with one bound": (lambda x: np.clip(x, 0.0, None), lambda t, x: t.clamp(x, min=0), ([-1.0, 0.0, 1.0],)),
    "clip, gradient of the bounds": (
        np.clip,
        lambda t, x, a, b: t.clamp(x, a, b),
        ([-2.0, 0.0, 0.5, 2.0, 1.0], [-1.0, 0.0, 0.0, 0.0, 2.0], [1.0, 1.0, 1.0, 2.0, 0.0]),
    ),
    "median of an odd number": (np.median, lambda t, x: t.median(x), ([3.0, 1.0, 2.0],)),
    "quantile between ties": (
        lambda x: np.quantile(x, [0.25, 0.5, 1.0]),
        lambda t, x: t.quantile(x, t.tensor([0.25, 0.5, 1.0], dtype=x.dtype)),
        ([1.0, 2.0, 2.0, 5.0],),
    ),
    # Products and powers at zero
    "prod without zeros": (np.prod, lambda t, x: t.prod(x), ([2.0, -3.0, 4.0],)),
    "prod with a zero": (np.prod, lambda t, x: t.prod(x), ([2.0, 0.0, 4.0],)),
    "prod with two zeros": (np.prod, lambda t, x: t.prod(x), ([0.0, 0.0, 4.0, 5.0],)),
    "prod along an axis with zeros": (
        lambda x: np.prod(x, axis=1),
        lambda t, x: t.prod(x, 1),
        ([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]],),
    ),
    "cumprod with a zero": (lambda x: np.cumprod(x), lambda t, x: t.cumprod(x, 0), ([2.0, 0.0, 3.0, 4.0],)),
    "cumprod with two zeros": (
        lambda x: np.cumprod(x, axis=-1),
        lambda t, x: t.cumprod(x, -1),
        ([[2.0, 0.0, 3.0, 0.0], [1.0, 2.0, 3.0, 4.0]],),
    ),
    "x⁰": (lambda x: x**0, lambda t, x: x**0, ([0.0, 2.0, -1.0],)),
    "x¹ at 0": (lambda x: x**1, lambda t, x: x**1, ([0.0, 2.0, -1.0],)),
    "x² at 0": (lambda x: x**2, lambda t, x: x**2, ([0.0, 2.0, -1.0],)),
    "x³ at 0": (lambda x: x**3.0, lambda t, x: x**3.0, ([0.0, 2.0, -1.0],)),
    "√x at 0": (np.sqrt, lambda t, x: t.sqrt(x), ([0.0, 4.0],)),
    "x^½ at 0": (lambda x: x**0.5, lambda t, x: x**0.5, ([0.0, 4.0],)),
    "power of arrays at 0": (
        np.power,
        lambda t, a, b: t.pow(a, b),
        ([0.0, 0.0, 0.0, 2.0, 2.0], [0.0, 1.0, 2.0, 0.0, 3.0]),
    ),
    "0 to a negative power": (lambda x: x**-1.0, lambda t, x: x**-1.0, ([0.0, 2.0],)),
    "a number to a power": (lambda x: 2.0**x, lambda t, x: t.pow(t.full_like(x, 2.0), x), ([0.0, 2.0, -1.0],)),
    "0 to a power": (lambda x: 0.0**x, lambda t, x: t.pow(t.full_like(x, 0.0), x), ([0.0, 2.0],)),
    # Singular points
    "abs at 0": (np.abs, lambda t, x: t.abs(x), ([0.0, -0.0, 2.0, -3.0],)),
    "sign": (np.sign, lambda t, x: t.sign(x), ([0.0, 2.0, -3.0],)),
    "relu at 0": (tg.relu, lambda t, x: t.relu(x), ([0.0, 2.0, -3.0],)),
    "1 / 0": (lambda x: 1.0 / x, lambda t, x: 1.0 / x, ([0.0, 2.0],)),
    "log at 0": (np.log, lambda t, x: t.log(x), ([0.0, 2.0],)),
    "arcsin at 1": (np.arcsin, lambda t, x: t.asin(x), ([1.0, 0.5],)),
    "arctan2 on the axes": (np.arctan2, lambda t, a, b: t.atan2(a, b), ([0.0, 1.0, -1.0], [1.0, 0.0, 0.0])),
    "hypot at 0": (np.hypot, lambda t, a, b: t.hypot(a, b), ([0.0, 3.0], [0.0, 4.0])),
    "sinc at 0": (np.sinc, lambda t, x: t.sinc(x), ([0.0, 0.5],)),
    "std of equal numbers": (np.std, lambda t, x: t.std(x, correction=0), ([2.0, 2.0, 2.0],)),
    "var of equal numbers": (np.var, lambda t, x: t.var(x, correction=0), ([2.0, 2.0, 2.0],)),
    "var with ddof": (lambda x: np.var(x, ddof=1), lambda t, x: t.var(x), ([1.0, 2.0, 4.0],)),
    "std with ddof along an axis": (
        lambda x: np.std(x, axis=0, ddof=1, keepdims=True),
        lambda t, x: t.std(x, 0, keepdim=True),
        ([[1.0, 2.0], [3.0, 5.0], [4.0, 4.5]],),
    ),
    "norm at 0, written out": (
        lambda x: np.sqrt(np.sum(x * x)),
        lambda t, x: t.sqrt(t.sum(x * x)),
        ([0.0, 0.0],),
    ),
    "where with an infinite branch": (
        lambda x: np.where(x > 0, 1.0 / x, 0.0),
        lambda t, x: t.where(x > 0, 1.0 / x, 0.0),
        ([0.0, 2.0],),
    ),
    "where with a masked input": (
        lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0),
        lambda t, x: t.where(x > 0, t.log(t.where(x > 0, x, 1.0)), 0.0),
        ([0.0, -1.0, 2.0],),
    ),
    "nan_to_num": (
        lambda x: np.nan_to_num(x * x),
        lambda t, x: t.nan_to_num(x * x),
        ([nan, inf, 2.0],),
    ),
    "heaviside": (
        lambda a, b: np.heaviside(a, b) * b,
        lambda t, a, b: t.where(a == 0, b, t.where(a > 0, 1.0, 0.0)) * b + 0 * a,
        ([0.0, 2.0, -3.0], [0.5, 0.5, 0.5]),
    ),
    "copysign": (
        np.copysign,
        lambda t, a, b: t.copysign(a, b),
        ([0.0, 2.0, -3.0, 1.0], [1.0, -2.0, -1.0, 3.0]),
    ),
    "remainder": (np.remainder, lambda t, a, b: t.remainder(a, b), ([5.5, -5.5, 4.0], [2.0, 2.0, -3.0])),
    "fmod": (np.fmod, lambda t, a, b: t.fmod(a, b), ([5.5, -5.5, 4.0], [2.0, 2.0, -3.0])),
    "xlogy at 0": (tg.xlogy, lambda t, a, b: t.xlogy(a, b), ([0.0, 2.0], [3.0, 0.5])),
    # Large and infinite arguments
    "sigmoid": (tg.sigmoid, lambda t, x: t.sigmoid(x), ([-1000.0, -30.0, 0.0, 30.0, 1000.0],)),
    "log_sigmoid": (
        tg.log_sigmoid,
        lambda t, x: t.nn.functional.logsigmoid(x),
        ([-1000.0, -30.0, 0.0, 30.0, 1000.0],),
    ),
    "softplus": (
        tg.softplus,
        lambda t, x: t.nn.functional.softplus(x, threshold=1e9),
        ([-700.0, -30.0, 0.0, 30.0, 700.0],),
    ),
    "tanh": (np.tanh, lambda t, x: t.tanh(x), ([-1000.0, 0.0, 1000.0],)),
    "logaddexp": (
        np.logaddexp,
        lambda t, a, b: t.logaddexp(a, b),
        ([1000.0, -1000.0, -inf], [1000.0, 0.0, 1.0]),
    ),
    "logaddexp of equals": (np.logaddexp, lambda t, a, b: t.logaddexp(a, b), ([1.0, 2.0], [1.0, 2.5])),
    "softmax": (
        lambda x: tg.softmax(x, axis=-1),
        lambda t, x: t.softmax(x, -1),
        ([[1000.0, 0.0, -inf], [1.0, 1.0, 1.0]],),
    ),
    "log_softmax": (
        lambda x: tg.log_softmax(x, axis=0),
        lambda t, x: t.log_softmax(x, 0),
        ([[1000.0, 0.0], [1.0, 2.0], [-1000.0, 2.0]],),
    ),
    "logsumexp": (
        lambda x: tg.logsumexp(x, axis=-1),
        lambda t, x: t.logsumexp(x, -1),
        ([[1000.0, 999.0, -inf], [-1000.0, -1001.0, -1000.0]],),
    ),
    "logcumsumexp": (
        lambda x: tg.logcumsumexp(x, axis=-1),
        lambda t, x: t.logcumsumexp(x, -1),
        ([[1000.0, 999.0, 0.0], [-1000.0, 0.0, 1000.0]],),
    ),
    "cummax": (lambda x: tg.cummax(x, axis=0)[0], lambda t, x: t.cummax(x, 0)[0], ([1.0, 3.0, 2.0, 3.0, 5.0],)),
    "cummin": (lambda x: tg.cummin(x, axis=0)[0], lambda t, x: t.cummin(x, 0)[0], ([3.0, 1.0, 2.0, 1.0, 0.0],)),
    "nansum": (np.nansum, lambda t, x: t.nansum(x), ([1.0, nan, 3.0],)),
    "nanmean": (np.nanmean, lambda t, x: t.nanmean(x), ([1.0, nan, 3.0],)),
    "nanmedian": (np.nanmedian, lambda t, x: t.nanmedian(x), ([1.0, nan, 3.0, 2.0],)),
    # NaN and the origin
    "relu of NaN": (tg.relu, lambda t, x: t.relu(x), ([nan, 1.0, -1.0, inf, -inf, -0.0],)),
    "max of rows with NaN": (
        lambda x: np.max(x, axis=1),
        lambda t, x: t.amax(x, 1),
        ([[nan, 1.0], [inf, inf], [2.0, 3.0], [-inf, -inf]],),
    ),
    "min of rows with NaN": (
        lambda x: np.min(x, axis=0, keepdims=True),
        lambda t, x: t.amin(x, 0, keepdim=True),
        ([[nan, 1.0], [2.0, 1.0]],),
    ),
    "arctan2 at the origin": (np.arctan2, lambda t, a, b: t.atan2(a, b), ([0.0, -0.0, 1e-200], [0.0, 0.0, 1e-200])),
    "logit outside": (tg.logit, lambda t, x: t.logit(x), ([0.0, 1.0, 0.5, 2.0, -1.0],)),
    "elu at 0": (
        lambda x: tg.nn.functional.elu(x, 0.8),
        lambda t, x: t.nn.functional.elu(x, 0.8),
        ([0.0, -0.0, 2.0, -2.0, -inf],),
    ),
    "celu at 0": (
        lambda x: tg.nn.functional.celu(x, 0.5),
        lambda t, x: t.nn.functional.celu(x, 0.5),
        ([0.0, 2.0, -2.0],),
    ),
    "selu at 0": (tg.nn.functional.selu, lambda t, x: t.nn.functional.selu(x), ([0.0, 2.0, -2.0],)),
    "norm at 0": (np.linalg.norm, lambda t, x: t.linalg.norm(x), ([0.0, 0.0],)),
    "1-norm at 0": (lambda x: np.linalg.norm(x, 1), lambda t, x: t.linalg.norm(x, 1), ([0.0, -2.0, 0.0],)),
    "3-norm at 0": (lambda x: np.linalg.norm(x, 3), lambda t, x: t.linalg.norm(x, 3), ([0.0, -2.0, 0.0],)),
    "∞-norm, tie": (lambda x: np.linalg.norm(x, inf), lambda t, x: t.linalg.norm(x, inf), ([2.0, -2.0, 0.0],)),
}

NO_SECOND = {"power of arrays at 0", "0 to a power", "sinc at 0", "copysign", "logaddexp"}
NO_SECOND |= {"arctan2 at the origin", "norm at 0"}
"""Where PyTorch's second derivative is NaN at some places, and ours a number."""


def weights(shape: tuple[int, ...]) -> np.ndarray:
    """Upstream gradients that differ from place to place."""
    return np.cos(1.0 + np.arange(math.prod(shape))).reshape(shape)


def ours(case: Case) -> list[list[Any]]:
    """The value, the gradients, and the gradients of the weighted sum of these."""
    function, _, inputs = case
    with np.errstate(all="ignore"):
        leaves = [tg.Tensor(np.array(x, np.float64), requires_grad=True) for x in inputs]
        y = function(*leaves)
        first = tg.autograd.grad(y, leaves, weights(y.shape), create_graph=True, allow_unused=True)
        first = [_or_zero(g, x) for g, x in zip(first, leaves, strict=True)]
        live = [g for g in first if g.requires_grad]
        second: Any = [None] * len(leaves)
        if live:
            second = tg.autograd.grad(live, leaves, [weights(g.shape) for g in live], allow_unused=True)
        second = [_or_zero(g, x) for g, x in zip(second, leaves, strict=True)]
    return [[y.tolist()], [g.tolist() for g in first], [g.tolist() for g in second]]


def _or_zero(gradient: Any, x: tg.Tensor) -> tg.Tensor:
    return tg.Tensor(np.zeros(x.shape)) if gradient is None else gradient


def torchs(case: Case, torch: Any) -> list[list[Any]]:
    """The same by PyTorch."""
    _, function, inputs = case
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    y = function(torch, *leaves)
    up = torch.as_tensor(weights(tuple(y.shape)))
    first = torch.autograd.grad(y, leaves, up, create_graph=True, allow_unused=True)
    first = [torch.zeros_like(x) if g is None else g for g, x in zip(first, leaves, strict=True)]
    live = [g for g in first if g.requires_grad]
    second: Any = [None] * len(leaves)
    if live:
        ups = [torch.as_tensor(weights(tuple(g.shape))) for g in live]
        second = torch.autograd.grad(live, leaves, ups, allow_unused=True)
    second = [torch.zeros_like(x) if g is None else g for g, x in zip(second, leaves, strict=True)]
    plain = torch.zeros(())  # added, it makes numbers of PyTorch's symbolic zeros
    return [[y.tolist()], [(g + plain).tolist() for g in first], [(g + plain).tolist() for g in second]]


def compare(name: str, expected: list[list[Any]]) -> None:
    for order, (found, wanted) in enumerate(zip(ours(CASES[name]), expected, strict=True)):
        for position, (a, b) in enumerate(zip(found, wanted, strict=True)):
            if order == 2 and name in NO_SECOND:
                a = np.where(np.isnan(b), nan, a)
            np.testing.assert_allclose(
                a, b, rtol=1e-10, atol=1e-12, err_msg=f"{name}: derivative {order} of argument {position}"
            )


@pytest.mark.parametrize("name", CASES)
def test_frozen_numbers(name: str) -> None:
    compare(name, json.loads(REFERENCE.read_text(encoding="utf-8"))[name])


def test_second_derivative_of_sinc_at_zero() -> None:
    x = tg.tensor(np.float64(0.0), requires_grad=True)
    (first,) = tg.autograd.grad(np.sinc(x), [x], create_graph=True)
    np.testing.assert_allclose(tg.autograd.grad(first, x).item(), -(math.pi**2) / 3, rtol=1e-14)


@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
def test_live_numbers(name: str) -> None:
    torch = pytest.importorskip("torch")
    compare(name, torchs(CASES[name], torch))
