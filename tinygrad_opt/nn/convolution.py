"""Convolution as functions, with PyTorch's options checked and explained; the arithmetic is in ``convolve.py``."""

from __future__ import annotations

from typing import Any

from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .convolve import convolve, convolve_bias, convolve_transpose
from .windows import Pairs, as_tuple, expected_axes, layer_name, output_sizes, symmetric

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def paddings(name: str, padding: Any, kernel: Any, stride: Any, dilation: Any) -> Pairs:
    """The padding before and after each axis; "same" puts the odd one behind."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if max(stride) > 1:
            raise ValueError(
                f"{name}: padding='same' needs stride 1, got {tuple(stride)}; give the padding as a number."
            )
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise ValueError(f"{name}: padding must be 'same', 'valid' or numbers, got {padding!r}.")
    return symmetric(as_tuple(padding, len(kernel), f"{name}(padding=…)", 0))


def _batched(name: str, x: Tensor, axes: int, channels: int) -> Tensor:
    """x as (N, C, …), after checking its axes and channels."""
    if x.ndim not in (axes + 1, axes + 2):
        hint = " A grey image has one channel: x[:, None]." if x.ndim == axes and channels == 1 else ""
        raise ShapeError(expected_axes(name, axes, x.shape) + hint)
    if x.shape[-axes - 1] != channels:
        hint = ""
        if x.shape[-1] == channels:
            hint = " The channels seem to come last: np.moveaxis(x, -1, 1)."
        raise ShapeError(
            f"{layer_name(name)}: expected {channels} channels, got {x.shape[-axes - 1]} in x of shape {x.shape}.{hint}"
        )
    return x if x.ndim == axes + 2 else x[None]


def _check_weight(name: str, weight: Tensor, axes: int, groups: int, transposed: bool) -> None:
    """Raise unless the weight has the axes it must have and `groups` divides the first of them."""
    if not hasattr(type(groups), "__index__"):
        raise ValueError(f"{layer_name(name)}: groups must be an int >= 1, got {groups!r}.")
    if weight.ndim != axes + 2 or groups < 1 or weight.shape[0] % groups or 0 in weight.shape[2:]:
        sizes = "in_channels, out_channels / groups" if transposed else "out_channels, in_channels / groups"
        kernel = f"{axes} kernel sizes" if axes > 1 else "the kernel size"
        raise ShapeError(
            f"{layer_name(name)}: the weight must be ({sizes}, {kernel}) and groups={groups} a divisor of "
            f"{sizes.split(',')[0]}; got {weight.shape}."
        )


def _check_bias(name: str, bias: Any, channels: int) -> Tensor:
    """The bias as a Tensor; raises unless it has one element for each channel of the output."""
    bias = as_tensor(bias)
    if bias.shape != (channels,):
        raise ShapeError(f"{layer_name(name)}: the bias must be of shape {(channels,)}, got {bias.shape}.")
    return bias  # type: ignore[no-any-return]


def _conv(axes: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Tensor:
    name = f"conv{axes}d"
    x, weight = as_tensor(x), as_tensor(weight)
    stride = as_tuple(stride, axes, f"{name}(stride=…)")
    dilation = as_tuple(dilation, axes, f"{name}(dilation=…)")
    pairs = paddings(name, padding, weight.shape[2:], stride, dilation)
    return convolution(name, x, weight, bias, stride, pairs, dilation, groups)


def convolution(
    name: str, x: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Pairs, dilation: Any, groups: int
) -> Tensor:
    """Convolution along as many axes as there are strides; `name` is the caller's, for messages."""
    axes = len(stride)
    _check_weight(name, weight, axes, groups, False)
    images = _batched(name, x, axes, weight.shape[1] * groups)
    output_sizes(name, images.shape[2:], weight.shape[2:], stride, padding, dilation)
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if bias is None:
        y = convolve(images, weight, **geometry)
    else:
        y = convolve_bias(images, weight, _check_bias(name, bias, weight.shape[0]), **geometry)
    return y if images is x else y[0]  # type: ignore[no-any-return]


def conv1d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Convolution along one axis: as :func:`conv2d`, with x (N, C, L) and weight (O, C / groups, k)."""
    return _conv(1, x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Convolution (cross-correlation): y[o, i, j] = b[o] + Σ w[o, c, u, v] · x[c, s·i + d·u − p, s·j + d·v − p].

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
    weight : array_like, shape (O, C / groups, kernel height, kernel width)
    bias : array_like, shape (O,), optional
    stride, dilation : int or pair of int
    padding : int, pair of int, "same" or "valid"
        Zeros around the image; "same" keeps its size and needs stride 1.
    groups : int
        Channels are cut into this many parts that do not see each other.

    Raises
    ------
    ShapeError
        The axes or channels of x, weight and bias do not fit, or the window is larger than the padded image.
    ValueError
        A stride, dilation or padding that is none of those above.
    """
    return _conv(2, x, weight, bias, stride, padding, dilation, groups)


def conv3d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Convolution of volumes: as :func:`conv2d`, with x (N, C, D, H, W)."""
    return _conv(3, x, weight, bias, stride, padding, dilation, groups)


def conv_transpose(
    name: str,
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    """Transposed convolution along `axes` axes; `name` is the caller's, for messages."""
    x, weight = as_tensor(x), as_tensor(weight)
    _check_weight(name, weight, axes, groups, True)
    stride = as_tuple(stride, axes, f"{name}(stride=…)")
    dilation = as_tuple(dilation, axes, f"{name}(dilation=…)")
    padding = as_tuple(padding, axes, f"{name}(padding=…)", 0)
    more = as_tuple(output_padding, axes, f"{name}(output_padding=…)", 0)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        raise ValueError(f"{name}: output_padding {more} must be smaller than stride {stride} or dilation {dilation}.")
    images = _batched(name, x, axes, weight.shape[0])
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + m + 1
        for n, s, p, d, k, m in zip(images.shape[2:], stride, padding, dilation, weight.shape[2:], more, strict=True)
    )
    if min(size) < 1:
        raise ShapeError(f"{layer_name(name)}: for x of shape {x.shape} the output would have size {size}; pad less.")
    pairs = tuple((p, p - m) for p, m in zip(padding, more, strict=True))
    y = convolve_transpose(images, weight, size=size, stride=stride, padding=pairs, dilation=dilation, groups=groups)
    if bias is not None:
        y = y + _check_bias(name, bias, y.shape[1]).reshape((-1,) + (1,) * axes)
    return y if images is x else y[0]  # type: ignore[no-any-return]


def conv_transpose1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """As :func:`conv_transpose2d`, along one axis."""
    return conv_transpose("conv_transpose1d", 1, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The adjoint of :func:`conv2d` as a map of its own: spreads each pixel over a window (Zeiler et al. 2010).

    Shapes: x (N, C, H, W), weight (C, O / groups, k, k) → (N, O, (H − 1)·stride − 2·padding + dilation·(k − 1) +
    output_padding + 1, …).

    Raises
    ------
    ShapeError
        The axes or channels of x, weight and bias do not fit, or so much padding that nothing is left.
    ValueError
        An option that is no int or pair, or an `output_padding` that is less than neither stride nor dilation.
    """
    return conv_transpose("conv_transpose2d", 2, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """As :func:`conv_transpose2d`, with three axes."""
    return conv_transpose("conv_transpose3d", 3, x, weight, bias, stride, padding, output_padding, groups, dilation)
