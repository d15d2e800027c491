"""The layers that hold the weights of convolutions: Conv1d to Conv3d and ConvTranspose1d to ConvTranspose3d."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from . import init
from .convolution import conv_transpose, convolution, paddings
from .module import Module, Parameter
from .sizes import check_sizes
from .text import check_precision
from .windows import as_tuple

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_MODES = {"zeros": None, "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class _Convolution(Module):
    """What all of them share: the options, the parameters and how they begin."""

    axes: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DTypeLike | None,
        generator: np.random.Generator | None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, in_channels=in_channels, out_channels=out_channels)
        check_sizes(name, 1, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}."
            )
        if padding_mode not in _MODES or (self.transposed and padding_mode != "zeros"):
            raise ValueError(
                f"{name}: padding_mode must be one of {', '.join(_MODES)} ('zeros' alone where transposed), got "
                f"{padding_mode!r}."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = as_tuple(kernel_size, self.axes, f"{name}(kernel_size=…)")
        self.stride = as_tuple(stride, self.axes, f"{name}(stride=…)")
        self.dilation = as_tuple(dilation, self.axes, f"{name}(dilation=…)")
        if self.transposed and isinstance(padding, str):
            raise ValueError(f"{name}: padding must be numbers where transposed, got {padding!r}.")
        self._pairs = paddings(name, padding, self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else tuple(before for before, _ in self._pairs)
        self.padding_mode = padding_mode
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.empty((outer, inner // groups, *self.kernel_size), dtype))
        self.bias = Parameter(np.empty(out_channels, dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw new initial values: U(−k, k), k = 1/√fan_in, as in PyTorch."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5.0), generator=generator)
        if self.bias is not None:
            fan_in = self.weight.shape[1] * math.prod(self.kernel_size)
            bound = 1.0 / math.sqrt(fan_in) if fan_in else 0.0
            init.uniform_(self.bias, -bound, bound, generator)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if isinstance(self.padding, str) or any(self.padding):
            text += f", padding={self.padding!r}"
        if max(self.dilation) > 1:
            text += f", dilation={self.dilation}"
        if any(more := getattr(self, "output_padding", ())):
            text += f", output_padding={more}"
        if self.groups > 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text + (f", padding_mode={self.padding_mode!r}" if self.padding_mode != "zeros" else "")


class _Forward(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            generator,
        )

    def forward(self, x: Any) -> Tensor:
        """x ∗ weight + bias."""
        x, pairs = as_tensor(x), self._pairs
        if self.padding_mode != "zeros" and x.ndim in (self.axes + 1, self.axes + 2):
            x, pairs = self._padded(x), ((0, 0),) * self.axes
        name, weight = type(self).__name__, self.weight
        y = convolution(name, x, weight, self.bias, self.stride, pairs, self.dilation, self.groups)
        if y.data.dtype is not weight.data.dtype:
            check_precision(self, x, weight)
        return y

    def _padded(self, x: Tensor) -> Tensor:
        """x padded by reflection, repetition or wrapping, which is reading it at other indices."""
        for axis, (before, after) in enumerate(self._pairs, start=x.ndim - self.axes):
            if before or after:
                mode: Any = _MODES[self.padding_mode]
                longest = {"reflect": x.shape[axis] - 1, "wrap": x.shape[axis]}.get(mode, math.inf)
                if max(before, after) > longest:
                    raise ShapeError(
                        f"{self.label}: padding of {before} and {after} by {self.padding_mode!r} needs more than the "
                        f"{x.shape[axis]} elements of axis {axis} of x, {x.shape}."
                    )
                index = np.pad(np.arange(x.shape[axis]), (before, after), mode)
                x = x[(slice(None),) * axis + (index,)]
        return x


class Conv1d(_Forward):
    """Convolution along one axis; options as :class:`Conv2d`.

    Shapes: x (N, in_channels, L) or (in_channels, L) → (N, out_channels, L');
    weight (out_channels, in_channels / groups, k).
    """

    axes = 1


class Conv2d(_Forward):
    """A bank of windows that slide over an image (LeCun et al. 1989): what deep learning calls convolution.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or pair of int
    padding : int, pair of int, "same" or "valid"
        "same" keeps the size of the image and needs stride 1.
    groups : int
        Channels are cut into this many parts that do not see each other; in_channels of them is "depthwise".
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What stands around the image.
    dtype : dtype, optional
    generator : numpy.random.Generator, optional
        For the initial values: U(−k, k), k = 1/√fan_in, as in PyTorch.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Shapes: x (N, in_channels, H, W) or (in_channels, H, W) → (N, out_channels, H', W'),
    H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1.

    Raises
    ------
    ValueError
        Channels that are no sizes, which `groups` does not divide, or another option that is none of those above.
    ShapeError
        When called with an x whose axes or channels do not fit, or smaller than the window or the reflection.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> tg.nn.Conv2d(3, 8, 3, stride=2, padding=1)(np.ones((2, 3, 32, 32), np.float32)).shape
    (2, 8, 16, 16)
    """

    axes = 2


class Conv3d(_Forward):
    """Convolution of volumes; options as :class:`Conv2d`.

    Shapes: x (N, in_channels, D, H, W) → (N, out_channels, D', H', W').
    """

    axes = 3


class _Transposed(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.output_padding = as_tuple(output_padding, self.axes, f"{type(self).__name__}(output_padding=…)", 0)
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            generator,
        )

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        """x ∗ᵀ weight + bias; `output_size` (…, H', W') chooses among the sizes that a stride leaves open."""
        x = as_tensor(x)
        more = self.output_padding
        if output_size is not None and x.ndim in (self.axes + 1, self.axes + 2):
            wanted = tuple(output_size) if np.ndim(output_size) == 1 else ()
            if len(wanted) not in (self.axes, x.ndim):
                raise ValueError(
                    f"{self.label}: output_size must have {self.axes} or, as x, {x.ndim} elements, got {output_size!r}."
                )
            more = self._more(x.shape[-self.axes :], wanted[-self.axes :])
        name = type(self).__name__
        return conv_transpose(
            name, self.axes, x, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )

    def _more(self, size: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output padding that leads from an input size to a wanted output size."""
        least = tuple(
            (n - 1) * s - 2 * p[0] + d * (k - 1) + 1
            for n, s, p, d, k in zip(size, self.stride, self._pairs, self.dilation, self.kernel_size, strict=True)
        )
        more = tuple(w - n for w, n in zip(wanted, least, strict=True))
        if any(not 0 <= m < max(s, d) for m, s, d in zip(more, self.stride, self.dilation, strict=True)):
            most = tuple(n + max(s, d) - 1 for n, s, d in zip(least, self.stride, self.dilation, strict=True))
            raise ValueError(
                f"{self.label}: output_size {wanted} is not possible for an input of {size}: from {least} to {most}."
            )
        return more


class ConvTranspose1d(_Transposed):
    """Transposed convolution along one axis; options as :class:`ConvTranspose2d`."""

    axes = 1


class ConvTranspose2d(_Transposed):
    """The adjoint of :class:`Conv2d` as a layer, which makes images larger (Zeiler et al. 2010).

    Options as :class:`Conv2d`'s; `output_padding` adds rows and columns at one side of the result, where several input
    sizes of the convolution would have led to one output size.

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Shapes: x (N, in_channels, H, W) → (N, out_channels, H', W'),
    H' = (H − 1)·stride − 2·padding + dilation·(kernel_size − 1) + output_padding + 1.

    Raises
    ------
    ValueError
        As :class:`Conv2d`; a `padding` in words or a `padding_mode` other than "zeros"; when called, an `output_size`
        or `output_padding` that the stride does not leave open.
    ShapeError
        When called with an x whose axes or channels do not fit, or of which the padding leaves nothing.
    """

    axes = 2


class ConvTranspose3d(_Transposed):
    """Transposed convolution of volumes; options as :class:`ConvTranspose2d`."""

    axes = 3
