"""The activations of ops/ against their definitions, at sizes where the definitions overflow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

X = np.array([[-3.0, 0.5, 2.0], [1.0, 1.0, -0.25]])


def test_definitions() -> None:
    t = tg.Tensor(X)
    np.testing.assert_allclose(tg.sigmoid(t).data, 1 / (1 + np.exp(-X)), rtol=1e-14)
    np.testing.assert_allclose(tg.log_sigmoid(t).data, np.log(1 / (1 + np.exp(-X))), rtol=1e-13)
    np.testing.assert_allclose(tg.softplus(t).data, np.log(1 + np.exp(X)), rtol=1e-13)
    np.testing.assert_array_equal(tg.relu(t).data, np.maximum(X, 0))
    np.testing.assert_allclose(tg.logit(tg.sigmoid(t)).data, X, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1)])
def test_softmax_family(axis: Any) -> None:
    t = tg.Tensor(X)
    e = np.exp(X)
    np.testing.assert_allclose(tg.softmax(t, axis=axis).data, e / e.sum(axis, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(tg.log_softmax(t, axis=axis).data, np.log(e / e.sum(axis, keepdims=True)), rtol=1e-13)
    np.testing.assert_allclose(tg.logsumexp(t, axis=axis).data, np.log(e.sum(axis)), rtol=1e-13)


def test_without_overflow() -> None:
    huge = tg.Tensor(np.array([1000.0, -1000.0, 0.0]))
    np.testing.assert_array_equal(tg.sigmoid(huge).data, [1, 0, 0.5])
    np.testing.assert_array_equal(tg.softplus(huge).data, [1000, 0, math.log(2)])
    np.testing.assert_array_equal(tg.log_sigmoid(huge).data, [0, -1000, -math.log(2)])
    np.testing.assert_array_equal(tg.softmax(huge).data, [1, 0, 0])
    np.testing.assert_array_equal(tg.log_softmax(huge).data, [0, -2000, -1000])
    assert tg.logsumexp(huge).item() == 1000


def test_nothing_is_possible() -> None:
    """ln Σ exp over −∞ alone, or over nothing, is −∞, without a warning."""
    assert tg.logsumexp(tg.Tensor(np.full(3, -np.inf))).item() == -math.inf
    assert tg.logsumexp(tg.Tensor(np.zeros((0,)))).item() == -math.inf
    assert tg.softmax(tg.Tensor(np.zeros((2, 0)))).shape == (2, 0)


def test_sigmoid_is_accurate_far_down() -> None:
    x = np.array([-30.0, -700.0])
    np.testing.assert_allclose(tg.sigmoid(tg.Tensor(x)).data, np.exp(x), rtol=1e-12)


def test_softplus_with_its_options():
    x = np.array([-3.0, 0.5, 2.0, 40.0])
    np.testing.assert_allclose(tg.softplus(x, beta=2.0).data, np.log1p(np.exp(2 * x)) / 2, rtol=1e-14)
    found = tg.softplus(tg.tensor(x, requires_grad=True), threshold=1.0)
    np.testing.assert_allclose(found.data, [np.log1p(np.exp(-3.0)), np.log1p(np.exp(0.5)), 2.0, 40.0], rtol=1e-14)
    assert tg.gradcheck(lambda x: tg.softplus(x, 2.0, 5.0) ** 2, [x], order=2)


def test_logit_held_between_bounds():
    x = tg.tensor(np.array([0.01, 0.5, 0.99, -1.0, 2.0]), requires_grad=True)
    y = tg.logit(x, eps=0.1)
    np.testing.assert_allclose(y.data, np.log(9.0) * np.array([-1.0, 0.0, 1.0, -1.0, 1.0]), atol=1e-14)
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 4.0, 0.0, 0.0, 0.0]


def test_diagonals_written():
    x, d = np.zeros((2, 3)), np.array([1.0, 2.0])
    assert tg.diagonal_scatter(tg.tensor(x), tg.tensor(d), 1).tolist() == [[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]
    assert tg.diag_embed(tg.tensor(d), -1).tolist() == [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    tg.gradcheck(lambda x, d: tg.diagonal_scatter(x, d, 1) ** 2, [x + 0.5, d], order=2)
    tg.gradcheck(lambda x: tg.diag_embed(x, 1, 0, -1) ** 2, [np.arange(1.0, 5.0).reshape(2, 2)], order=2)


def test_concatenation_passes_over_empty_vectors():
    found = tg.concatenate([tg.zeros(0), tg.ones((2, 3)), tg.zeros(0)], axis=1)
    assert found.tolist() == [[1.0] * 3] * 2


def test_a_number_counts_as_one_element():
    x = tg.tensor(np.float64(3.0), requires_grad=True)
    for function in (np.median, tg.logsumexp, np.mean, lambda x, axis: np.quantile(x, 0.3, axis=axis)):
        y = function(x, axis=0)
        assert (y.shape, y.item()) == ((), 3.0)
