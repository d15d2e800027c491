import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import functional as F


def test_errors_name_the_layer_and_its_path():
    model = nn.Sequential(nn.Identity(), nn.Identity(), nn.Identity(), nn.Conv2d(16, 4, 3))
    with pytest.raises(ShapeError, match=r"^3 \(Conv2d\): expected 16 channels, got 3 in x of shape \(2, 3, 8, 8\)"):
        model(np.ones((2, 3, 8, 8)))
    with pytest.raises(ShapeError, match="channels seem to come last"):
        nn.Conv2d(3, 4, 3)(np.ones((2, 8, 8, 3)))
    with pytest.raises(ShapeError, match=r"window of \(5, 5\).*does not fit"):
        nn.Conv2d(1, 4, 5)(np.ones((2, 1, 4, 4)))
    with pytest.raises(ShapeError, match=r"x\[:, None\]"):
        F.conv2d(np.ones((8, 8)), np.ones((1, 1, 3, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": 2}, "groups=2 must divide in_channels=3"),
        ({"padding_mode": "mirror"}, "padding_mode must be one of"),
        ({"padding": "same", "stride": 2}, "padding='same' needs stride 1"),
        ({"padding": "full"}, "'same', 'valid' or numbers"),
        ({"stride": 0}, "expected an int >= 1"),
        ({"dilation": (1, 2, 3)}, "expected an int >= 1 or 2 of them"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        nn.Conv2d(3, 4, 3, **options)


def test_transposed_sizes():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2)
    x = np.ones((1, 2, 4, 4), np.float32)
    assert layer(x).shape == (1, 3, 9, 9)
    assert layer(x, output_size=(10, 9)).shape == (1, 3, 10, 9)
    with pytest.raises(ValueError, match=r"from \(9, 9\) to \(10, 10\)"):
        layer(x, output_size=(11, 9))
    with pytest.raises(ValueError, match="output_padding"):
        nn.ConvTranspose2d(2, 3, 3, output_padding=1)(x)


def test_transposed_is_the_gradient_of_the_plain_one():
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((2, 3, 7, 6)), requires_grad=True)
    w = rng.standard_normal((4, 3, 3, 3))
    y = F.conv2d(x, w, stride=2, padding=1)
    g = rng.standard_normal(y.shape)
    y.backward(g)
    np.testing.assert_allclose(F.conv_transpose2d(g, w, stride=2, padding=1, output_padding=(0, 1)).data, x.grad.data)


def test_initial_values_are_uniform_within_the_fan_in():
    layer = nn.Conv2d(6, 50, 3, groups=2, generator=np.random.default_rng(0))
    bound = 1 / np.sqrt(3 * 9)
    for values in (layer.weight.data, layer.bias.data):
        assert 0.9 * bound < np.abs(values).max() <= bound
    assert abs(layer.weight.data.std() - bound / np.sqrt(3)) < 0.03 * bound
    again = nn.Conv2d(6, 50, 3, groups=2, generator=np.random.default_rng(0))
    np.testing.assert_array_equal(layer.weight.data, again.weight.data)


def test_dtype_and_repr():
    layer = nn.Conv1d(2, 3, 3, padding=1, bias=False, dtype=np.float64)
    assert layer(np.ones((1, 2, 5))).dtype == np.float64
    assert layer.bias is None
    assert "Conv1d(2, 3, kernel_size=(3,), stride=(1,), padding=(1,), bias=False)" in repr(layer)
