"""Upsampling: images made larger by repeating, interpolating, or moving channels into the plane."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .floats import as_floats
from .module import Module
from .sizes import check_sizes
from .windows import as_tuple, layer_name

__all__ = [
    "PixelShuffle",
    "PixelUnshuffle",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "interpolate",
    "pixel_shuffle",
    "pixel_unshuffle",
]

_AXES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
    "area": (1, 2),
}
_CUBIC = -0.75  # the sharpness of Keys's cubic that PyTorch and OpenCV use


def _cubic(t: Any) -> Any:
    """Keys's piecewise cubic convolution kernel (1981, IEEE Trans. ASSP 29)."""
    a, t = _CUBIC, np.abs(t)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


@functools.lru_cache(maxsize=32)
def _matrix(n: int, m: int, step: float, corners: bool, cubic: bool) -> Any:
    """The matrix (m, n) that interpolates m points from n: each row holds the weights of the neighbours of one."""
    place = np.arange(m) * step if corners else (np.arange(m) + 0.5) * step - 0.5
    if not cubic:
        place = np.maximum(place, 0.0) if not corners else place
    first = np.floor(place).astype(int)
    matrix = np.zeros((m, n))
    for offset in range(-1, 3) if cubic else range(2):
        away = place - (first + offset)
        weight = _cubic(away) if cubic else 1 - np.abs(away)
        np.add.at(matrix, (np.arange(m), np.clip(first + offset, 0, n - 1)), weight)
    matrix.flags.writeable = False
    return matrix


def _sizes(x: Tensor, axes: int, size: Any, scale: Any) -> tuple[tuple[int, ...], list[float | None]]:
    """The wanted extents, and the scales where they were given."""
    if 0 in x.shape[2:]:
        raise ShapeError(f"{layer_name('interpolate')}: x of shape {x.shape} has no pixels.")
    if size is not None:
        return as_tuple(size, axes, "interpolate(size=…)"), [None] * axes
    try:
        scales = [float(f) for f in scale] if isinstance(scale, Sequence) else [float(scale)] * axes
        wanted = tuple(math.floor(n * f) for n, f in zip(x.shape[2:], scales, strict=True))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"interpolate(scale_factor=…): expected a number or {axes} of them for x of shape {x.shape}, got {scale!r}."
        ) from None
    if min(wanted) < 1:
        raise ValueError(
            f"interpolate(scale_factor=…): {scale!r} makes {wanted} of x's extents {x.shape[2:]}; none may be below 1."
        )
    return wanted, [*scales]


def _check_options(name: str, size: Any, scale: Any, mode: str, align_corners: bool | None) -> None:
    """Raise where the options do not go together, whatever the image."""
    if mode not in _AXES:
        raise ValueError(f"{name}: mode must be one of {', '.join(_AXES)}, got {mode!r}.")
    if (size is None) == (scale is None):
        raise ValueError(f"{name}: give either size or scale_factor.")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"{name}: align_corners means nothing for mode {mode!r}.")


def interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """Images of another size.

    Parameters
    ----------
    x : array_like, shape (N, C, L), (N, C, H, W) or (N, C, D, H, W)
    size : int or tuple of int, optional
        The new extents; or else
    scale_factor : float or tuple of float, optional
    mode : {"nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"}
        "nearest" takes the pixel at the corner of each new one, "nearest-exact" that at its centre.
    align_corners : bool, optional
        Whether the centres of the corner pixels stay in their places, instead of the corners of the image.
    recompute_scale_factor : bool, optional
        Compute the scale from the rounded sizes, instead of using `scale_factor` as it is.

    Raises
    ------
    ShapeError
        x has another number of axes than the mode needs, or no pixels.
    ValueError
        An unknown mode, both or neither of `size` and `scale_factor`, or such as leave nothing of the image.
    """
    x = as_tensor(x)
    _check_options("interpolate", size, scale_factor, mode, align_corners)
    axes = x.ndim - 2
    if axes not in _AXES[mode]:
        needed = " or ".join(str(2 + a) for a in _AXES[mode])
        raise ShapeError(f"{layer_name('interpolate')}: mode {mode!r} needs x of {needed} axes, got {x.shape}.")
    wanted, scales = _sizes(x, axes, size, scale_factor)
    if recompute_scale_factor:
        scales = [None] * axes
    if mode == "area":
        from .pooling import adaptive_avg_pool

        return adaptive_avg_pool("interpolate", axes, x, wanted)
    x = x if mode.startswith("nearest") else as_floats(x)
    for axis, (m, f) in enumerate(zip(wanted, scales, strict=True), start=2):
        n = x.shape[axis]
        if mode.startswith("nearest"):
            first = 0.5 if mode == "nearest-exact" else 0.0
            place = np.floor((np.arange(m) + first) * (1.0 / f if f else n / m)).astype(int)
            x = x[(slice(None),) * axis + (np.minimum(place, n - 1),)]
            continue
        step = (n - 1) / (m - 1) if align_corners and m > 1 else 0.0 if align_corners else 1.0 / f if f else n / m
        matrix = _matrix(n, m, step, bool(align_corners), mode == "bicubic").astype(x.dtype)
        x = np.swapaxes(np.matmul(np.swapaxes(x, axis, -1), matrix.T), axis, -1)
    return x  # type: ignore[no-any-return]


