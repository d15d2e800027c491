"""functional_call puts other parameters in and takes them out again; vmap maps."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import func, nn


def test_functional_call_differentiates_what_it_was_given():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    x = tg.tensor(np.ones((4, 2), np.float32))
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    found = func.grad(lambda p: func.functional_call(model, p, x).mean())(parameters)
    model(x).mean().backward()
    assert list(found) == [name for name, _ in model.named_parameters()]
    for name, p in model.named_parameters():
        np.testing.assert_allclose(found[name].numpy(), p.grad.numpy(), rtol=1e-6)


def test_functional_call_leaves_the_module_as_it_was():
    model = nn.Linear(2, 1)
    weight = model.weight
    x = np.ones((1, 2), np.float32)
    doubled = func.functional_call(model, {"weight": weight.detach().numpy() * 2}, x)
    assert model.weight is weight
    np.testing.assert_allclose((doubled - model(x)).item(), weight.detach().numpy().sum(), rtol=1e-5)
    with pytest.raises(ValueError, match="Linear"):
        func.functional_call(model, {"weight": weight * 2}, np.ones((1, 5), np.float32))
    assert model.weight is weight
    with pytest.raises(KeyError, match="no parameter or buffer 'wait'"):
        func.functional_call(model, {"wait": weight}, x)
    with pytest.raises(tg.errors.ShapeError, match=r"'weight' has shape \(1, 2\), but \(2, 2\)"):
        func.functional_call(model, {"weight": np.ones((2, 2))}, x)


def test_tied_parameters_are_replaced_under_all_their_names():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    out = func.functional_call(model, {"0.weight": np.eye(2, dtype=np.float32) * 3}, np.ones((1, 2), np.float32))
    assert out.tolist() == [[9.0, 9.0]]


def test_vmap_gives_the_gradient_of_each_example():
    w = tg.tensor([1.0, 2.0])
    xs, ys = np.arange(6.0, dtype=np.float32).reshape(3, 2), np.ones(3, np.float32)
    each = func.vmap(func.grad(lambda w, x, y: ((w * x).sum() - y) ** 2), (None, 0, 0))(w, xs, ys)
    expected = 2 * (xs @ w.numpy() - ys)[:, None] * xs
    np.testing.assert_allclose(each.numpy(), expected, rtol=1e-6)


def test_vmap_axes_and_nests():
    out = func.vmap(lambda p: {"s": p["a"].sum(), "d": p["a"] * 2}, in_axes=1, out_axes=-1)({"a": np.ones((2, 3))})
    assert out["s"].shape == (3,)
    assert out["d"].shape == (2, 3)
    with pytest.raises(tg.errors.ShapeError, match=r"one extent.*\[2, 3\]"):
        func.vmap(lambda a, b: a)(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="in_axes has 1 entries for 2"):
        func.vmap(lambda a, b: a, in_axes=(0,))(np.ones(2), np.ones(2))
