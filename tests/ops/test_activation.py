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
