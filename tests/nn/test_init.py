"""Initial values: distributions, shapes, reproducibility, and what wrong calls get."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import init


def empty(*shape: int) -> tg.Tensor:
    return tg.Tensor(np.empty(shape))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# shape (300, 20, 5): fan_in 100, fan_out 1500; each bound is that of PyTorch's documentation
@pytest.mark.parametrize(
    ("function", "options", "bound"),
    [
        (init.uniform_, {"a": -2.0, "b": 2.0}, 2.0),
        (init.xavier_uniform_, {"gain": 2.0}, 2 * math.sqrt(6 / 1600)),
        (init.kaiming_uniform_, {}, math.sqrt(2) * math.sqrt(3 / 100)),
        (init.kaiming_uniform_, {"a": math.sqrt(5)}, 1 / 10),
        (init.kaiming_uniform_, {"mode": "fan_out", "nonlinearity": "tanh"}, 5 / 3 * math.sqrt(3 / 1500)),
    ],
)
def test_uniform_families(function, options, bound):
    t = function(empty(300, 20, 5), generator=rng(), **options).data
    assert abs(t).max() <= bound
    np.testing.assert_allclose(t.std(), bound / math.sqrt(3), rtol=0.02)
    assert abs(t.mean()) < 0.02 * bound


@pytest.mark.parametrize(
    ("function", "options", "std"),
    [
        (init.normal_, {"mean": 0.0, "std": 3.0}, 3.0),
        (init.xavier_normal_, {}, math.sqrt(2 / 1600)),
        (init.kaiming_normal_, {"nonlinearity": "relu"}, math.sqrt(2 / 100)),
        (init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "linear"}, math.sqrt(1 / 1500)),
        (init.kaiming_normal_, {"a": 0.5}, math.sqrt(2 / 1.25 / 100)),
    ],
)
def test_normal_families(function, options, std):
    t = function(empty(300, 20, 5), generator=rng(), **options).data
    np.testing.assert_allclose(t.std(), std, rtol=0.02)
    np.testing.assert_allclose((t**4).mean() / std**4, 3, rtol=0.1)


def test_truncated_normal():
    t = init.trunc_normal_(empty(100, 300), 1.0, 2.0, 0.0, 2.0, generator=rng()).data
    assert t.min() >= 0
    assert t.max() <= 2
    np.testing.assert_allclose(t.mean(), 1, atol=0.02)
    np.testing.assert_allclose(t.std(), 0.568, atol=0.01)  # scipy.stats.truncnorm(-0.5, 0.5, 1, 2).std()
    with pytest.raises(ValueError, match="holds hardly anything"):
        init.trunc_normal_(empty(2), 0.0, 1.0, 8.0, 9.0)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5), (3, 2, 4)])
def test_orthogonal(shape):
    t = init.orthogonal_(empty(*shape), gain=3.0, generator=rng()).data.reshape(shape[0], -1)
    product = t @ t.T if t.shape[0] <= t.shape[1] else t.T @ t
    np.testing.assert_allclose(product, 9 * np.eye(len(product)), atol=1e-12)


def test_identity_dirac_sparse_and_constants():
    np.testing.assert_array_equal(init.eye_(empty(2, 3)).data, [[1, 0, 0], [0, 1, 0]])
    weight = init.dirac_(empty(4, 2, 3), groups=2)
    x = rng().standard_normal((1, 4, 5))
    y = nn.functional.conv1d(x, weight, padding=1, groups=2).data
    np.testing.assert_array_equal(y, x)
    t = init.sparse_(empty(10, 200), 0.25, std=2.0, generator=rng()).data
    assert ((t == 0).sum(0) == 3).all()
    np.testing.assert_allclose(t[t != 0].std(), 2, rtol=0.05)
    assert (init.constant_(empty(3), 2.5).data == 2.5).all()
    assert (init.ones_(empty(3)).data == 1).all()
    assert (init.zeros_(empty(3)).data == 0).all()


def test_filling_is_in_place_and_reproducible():
    p = nn.Parameter(np.zeros((3, 4), np.float32))
    memory = p.data
    assert init.xavier_uniform_(p, generator=rng()) is p
    assert p.data is memory
    assert p.dtype == np.float32
    q = init.xavier_uniform_(nn.Parameter(np.zeros((3, 4), np.float32)), generator=rng())
    np.testing.assert_array_equal(p.data, q.data)


# the values of PyTorch's table
@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1),
        ("conv2d", None, 1),
        ("sigmoid", None, 1),
        ("tanh", None, 5 / 3),
        ("relu", None, 2**0.5),
        ("leaky_relu", 0.2, (2 / 1.04) ** 0.5),
        ("leaky_relu", None, (2 / 1.0001) ** 0.5),
        ("selu", None, 0.75),
    ],
)
def test_gain(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain, rel=1e-12)


def test_wrong_calls():
    with pytest.raises(ShapeError, match=r"at least two axes.*Biases are set by"):
        init.kaiming_uniform_(empty(3))
    with pytest.raises(ValueError, match="'gelu' is not one of"):
        init.calculate_gain("gelu")
    with pytest.raises(ValueError, match="mode must be 'fan_in' or 'fan_out'"):
        init.kaiming_normal_(empty(2, 2), mode="fan_avg")
    with pytest.raises(ShapeError, match="convolution's weight"):
        init.dirac_(empty(2, 2))


EVERY = [getattr(init, name) for name in init.__all__ if name.endswith("_")]
MORE = {"constant_": (1.0,), "sparse_": (0.5,)}


@pytest.mark.parametrize("fill", EVERY, ids=lambda f: f.__name__)
def test_only_tensors_are_filled(fill):
    array, generator = np.full((2, 2, 2), 7.0), tg.manual_seed(0)
    for given, mend in ((array, "tg.from_numpy wraps an array"), (nn.ReLU(), "layer.weight")):
        with pytest.raises(TypeError, match=f"^{fill.__name__}: expected a Tensor or a Parameter to fill.*{mend}"):
            fill(given, *MORE.get(fill.__name__, ()))
    assert (array == 7).all()
    assert generator.random() == np.random.default_rng(0).random()  # nothing was drawn


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: init.uniform_(p, 1, 0), ValueError, "uniform_: expected finite bounds a <= b, got a=1, b=0"),
        (lambda p: init.uniform_(p, 0, np.inf), ValueError, "finite bounds a <= b, got a=0, b=inf"),
        (lambda p: init.uniform_(p, np.nan, 1), ValueError, "finite bounds a <= b, got a=nan"),
        (lambda p: init.normal_(p, 0, -1), ValueError, "normal_: the standard deviation must not be negative, got -1"),
        (lambda p: init.sparse_(p, 0.5, std=-1), ValueError, "sparse_: the standard deviation must not be negative"),
        (lambda p: init.xavier_uniform_(p, gain=-1), ValueError, "xavier_uniform_: gain must not be negative, got -1"),
        (lambda p: init.xavier_normal_(p, gain=-1), ValueError, "xavier_normal_: gain must not be negative"),
        (lambda p: init.trunc_normal_(p, std=0), ValueError, "trunc_normal_: std must be positive, got 0"),
        (lambda p: init.trunc_normal_(p, std=-1), ValueError, "trunc_normal_: std must be positive, got -1"),
        (lambda p: init.trunc_normal_(p, mean=100), ValueError, r"holds hardly anything of N\(100"),
        (
            lambda p: init.constant_(p, np.ones(3)),
            ShapeError,
            r"constant_: values of shape \(3,\) do not fit .* \(2, 2\)",
        ),
        (lambda p: init.constant_(p, "x"), TypeError, "constant_: expected numbers"),
        (lambda p: init.kaiming_normal_(p, nonlinearity=nn.ReLU), ValueError, "is not one of linear"),
        (lambda p: init.calculate_gain("convex"), ValueError, "'convex' is not one of linear, conv1d"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(call, error, message):
    p = nn.Parameter(np.full((2, 2), 7.0))
    with pytest.raises(error, match=message):
        call(p)
    assert (p.data == 7).all()


@pytest.mark.parametrize("groups", [0, -1, 3])
def test_groups_that_are_none_are_refused(groups):
    with pytest.raises(ValueError, match=rf"dirac_: groups .* divide the 2 output channels, got {groups}\."):
        init.dirac_(empty(2, 2, 2), groups=groups)


@pytest.mark.parametrize("fill", [init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_])
def test_a_weight_without_elements_is_left_as_it_is(fill):
    assert fill(empty(0, 0)).shape == (0, 0)
