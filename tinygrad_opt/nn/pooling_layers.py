"""The pooling layers: the functions of ``pooling.py`` with their options kept."""

from __future__ import annotations

from typing import Any

from ..autograd.tensor import Tensor
from .module import Module
from .pooling import adaptive_avg_pool, adaptive_max_pool, avg_pool, lp_pool, max_pool
from .windows import as_tuple

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "LPPool1d",
    "LPPool2d",
    "MaxPool1d",
    "MaxPool2d",
]


class _Pool(Module):
    """A layer without parameters, whose repr shows its options."""

    axes: int
    shown: tuple[str, ...] = ()

    def _check(self) -> None:
        """Raise where the options are not what a window can have; they are kept as they were given."""
        for option in ("kernel_size", "stride", "padding", "dilation"):
            value = getattr(self, option, None)
            if value is not None:
                as_tuple(value, self.axes, f"{type(self).__name__}({option}=…)", 0 if option == "padding" else 1)

    def extra_repr(self) -> str:
        """The options."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPool(_Pool):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode
        self._check()

    def forward(self, x: Any) -> Any:
        """The maxima; with `return_indices`, also where they lie."""
        geometry = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        return max_pool(type(self).__name__, self.axes, x, *geometry, self.return_indices)


class MaxPool1d(_MaxPool):
    """The largest element of each window; options as :class:`MaxPool2d`. Shapes: (N, C, L) → (N, C, L')."""

    axes = 1


class MaxPool2d(_MaxPool):
    """The largest element of each window; at a tie the gradient goes to the first one.

    Parameters
    ----------
    kernel_size, dilation : int or pair of int
    stride : int or pair of int, optional
        By default the kernel size.
    padding : int or pair of int
        −∞ around the image, at most half a kernel.
    return_indices : bool
        Also return where each maximum lies, as row-major positions in the (H, W) plane.
    ceil_mode : bool
        Let the last window stand out over the edge.

    Shapes: (N, C, H, W) or (C, H, W) → (N, C, H', W'),
    H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1.

    Raises
    ------
    ValueError
        Options that are no positive ints or pairs; when called, those that do not go together.
    ShapeError
        When called with an x of another number of axes, or smaller than the window.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> tg.nn.MaxPool2d(2)(np.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]], dtype=float64)
    """

    axes = 2


class _AvgPool(_Pool):
    shown = ("kernel_size", "stride", "padding")
    divisor_override: int | None = None

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self._check()

    def forward(self, x: Any) -> Tensor:
        """The means."""
        geometry = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return avg_pool(type(self).__name__, self.axes, x, *geometry, self.divisor_override)


class AvgPool1d(_AvgPool):
    """The mean of each window; options as :class:`AvgPool2d`. Shapes: (N, C, L) → (N, C, L')."""

    axes = 1


class AvgPool2d(_AvgPool):
    """The mean of each window.

    Parameters
    ----------
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        By default the kernel size.
    padding : int or pair of int
        Zeros around the image, at most half a kernel.
    ceil_mode : bool
        Let the last window stand out over the edge.
    count_include_pad : bool
        Whether the mean counts the padding's zeros.
    divisor_override : int, optional
        Divide the sums by this instead.

    Shapes: (N, C, H, W) or (C, H, W) → (N, C, H', W').

    Raises
    ------
    ValueError
        Options that are no positive ints or pairs; when called, those that do not go together.
    ShapeError
        When called with an x of another number of axes, or smaller than the window.
    """

    axes = 2

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override


class _LPPool(_Pool):
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode
        self._check()

    def forward(self, x: Any) -> Tensor:
        """(Σ xᵖ)^(1/p) of each window."""
        geometry = self.kernel_size, self.stride, self.ceil_mode
        return lp_pool(type(self).__name__, self.axes, x, self.norm_type, *geometry)


class LPPool1d(_LPPool):
    """(Σ xᵖ)^(1/p) of each window; options as :class:`LPPool2d`. Shapes: (N, C, L) → (N, C, L')."""

    axes = 1


class LPPool2d(_LPPool):
    """(Σ xᵖ)^(1/p) of each window, p = `norm_type`. Shapes: (N, C, H, W) → (N, C, H', W').

    Raises
    ------
    ValueError
        Options that are no positive ints or pairs; when called, those that do not go together.
    ShapeError
        When called with an x of another number of axes, or smaller than the window.
    """

    axes = 2


class _AdaptiveAvgPool(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Tensor:
        """The means of the bins."""
        return adaptive_avg_pool(type(self).__name__, self.axes, x, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of bins on the last axis, as :class:`AdaptiveAvgPool2d`. Shapes: (N, C, L) → (N, C, output_size)."""

    axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of bins, `output_size` along each axis; 1 is global pooling.

    Shapes: (N, C, H, W) or (C, H, W) → (N, C, *output_size); None keeps an axis as it is.

    Raises
    ------
    ShapeError, ValueError
        When called: x has another number of axes, or `output_size` is not positive.
    """

    axes = 2


class _AdaptiveMaxPool(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, x: Any) -> Any:
        """The maxima of the bins."""
        return adaptive_max_pool(type(self).__name__, self.axes, x, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The maxima of bins on the last axis, as :class:`AdaptiveMaxPool2d`. Shapes: (N, C, L) → (N, C, output_size)."""

    axes = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The maxima of bins, `output_size` along each axis. Shapes: (N, C, H, W) → (N, C, *output_size).

    Raises
    ------
    ShapeError, ValueError
        When called: x has another number of axes, or `output_size` is not positive.
    """

    axes = 2
