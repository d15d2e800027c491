"""Cross-entropy of logits against labels or probabilities, the commonest case as one operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..kernels import twin
from ..ops.activation import log_softmax
from .linear import ones_vector
from .log_probability_losses import against_labels, class_axis, class_weights, warn_of_scores
from .loss import Loss, check_reduction

__all__ = ["CrossEntropyLoss", "cross_entropy"]

_LEAST = 1 << 10  # logits from which the compiled form pays
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


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
    TypeError
        Labels that are not whole numbers.
    ValueError
        `label_smoothing` outside [0, 1], an `ignore_index` beside probabilities, or an unknown `reduction`.

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
            warn_of_scores("cross_entropy", x.data)
            return softmax_cross_entropy._run((x.data, labels), (x._node, None), {})
    check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing}.")
    warn_of_scores("cross_entropy", x.data)
    logp = log_softmax(x, class_axis("cross_entropy", x.shape))
    if labels.dtype.kind == "f" and labels.shape == x.shape:
        if ignore_index >= 0:
            raise ValueError(
                f"cross_entropy: ignore_index={ignore_index} is for labels; the target holds probabilities. Give the "
                f"rows to be ignored a target of zeros."
            )
        return _against_probabilities(logp, as_tensor(target), weight, reduction, label_smoothing)
    return against_labels("cross_entropy", logp, labels, weight, ignore_index, reduction, label_smoothing)


def _against_probabilities(logp: Any, target: Tensor, weight: Any, reduction: str, smoothing: float) -> Any:
    axis = 1 if logp.ndim > 1 else 0
    classes = logp.shape[axis]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    if weight is not None:
        target = target * class_weights("cross_entropy", weight, logp, axis)
    losses = -np.sum(logp * target, axis=axis)
    return losses if reduction == "none" else np.sum(losses) / (losses.size if reduction == "mean" else 1)


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
