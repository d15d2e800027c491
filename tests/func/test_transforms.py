"""grad, vjp and jvp agree with calculus, over nests of Tensors, and compose."""

import collections

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import func

X = tg.tensor(2.0, dtype=np.float64)


def fourth(x):
    return x**4


def test_grad_of_grad_of_grad():
    assert func.grad(fourth)(X).item() == 32
    assert func.grad(func.grad(fourth))(X).item() == 48
    assert func.grad(func.grad(func.grad(fourth)))(X).item() == 48
    assert not func.grad(fourth)(X).requires_grad


def test_forward_and_reverse_compose_in_every_order():
    one = tg.tensor(1.0, dtype=np.float64)

    def slope(x):
        return func.jvp(fourth, (x,), (one,))[1]

    assert slope(X).item() == 32
    assert func.grad(slope)(X).item() == 48
    assert func.grad(func.grad(slope))(X).item() == 48
    assert func.jvp(func.grad(fourth), (X,), (one,))[1].item() == 48
    assert func.jvp(lambda x: func.grad(slope)(x), (X,), (one,))[1].item() == 48
    assert func.vjp(slope, X)[1](one)[0].item() == 48


def test_nests_in_nests_out():
    params = {"w": [tg.tensor([1.0, 2.0])], "b": (tg.tensor(3.0), None)}
    value, found = func.value_and_grad(lambda p: (p["w"][0] ** 2).sum() * p["b"][0])(params)
    assert value.item() == 15
    assert list(found) == ["w", "b"]
    assert found["w"][0].tolist() == [6.0, 12.0]
    assert isinstance(found["b"], tuple)
    assert found["b"][0].item() == 5
    assert found["b"][1] is None
    value, pull = func.vjp(lambda p: {"y": p["w"][0] * 2}, params)
    (back,) = pull({"y": tg.tensor([1.0, 10.0])})
    assert back["w"][0].tolist() == [2.0, 20.0]
    assert back["b"][0].item() == 0


def test_argnums_and_aux():
    def f(a, b, scale=1.0):
        return (a * b * scale).sum(), {"twice": a * 2}

    a, b = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])
    (ga, gb), aux = func.grad(f, argnums=(0, 1), has_aux=True)(a, b, scale=10.0)
    assert (ga.tolist(), gb.tolist(), aux["twice"].tolist()) == ([30, 40], [10, 20], [2, 4])
    assert func.grad(f, argnums=-1, has_aux=True)(a, b)[0].tolist() == [1, 2]
    (value, aux), _ = func.value_and_grad(f, has_aux=True)(a, b)
    assert value.item() == 11
    assert not aux["twice"].requires_grad
    out, tangent, aux = func.jvp(lambda a: f(a, b), (a,), (a,), has_aux=True)
    assert (out.item(), tangent.item()) == (11, 11)
    assert not aux["twice"].requires_grad


def test_what_the_function_holds_is_constant_but_stays_connected():
    w = tg.tensor(3.0, requires_grad=True)
    found = func.grad(lambda x: x * x * w)(tg.tensor(2.0))
    found.backward()  # d/dw 2xw
    assert w.grad.item() == 4
    w.grad = None
    assert func.grad(lambda x: x * w)(w).item() == 3  # not 2w: the w inside is another one
    func.value_and_grad(lambda x: x * w)(tg.tensor(2.0))[0].backward()
    assert w.grad.item() == 2
    with tg.no_grad():
        assert not func.grad(lambda x: x * w)(tg.tensor(2.0)).requires_grad


def test_an_outer_graph_flows_through():
    x = tg.tensor(2.0, requires_grad=True)
    func.grad(fourth)(x).backward()
    assert x.grad.item() == 48
    x.grad = None
    func.vjp(fourth, x)[1](tg.tensor(1.0))[0].backward()
    assert x.grad.item() == 48


def test_vjp_pulls_any_number_of_times_and_is_differentiable_in_its_cotangent():
    _, pull = func.vjp(lambda a, b: (a * b, a + b), tg.tensor(2.0), tg.tensor(5.0))
    one, zero = tg.tensor(1.0), tg.tensor(0.0)
    assert [g.item() for g in pull((one, zero))] == [5, 2]
    assert [g.item() for g in pull((zero, one))] == [1, 1]
    c = tg.tensor(1.0, requires_grad=True)
    pull((c, zero))[0].backward()
    assert c.grad.item() == 5


def test_no_path_is_zero():
    x = tg.tensor([1.0, 2.0])
    assert func.grad(lambda x: tg.tensor(1.0))(x).tolist() == [0, 0]
    value, tangent = func.jvp(lambda x: tg.tensor([5.0]), (x,), (x,))
    assert (value.tolist(), tangent.tolist()) == ([5], [0])
    assert func.grad(lambda x, y: (x * 2).sum(), argnums=1)(x, x).tolist() == [0, 0]


def test_numbers_and_arrays_are_welcome():
    assert func.grad(fourth)(2.0).item() == 32
    assert func.grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0])).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: func.grad(lambda x: x * 2)(tg.tensor([1.0, 2.0])), RuntimeError, r"one number, got shape \(2,\)"),
        (lambda: func.grad(fourth)(tg.tensor(2)), RuntimeError, "int64 cannot be differentiated"),
        (lambda: func.grad(lambda x: 3.0)(X), TypeError, "must return Tensors, got float"),
        (lambda: func.grad(fourth, argnums=1)(X), ValueError, "argnums=1 for a call with 1 positional"),
        (lambda: func.jvp(fourth, (X,), (tg.tensor([1.0]),)), ValueError, r"tangent has shape \(1,\) where \(\)"),
        (lambda: func.jvp(fourth, (X,), (X, X)), ValueError, "tangent has 2 Tensors where 1"),
        (lambda: func.vjp(fourth, X)[1](tg.tensor([1.0])), ValueError, r"cotangent has shape \(1,\) where \(\)"),
    ],
)
def test_wrong_calls_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_every_kind_of_dict_comes_back_as_it_was():
    for kind in (dict, collections.OrderedDict, lambda d: collections.defaultdict(list, d)):
        point = kind({"b": X, "a": [X]})
        found = func.grad(lambda p: p["b"] ** 2 * p["a"][0])(point)
        assert type(found) is type(point)
        assert list(found) == ["b", "a"]
        assert (found["b"].item(), found["a"][0].item()) == (8, 4)
