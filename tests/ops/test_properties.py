"""Random expression graphs, shapes, axes and broadcasting, against numerical derivatives and against NumPy.

The examples are the same in every run; with TEST_SEED in the environment they are drawn from that seed.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import tinygrad_opt as tg
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.autograd.registry import primitives

SEED = os.environ.get("TEST_SEED")


def common(test: Any) -> Any:
    """The settings of all property tests, and the seed that was asked for."""
    if SEED is not None:
        test = seed(int(SEED))(test)
    return settings(max_examples=60, deadline=None, derandomize=SEED is None, database=None)(test)


DOMAINS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("sin", "cos", "tanh", "arctan", "sinh", "cosh", "arcsinh", "exp", "exp2", "expm1"), (-1.5, 1.5)),
    **dict.fromkeys(("negative", "positive", "square", "deg2rad", "rad2deg", "conjugate", "real"), (-1.5, 1.5)),
    **dict.fromkeys(("sigmoid", "softplus", "log_sigmoid", "erf", "erfc", "i0", "reshape", "copy"), (-1.5, 1.5)),
    **dict.fromkeys(("log", "log2", "log10", "log1p", "sqrt", "cbrt", "reciprocal", "absolute", "fabs"), (0.5, 2.0)),
    **dict.fromkeys(("relu", "nan_to_num", "lgamma", "digamma", "i1", "sinc"), (0.5, 2.0)),
    "tan": (-1.0, 1.0),
    "arcsin": (-0.8, 0.8),
    "arccos": (-0.8, 0.8),
    "arctanh": (-0.8, 0.8),
    "erfinv": (-0.8, 0.8),
    "arccosh": (1.5, 3.0),
    "logit": (0.2, 0.8),
}
"""Unary operations and where each is smooth."""

BINARY = ("add", "subtract", "multiply", "logaddexp", "logaddexp2", "arctan2", "hypot", "divide", "power")
STEPS = {"floor", "ceil", "trunc", "rint", "sign", "spacing"}


def into(name: str, x: Any) -> Any:
    """x squeezed smoothly into the domain of an operation."""
    low, high = DOMAINS[name]
    return low + (high - low) * tg.sigmoid(x)


def unary_step(name: str, x: Any) -> Any:
    extra = (x.shape,) if name == "reshape" else ()
    return primitives[name](into(name, x), *extra)


def binary_step(name: str, a: Any, b: Any) -> Any:
    if name in ("arctan2", "hypot", "divide", "power"):
        a, b = 0.5 + tg.sigmoid(a), 0.5 + tg.sigmoid(b)
    return primitives[name](a, b)


ARRANGING = {
    "sum rows": lambda x: np.sum(x, axis=0, keepdims=True) + 0 * x,
    "centre": lambda x: x - np.mean(x, axis=-1, keepdims=True),
    "spread": lambda x: x / (1 + np.var(x, axis=0)),
    "running sum": lambda x: np.cumsum(x, axis=-1),
    "running product": lambda x: np.cumprod(np.tanh(x), axis=0),
    "product": lambda x: x + np.prod(np.tanh(x), axis=1, keepdims=True),
    "turn": lambda x: np.flip(x, (0, 1)),
    "roll": lambda x: np.roll(x, 1, -1),
    "transpose": lambda x: np.reshape(np.transpose(x), x.shape),
    "swap halves": lambda x: np.concatenate([x[:, 1:], x[:, :1]], axis=1),
    "stack": lambda x: np.sum(np.stack([x, np.sin(x)], axis=-1), axis=-1),
    "pad": lambda x: np.pad(x, 1, "reflect")[1:-1, 1:-1] if min(x.shape) > 1 else x,
    "take": lambda x: np.take_along_axis(x, np.argsort(x.data, axis=1)[:, ::-1], axis=1),
    "softmax": lambda x: tg.softmax(x, axis=0),
    "log_softmax": lambda x: tg.log_softmax(x, axis=-1),
    "logsumexp": lambda x: x - tg.logsumexp(x, axis=1, keepdims=True),
    "product with itself": lambda x: np.tanh(x @ np.transpose(x) @ x),
}

step = st.one_of(
    st.tuples(st.sampled_from(sorted(DOMAINS)), st.integers(0, 9)),
    st.tuples(st.sampled_from(BINARY), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.sampled_from(sorted(ARRANGING)), st.integers(0, 9)),
)


def evaluate(program: list[Any], inputs: list[Any]) -> Any:
    """Run the steps on the values so far; each may be used any number of times. The result is a number."""
    values = list(inputs)
    for name, *places in program:
        operands = [values[place % len(values)] for place in places]
        if name in ARRANGING:
            values.append(ARRANGING[name](operands[0]))
        else:
            values.append(unary_step(name, *operands) if len(operands) == 1 else binary_step(name, *operands))
    return sum(np.sum(np.tanh(0.3 * value)) for value in values[-3:])


@common
@given(
    st.lists(step, min_size=1, max_size=8), st.integers(0, 2**32 - 1), array_shapes(min_dims=2, max_dims=2, max_side=3)
)
def test_random_graphs(program: list[Any], number: int, shape: tuple[int, ...]) -> None:
    """First and second derivatives along random directions, against central differences."""
    rng = np.random.default_rng(number)
    points = [rng.standard_normal(shape), rng.standard_normal(shape[1:])]
    points[1] = points[1] + np.zeros(shape)  # of one shape, so that every step fits
    directions = [rng.standard_normal(shape) for _ in points]

    def gradient(arrays: list[np.ndarray]) -> tuple[Any, list[tg.Tensor], list[tg.Tensor]]:
        leaves = [tg.Tensor(array, requires_grad=True) for array in arrays]
        y = evaluate(program, leaves)
        found = tg.autograd.grad(y, leaves, create_graph=True, allow_unused=True)
        return y.item(), leaves, [tg.zeros_like(x) if g is None else g for g, x in zip(found, leaves, strict=True)]

    def moved(h: float) -> list[np.ndarray]:
        return [p + h * d for p, d in zip(points, directions, strict=True)]

    h = 1e-5
    _, leaves, first = gradient(points)
    above, _, first_above = gradient(moved(h))
    below, _, first_below = gradient(moved(-h))
    slope = sum(np.sum(g.data * d) for g, d in zip(first, directions, strict=True))
    np.testing.assert_allclose(slope, (above - below) / (2 * h), rtol=1e-5, atol=1e-6)

    along = sum(np.sum(g * d) for g, d in zip(first, directions, strict=True))
    if not along.requires_grad:
        return
    second = tg.autograd.grad(along, leaves, allow_unused=True)
    for s, a, b in zip(second, first_above, first_below, strict=True):
        found = np.zeros(shape) if s is None else s.data
        np.testing.assert_allclose(found, (a.data - b.data) / (2 * h), rtol=1e-4, atol=1e-5)


def test_every_unary_operation_takes_part() -> None:
    numpys = {
        p.name for p in primitives.values() if isinstance(p.forward, np.ufunc) and p.arrays == 1 and p.differentiable
    }
    assert numpys - STEPS <= set(DOMAINS)


reductions = st.sampled_from(
    [np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, tg.logsumexp, np.median, np.ptp]
)


@common
@given(st.data(), reductions, array_shapes(min_dims=1, max_dims=4, max_side=3), st.integers(0, 2**32 - 1))
def test_reductions_of_any_axes(data: Any, function: Any, shape: tuple[int, ...], number: int) -> None:
    axes = data.draw(st.lists(st.integers(-len(shape), len(shape) - 1), unique_by=lambda a: a % len(shape), min_size=1))
    axis = data.draw(st.sampled_from([None, tuple(axes), axes[0]]))
    keepdims = data.draw(st.booleans())
    x = np.random.default_rng(number).uniform(0.5, 2.0, shape)
    found = function(tg.Tensor(x), axis=axis, keepdims=keepdims)
    if function is tg.logsumexp:
        expected = np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    else:
        expected = function(x, axis=axis, keepdims=keepdims)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.data, expected, rtol=1e-12, atol=1e-14)
    if function is np.std and np.any(expected < 0.05):
        return  # near 0 a central difference says little
    assert gradcheck(function, [x], {"axis": axis, "keepdims": keepdims})


@common
@given(st.sampled_from(BINARY), mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), st.integers(0, 99))
def test_broadcasting(name: str, shapes: Any, number: int) -> None:
    rng = np.random.default_rng(number)
    a, b = (rng.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes)
    found = primitives[name](tg.Tensor(a), tg.Tensor(b))
    assert found.shape == shapes.result_shape
    np.testing.assert_array_equal(found.data, getattr(np, name)(a, b))
    assert gradcheck(primitives[name], [a, b], order=2)


@common
@given(st.data(), array_shapes(min_dims=1, max_dims=3, max_side=4), st.integers(0, 99))
def test_layout_does_not_matter(data: Any, shape: tuple[int, ...], number: int) -> None:
    """Transposed, strided and broadcast inputs give the gradient that a contiguous copy gives."""
    function = data.draw(
        st.sampled_from([np.prod, np.cumsum, np.max, tg.softmax, np.ravel, np.median, np.sort, np.var])
    )
    x = np.random.default_rng(number).uniform(0.5, 2.0, shape)
    strided = np.repeat(x, 2, axis=-1)[..., ::2].T
    plain = tg.Tensor(np.ascontiguousarray(strided), requires_grad=True)
    odd = tg.Tensor(strided, requires_grad=True)
    for t in (plain, odd):
        out = function(t)
        (out * np.cos(1.0 + np.arange(out.size)).reshape(out.shape)).sum().backward()
    np.testing.assert_allclose(plain.grad.data, odd.grad.data, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "prod", "cumsum", "exp", "tanh", "sqrt", "maximum", "clip"])
def test_gradients_have_the_inputs_dtype(name: str, dtype: Any) -> None:
    x = tg.Tensor(np.array([[1.0, 2.0], [0.5, 1.5]], dtype), requires_grad=True)
    more: tuple[Any, ...] = {"maximum": (1.0,), "clip": (0.75, 1.75)}.get(name, ())
    y = getattr(np, name)(x, *more)
    assert y.dtype == dtype
    y.sum().backward()
    assert x.grad.dtype == dtype
