"""Activations at their kinks and extremes, their dtypes, and what wrong calls get."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import functional as F

LAYERS = [
    *(
        "ReLU",
        "Tanh",
        "Sigmoid",
        "GELU",
        "SiLU",
        "Mish",
        "Softplus",
        "LogSigmoid",
        "Softsign",
        "Tanhshrink",
        "CELU",
        "ELU",
    ),
    *(
        "SELU",
        "LeakyReLU",
        "PReLU",
        "RReLU",
        "ReLU6",
        "Hardtanh",
        "Hardsigmoid",
        "Hardswish",
        "Hardshrink",
        "Softshrink",
    ),
    *("Softmax", "LogSoftmax", "Softmin"),
]


def slope(function, at: float) -> float:
    x = tg.tensor(np.array([at]), requires_grad=True)
    function(x).sum().backward()
    return float(x.grad.data[0])


# what PyTorch gives at these points
@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (F.relu, 0.0, 0.0),
        (F.leaky_relu, 0.0, 0.01),
        (lambda x: F.prelu(x, np.array([0.25])), 0.0, 0.25),
        (F.relu6, 0.0, 0.0),
        (F.relu6, 6.0, 0.0),
        (F.hardtanh, 1.0, 0.0),
        (F.elu, 0.0, 1.0),
        (F.selu, 0.0, 1.0507009873554805 * 1.6732632423543772),
        (F.gelu, 0.0, 0.5),
        (F.hardshrink, 0.5, 0.0),
        (F.softshrink, 0.5, 0.0),
        (F.hardswish, 3.0, 1.0),
        (F.hardswish, -3.0, 0.0),
        (F.softplus, 1000.0, 1.0),
        (F.logsigmoid, -1000.0, 1.0),
        (F.silu, -1000.0, 0.0),
        (F.mish, -1000.0, 0.0),
    ],
)
def test_slopes_at_kinks_and_far_out(function, at, expected):
    assert slope(function, at) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_float32_in_float32_out_without_warnings(name):
    x = np.array([[-1e4, -30.0, -1.0, 0.0, 1.0, 30.0, 1e4]], np.float32)
    layer = getattr(nn, name)().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        leaf = tg.tensor(x, requires_grad=True)
        y = layer(leaf)
        y.sum().backward()
    assert isinstance(layer(x), tg.Tensor)
    assert y.dtype == np.float32
    assert leaf.grad.dtype == np.float32
    assert np.isfinite(y.data).all()
    assert np.isfinite(leaf.grad.data).all()


def test_rrelu_draws_slopes_in_training():
    x = -np.ones((100, 100))
    y = nn.RReLU(0.2, 0.4, generator=np.random.default_rng(0))(x).data
    assert -0.4 <= y.min() < -0.39
    assert -0.21 < y.max() <= -0.2
    assert abs(y.mean() + 0.3) < 0.01


def test_wrong_calls():
    with pytest.raises(ValueError, match="approximate must be 'none' or 'tanh', got 'erf'"):
        nn.GELU("erf")
    with pytest.raises(ShapeError, match=r"axis -1 of shape \(2, 3\) cannot be halved"):
        F.glu(np.zeros((2, 3)))
    with pytest.raises(ShapeError, match=r"has 3 channels, weight has shape \(2,\)"):
        F.prelu(np.zeros((1, 3)), np.zeros(2))
    with pytest.raises(ValueError, match="min_val 1.0 must be less"):
        nn.Hardtanh(1.0, -1.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.celu(np.ones(3), 0), ValueError, "celu: alpha must not be 0"),
        (lambda: nn.CELU(0.0)(np.ones(3)), ValueError, "celu: alpha must not be 0"),
        (
            lambda: F.rrelu(np.ones(3), 1.0, 0.0),
            ValueError,
            "rrelu: expected finite slopes lower <= upper, got lower=1.0",
        ),
        (lambda: F.rrelu(np.ones(3), 1.0, 0.0, training=True), ValueError, "rrelu: expected finite slopes"),
        (lambda: F.rrelu(np.ones(3), 0.0, np.inf, training=True), ValueError, "upper=inf"),
        (lambda: F.prelu(np.ones((2, 3)), np.ones((1, 1))), ShapeError, r"3 channels, weight has shape \(1, 1\)"),
        (lambda: nn.PReLU(-1), ValueError, "PReLU: num_parameters must be an int >= 0, got -1"),
        (lambda: nn.PReLU(1.5), ValueError, "PReLU: num_parameters must be an int"),
        (lambda: F.hardtanh(np.ones(3), 1, 0), ValueError, "hardtanh: min_val 1 must not be greater than max_val 0"),
        (lambda: nn.Softshrink(-1), ValueError, "Softshrink: lambd must not be negative, got -1"),
        (lambda: nn.Unflatten(1, 3), TypeError, "unflattened_size must be a tuple of ints, got 3"),
        (lambda: nn.Unflatten(1, (1.5, 2)), TypeError, r"tuple of ints, got \(1.5, 2\)"),
        (
            lambda: nn.Sequential(nn.Unflatten(1, (3, 4)))(np.ones((2, 3))),
            ShapeError,
            r"0 \(Unflatten\): axis 1 of shape \(2, 3\) cannot be split into \(3, 4\)",
        ),
        (lambda: nn.Unflatten(1, (-1, -1))(np.ones((2, 3))), ShapeError, r"cannot be split into \(-1, -1\)"),
    ],
)
def test_wrong_options_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_bounds_may_meet():
    np.testing.assert_array_equal(F.hardtanh([0.0, 1.0, 2.0], 1, 1).data, [1, 1, 1])  # PyTorch's values


def test_normalize_and_one_hot():
    np.testing.assert_allclose(F.normalize(np.array([[3.0, 4.0], [0.0, 0.0]])).data, [[0.6, 0.8], [0, 0]])
    np.testing.assert_array_equal(F.one_hot(np.array([2, 0]), 3).data, [[0, 0, 1], [1, 0, 0]])
