"""autograd.grad, derivatives of higher order, hooks and retained gradients."""

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import GradientError, ShapeError


def leaf(value, **options):
    return tg.tensor(np.asarray(value, dtype=float), requires_grad=True, **options)


def test_grad_leaves_every_grad_alone():
    x = leaf(3.0)
    assert tg.autograd.grad(x * x, x).item() == 6.0
    assert x.grad is None


def test_grad_of_several_inputs_and_outputs():
    x, y = leaf(2.0), leaf(5.0)
    gx, gy = tg.autograd.grad([x * y, x + y], [x, y], [np.array(10.0), None])
    assert (gx.item(), gy.item()) == (51.0, 21.0)


def test_grad_with_respect_to_a_computed_tensor():
    x = leaf(2.0)
    h = x * x
    loss = h * h
    assert tg.autograd.grad(loss, h, retain_graph=True).item() == 8.0
    assert tg.autograd.grad(loss, [h, x])[1].item() == 32.0


def test_a_target_whose_own_graph_was_used_up():
    x = leaf(2.0)
    h = x * x
    h.backward()
    assert tg.autograd.grad(h * 3.0, h).item() == 3.0


def test_only_the_way_to_the_inputs_is_computed():
    @tg.primitive(name="must_not_run")
    def trap(x):
        return x * 1

    @trap.vjp(0)
    def _(g, y, x):
        raise AssertionError("this branch leads nowhere")

    x, y = leaf(1.0), leaf(1.0)
    assert tg.autograd.grad(x * 2 + trap(y), x).item() == 2.0
    from tinygrad_opt.autograd.registry import primitives

    del primitives["must_not_run"]


def test_unused_inputs():
    x, y = leaf(1.0), leaf(1.0)
    with pytest.raises(GradientError, match="do not depend on input 1"):
        tg.autograd.grad(x * 2, [x, y])
    gx, gy = tg.autograd.grad(x * 2, [x, y], allow_unused=True)
    assert gx.item() == 2.0
    assert gy is None


def test_input_that_requires_no_gradient():
    with pytest.raises(GradientError, match="input 0 of shape .* requires no gradient"):
        tg.autograd.grad(leaf(1.0) * 2, tg.tensor(1.0))


def test_third_derivative_of_a_composite_function():
    """d³/dx³ of sin(x²)·eˣ at 0.7, from the closed form."""
    v = 0.7
    s, c, e = math.sin(v * v), math.cos(v * v), math.exp(v)
    f = [s, 2 * v * c, 2 * c - 4 * v**2 * s, -12 * v * s - 8 * v**3 * c]  # derivatives of sin(x²)
    expected = e * (f[0] + 3 * f[1] + 3 * f[2] + f[3])  # Leibniz
    x = leaf(v)
    y = np.sin(x * x) * np.exp(x)
    for _ in range(3):
        y = tg.autograd.grad(y, x, create_graph=True)
    assert y.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_derivatives_of_a_power(order):
    x = leaf(1.5)
    y = x**6
    for _ in range(order):
        y = tg.autograd.grad(y, x, create_graph=True)
    assert y.item() == pytest.approx(math.perm(6, order) * 1.5 ** (6 - order), rel=1e-12)


def test_backward_with_create_graph_makes_a_differentiable_grad():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    assert tg.autograd.grad(x.grad, x).item() == 18.0


def test_create_graph_inside_no_grad():
    x = leaf(2.0)
    y = x**3
    with tg.no_grad():
        first = tg.autograd.grad(y, x, create_graph=True)
    assert tg.autograd.grad(first, x).item() == 12.0


def test_gradient_penalty_trains_through_the_gradient():
    w = leaf([1.0, -2.0])
    x = leaf([0.5, 0.25])
    (g,) = tg.autograd.grad(((w * x) ** 2).sum(), [x], create_graph=True)  # 2w²x
    (g * g).sum().backward()  # Σ 4w⁴x², derivative 16w³x²
    np.testing.assert_allclose(w.grad.data, 16 * w.data**3 * x.data**2)


def test_hessian_vector_product():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    x = leaf([1.0, 2.0])
    g = tg.autograd.grad((x @ a @ x) * 0.5, x, create_graph=True)
    v = np.array([1.0, -1.0])
    np.testing.assert_allclose(tg.autograd.grad(g, x, v).data, a @ v)


def test_vector_jacobian_product():
    x = leaf([1.0, 2.0, 3.0])
    v = np.array([1.0, 0.0, -1.0])
    np.testing.assert_allclose(tg.autograd.grad(x * x, x, v).data, 2 * x.data * v)


def test_hooks_on_leaves_and_computed_tensors():
    x = leaf(2.0)
    y = x * 3
    seen = []
    x.register_hook(lambda g: seen.append(("x", g.item())))
    handle = y.register_hook(lambda g: g * 10)
    (y * 1.0).backward()
    assert seen == [("x", 30.0)]
    assert x.grad.item() == 30.0
    handle.remove()
    handle.remove()
    x.grad = None
    (x * 3 * 1.0).backward()
    assert x.grad.item() == 3.0


def test_a_leaf_hook_sees_the_sum_of_one_pass_once():
    x = leaf(1.0)
    calls = []
    x.register_hook(lambda g: calls.append(g.item()))
    (x + x + x).backward()
    assert calls == [3.0]


def test_hooks_whose_handles_nobody_keeps_all_run():
    x = leaf(1.0)
    y = x * 2
    calls = []
    for number in range(20):
        x.register_hook(lambda g, number=number: calls.append(number))
        y.register_hook(lambda g, number=number: calls.append(100 + number))
    y.backward()
    assert calls == [*range(100, 120), *range(20)]


def test_a_hook_of_the_wrong_shape():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match="hook returned shape"):
        (x * 2).sum().backward()
    assert x.grad is None


def test_retain_grad():
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    (y * 3).backward()
    assert y.grad.item() == 3.0
    assert x.grad.item() == 12.0
    unretained = x * x
    (unretained * 3).backward()
    assert unretained.grad is None


def test_hook_and_retain_grad_need_a_gradient():
    for call in (lambda t: t.register_hook(print), lambda t: t.retain_grad()):
        with pytest.raises(GradientError, match="requires no gradient"):
            call(tg.tensor(1.0))


def test_float32_stays_float32_when_mixed_with_float64():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert x.dtype == np.float32
    y = x * np.array([3.0, 4.0])
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32
    g = tg.autograd.grad((x * np.array([3.0, 4.0])).sum(), x, create_graph=True)
    assert g.dtype == np.float32


def test_grad_outputs_must_match():
    x = leaf(1.0)
    with pytest.raises(ValueError, match="1 outputs but 2 grad_outputs"):
        tg.autograd.grad([x * 2], [x], [None, None])


def test_unused_outputs_of_an_operation_with_several():
    x = leaf([1.0, 2.0, 3.0, 4.0])
    first, second = np.split(x, 2)
    assert tg.autograd.grad((second**2).sum(), x).tolist() == [0.0, 0.0, 6.0, 8.0]
    first, second = np.split(x, 2)
    (first * second).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0, 1.0, 2.0]


def test_second_order_through_an_operation_with_several_outputs():
    x = leaf([1.0, 2.0, 3.0, 4.0])
    first, second = np.split(x, 2)
    g = tg.autograd.grad((first * second**2).sum(), x, create_graph=True)  # (b², 2ab)
    assert g.tolist() == [9.0, 16.0, 6.0, 16.0]
    assert tg.autograd.grad(g.sum(), x).tolist() == [6.0, 8.0, 2 * 3 + 2 * 1, 2 * 4 + 2 * 2]
