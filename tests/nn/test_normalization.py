"""Normalization: the fused operation is its definition, running statistics move right, wrong calls are explained."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.autograd.registry import primitives
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import functional as F
from tinygrad_opt.nn.normalize import naive_normalize, normalize

VIEWS = [((3, 2, 4), (3, 2, 4), True), ((2, 3, 4), (1, 6, 4), False), ((5, 3), (5, 3, 1), True)]


@pytest.mark.parametrize(("shape", "view", "by_slice"), VIEWS)
def test_the_fused_form_is_its_definition(shape, view, by_slice):
    rng = np.random.default_rng(0)
    count = view[1] if by_slice else view[2]
    arrays = 3 + 2 * rng.standard_normal(shape), rng.standard_normal(count), rng.standard_normal(count)
    push = rng.standard_normal(shape)
    results = []
    for function in (normalize, naive_normalize):
        leaves = [tg.Tensor(a, requires_grad=True) for a in arrays]
        out = function(*leaves, view, by_slice, 1e-3)
        first = tg.autograd.grad((out * push).sum(), leaves, create_graph=True)
        second = tg.autograd.grad(sum((g**2).sum() for g in first), leaves, allow_unused=True)
        results.append([out.data, *(t.data for t in first + second if t is not None)])
    for fused, plain in zip(*results, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["normalize", "rms_normalize"])
def test_gradients_by_finite_differences(name):
    op = primitives[name]
    for args, options in op.samples():
        assert gradcheck(op, args, options, order=2, readonly_upstream=True)


def test_float32_stays_float32_and_close():
    rng = np.random.default_rng(0)
    x = 100 + rng.standard_normal((64, 32))
    exact = nn.LayerNorm(32, dtype=np.float64)(x).data
    single = nn.LayerNorm(32)(x.astype(np.float32)).data
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, atol=2e-4)


def test_running_statistics_converge_to_those_of_the_data():
    rng = np.random.default_rng(0)
    layer = nn.BatchNorm1d(2, momentum=None, dtype=np.float64)
    data = rng.normal([1.0, -2.0], [0.5, 3.0], (200, 50, 2))
    for batch in data:
        layer(batch)
    np.testing.assert_allclose(layer.running_mean.data, data.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, data.var(1, ddof=1).mean(0), rtol=1e-9)
    assert layer.num_batches_tracked.item() == 200
    before = layer.state_dict()
    layer.eval()(data[0])
    assert all((before[k] == v).all() for k, v in layer.state_dict().items())
    layer.reset_running_stats()
    assert layer.num_batches_tracked.item() == 0


def test_batch_norm_with_one_sample_explains_eval():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    with pytest.raises(ShapeError, match=r"1 \(BatchNorm1d\): x of shape \(1, 4\) has 1 value.*model.eval\(\)"):
        net(np.ones((1, 3), np.float32))
    assert net[1].num_batches_tracked.item() == 0
    assert net.eval()(np.ones((1, 3), np.float32)).shape == (1, 4)


def test_wrong_shapes_name_the_layer():
    net = nn.Sequential(nn.Identity(), nn.BatchNorm2d(16))
    with pytest.raises(ShapeError, match=r"1 \(BatchNorm2d\): expected 16 channels on axis 1, got 3"):
        net(np.ones((2, 3, 4, 4)))
    with pytest.raises(ShapeError, match=r"BatchNorm2d\): expected 4 axes, got shape \(2, 16\)"):
        net(np.ones((2, 16)))
    with pytest.raises(ShapeError, match=r"expected x to end in the axes \(5,\), got shape \(2, 4\)"):
        nn.LayerNorm(5)(np.ones((2, 4)))
    with pytest.raises(ShapeError, match=r"GroupNorm: expected 4 channels on axis 1"):
        nn.GroupNorm(2, 4)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="3 groups do not divide 4 channels"):
        nn.GroupNorm(3, 4)
    with pytest.raises(ShapeError, match="single value"):
        nn.InstanceNorm1d(3)(np.ones((2, 3, 1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.LayerNorm(()), r"LayerNorm: normalized_shape must be an int or a tuple of one or more, got \(\)"),
        (lambda: nn.RMSNorm(1.5), "RMSNorm: normalized_shape must be an int or a tuple of one or more, got 1.5"),
        (lambda: nn.LayerNorm((3, -1)), "LayerNorm: normalized_shape must be an int >= 0, got -1"),
        (lambda: nn.GroupNorm(0, 4), "GroupNorm: num_groups must be an int >= 1, got 0"),
        (lambda: nn.GroupNorm(-2, 4), "GroupNorm: num_groups must be an int >= 1, got -2"),
        (lambda: nn.GroupNorm(2, -4), "GroupNorm: num_channels must be an int >= 0, got -4"),
        (lambda: nn.BatchNorm2d(-1), "BatchNorm2d: num_features must be an int >= 0, got -1"),
        (lambda: nn.InstanceNorm1d(1.5), "InstanceNorm1d: num_features must be an int >= 0, got 1.5"),
        (lambda: nn.LocalResponseNorm(0), "LocalResponseNorm: size must be an int >= 1, got 0"),
        (lambda: F.group_norm(np.ones((2, 4)), 0), "group_norm: num_groups must be an int >= 1, got 0"),
        (lambda: F.group_norm(np.ones(4), 2), r"group_norm: expected x of shape \(N, C, ...\), got \(4,\)"),
        (lambda: F.group_norm(np.ones((2, 4)), 2, np.ones(3)), r"group_norm: weight must have shape \(4,\), .*\(3,\)"),
        (lambda: F.local_response_norm(np.ones((1, 2, 3)), 0), "local_response_norm: size must be an int >= 1, got 0"),
        (lambda: F.layer_norm(np.ones((2, 3)), 3, [1.0, 2.0]), r"weight and bias must have shape \(3,\), got \(2,\)"),
        (lambda: F.layer_norm(np.ones((2, 3)), 3.0), "layer_norm: normalized_shape must be an int or a tuple"),
        (lambda: F.batch_norm(np.ones((2, 3)), None, None), "batch_norm: evaluation .* needs running_mean"),
    ],
)
def test_wrong_options(make, message):
    with pytest.raises(ValueError, match=f"^{message}" if message[0].isupper() else message):
        make()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("function", [F.batch_norm, F.instance_norm])
@pytest.mark.parametrize("wrong", ["running_mean", "running_var", "weight", "bias"])
@pytest.mark.parametrize("length", [1, 2])
def test_a_norm_that_fails_leaves_the_running_statistics(function, wrong, length, training):
    arrays = {name: tg.tensor(np.full(3, 0.5)) for name in ("running_mean", "running_var", "weight", "bias")}
    arrays[wrong] = tg.tensor(np.full(length, 0.5))
    with pytest.raises(ShapeError, match=rf"{function.__name__}: {wrong} must have shape \(3,\).*got \({length},\)"):
        function(np.arange(24.0).reshape(2, 3, 4), *arrays.values(), training)
    assert all((array.data == 0.5).all() for array in arrays.values())


@pytest.mark.parametrize("function", [F.batch_norm, F.instance_norm])
def test_running_statistics_come_in_pairs_for_an_axis_of_channels(function):
    with pytest.raises(ValueError, match="give both running_mean and running_var, or neither"):
        function(np.ones((2, 3, 4)), np.zeros(3), None, None, None, True)
    for shape in ((), (3,)):
        with pytest.raises(ShapeError, match=rf"{function.__name__}: expected x of shape \(N, C, ...\), got"):
            function(np.ones(shape), np.zeros(3), np.ones(3), None, None, True)


@pytest.mark.parametrize("running", [[0.0, 0.0], np.zeros(2, int)])
def test_running_statistics_are_tensors_of_floats(running):
    """A list would be updated in vain, and integers would be cut off."""
    with pytest.raises(ValueError, match="batch_norm: running_mean and running_var must be Tensors of floats"):
        F.batch_norm(np.ones((3, 2)), running, np.ones(2), training=True)


def test_arrays_serve_as_running_statistics():
    mean, var = np.zeros(2), np.ones(2)
    F.batch_norm(np.array([[1.0, 2.0], [3.0, 6.0]]), mean, var, [1.0, 1.0], None, True, 0.5)
    np.testing.assert_allclose((mean, var), [[1.0, 2.0], [1.5, 4.5]])


def test_an_empty_batch_passes_layer_norm():
    assert nn.LayerNorm(3)(np.ones((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0)])
def test_rms_norm_of_nothing(shape):
    x = tg.tensor(np.zeros(shape), requires_grad=True)
    y = nn.functional.rms_norm(x, shape[1])
    y.sum().backward()
    assert y.shape == x.grad.shape == shape
