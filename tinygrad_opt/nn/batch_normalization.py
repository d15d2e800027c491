"""Normalization of channels: over the batch, or over each instance, with running statistics for evaluation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .channels import by_channel, scale_channels
from .module import Module, Parameter
from .normalize import moments, normalize
from .sizes import check_sizes
from .windows import layer_name

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "batch_norm",
    "instance_norm",
]


def batch_norm(
    x: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel to mean 0 and variance 1, then a weight and a bias (Ioffe & Szegedy 2015, arXiv:1502.03167).

    Parameters
    ----------
    x : array_like, shape (N, C, ...)
    running_mean, running_var : Tensor of shape (C,), or None
        What evaluation normalizes by. Training updates them: new = (1 − momentum) · old + momentum · batch, the
        batch's variance being the unbiased one there (it divides by n − 1).
    weight, bias : array_like, shape (C,), optional
    training : bool
        Normalize by the batch's own mean and (biased) variance.
    momentum, eps : float

    Raises
    ------
    ShapeError
        Training on a single value for each channel, whose variance is 0; x has fewer than two axes, or an array has
        not one element for each channel.
    ValueError
        Evaluation without running statistics, or one of them without the other.
    """
    x, running_mean, running_var, weight, bias = _checked("batch_norm", x, running_mean, running_var, weight, bias)
    name = layer_name("batch_norm")
    return _normalize(name, x, running_mean, running_var, weight, bias, training, momentum, eps)


def _checked(name: str, x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any) -> list[Any]:
    """All as Tensors, after checking the channels; Tensors and ndarrays share their memory, so that they move on."""
    x = as_tensor(x)
    if (running_mean is None) != (running_var is None):
        raise ValueError(f"{name}: give both running_mean and running_var, or neither.")
    for running in (running_mean, running_var):
        if running is not None and getattr(getattr(running, "dtype", None), "kind", None) != "f":
            raise ValueError(f"{name}: running_mean and running_var must be Tensors of floats, got {running!r}.")
    arrays = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    return [x, *by_channel(name, x, **arrays)]


def _normalize(
    name: str,
    x: Tensor,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    training: bool,
    momentum: float,
    eps: float,
) -> Any:
    """:func:`batch_norm` without its checks; `name` is the caller's, for messages."""
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: evaluation (training=False) needs running_mean and running_var.")
        return _by_statistics(x, running_mean.data, running_var.data, weight, bias, eps)
    view = (x.shape[0], x.shape[1], math.prod(x.shape[2:]))
    count = view[0] * view[2]
    if count < 2:
        raise ShapeError(
            f"{name}: x of shape {x.shape} has {count} value for each channel, and no variance to normalize by. Call "
            f"model.eval() before predicting; in training, let the DataLoader drop_last=True or use GroupNorm."
        )
    known = moments(x.data.reshape(view), eps)
    y = normalize(x, weight, bias, view, True, eps, known)
    if running_mean is not None and running_var is not None:  # last of all: a call that fails has changed nothing
        variance = np.maximum(known.rate**-2 - eps, 0) * (count / (count - 1))
        _update(running_mean, known.mean.ravel(), momentum)
        _update(running_var, variance.ravel(), momentum)
    return y