def pixel_shuffle(x: Any, upscale_factor: int) -> Tensor:
    """Channels moved into the plane (Shi et al. 2016, arXiv:1609.05158): (…, C·r², H, W) → (…, C, H·r, W·r).

    Raises
    ------
    ShapeError
        x has fewer than three axes, or r² does not divide its channels.
    ValueError
        A factor that is no positive int.
    """
    x, r = as_tensor(x), upscale_factor
    check_sizes("pixel_shuffle", 1, upscale_factor=r)
    if x.ndim < 3 or x.shape[-3] % (r * r):
        raise ShapeError(
            f"{layer_name('pixel_shuffle')}: expected (…, C·{r * r}, H, W) for upscale_factor={r}, got {x.shape}."
        )
    *lead, c, h, w = x.shape
    apart = x.reshape((math.prod(lead), c // (r * r), r, r, h, w))
    return np.transpose(apart, (0, 1, 4, 2, 5, 3)).reshape((*lead, c // (r * r), h * r, w * r))  # type: ignore[return-value]


def pixel_unshuffle(x: Any, downscale_factor: int) -> Tensor:
    """The inverse of :func:`pixel_shuffle`: (…, C, H·r, W·r) → (…, C·r², H, W).

    Raises
    ------
    ShapeError
        x has fewer than three axes, or r does not divide height and width.
    ValueError
        A factor that is no positive int.
    """
    x, r = as_tensor(x), downscale_factor
    check_sizes("pixel_unshuffle", 1, downscale_factor=r)
    if x.ndim < 3 or x.shape[-1] % r or x.shape[-2] % r:
        raise ShapeError(f"{layer_name('pixel_unshuffle')}: height and width must be multiples of {r}, got {x.shape}.")
    *lead, c, h, w = x.shape
    apart = x.reshape((math.prod(lead), c, h // r, r, w // r, r))
    return np.transpose(apart, (0, 1, 3, 5, 2, 4)).reshape((*lead, c * r * r, h // r, w // r))  # type: ignore[return-value]


class Upsample(Module):
    """Images of another size; options as :func:`interpolate`."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        _check_options(type(self).__name__, size, scale_factor, mode, align_corners)
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, x: Any) -> Tensor:
        """The images."""
        return interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)

    def extra_repr(self) -> str:
        """The options."""
        size = f"size={self.size}" if self.size is not None else f"scale_factor={self.scale_factor}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Pixels repeated: :class:`Upsample` with mode "nearest"."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """:class:`Upsample` with mode "bilinear" and aligned corners."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)


class PixelShuffle(Module):
    """Channels moved into the plane; see :func:`pixel_shuffle`."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        check_sizes("PixelShuffle", 1, upscale_factor=upscale_factor)
        self.upscale_factor = upscale_factor

    def forward(self, x: Any) -> Tensor:
        """(…, C·r², H, W) → (…, C, H·r, W·r)."""
        return pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """The plane moved into channels; see :func:`pixel_unshuffle`."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        check_sizes("PixelUnshuffle", 1, downscale_factor=downscale_factor)
        self.downscale_factor = downscale_factor

    def forward(self, x: Any) -> Tensor:
        """(…, C, H·r, W·r) → (…, C·r², H, W)."""
        return pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"downscale_factor={self.downscale_factor}"
