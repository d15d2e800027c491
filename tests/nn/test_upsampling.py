import numpy as np
import pytest

from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import functional as F


def test_repeating_pixels():
    x = np.arange(4.0).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(
        F.interpolate(x, scale_factor=2).data[0, 0], np.repeat(np.repeat(x[0, 0], 2, 0), 2, 1)
    )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_ramp_stays_a_ramp(mode):
    x = np.broadcast_to(np.arange(8.0), (1, 1, 3, 8))
    y = F.interpolate(x, (3, 15), mode=mode, align_corners=True).data[0, 0, 0]
    np.testing.assert_allclose(y[4:11], np.arange(8, 15)[:7] / 2 - 2.0, atol=1e-12)


def test_shuffling_back_and_forth():
    x = np.random.default_rng(0).standard_normal((2, 12, 3, 5))
    y = F.pixel_shuffle(x, 2)
    assert y.shape == (2, 3, 6, 10)
    np.testing.assert_array_equal(F.pixel_unshuffle(y, 2).data, x)
    np.testing.assert_array_equal(y.data[:, 0, :2, :2].reshape(2, 4), x[:, :4, 0, 0])


def test_wrong_calls():
    x = np.ones((1, 3, 4, 4))
    with pytest.raises(ValueError, match="either size or scale_factor"):
        F.interpolate(x)
    with pytest.raises(ValueError, match="mode must be one of"):
        F.interpolate(x, 2, mode="lanczos")
    with pytest.raises(ShapeError, match="needs x of 3 axes"):
        F.interpolate(x, 2, mode="linear")
    with pytest.raises(ValueError, match="means nothing"):
        F.interpolate(x, 2, align_corners=True)
    with pytest.raises(ShapeError, match=r"\(…, C·4, H, W\)"):
        F.pixel_shuffle(x, 2)
