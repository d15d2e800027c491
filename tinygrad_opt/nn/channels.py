"""What the norms of channels share: arrays with one element for each channel of (N, C, ...)."""

from __future__ import annotations

from typing import Any

from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .windows import layer_name

__all__ = ["by_channel", "scale_channels"]


def by_channel(caller: str, x: Tensor, **arrays: Any) -> list[Tensor | None]:
    """The arrays as Tensors, those that are not None; raises unless each has one element for each channel of x."""
    shape = x.shape
    channels = shape[1:2]
    if not channels and x.size:  # PyTorch lets one empty axis pass
        raise ShapeError(f"{layer_name(caller)}: expected x of shape (N, C, ...), got {shape}.")
    tensors = [None if array is None else as_tensor(array) for array in arrays.values()]
    for name, array in zip(arrays, tensors, strict=True):
        if array is not None and array.shape != channels and channels:
            raise ShapeError(
                f"{layer_name(caller)}: {name} must have shape {channels}, an element for each channel of x {shape}; "
                f"got {array.shape}."
            )
    return tensors


def scale_channels(x: Any, weight: Any, bias: Any) -> Any:
    """x · weight + bias, with one weight and one bias for each channel of (N, C, ...)."""
    trailing = (-1,) + (1,) * (x.ndim - 2)
    if weight is not None:
        x = x * weight.reshape(trailing)
    return x if bias is None else x + bias.reshape(trailing)
