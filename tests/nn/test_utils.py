"""nn.utils: clipping, flattening and reparametrization."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn import utils


def with_gradients(*values: list[float]) -> list[nn.Parameter]:
    parameters = [nn.Parameter(np.zeros(len(v))) for v in values]
    for p, v in zip(parameters, values, strict=True):
        p.grad = tg.tensor(np.array(v))
    return [*parameters, nn.Parameter(np.zeros(1))]


def test_clipping_by_norm():
    parameters = with_gradients([3.0], [0.0, 4.0])
    assert utils.clip_grad_norm_(parameters, 1.0) == 5
    np.testing.assert_allclose(parameters[1].grad.data, [0, 4 / (5 + 1e-6)], rtol=1e-12)
    before = parameters[0].grad.data.copy()
    assert utils.clip_grad_norm_(parameters, 10.0) == pytest.approx(1.0, rel=1e-6)
    np.testing.assert_array_equal(parameters[0].grad.data, before)
    assert utils.clip_grad_norm_([], 1.0) == 0


def test_other_norms():
    assert utils.clip_grad_norm_(with_gradients([3.0], [-4.0]), 9.0, norm_type=float("inf")) == 4
    assert utils.clip_grad_norm_(with_gradients([3.0], [-4.0]), 9.0, norm_type=1.0) == 7
    huge = with_gradients([1e200, 1e200])
    assert utils.clip_grad_norm_(huge, 1.0, norm_type=float("inf")) == 1e200


def test_a_norm_in_float32_does_not_overflow():
    p = nn.Parameter(np.zeros(2, np.float32))
    p.grad = tg.tensor(np.full(2, 1e30, np.float32))
    assert utils.clip_grad_norm_(p, 1.0) == pytest.approx(np.sqrt(2) * 1e30, rel=1e-6)


def test_a_norm_that_is_not_finite_raises_before_anything_changes():
    parameters = with_gradients([np.nan], [1.0])
    with pytest.raises(ValueError, match="norm of the gradients is nan"):
        utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[1].grad.data[0] == 1
    with pytest.raises(ValueError, match="must not be negative"):
        utils.clip_grad_norm_(parameters, -1.0)


def test_clipping_by_value():
    parameters = with_gradients([3.0, -0.2], [-4.0])
    utils.clip_grad_value_(parameters, 0.5)
    np.testing.assert_array_equal(parameters[0].grad.data, [0.5, -0.2])
    np.testing.assert_array_equal(parameters[1].grad.data, [-0.5])


def test_vectors():
    net = nn.Linear(3, 2).double()
    vector = utils.parameters_to_vector(net.parameters())
    (vector**2).sum().backward()
    np.testing.assert_allclose(net.weight.grad.data, 2 * net.weight.data)
    utils.vector_to_parameters(np.arange(8.0), net.parameters())
    np.testing.assert_array_equal(net.bias.data, [6, 7])
    with pytest.raises(ShapeError, match=r"8 elements, the vector shape \(9,\)"):
        utils.vector_to_parameters(np.zeros(9), net.parameters())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: utils.parameters_to_vector([]), ValueError, "parameters_to_vector: there are no parameters"),
        (lambda: utils.parameters_to_vector(nn.ReLU()), TypeError, r"expected Tensors, .* got ReLU"),
        (lambda: utils.vector_to_parameters([1.0], [np.zeros(1)]), TypeError, r"vector_to_parameters: .* got ndarray"),
        (lambda: utils.clip_grad_norm_(nn.Linear(1, 1), 1.0), TypeError, r"model.parameters\(\).* got Linear"),
        (lambda: utils.clip_grad_norm_([np.ones(1)], 1.0), TypeError, "clip_grad_norm_: .* got ndarray"),
        (lambda: utils.clip_grad_value_(3, 1.0), TypeError, "clip_grad_value_: .* got int"),
        (lambda: utils.clip_grad_norm_per_group_(3, 1.0), TypeError, "an optimizer or a list of groups, got int"),
        (lambda: utils.clip_grad_norm_per_group_([3], 1.0), TypeError, "clip_grad_norm_per_group_: .* got int"),
        (lambda: utils.clip_grad_norm_per_group_([[]], -1.0), ValueError, "per_group_: max_norm must not be negative"),
        (lambda: utils.get_total_norm([np.ones(1)]), TypeError, "get_total_norm: .* got ndarray"),
    ],
)
def test_what_is_no_parameter_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


X = np.random.default_rng(0).standard_normal((4, 3))


class Halves(nn.Module):
    def forward(self, x):
        return np.concatenate([x, x])

    def right_inverse(self, y):
        return y[:1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda m: utils.spectral_norm(m, dim=5),
            np.exceptions.AxisError,
            r"spectral_norm: dim must be an axis of 'weight', whose shape is \(2, 3\), got 5",
        ),
        (lambda m: utils.parametrizations.spectral_norm(m, dim=-3), IndexError, "spectral_norm: dim must be .* got -3"),
        (lambda m: utils.weight_norm(m, dim=5), IndexError, "weight_norm: dim must be an axis"),
        (lambda m: utils.weight_norm(m, "bias", dim=1), IndexError, r"'bias', whose shape is \(2,\), got 1"),
        (lambda m: utils.weight_norm(m, dim=0.5), IndexError, "weight_norm: dim must be an axis .* got 0.5"),
        (lambda m: utils.parametrizations.weight_norm(m, dim=5), IndexError, "weight_norm: dim must be an axis"),
        (lambda m: utils.spectral_norm(m, n_power_iterations=0), ValueError, "n_power_iterations must be an int >= 1"),
        (lambda m: utils.spectral_norm(m, generator=3), TypeError, "numpy.random.Generator"),
        (lambda m: utils.parametrizations.spectral_norm(m, n_power_iterations=0), ValueError, "must be an int >= 1"),
        (
            lambda m: utils.parametrize.register_parametrization(m, "weight", np.tanh),
            TypeError,
            "register_parametrization: the parametrization must be a Module, got ufunc",
        ),
        (
            lambda m: utils.parametrize.register_parametrization(m, "weight", Halves()),
            ShapeError,
            r"right_inverse of Halves makes \(1, 3\) of 'weight', whose shape is \(2, 3\). Return a tuple of one",
        ),
        (
            lambda m: utils.parametrize.register_parametrization(m.weight.data, "weight", nn.Tanh()),
            TypeError,
            "register_parametrization: expected a Module, got ndarray",
        ),
    ],
)
def test_a_refused_reparametrization_leaves_the_layer_as_it_was(change, error, message):
    layer = nn.Linear(3, 2).double()
    weight, before = layer.weight, dict(layer.__dict__)
    with pytest.raises(error, match=message):
        change(layer)
    assert layer.__dict__ == before
    assert layer.weight is weight
    assert weight.name == "weight"


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim):
    net = nn.Linear(3, 2).double()
    before, y = net.weight.data.copy(), net(X).data
    assert utils.weight_norm(net, dim=dim) is net
    assert [n for n, _ in net.named_parameters()] == ["bias", "weight_g", "weight_v"]
    np.testing.assert_allclose(net(X).data, y, rtol=1e-12)
    net.weight_g.write_(2 * net.weight_g.data)
    np.testing.assert_allclose(net.weight.data, 2 * before, rtol=1e-12)
    net(X).sum().backward()
    assert net.weight_v.grad is not None
    np.testing.assert_allclose(copy.deepcopy(net)(X).data, net(X).data)
    assert "Linear(in_features=3" in repr(net)
    utils.remove_weight_norm(net)
    assert [n for n, _ in net.named_parameters()] == ["bias", "weight"]
    np.testing.assert_allclose(net.weight.data, 2 * before, rtol=1e-12)


def test_spectral_norm():
    net = utils.spectral_norm(nn.Linear(3, 2).double(), n_power_iterations=30, generator=np.random.default_rng(0))
    net(X)
    np.testing.assert_allclose(np.linalg.norm(net.weight.data, 2), 1, rtol=1e-6)
    assert sorted(net.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    u = net.weight_u.data.copy()
    net.eval()(X)
    np.testing.assert_array_equal(net.weight_u.data, u)
    utils.remove_spectral_norm(net)
    assert sorted(net.state_dict()) == ["bias", "weight"]


class Symmetric(nn.Module):
    def forward(self, x):
        return (x + x.T) / 2


def test_parametrizations():
    from tinygrad_opt.nn.utils import parametrize

    net = nn.Sequential(nn.Linear(3, 3).double())
    original = net[0].weight.data.copy()
    parametrize.register_parametrization(net[0], "weight", Symmetric())
    parametrize.register_parametrization(net[0], "weight", nn.Tanh())
    assert sorted(net.state_dict()) == ["0.bias", "0.parametrizations.weight.original"]
    expected = np.tanh((original + original.T) / 2)
    np.testing.assert_allclose(net[0].weight.data, expected)
    net(X).sum().backward()
    trained = net[0].parametrizations["weight"].original
    np.testing.assert_allclose(trained.grad.data, trained.grad.data.T)
    assert trained.name == "0.parametrizations.weight.original"
    assert parametrize.is_parametrized(net[0])
    np.testing.assert_allclose(copy.deepcopy(net)(X).data, net(X).data)
    parametrize.remove_parametrizations(net[0], "weight")
    assert not parametrize.is_parametrized(net[0], "weight")
    np.testing.assert_allclose(net[0].weight.data, expected)
    with pytest.raises(AttributeError, match=r"no parameter 'kernel' of its own; it has: .*weight"):
        parametrize.register_parametrization(net[0], "kernel", Symmetric())


@pytest.mark.parametrize("dim", [0, 1, None])
def test_the_newer_weight_norm(dim):
    from tinygrad_opt.nn.utils import parametrizations, parametrize

    net = nn.Linear(3, 2).double()
    before, y = net.weight.data.copy(), net(X).data
    assert parametrizations.weight_norm(net, dim=dim) is net
    names = ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"]
    assert list(net.state_dict()) == names
    np.testing.assert_allclose(net(X).data, y, rtol=1e-12)
    net.parametrizations["weight"].original0.write_(2 * net.parametrizations["weight"].original0.data)
    np.testing.assert_allclose(net.weight.data, 2 * before, rtol=1e-12)
    with pytest.raises(ValueError, match="several parameters"):
        parametrize.remove_parametrizations(net, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(net, "weight")
    assert list(net.state_dict()) == ["bias", "weight"]


def test_the_newer_spectral_norm():
    from tinygrad_opt.nn.utils import parametrizations

    net = parametrizations.spectral_norm(nn.Linear(3, 2).double(), generator=np.random.default_rng(0))
    for _ in range(30):
        weight = net.weight.data
    np.testing.assert_allclose(np.linalg.norm(weight, 2), 1, rtol=1e-6)
    names = ["parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"]
    assert list(net.state_dict()) == ["bias", *names]
    net.eval()
    np.testing.assert_array_equal(net.weight.data, net.weight.data)
    with pytest.raises(AttributeError, match="no parameter 'kernel'"):
        parametrizations.spectral_norm(nn.Linear(2, 2), "kernel")


def test_a_parametrization_with_a_right_inverse_starts_where_the_parameter_was():
    from tinygrad_opt.nn.utils import parametrize

    class Positive(nn.Module):
        def forward(self, x):
            return np.exp(x)

        def right_inverse(self, y):
            return np.log(y)

    net = nn.Linear(2, 1).double()
    net.weight.write_([[2.0, 3.0]])
    trained = net.weight
    parametrize.register_parametrization(net, "weight", Positive())
    assert net.parametrizations["weight"].original is trained
    np.testing.assert_allclose(net.weight.data, [[2, 3]])
    with pytest.raises(AttributeError, match=r"Linear.weight is computed from other parameters"):
        net.weight = nn.Parameter(np.zeros((1, 2)))
    parametrize.remove_parametrizations(net, "weight", leave_parametrized=False)
    np.testing.assert_allclose(net.weight.data, np.log([[2, 3]]))
    with pytest.raises(ShapeError, match=r"Unflatten makes \(1, 1\) of 'bias', whose shape is \(1,\)"):
        parametrize.register_parametrization(net, "bias", nn.Unflatten(0, (1, 1)))
    assert list(net.state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
@pytest.mark.parametrize(
    "change",
    [
        utils.weight_norm,
        utils.spectral_norm,
        utils.parametrizations.weight_norm,
        utils.parametrizations.spectral_norm,
        lambda layer: utils.parametrize.register_parametrization(layer, "weight", nn.Tanh()),
    ],
)
def test_copies_of_reparametrized_layers_are_whole_and_apart(change, twin):
    net = nn.Sequential(change(nn.Linear(3, 2).double()), nn.Tanh()).eval()
    other = twin(net)
    np.testing.assert_array_equal(other(X).data, net(X).data)
    assert list(other.state_dict()) == list(net.state_dict())
    before = net(X).data
    for parameter in other.parameters():
        parameter.write_(parameter.data + 1)
    assert not np.allclose(other(X).data, before)
    np.testing.assert_array_equal(net(X).data, before)
    other.train()(X).sum().backward()
    assert all(p.grad is not None for p in other.parameters())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("dim", [0, 1, None])
def test_second_order_through_weight_norm(dim):
    rng = np.random.default_rng(0)
    layer = utils.weight_norm(nn.Linear(3, 2).double(), dim=dim)

    def weight(v, g):
        layer.__dict__.update(weight_v=v, weight_g=g)
        return layer.weight

    assert gradcheck(weight, [rng.standard_normal((2, 3)), rng.standard_normal(layer.weight_g.shape)], order=2)
