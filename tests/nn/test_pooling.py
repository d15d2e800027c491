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
