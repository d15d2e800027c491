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
        ({"groups": 0}, "Conv2d: groups must be an int >= 1, got 0"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        nn.Conv2d(3, 4, 3, **options)


@pytest.mark.parametrize("kind", [nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose3d])
@pytest.mark.parametrize(
    ("channels", "message"),
    [((-2, 2), "in_channels must be an int >= 0, got -2"), ((2, 1.5), "out_channels must be an int >= 0, got 1.5")],
)
def test_wrong_channels(kind, channels, message):
    with pytest.raises(ValueError, match=f"^{kind.__name__}: {message}"):
        kind(*channels, 3)


@pytest.mark.parametrize(
    ("function", "shapes", "groups", "message"),
    [
        (F.conv1d, [(1, 2, 5), (2, 2, 3)], 0, r"\(out_channels, in_channels / groups, the kernel size\) and groups=0"),
        (F.conv1d, [(1, 2, 5), (2, 2, 3)], -1, "groups=-1 a divisor of out_channels"),
        (F.conv1d, [(1, 2, 5), (2, 2, 0)], 1, r"the kernel size\).*got \(2, 2, 0\)"),
        (F.conv1d, [(1, 2, 5), (2, 2, 3), (3,)], 1, r"the bias must be of shape \(2,\), got \(3,\)"),
        (F.conv2d, [(1, 2, 5, 5), (2, 2, 3)], 1, r"2 kernel sizes\).*got \(2, 2, 3\)"),
        (F.conv_transpose1d, [(1, 2, 5), (2, 2, 3)], 0, "groups=0 a divisor of in_channels"),
        (F.conv_transpose1d, [(1, 2, 5), (2, 2, 3)], -1, "groups=-1 a divisor of in_channels"),
        (F.conv_transpose1d, [(1, 3, 5), (3, 2, 3)], 2, r"groups=2 a divisor of in_channels; got \(3, 2, 3\)"),
        (F.conv_transpose1d, [(1, 2, 5), (2, 3, 3), (1,)], 1, r"the bias must be of shape \(3,\), got \(1,\)"),
        (F.conv_transpose2d, [(1, 2, 5, 5), (2, 2)], 1, r"out_channels / groups, 2 kernel sizes\).*got \(2, 2\)"),
        (F.conv_transpose3d, [(1, 2, 5, 5, 5), (2, 2, 3)], 1, r"3 kernel sizes\).*got \(2, 2, 3\)"),
    ],
)
def test_weights_and_biases_that_do_not_fit(function, shapes, groups, message):
    with pytest.raises(ShapeError, match=f"^{function.__name__}: .*{message}"):
        function(*map(np.ones, shapes), groups=groups)


@pytest.mark.parametrize("function", [F.conv1d, F.conv_transpose1d])
def test_groups_are_a_number(function):
    with pytest.raises(ValueError, match=f"^{function.__name__}: groups must be an int >= 1, got 1.0"):
        function(np.ones((1, 2, 5)), np.ones((2, 2, 3)), groups=1.0)


def test_channels_that_are_not_there():
    """A sum over no channels is 0, and its gradients are as empty as the channels."""
    x, w = (tg.tensor(np.ones(shape), requires_grad=True) for shape in ((2, 0, 5), (3, 0, 2)))
    y = F.conv1d(x, w, np.arange(3.0), stride=2)
    np.testing.assert_array_equal(y.data, np.broadcast_to(np.arange(3.0)[:, None], (2, 3, 2)))
    y.sum().backward()
    assert (x.grad.shape, w.grad.shape) == ((2, 0, 5), (3, 0, 2))


def test_a_reflection_of_what_has_too_few_axes():
    with pytest.raises(ShapeError, match=r"Conv2d: expected \(N, C, H, W\) or \(C, H, W\), got \(5, 5\)"):
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect")(np.ones((5, 5)))


def test_transposed_sizes():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2)
    x = np.ones((1, 2, 4, 4), np.float32)
    assert layer(x).shape == (1, 3, 9, 9)
    assert layer(x, output_size=(10, 9)).shape == (1, 3, 10, 9)
    with pytest.raises(ValueError, match=r"from \(9, 9\) to \(10, 10\)"):
        layer(x, output_size=(11, 9))
    for size in ((8,), (3, 10, 9), 9):
        with pytest.raises(ValueError, match="output_size must have 2 or, as x, 4 elements"):
            layer(x, output_size=size)
    assert layer(x, output_size=(1, 3, 10, 9)).shape == (1, 3, 10, 9)
    with pytest.raises(ShapeError, match=r"expected \(N, C, H, W\)"):
        layer(np.ones(4), output_size=(10, 9))
    with pytest.raises(ValueError, match="padding must be numbers where transposed, got 'same'"):
        nn.ConvTranspose2d(2, 3, 3, padding="same")
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
