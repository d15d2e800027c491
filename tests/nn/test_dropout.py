"""Dropout: shares, scales, channels, reproducibility, and x itself in evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError

N = 40_000


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_of_zeros_and_scale_of_the_rest(p):
    y = nn.Dropout(p, generator=generator())(np.ones(N, np.float32)).data
    assert y.dtype == np.float32
    assert abs((y == 0).mean() - p) < 4 * np.sqrt(p * (1 - p) / N)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)


def test_evaluation_and_extremes():
    x = tg.tensor([1.0, 2.0])
    assert nn.Dropout(0.5).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert not nn.Dropout(1.0)(x).data.any()
    with pytest.raises(ValueError, match=r"Dropout: p must be a probability in \[0, 1\], got 1.5"):
        nn.Dropout(1.5)


def test_the_gradient_goes_where_the_value_went():
    x = tg.tensor(np.ones(100), requires_grad=True)
    y = nn.Dropout(0.5, generator=generator())(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)


@pytest.mark.parametrize(
    ("layer", "axes", "dims"), [(nn.Dropout1d, 1, "L"), (nn.Dropout2d, 2, "H, W"), (nn.Dropout3d, 3, "D, H, W")]
)
def test_whole_channels(layer, axes, dims):
    y = layer(0.5, generator=generator())(np.ones((20, 30) + (3,) * axes)).data.reshape(600, -1)
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1]).all()
    assert 200 < (y[:, 0] == 0).sum() < 400
    with pytest.raises(ShapeError, match=rf"dropout{axes}d: expected \(N, C, {dims}\) or \(C, {dims}\), got \(\)"):
        layer()(np.ones(()))


@pytest.mark.parametrize("p", [1.5, -0.1, float("nan"), "half", None])
def test_what_is_no_probability(p):
    with pytest.raises(ValueError, match=rf"Dropout2d: p must be a probability in \[0, 1\], got {p!r}"):
        nn.Dropout2d(p)
    with pytest.raises(ValueError, match=rf"^dropout: p must be a probability in \[0, 1\], got {p!r}"):
        nn.functional.dropout(np.ones(3), p)


def test_features_need_an_axis_of_channels():
    with pytest.raises(ShapeError, match=r"feature_alpha_dropout: expected x of shape \(N, C, ...\), got \(3,\)"):
        nn.FeatureAlphaDropout()(np.ones(3))


@pytest.mark.parametrize("layer", [nn.AlphaDropout, nn.FeatureAlphaDropout])
def test_alpha_dropout_keeps_mean_and_variance(layer):
    x = generator().standard_normal((200, 200, 2))
    y = layer(0.3, generator=np.random.default_rng(1))(x).data
    assert abs(y.mean()) < 0.03
    assert abs(y.std() - 1) < 0.03


def test_a_seed_makes_it_reproducible():
    def run():
        tg.random.manual_seed(5)
        return nn.Dropout()(np.ones(50)).data

    np.testing.assert_array_equal(run(), run())
