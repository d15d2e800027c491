import numpy as np
import pytest

from tinygrad_opt import nn
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


LINE = np.ones((1, 1, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Upsample(), "Upsample: give either size or scale_factor"),
        (lambda: nn.Upsample(2, mode="cubic"), "Upsample: mode must be one of .* got 'cubic'"),
        (lambda: nn.Upsample(2, mode="nearest", align_corners=True), "Upsample: align_corners means nothing"),
        (lambda: F.interpolate(LINE, 0), r"interpolate\(size=…\): expected an int >= 1 or 1 of them, got 0"),
        (lambda: F.interpolate(LINE, -1), r"interpolate\(size=…\): .* got -1"),
        (lambda: F.interpolate(LINE, 2.5), r"interpolate\(size=…\): .* got 2.5"),
        (lambda: F.interpolate(LINE[..., None], (2,)), r"interpolate\(size=…\): .* 2 of them, got \(2,\)"),
        (
            lambda: F.interpolate(LINE, scale_factor=0.1),
            r"interpolate\(scale_factor=…\): 0.1 makes \(0,\) of .* \(4,\)",
        ),
        (lambda: F.interpolate(LINE, scale_factor=-1.0), r"interpolate\(scale_factor=…\): -1.0 makes \(-4,\)"),
        (lambda: F.interpolate(LINE, scale_factor=0), r"interpolate\(scale_factor=…\): 0 makes \(0,\)"),
        (lambda: F.interpolate(LINE, scale_factor="x"), r"interpolate\(scale_factor=…\): expected a number .* got 'x'"),
        (lambda: F.interpolate(LINE, scale_factor=(2, 2)), r"interpolate\(scale_factor=…\): .* got \(2, 2\)"),
        (lambda: F.interpolate(LINE, scale_factor=np.inf), r"interpolate\(scale_factor=…\): expected a number"),
        (lambda: F.interpolate(LINE[..., :0], 2), r"interpolate: x of shape \(1, 1, 0\) has no pixels"),
        (lambda: F.pixel_shuffle(LINE, 0), "pixel_shuffle: upscale_factor must be an int >= 1, got 0"),
        (lambda: F.pixel_unshuffle(LINE, -2), "pixel_unshuffle: downscale_factor must be an int >= 1, got -2"),
        (lambda: nn.PixelShuffle(1.5), "PixelShuffle: upscale_factor must be an int >= 1, got 1.5"),
        (lambda: nn.PixelUnshuffle(0), "PixelUnshuffle: downscale_factor must be an int >= 1, got 0"),
    ],
)
def test_wrong_options(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_a_batch_of_nothing_passes():
    for mode in ("nearest", "linear"):
        assert F.interpolate(np.ones((0, 1, 4)), 2, mode=mode).shape == (0, 1, 2)
