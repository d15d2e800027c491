import numpy as np
import pytest

from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import functional as F


def test_a_convolution_is_a_product_with_the_columns():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    columns = F.unfold(x, (3, 2), padding=1, stride=2)
    y = F.conv2d(x, w, stride=2, padding=1)
    np.testing.assert_allclose((w.reshape(4, -1) @ columns).reshape(y.shape).data, y.data, atol=1e-12)


def test_fold_counts_how_often_each_place_was_seen():
    columns = F.unfold(np.ones((1, 1, 4, 4)), 3)
    image = F.fold(columns, 4, 3).data[0, 0]
    np.testing.assert_array_equal(image, np.outer([1, 2, 2, 1], [1, 2, 2, 1]))


def test_wrong_calls():
    with pytest.raises(ShapeError, match=r"expected \(N, C · 4, 9\).*got \(1, 8, 8\)"):
        F.fold(np.ones((1, 8, 8)), 4, 2)
    with pytest.raises(ShapeError, match=r"expected \(N, C, H, W\)"):
        F.unfold(np.ones((4, 4)), 2)
    with pytest.raises(ValueError, match=r"^Unfold\(kernel_size=…\): expected an int >= 1 or 2 of them, got 0"):
        nn.Unfold(0)
    with pytest.raises(ValueError, match=r"^Fold\(stride=…\): expected an int >= 1 or 2 of them, got \(1, 0\)"):
        nn.Fold(4, 2, stride=(1, 0))
    with pytest.raises(ValueError, match=r"^Fold\(output_size=…\): expected an int >= 1 or 2 of them, got -4"):
        nn.Fold(-4, 2)
