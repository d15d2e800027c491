import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import functional as F


def test_errors_name_the_layer():
    model = nn.Sequential(nn.MaxPool2d(4))
    with pytest.raises(ShapeError, match=r"0 \(MaxPool2d\): a window of \(4, 4\)"):
        model(np.ones((1, 1, 3, 3)))
    with pytest.raises(ShapeError, match=r"expected \(N, C, H, W\) or \(C, H, W\), got \(3, 3\)"):
        F.avg_pool2d(np.ones((3, 3)), 2)
    with pytest.raises(ValueError, match="at most half of the kernel"):
        F.max_pool2d(np.ones((1, 4, 4)), 2, padding=2)
    with pytest.raises(ValueError, match="must not be 0"):
        F.avg_pool2d(np.ones((1, 4, 4)), 2, divisor_override=0)


X = np.ones((1, 1, 4, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MaxPool2d(0), r"MaxPool2d\(kernel_size=…\): expected an int >= 1 or 2 of them, got 0"),
        (lambda: nn.MaxPool2d((1, 2, 3)), r"MaxPool2d\(kernel_size=…\): .* got \(1, 2, 3\)"),
        (lambda: nn.MaxPool2d(2, dilation=0), r"MaxPool2d\(dilation=…\): .* got 0"),
        (lambda: nn.AvgPool1d(2, padding=-1), r"AvgPool1d\(padding=…\): expected an int >= 0 or 1 of them, got -1"),
        (lambda: nn.LPPool2d(2, 2, "two"), r"LPPool2d\(stride=…\): .* got 'two'"),
        (lambda: nn.LPPool2d(2, 2)(np.ones(4)), r"LPPool2d: expected \(N, C, H, W\) or \(C, H, W\), got \(4,\)"),
        (lambda: nn.LPPool2d(0, 2)(X), "LPPool2d: norm_type must not be 0"),
        (lambda: F.lp_pool1d(X[0], 0.0, 2), "lp_pool1d: norm_type must not be 0"),
        (lambda: F.adaptive_avg_pool1d(X[0], (2, 2)), r"adaptive_avg_pool1d\(output_size=…\): .* got \(2, 2\)"),
        (lambda: F.adaptive_avg_pool2d(X, (2,)), r"adaptive_avg_pool2d\(output_size=…\): .* 2 of them, got \(2,\)"),
        (lambda: F.adaptive_max_pool2d(X, (2, 2, 2)), r"adaptive_max_pool2d\(output_size=…\): .* got \(2, 2, 2\)"),
        (lambda: nn.AdaptiveAvgPool2d(-1)(X), r"AdaptiveAvgPool2d\(output_size=…\): .* got -1"),
        (
            lambda: F.adaptive_avg_pool2d(X[:, :, :0], 2),
            r"adaptive_avg_pool2d: x of shape \(1, 1, 0, 4\) has no elements",
        ),
        (
            lambda: F.adaptive_max_pool2d(X[:, :, :0], 1),
            r"adaptive_max_pool2d: x of shape \(1, 1, 0, 4\) has no elements",
        ),
    ],
)
def test_wrong_options(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_an_adaptive_pool_keeps_the_axes_that_are_none():
    assert nn.AdaptiveAvgPool2d((None, 2))(X).shape == (1, 1, 4, 2)
    np.testing.assert_array_equal(F.adaptive_max_pool2d(X, None).data, X)


def test_constant_images_stay_constant():
    x = np.full((2, 3, 7, 5), 2.5)
    for layer in (nn.MaxPool2d(2), nn.AvgPool2d(3, 2), nn.AdaptiveAvgPool2d(3), nn.AdaptiveMaxPool2d((4, 3))):
        y = layer(x).data
        np.testing.assert_allclose(y, np.full(y.shape, 2.5))


def test_indices_point_at_the_maxima():
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 9))
    y, index = F.max_pool2d(x, 3, 2, padding=1, return_indices=True)
    flat = x.reshape(2, 3, -1)
    np.testing.assert_array_equal(np.take_along_axis(flat, index.data.reshape(2, 3, -1), 2).reshape(y.shape), y.data)
    y, index = F.adaptive_max_pool2d(x, (3, 4), return_indices=True)
    np.testing.assert_array_equal(np.take_along_axis(flat, index.data.reshape(2, 3, -1), 2).reshape(y.shape), y.data)


def test_global_mean_spreads_its_gradient_evenly():
    x = tg.tensor(np.ones((2, 3, 4, 5)), requires_grad=True)
    F.adaptive_avg_pool2d(x, 1).sum().backward()
    np.testing.assert_allclose(x.grad.data, np.full(x.shape, 1 / 20))
