"""A checkpointed call gives the same values and gradients, to the last bit and at any order, and keeps less."""

import gc

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import GradientError, StaleValueError


def wave(t):
    return np.sin(t) * np.exp(t * 2)


def test_derivatives_of_any_order():
    def nth(function, n):
        y = function(x)
        for _ in range(n):
            y = tg.autograd.grad(y, x, create_graph=True)
        return y.item()

    x = tg.tensor(0.5, requires_grad=True, dtype=np.float64)
    for order in range(5):
        plain = nth(wave, order)
        assert nth(lambda t: tg.checkpoint(wave, t), order) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("own_generator", [False, True])
def test_bit_equal_with_dropout_inside(own_generator):
    generator = np.random.default_rng(7) if own_generator else None
    tg.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5, generator=generator), nn.Linear(16, 4))
    x = tg.tensor(np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32), requires_grad=True)

    def gradients(call):
        tg.manual_seed(11)
        if generator is not None:
            generator.bit_generator.state = np.random.default_rng(7).bit_generator.state
        model.zero_grad()
        x.grad = None
        hidden = call(model, x)
        (call(model, hidden) ** 2).sum().backward()
        after = tg.rand(1).item()  # the stream goes on as if nothing had been repeated
        return [x.grad.numpy(), *[p.grad.numpy() for p in model.parameters()], hidden.detach().numpy(), after]

    options = {"generators": [generator]} if own_generator else {}
    plain = gradients(lambda f, t: f(t))
    again = gradients(lambda f, t: tg.checkpoint(f, t, **options))
    for a, b in zip(plain, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_intermediate_values_are_not_kept():
    x = tg.tensor(np.ones(5000), requires_grad=True)

    def chain(t):
        for _ in range(20):
            t = np.sin(t)
        return t

    gc.collect()
    before = len(tg.autograd.live_nodes())
    y = tg.checkpoint(chain, x)
    assert len(tg.autograd.live_nodes()) == before + 1
    assert len(chain(x).shape) == 1
    y.sum().backward()
    expected = tg.tensor(np.ones(5000), requires_grad=True)
    chain(expected).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), expected.grad.numpy())


def test_several_inputs_and_outputs_keywords_and_captured_parameters():
    w = tg.tensor(3.0, requires_grad=True)
    a, b = tg.tensor(2.0, requires_grad=True), tg.tensor(5.0, requires_grad=True)
    first, second, count = tg.checkpoint(lambda a, scale, b: (a * b * scale, w * a, tg.tensor(4)), a, 10.0, b=b)
    assert count.item() == 4
    (first + second * 2).backward()
    assert (a.grad.item(), b.grad.item(), w.grad.item()) == (56, 20, 4)
    listed = tg.checkpoint(lambda a: [a * 2], a)
    assert isinstance(listed, list)
    a.grad = None
    second = tg.checkpoint(lambda a, b: (a * 2, b * 3), a, b)[0]
    second.backward()  # the other output is not used
    assert a.grad.item() == 2


def test_an_argument_that_leads_to_a_captured_parameter_counts_once_each():
    w = tg.tensor(3.0, requires_grad=True, dtype=np.float64)
    y = tg.checkpoint(lambda t: (t * w) ** 2, w * 2)  # (2w²)² = 4w⁴
    first = tg.autograd.grad(y, w, create_graph=True)
    assert first.item() == pytest.approx(16 * 27)
    assert tg.autograd.grad(first, w).item() == pytest.approx(48 * 9)


def test_twice_through_the_same_graph():
    x = tg.tensor(2.0, requires_grad=True)
    y = tg.checkpoint(lambda t: t**3, x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 24


def test_without_recording_it_is_a_plain_call():
    x = tg.tensor(2.0, requires_grad=True)
    with tg.no_grad():
        assert not tg.checkpoint(wave, x).requires_grad
    assert not tg.checkpoint(wave, tg.tensor(1.0)).requires_grad


def test_errors_teach():
    x = tg.tensor(2.0, requires_grad=True)
    outside = x * x
    with pytest.raises(GradientError, match=r"test_checkpoint\.py:\d+.*'multiply' computed; hand it to checkpoint"):
        tg.checkpoint(lambda t: t * outside, x)
    with pytest.raises(TypeError, match="must return Tensors, got int"):
        tg.checkpoint(lambda t: 3, x)
    sizes = iter([2, 3])
    y = tg.checkpoint(lambda t: t * tg.tensor(np.ones(next(sizes), np.float32)), x)
    with pytest.raises(GradientError, match=r"returned shapes \[\(3,\)\], the first time \[\(2,\)\]"):
        y.sum().backward()
    p = nn.Parameter(np.ones(2))
    z = tg.checkpoint(lambda t: t * p, x)
    p.write_(np.zeros(2))
    with pytest.raises(StaleValueError):
        z.sum().backward()
