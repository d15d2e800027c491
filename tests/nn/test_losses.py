"""Losses: what wrong calls get, what stays finite, and that the fused forms are their definitions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import functional as F
from tinygrad_opt.nn.log_probability_losses import against_labels

ELEMENTWISE = [F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss, F.binary_cross_entropy_with_logits]


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=lambda f: f.__name__)
def test_shapes_that_broadcast_to_a_matrix_raise(loss):
    with pytest.raises(
        ShapeError, match=r"\(32, 1\) and target \(32,\) would broadcast to \(32, 32\). Use target\[:, None\]"
    ):
        loss(np.zeros((32, 1)), np.zeros(32))
    with pytest.raises(ShapeError, match=r"\(32,\) and target \(32, 1\)"):
        loss(np.zeros(32), np.zeros((32, 1)))
    with pytest.raises(ShapeError, match="must be equal"):
        loss(np.zeros((3, 4)), np.zeros((3, 5)))


def test_harmless_broadcasting_warns():
    with pytest.warns(UserWarning, match=r"target \(3,\) is broadcast to the input's shape \(4, 3\)"):
        value = F.mse_loss(np.ones((4, 3)), np.zeros(3))
    assert value.item() == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert F.mse_loss(np.ones((4, 3)), 0.0).item() == 1


def test_a_float64_target_does_not_promote_the_loss():
    x = tg.tensor(np.ones((4, 3), np.float32), requires_grad=True)
    for loss in ELEMENTWISE:
        assert loss(x, np.zeros((4, 3))).dtype == np.float32
    assert F.mse_loss(x, np.zeros((4, 3), int)).dtype == np.float32


@pytest.mark.parametrize("loss", [*ELEMENTWISE, F.cross_entropy, F.nll_loss], ids=lambda f: f.__name__)
def test_an_unknown_reduction_raises(loss):
    target = np.zeros(4, int) if loss in (F.cross_entropy, F.nll_loss) else np.zeros((4, 3))
    with pytest.raises(ValueError, match=r"reduction must be 'none', 'mean' or 'sum', got 'average'"):
        loss(np.zeros((4, 3)), target, reduction="average")
    with pytest.raises(ValueError, match="MSELoss: reduction"):
        nn.MSELoss("average")


X, TRIPLE = np.ones((2, 3)), (np.ones((2, 3)),) * 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.kl_div(X, X, "avg"), ValueError, "^kl_div: reduction must be 'none', 'mean', 'sum' or 'batchmean'"),
        (lambda: nn.KLDivLoss("avg"), ValueError, "^KLDivLoss: reduction must be 'none', 'mean', 'sum' or 'batchmean'"),
        (lambda: F.smooth_l1_loss(X, np.ones((2, 4)), beta=0), ShapeError, "^smooth_l1_loss: input has shape"),
        (lambda: F.smooth_l1_loss(X, X, "avg", beta=0), ValueError, "^smooth_l1_loss: reduction"),
        (
            lambda: F.triplet_margin_loss(*TRIPLE, margin=-1),
            ValueError,
            "^triplet_margin_loss: margin must be positive",
        ),
        (
            lambda: F.triplet_margin_with_distance_loss(*TRIPLE, margin=-1),
            ValueError,
            "^triplet_margin_with_distance_loss: margin must be positive, got -1",
        ),
        (
            lambda: F.triplet_margin_with_distance_loss(X, X, np.ones(3)),
            ShapeError,
            "^triplet_margin_with_distance_loss: .*same number of axes",
        ),
        (
            lambda: F.triplet_margin_with_distance_loss(*TRIPLE, reduction="avg"),
            ValueError,
            "^triplet_margin_with_distance_loss: reduction",
        ),
        (lambda: nn.TripletMarginLoss(margin=0), ValueError, "^TripletMarginLoss: margin must be positive, got 0"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=-1), ValueError, "^TripletMarginWithDistanceLoss: margin"),
        (
            lambda: F.cosine_embedding_loss(1.0, 1.0, 1),
            ShapeError,
            r"inputs must have shape \(N, D\) or \(D,\), got \(\)",
        ),
        (lambda: F.pairwise_distance(X, X.T), ShapeError, r"^pairwise_distance: shapes \(2, 3\) and \(3, 2\) do not"),
        (lambda: F.cosine_similarity(X, X.T), ShapeError, r"^cosine_similarity: shapes \(2, 3\) and \(3, 2\) do not"),
        (
            lambda: F.multi_margin_loss(X, [0, 1], weight=np.ones(2)),
            ShapeError,
            r"weight must have shape \(3,\).*\(2,\)",
        ),
        (
            lambda: F.multi_margin_loss(X, [0, 1], weight=np.ones(4)),
            ShapeError,
            r"weight must have shape \(3,\).*\(4,\)",
        ),
        (lambda: F.multi_margin_loss(X, [0, 3]), IndexError, r"labels must be 0\.\.2; found values from 0 to 3"),
        (
            lambda: F.multilabel_margin_loss(X, [[0, 1, 4], [0, 1, 2]]),
            IndexError,
            r"labels must be 0\.\.2, or -1 behind the last of a row; found values from 0 to 4",
        ),
        (
            lambda: F.multilabel_margin_loss(np.ones((2, 2, 2)), np.ones((2, 2, 2), int)),
            ShapeError,
            r"expected an input of shape \(N, C\) or \(C,\), got \(2, 2, 2\)",
        ),
        (
            lambda: F.multilabel_soft_margin_loss(X, X, weight=np.ones(2)),
            ShapeError,
            r"^multilabel_soft_margin_loss: weight of shape \(2,\) does not broadcast to the input's \(2, 3\)",
        ),
        (lambda: F.binary_cross_entropy(X, np.ones(3)), ShapeError, "^binary_cross_entropy: input has shape"),
        (lambda: F.binary_cross_entropy(X, X, weight=np.ones(2)), ShapeError, "^binary_cross_entropy: weight of shape"),
        (lambda: F.binary_cross_entropy(X, X, weight=np.ones((4, 2, 3))), ShapeError, r"weight of shape \(4, 2, 3\)"),
        (
            lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=np.ones((4, 2, 3))),
            ShapeError,
            "^binary_cross_entropy_with_logits: pos_weight of shape",
        ),
        (lambda: F.cross_entropy(1.0, 0), ShapeError, r"cross_entropy: input must have an axis of classes.*\(\)"),
        (lambda: F.nll_loss(1.0, 0), ShapeError, "nll_loss: input must have an axis of classes"),
        (lambda: F.cross_entropy(X, [0, 1], label_smoothing=2), ValueError, r"label_smoothing must be in \[0, 1\]"),
        (lambda: F.cross_entropy(X, X, ignore_index=1), ValueError, "ignore_index=1 is for labels"),
    ],
)
def test_wrong_calls_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_single_number_is_one_row_of_batchmean():
    assert F.kl_div(1.0, 1.0, "batchmean").item() == -1  # PyTorch's value


def test_a_weight_of_the_elements_that_is_trained_gets_its_gradient():
    weight = tg.tensor(np.ones(3), requires_grad=True)
    F.multilabel_soft_margin_loss(np.zeros((2, 3)), X, weight=weight).backward()
    np.testing.assert_allclose(weight.grad.data, np.full(3, np.log(2) / 3))


@pytest.mark.parametrize("wrong", [10, -1])
def test_labels_out_of_range_are_named(wrong):
    labels = np.arange(60) % 10
    labels[57] = wrong
    with pytest.raises(IndexError, match=rf"labels must be 0\.\.9.*found {wrong} at index 57"):
        F.cross_entropy(np.zeros((60, 10)), labels)


def test_labels_of_a_wrong_form():
    x = np.zeros((4, 3))
    with pytest.raises(TypeError, match="whole numbers, got float64"):
        F.cross_entropy(x, np.zeros(4))
    with pytest.raises(ShapeError, match="One-hot"):
        F.cross_entropy(x, np.zeros((4, 3), int))
    with pytest.raises(ShapeError, match=r"Use target\[..., 0\]"):
        F.cross_entropy(x, np.zeros((4, 1), int))
    with pytest.raises(ShapeError, match="classes belong on axis 1"):
        F.cross_entropy(np.zeros((2, 5, 3)), np.zeros((2, 5), int))
    with pytest.raises(ShapeError, match=r"weight must have shape \(3,\)"):
        F.cross_entropy(x, np.zeros(4, int), weight=np.ones(4))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_labels_of_any_integer_dtype(dtype):
    x = np.random.default_rng(0).standard_normal((5, 4))
    labels = np.array([0, 3, 1, 2, 3])
    assert F.cross_entropy(x, labels.astype(dtype)).item() == F.cross_entropy(x, labels).item()


def test_cross_entropy_warns_of_probabilities():
    p = np.random.default_rng(0).dirichlet(np.ones(3), 8)
    for options in ({}, {"label_smoothing": 0.1}, {"weight": np.ones(3)}):
        with pytest.warns(UserWarning, match="expects logits; these rows already sum to 1"):
            F.cross_entropy(p, np.zeros(8, int), **options)
    F.cross_entropy(np.log(p), np.zeros(8, int))


def test_nll_loss_warns_of_probabilities_without_logarithm():
    p = np.random.default_rng(0).dirichlet(np.ones(3), 8)
    with pytest.warns(UserWarning, match="nll_loss expects log-probabilities.*Take log_softmax instead of softmax"):
        F.nll_loss(p, np.zeros(8, int))
    F.nll_loss(np.log(p), np.zeros(8, int))


def test_cross_entropy_warns_of_a_single_class():
    with pytest.warns(UserWarning, match="with one class the loss is 0.*binary_cross_entropy_with_logits"):
        F.cross_entropy(np.ones((4, 1)), np.zeros(4, int))


def test_an_ignored_label_has_no_meaning_among_probabilities():
    with pytest.raises(ValueError, match="ignore_index=1 is for labels; the target holds probabilities"):
        F.cross_entropy(np.zeros((2, 3)), np.full((2, 3), 1 / 3), ignore_index=1)


def test_binary_cross_entropy_tells_logits_from_probabilities():
    with pytest.raises(ValueError, match="found values from -2 to 3.*with_logits"):
        F.binary_cross_entropy(np.array([-2.0, 3.0]), np.array([0.0, 1.0]))


def test_the_fused_cross_entropy_is_its_definition():
    rng = np.random.default_rng(0)
    a, labels = 3 * rng.standard_normal((6, 4)), rng.integers(0, 4, 6)
    values = []
    for definition in (False, True):
        x = tg.tensor(a, requires_grad=True)
        if definition:
            loss = against_labels("", F.log_softmax(x, 1), labels, None, -100, "mean", 0.0)
        else:
            loss = F.cross_entropy(x, labels)
            assert loss._node.primitive.name == "softmax_cross_entropy"
        first = tg.autograd.grad(loss, x, create_graph=True)
        second = tg.autograd.grad((first * np.arange(24.0).reshape(6, 4)).sum(), x)
        values.append((loss.data, first.data, second.data))
    for fused, plain in zip(*values, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-12, atol=1e-14)


def test_extreme_logits_stay_finite():
    x = tg.tensor(np.array([[1e4, -1e4], [-1e4, 1e4]]), requires_grad=True)
    loss = F.cross_entropy(x, np.array([0, 0]))
    loss.backward()
    assert loss.item() == 1e4
    np.testing.assert_array_equal(x.grad.data, [[0, 0], [-0.5, 0.5]])
    z = tg.tensor(np.array([1e4, -1e4]), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(z, np.array([0.0, 0.0]))
    loss.backward()
    assert loss.item() == 5e3
    np.testing.assert_array_equal(z.grad.data, [0.5, 0])
    p = tg.tensor(np.array([0.0, 1.0]), requires_grad=True)
    loss = F.binary_cross_entropy(p, np.array([1.0, 1.0]))
    loss.backward()
    assert loss.item() == 50
    assert np.isfinite(p.grad.data).all()


def test_an_empty_batch_gives_nan_and_all_ignored_too():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(F.cross_entropy(np.zeros((0, 3)), np.zeros(0, int)).item())
        assert np.isnan(F.cross_entropy(np.zeros((2, 3)), np.full(2, -100)).item())
        assert np.isnan(F.mse_loss(np.zeros(0), np.zeros(0)).item())
        assert F.cross_entropy(np.zeros((2, 3)), np.full(2, -100), reduction="sum").item() == 0


def test_ignored_samples_get_no_gradient():
    x = tg.tensor(np.random.default_rng(0).standard_normal((3, 4)), requires_grad=True)
    F.cross_entropy(x, np.array([1, -100, 2])).backward()
    assert not x.grad.data[1].any()
    np.testing.assert_allclose(x.grad.data.sum(), 0, atol=1e-15)


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_huber_needs_a_positive_delta(bad):
    with pytest.raises(ValueError, match="delta must be positive"):
        F.huber_loss(np.zeros(2), np.zeros(2), delta=bad)
