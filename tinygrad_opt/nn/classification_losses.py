"""Losses for predicted classes: cross-entropy against labels or probabilities, and what it is made of."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.modes import mode
from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from ..kernels import twin
from ..ops.activation import log_softmax
from .linear import ones_vector
from .loss import Loss, check_reduction, pair, reduce

__all__ = [
    "CrossEntropyLoss",
    "KLDivLoss",
    "NLLLoss",
    "cross_entropy",
    "kl_div",
    "nll_loss",
]

_LEAST = 1 << 10  # logits from which the compiled form pays


def _logit_samples(rng: np.random.Generator) -> Iterator[Any]:
    for n, c in ((4, 3), (1, 2), (3, 1)):
        yield rng.standard_normal((n, c)), rng.integers(0, c, n)


def _twin(x: Any, labels: Any) -> Any:
    """The compiled forms, which take single precision."""
    return twin("losses", x.size, _LEAST) if x.dtype == np.float32 and len(labels) else None


@primitive(
    real=True,
    arrays=1,
    samples=_logit_samples,
    formula="mean (ln Σ eˣ − x[label])",
    gradient="g/n · (softmax(x) − onehot)",
)
def softmax_cross_entropy(x: Any, labels: Any) -> Any:
    """The mean cross-entropy of logits (N, C) against labels (N,); :func:`cross_entropy` defines it."""
    if compiled := _twin(x, labels):
        return compiled.cross_entropy(x, labels)
    shifted = x - np.maximum.reduce(x, 1, keepdims=True)
    picked = shifted[np.arange(len(labels)), labels]
    np.exp(shifted, out=shifted)
    losses = np.log(shifted @ ones_vector(x.shape[1], x.dtype))
    losses -= picked
    return np.asarray(np.add.reduce(losses) / losses.dtype.type(len(losses) or np.nan))


@softmax_cross_entropy.vjp(0)
def _(g: Any, _y: Any, x: Any, labels: Any) -> Any:
    return softmax_residual(g, x, labels)


def _residual_samples(rng: np.random.Generator) -> Iterator[Any]:
    for x, labels in _logit_samples(rng):
        yield np.asarray(rng.standard_normal()), x, labels


@primitive(real=True, arrays=2, samples=_residual_samples, formula="g/n · (softmax(x) − onehot)")
def softmax_residual(g: Any, x: Any, labels: Any) -> Any:
    """g/n · (softmax(x) − onehot(labels)): the gradient of the mean cross-entropy."""
    if compiled := _twin(x, labels):
        return compiled.residual(g, x, labels)
    p = x - np.maximum.reduce(x, 1, keepdims=True)
    np.exp(p, out=p)
    p *= ((g / x.dtype.type(len(x))) / (p @ ones_vector(x.shape[1], x.dtype)))[:, None]
    p[np.arange(len(labels)), labels] -= g / x.dtype.type(len(x))
    return p


@softmax_residual.vjp(0)
def _(h: Any, _y: Any, g: Any, x: Any, labels: Any) -> Any:
    return np.sum(h * softmax_residual(np.ones((), x.dtype), x, labels))


@softmax_residual.vjp(1)
def _(h: Any, _y: Any, g: Any, x: Any, labels: Any) -> Any:
    p = np.exp(log_softmax(x, 1))
    return p * (h - np.sum(h * p, axis=1, keepdims=True)) * (g / len(labels))


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """−ln softmax(input)[target]: the cross-entropy of logits against classes, averaged over the samples.

    Parameters
    ----------
    input : array_like, shape (C,), (N, C) or (N, C, ...)
        Logits, that is, scores before any softmax.
    target : array_like
        Labels 0 … C−1, of the input's shape without the class axis; or, of a floating dtype and the input's shape, the
        probabilities of the classes.
    weight : array_like, shape (C,), optional
        A weight for each class. With labels, "mean" divides by the sum of the weights of the labels.
    ignore_index : int
        A label that counts for nothing.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float in [0, 1]
        The share of the probability that is spread evenly over all classes (Szegedy et al. 2016, arXiv:1512.00567).

    Raises
    ------
    ShapeError
        Shapes of input and target that do not belong together.
    IndexError
        A label outside 0 … C−1.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> tg.nn.functional.cross_entropy(tg.tensor([[0.0, 0.0]]), np.array([1]))
    tensor(0.6931472)
    """
    x = input if isinstance(input, Tensor) else as_tensor(input)
    labels = target.data if isinstance(target, Tensor) else np.asarray(target)
    plain = weight is None and reduction == "mean" and not label_smoothing and ignore_index < 0
    if plain and x.data.ndim == 2 and labels.ndim == 1 and labels.dtype.kind in "iu" and len(labels) == len(x.data):
        unsigned = labels.view(_UNSIGNED[labels.dtype.itemsize])  # negative labels become huge
        if len(labels) and np.maximum.reduce(unsigned) < x.data.shape[1]:
            _warn_of_scores("cross_entropy", x.data)
            return softmax_cross_entropy._run((x.data, labels), (x._node, None), {})
    check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing}.")
    _warn_of_scores("cross_entropy", x.data)
    logp = log_softmax(x, 1 if x.ndim > 1 else 0)
    if labels.dtype.kind == "f" and labels.shape == x.shape:
        if ignore_index >= 0:
            raise ValueError(
                f"cross_entropy: ignore_index={ignore_index} is for labels; the target holds probabilities. Give the "
                f"rows to be ignored a target of zeros."
            )
        return _against_probabilities(logp, as_tensor(target), weight, reduction, label_smoothing)
    return _against_labels("cross_entropy", logp, labels, weight, ignore_index, reduction, label_smoothing)


_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


_WANTED = {
    "cross_entropy": ("logits", "Leave out the softmax before it, or take nll_loss of the logarithm."),
    "nll_loss": (
        "log-probabilities",
        "Take log_softmax instead of softmax before it, or give cross_entropy the logits.",
    ),
}


def _warn_of_scores(caller: str, x: Any) -> None:
    """Warn of a single class, and when every row of what should be logits sums to 1; two numbers settle most cases."""
    if x.ndim == 2 and x.shape[1] == 1 and caller == "cross_entropy":
        warnings.warn(
            "cross_entropy: with one class the loss is 0 whatever the input. Give it one score for each class, or take "
            "binary_cross_entropy_with_logits.",
            stacklevel=3,
        )
    if x.ndim != 2 or len(x) < 2 or x.shape[1] < 2 or not (0.0 <= x.item(0) <= 1.0 and 0.0 <= x.item(1) <= 1.0):
        return
    if abs(float(x[0].sum()) - 1) < 1e-3 and x.min() >= 0 and np.allclose(x.sum(1), 1, atol=1e-3):
        where = f" (in {mode.module})" if mode.module else ""
        wanted, mend = _WANTED[caller]
        warnings.warn(f"{caller} expects {wanted}; these rows already sum to 1{where}. {mend}", stacklevel=3)


def _against_probabilities(logp: Any, target: Tensor, weight: Any, reduction: str, smoothing: float) -> Any:
    axis = 1 if logp.ndim > 1 else 0
    classes = logp.shape[axis]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    if weight is not None:
        target = target * _class_weights("cross_entropy", weight, logp, axis)
    losses = -np.sum(logp * target, axis=axis)
    return losses if reduction == "none" else np.sum(losses) / (losses.size if reduction == "mean" else 1)


def _class_weights(caller: str, weight: Any, logp: Any, axis: int) -> Any:
    """The weights in the input's dtype, shaped to lie along its class axis."""
    weight = np.asarray(weight.data if isinstance(weight, Tensor) else weight)
    classes = logp.shape[axis]
    if weight.shape != (classes,):
        raise ShapeError(f"{caller}: weight must have shape ({classes},), one for each class; got {weight.shape}.")
    return weight.astype(logp.dtype, copy=False).reshape((classes,) + (1,) * (logp.ndim - axis - 1))


