"""Clipping between backward and step: by value, by norm of any order, per group, and beside PyTorch's."""

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn, optim
from tinygrad_opt.nn import utils

SHAPES = [(3, 2), (), (4,), (0,)]
ORDERS = [1.0, 1.5, 2.0, 3.0, 10.0, math.inf, -math.inf, -1.0, 0.5]


def leaves(scale=1.0):
    """Parameters with gradients; the last has none."""
    rng = np.random.default_rng(0)
    params = [tg.Tensor(np.zeros(s), requires_grad=True) for s in (*SHAPES, (2,))]
    for p in params[:-1]:
        p.grad = tg.Tensor(np.asarray(rng.standard_normal(p.shape) * scale))
    return params


def gradients(params):
    return np.concatenate([p.grad.data.reshape(-1) for p in params if p.grad is not None])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("bound", [0.0, 0.7, 1e6])
def test_by_norm_of_any_order(order, bound):
    params = leaves()
    before = gradients(params)
    norm = utils.clip_grad_norm_(params, bound, order)
    assert norm == pytest.approx(np.linalg.norm(before, order), rel=1e-12)
    np.testing.assert_allclose(gradients(params), before * min(1.0, bound / (norm + 1e-6)), rtol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("order", ORDERS)
def test_as_pytorch(order):
    torch = pytest.importorskip("torch")
    params = [p for p in leaves() if p.size]
    theirs = [torch.nn.Parameter(torch.zeros(p.shape, dtype=torch.float64)) for p in params]
    for p, q in zip(params, theirs, strict=True):
        q.grad = None if p.grad is None else torch.tensor(p.grad.data)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 0.5, order).item()
    assert utils.clip_grad_norm_(params, 0.5, order) == pytest.approx(expected, rel=1e-12)
    for p, q in zip(params, theirs, strict=True):
        if p.grad is not None:
            np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-170, 1e170])
@pytest.mark.parametrize("order", [1.5, 2.0, 3.0])
def test_neither_overflows_nor_vanishes(scale, order):
    expected = np.linalg.norm(gradients(leaves()), order) * scale
    assert utils.clip_grad_norm_(leaves(scale), 1.0, order) == pytest.approx(expected, rel=1e-12)


def test_zero_is_no_order():
    with pytest.raises(ValueError, match="norm_type"):
        utils.clip_grad_norm_(leaves(), 1.0, 0)


def test_zero_gradients_have_norm_zero():
    params = leaves(0.0)
    for order in (1.0, 2.0, 3.0, math.inf):
        assert utils.clip_grad_norm_(params, 1.0, order) == 0
    np.testing.assert_array_equal(gradients(params), 0)


def groups():
    params = leaves()
    return params, optim.SGD([{"params": params[:1]}, {"params": params[1:]}], 0.1, allow_unused=True)


@pytest.mark.parametrize("bound", [0.5, [0.5, 0.25], [1e6, 0.1]])
def test_per_group(bound):
    params, optimizer = groups()
    first, rest = gradients(params[:1]), gradients(params[1:])
    norms = utils.clip_grad_norm_per_group_(optimizer, bound)
    np.testing.assert_allclose(norms, [np.linalg.norm(first), np.linalg.norm(rest)])
    for part, before, norm, most in zip(
        (params[:1], params[1:]), (first, rest), norms, np.broadcast_to(bound, 2), strict=True
    ):
        np.testing.assert_allclose(gradients(part), before * min(1.0, most / (norm + 1e-6)), rtol=1e-12)


def test_groups_may_be_modules_or_lists():
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    net(tg.Tensor(np.ones((5, 3), np.float32))).sum().backward()
    expected = [utils.get_total_norm([p.grad for p in layer.parameters()]) for layer in net]
    assert utils.clip_grad_norm_per_group_(list(net), 1e9) == pytest.approx(expected)
    assert utils.clip_grad_norm_per_group_([list(layer.parameters()) for layer in net], 1e9) == pytest.approx(expected)


def test_per_group_all_or_none():
    params, optimizer = groups()
    before = gradients(params)
    with pytest.raises(ValueError, match="3 values of max_norm for 2 groups"):
        utils.clip_grad_norm_per_group_(optimizer, [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="negative"):
        utils.clip_grad_norm_per_group_(optimizer, [0.1, -1.0])
    np.testing.assert_array_equal(gradients(params), before)
    params[2].grad.data[0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        utils.clip_grad_norm_per_group_(optimizer, 0.1, error_if_nonfinite=True)
    np.testing.assert_array_equal(gradients(params)[:6], before[:6])


def test_by_value():
    params = leaves()
    before = gradients(params)
    utils.clip_grad_value_(params, 0.3)
    np.testing.assert_array_equal(gradients(params), np.clip(before, -0.3, 0.3))
    with pytest.raises(ValueError, match="negative"):
        utils.clip_grad_value_(params, -1.0)
