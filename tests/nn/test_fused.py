"""The fused operations of layers and losses: right to second order, and equal to their definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.autograd.registry import primitives
from tinygrad_opt.nn import functional as F
from tinygrad_opt.nn.gelu import naive_gelu

NAMES = [
    *("linear", "boundary", "ctc", "gelu", "gelu_tanh", "leaky", "mean_logistic_loss", "mean_squared_error"),
    *("probability_loss", "softmax_cross_entropy", "softmax_residual"),
]


@pytest.mark.parametrize("name", NAMES)
def test_gradients_by_finite_differences(name):
    op = primitives[name]
    samples = op.samples()
    assert samples
    for args, options in samples:
        assert gradcheck(op, args, options, order=2, readonly_upstream=True)


def two_orders(function, arrays):
    """Value, gradients and gradients of their squares."""
    leaves = [tg.Tensor(np.asarray(a, float), requires_grad=True) for a in arrays]
    out = function(*leaves)
    first = tg.autograd.grad((out * 1.5).sum(), leaves, create_graph=True)
    second = tg.autograd.grad(sum((g**2).sum() for g in first), leaves, allow_unused=True)
    return [out.data, *(t.data for t in first + second if t is not None)]


def mean_of(loss):
    return lambda x, t: np.mean(loss(x, t, reduction="none"))


RNG = np.random.default_rng(0)
PAIR = [3 * RNG.standard_normal((5, 4)), RNG.uniform(0, 1, (5, 4))]
TWINS = {
    "gelu": (F.gelu, naive_gelu, PAIR[:1]),
    "gelu, tanh": (lambda x: F.gelu(x, "tanh"), lambda x: naive_gelu(x, "tanh"), PAIR[:1]),
    "mse": (F.mse_loss, mean_of(F.mse_loss), PAIR),
    "bce with logits": (
        F.binary_cross_entropy_with_logits,
        mean_of(F.binary_cross_entropy_with_logits),
        PAIR,
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_fused_is_definition(name):
    fused, definition, arrays = TWINS[name]
    for found, expected in zip(two_orders(fused, arrays), two_orders(definition, arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("approximate", "bound"), [("none", 1e-6), ("tanh", 3e-6)])
def test_gelu_in_single_precision(approximate, bound):
    """NumPy's forms for float32, which are not those for float64, beside the definition in double precision."""
    x = np.linspace(-12, 12, 2001, dtype=np.float32)
    found, expected = (tg.Tensor(x.astype(kind), requires_grad=True) for kind in (np.float32, float))
    before = tg.kernels()
    tg.kernels("numpy")
    try:
        y = F.gelu(found, approximate)
        y.sum().backward()
    finally:
        tg.kernels(before)
    z = naive_gelu(expected, approximate)
    z.sum().backward()
    assert (np.abs(y.data - z.data) <= 3e-7 * np.maximum(1, np.abs(x))).all()
    np.testing.assert_allclose(found.grad.data, expected.grad.data, rtol=0, atol=bound)


def spelt(path: tuple[int, ...], blank: int) -> list[int]:
    return [label for label, _ in itertools.groupby(path) if label != blank]


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], []])
def test_ctc_sums_over_all_paths(labels):
    logp = np.log(np.random.default_rng(0).dirichlet(np.ones(3), 4))
    total = sum(
        np.exp(sum(logp[t, c] for t, c in enumerate(path)))
        for path in itertools.product(range(3), repeat=4)
        if spelt(path, 0) == labels
    )
    loss = F.ctc_loss(logp[:, None], np.array([labels], int).reshape(1, -1), [4], [len(labels)], reduction="sum")
    np.testing.assert_allclose(loss.item(), -np.log(total), rtol=1e-12)


def test_ctc_without_a_path_is_infinite():
    logp = np.log(np.full((2, 1, 3), 1 / 3))
    assert np.isinf(F.ctc_loss(logp, np.array([[1, 1]]), [2], [2]).item())


@pytest.mark.parametrize(
    ("targets", "frames", "lengths", "error", "match"),
    [
        ([[1, 5]], [4], [2], IndexError, r"labels must be 0\.\.2 without the blank 0; found values from 1 to 5"),
        ([[1, 0]], [4], [2], IndexError, "and blanks"),
        ([[1, 2]], [9], [2], ValueError, r"input_lengths must be 0\.\.4"),
        ([[1, 2]], [4, 4], [2], ValueError, r"must have shape \(1,\)"),
        ([1, 2, 1], [4], [2], ValueError, "3 targets, but the target_lengths add up to 2"),
        ([[1, 2]], [3.5], [2], TypeError, "ctc_loss: input_lengths must be whole numbers, got float64"),
        ([[1, 2]], [4], [2.0], TypeError, "ctc_loss: target_lengths must be whole numbers"),
    ],
)
def test_ctc_explains_wrong_calls(targets, frames, lengths, error, match):
    with pytest.raises(error, match=match):
        F.ctc_loss(np.zeros((4, 1, 3)), np.array(targets), np.array(frames), np.array(lengths))


def test_ctc_needs_time_steps_and_a_blank_that_is_a_label():
    with pytest.raises(tg.errors.ShapeError, match=r"ctc_loss: log_probs \(0, 1, 3\) hold no time step"):
        F.ctc_loss(np.zeros((0, 1, 3)), [[1]], [0], [1])
    with pytest.raises(ValueError, match=r"blank must be 0\.\.2, got 1.5"):
        F.ctc_loss(np.zeros((4, 1, 3)), [[1]], [4], [1], blank=1.5)