def _against_labels(
    caller: str, logp: Any, labels: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    """The definition of the cross-entropy against labels, from log-probabilities."""
    axis = 1 if logp.ndim > 1 else 0
    classes = logp.shape[axis]
    ignored = _check_labels(caller, logp.shape, labels, axis, ignore_index)
    labels = np.where(ignored, 0, labels)
    weights = None if weight is None else _class_weights(caller, weight, logp, axis)
    shares = np.ones(labels.shape, logp.dtype) if weights is None else weights.ravel()[labels]
    shares = np.where(ignored, logp.dtype.type(0), shares)
    picked = np.squeeze(np.take_along_axis(logp, np.expand_dims(labels, axis), axis), axis)
    losses = np.where(ignored, 0, -picked * shares)
    if smoothing:
        spread = np.where(ignored, 0, -np.sum(logp if weights is None else logp * weights, axis=axis))
        losses = losses * (1 - smoothing) + spread * (smoothing / classes)
    if reduction == "none":
        return losses
    with np.errstate(invalid="ignore"):  # no sample at all: the mean is nan
        return np.sum(losses) / shares.sum() if reduction == "mean" else np.sum(losses)


def _check_labels(caller: str, shape: tuple[int, ...], labels: Any, axis: int, ignore_index: int) -> Any:
    """Which labels are to be ignored; raises for what cannot be labels of an input of this shape."""
    wanted = shape[:axis] + shape[axis + 1 :]
    classes = shape[axis]
    if labels.shape != wanted:
        text = f"{caller}: input {shape} wants labels of shape {wanted}, got target {labels.shape}."
        if labels.shape == shape and labels.dtype.kind in "iub":
            text += f" One-hot targets: target.argmax(axis={axis}), or target.astype(float) as probabilities."
        elif labels.shape == (*wanted, 1):
            text += " Use target[..., 0]."
        elif len(shape) > 2 and labels.shape == shape[:-1]:
            text += " The classes belong on axis 1: np.moveaxis(input, -1, 1), or merge the axes before it."
        raise ShapeError(text)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{caller}: labels must be whole numbers, got {labels.dtype}. Use target.astype(np.int64).")
    ignored = labels == ignore_index
    wrong = ((labels < 0) | (labels >= classes)) & ~ignored
    if wrong.any():
        place = np.unravel_index(int(wrong.argmax()), labels.shape)
        index = ", ".join(map(str, place))
        raise IndexError(
            f"{caller}: labels must be 0..{classes - 1}, as the input has {classes} classes; found "
            f"{labels[place]} at index {index}."
        )
    return ignored


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """−input[target], where the input holds log-probabilities; the arguments as in :func:`cross_entropy`."""
    check_reduction("nll_loss", reduction)
    labels = target.data if isinstance(target, Tensor) else np.asarray(target)
    _warn_of_scores("nll_loss", np.asarray(input.data if isinstance(input, Tensor) else input))
    return _against_labels("nll_loss", as_tensor(input), labels, weight, ignore_index, reduction, 0.0)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """t (ln t − input) for each element: the Kullback–Leibler divergence of exp(input) from the target.

    Parameters
    ----------
    input : array_like
        Log-probabilities.
    target : array_like of the same shape
        Probabilities, or their logarithms with `log_target`.
    reduction : {"mean", "sum", "none", "batchmean"}
        "batchmean" is the divergence proper: the sum divided by the number of rows.
    log_target : bool
    """
    input, target = pair("kl_div", input, target)
    if log_target:
        losses = np.exp(target) * (target - input)
    else:
        positive = target.data > 0
        safe = np.where(positive, target, 1)
        losses = np.where(positive, safe * np.log(safe), 0) - target * input
    if reduction == "batchmean":
        return np.sum(losses) / losses.shape[0]
    return reduce("kl_div", losses, reduction)


class CrossEntropyLoss(Loss):
    """:func:`cross_entropy` as a Module.

    Parameters
    ----------
    weight : array_like, shape (C,), optional
    ignore_index : int
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


class NLLLoss(Loss):
    """:func:`nll_loss` as a Module.

    Parameters
    ----------
    weight : array_like, shape (C,), optional
    ignore_index : int
    reduction : {"mean", "sum", "none"}
    """

    weight: Tensor | None

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class KLDivLoss(Loss):
    """:func:`kl_div` as a Module.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}
    log_target : bool
    """

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__("mean" if reduction == "batchmean" else reduction)
        self.reduction = reduction
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return kl_div(input, target, self.reduction, self.log_target)