def _by_statistics(x: Tensor, mean: Any, variance: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Normalize by given statistics: one multiplication and one addition, with factors of the channels' size."""
    rate = 1 / np.sqrt(variance + variance.dtype.type(eps))
    scale = rate if weight is None else weight * rate
    shift = -mean * scale if bias is None else bias - mean * scale
    return scale_channels(x, scale, shift)


def _update(running: Tensor, batch: Any, momentum: float) -> None:
    running.data[...] = (1 - momentum) * running.data + momentum * batch


def instance_norm(
    x: Any,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of each sample to mean 0 and variance 1 (Ulyanov et al. 2016, arXiv:1607.08022).

    The arguments are those of :func:`batch_norm`; `use_input_stats` is its `training`.

    Raises
    ------
    ShapeError
        A single value for each channel of a sample, whose variance is 0; x has fewer than two axes, or an array has
        not one element for each channel.
    ValueError
        `use_input_stats` is False, and there are no running statistics; or one of them without the other.
    """
    x, running_mean, running_var, weight, bias = _checked("instance_norm", x, running_mean, running_var, weight, bias)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError("instance_norm: use_input_stats=False needs running_mean and running_var.")
        return _by_statistics(x, running_mean.data, running_var.data, weight, bias, eps)
    length = math.prod(x.shape[2:])
    if length < 2:
        where = layer_name("instance_norm")
        raise ShapeError(f"{where}: x of shape {x.shape} has a single value for each channel of a sample.")
    view = (1, x.shape[0] * x.shape[1], length)
    known = moments(x.data.reshape(view), eps)
    y = scale_channels(normalize(x, None, None, view, True, eps, known), weight, bias)
    if running_mean is not None and running_var is not None:
        variance = np.maximum(known.rate**-2 - eps, 0) * (length / (length - 1))
        _update(running_mean, known.mean.reshape(x.shape[:2]).mean(0), momentum)
        _update(running_var, variance.reshape(x.shape[:2]).mean(0), momentum)
    return y


class _ChannelNorm(Module):
    """What batch norm and instance norm share: parameters, running statistics and the check of the input.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    eps : float
        Added to the variance.
    momentum : float or None
        Weight of a new batch in the running statistics; None averages over all batches so far.
    affine : bool
        Whether there are a weight (at first 1) and a bias (at first 0) for each channel.
    track_running_stats : bool
        Without them, evaluation normalizes by the batch too.
    bias : bool
        Whether there is a bias.
    dtype : dtype, optional

    Attributes
    ----------
    weight, bias : Parameter, shape (C,), or None
    running_mean, running_var : buffer, shape (C,), or None
    num_batches_tracked : buffer, or None

    Raises
    ------
    ValueError
        `num_features` is no size.
    ShapeError
        When called with another number of axes or of channels, or to train on one value for each channel.
    """

    _axes: tuple[int, ...] = ()
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, num_features=num_features)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if tracked else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", np.array(0) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.data[...] = 0
            self.running_var.data[...] = 1
            self.num_batches_tracked.data[...] = 0

    def _check(self, given: Any) -> Tensor:
        x: Tensor = as_tensor(given)
        if x.ndim not in self._axes:
            wanted = " or ".join(str(n) for n in self._axes)
            raise ShapeError(f"{self.label}: expected {wanted} axes, got shape {x.shape}.")
        channel_axis = self._channel_axis(x)
        if x.shape[channel_axis] != self.num_features:
            raise ShapeError(
                f"{self.label}: expected {self.num_features} channels on axis {channel_axis}, got "
                f"{x.shape[channel_axis]} (shape {x.shape})."
            )
        return x

    def _channel_axis(self, x: Tensor) -> int:
        return 1

    def extra_repr(self) -> str:
        """The size and the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    def forward(self, x: Any) -> Any:
        """The normalized x; in training the running statistics move on."""
        x = self._check(x)
        by_batch = self.training or self.running_mean is None
        share = 0.0 if self.momentum is None else self.momentum
        counter = self.num_batches_tracked if self.training else None
        if counter is not None and self.momentum is None:
            share = 1 / (counter.item() + 1)
        mean, var = (self.running_mean, self.running_var) if self.training or not by_batch else (None, None)
        y = _normalize(self.label, x, mean, var, self.weight, self.bias, by_batch, share, self.eps)
        if counter is not None:
            counter.data[...] += 1
        return y


class BatchNorm1d(_BatchNorm):
    __doc__ = (
        "Batch normalization of (N, C) or (N, C, L): :func:`batch_norm`."
        + (_ChannelNorm.__doc__ or "").split(".", 1)[1]
    )
    _axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of (N, C, H, W); everything else as in :class:`BatchNorm1d`."""

    _axes = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalization of (N, C, D, H, W); everything else as in :class:`BatchNorm1d`."""

    _axes = (5,)


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias=bias, dtype=dtype)

    def _channel_axis(self, x: Tensor) -> int:
        return x.ndim - self._axes[-1] + 1

    def forward(self, x: Any) -> Any:
        """The normalized x; a sample without a batch axis is a batch of one."""
        x = self._check(x)
        batch = x if x.ndim == self._axes[-1] else x.reshape(1, *x.shape)
        by_input = self.training or not self.track_running_stats
        share = 0.0 if self.momentum is None else self.momentum  # PyTorch keeps no cumulative average here
        y = instance_norm(batch, self.running_mean, self.running_var, self.weight, self.bias, by_input, share, self.eps)
        return y if batch is x else y.reshape(x.shape)


class InstanceNorm1d(_InstanceNorm):
    """Normalization of each channel of each sample of (N, C, L) or (C, L); the arguments as in :class:`BatchNorm1d`."""

    _axes = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalization of each channel of each sample of (N, C, H, W) or (C, H, W), as :class:`InstanceNorm1d`."""

    _axes = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalization of each channel of each sample of (N, C, D, H, W) or (C, D, H, W), as :class:`InstanceNorm1d`."""

    _axes = (4, 5)
