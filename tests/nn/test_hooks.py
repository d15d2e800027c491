"""Functions attached to modules: before and after the forward, and behind the backward pass."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 1, bias=False))


def test_forward_hooks():
    net, calls = model(), []
    before = net[1].register_forward_pre_hook(lambda m, args: calls.append(args[0].shape))
    after = net[1].register_forward_hook(lambda m, args, out: out * 2)
    x = np.ones((4, 2), np.float32)
    doubled = net(x).data
    after.remove()
    np.testing.assert_allclose(doubled, 2 * net(x).data, rtol=1e-6)
    before.remove()
    before.remove()
    net(x)
    assert calls == [(4, 3), (4, 3)]


def test_backward_hooks_see_and_replace_the_gradient_of_the_input():
    layer, seen = nn.Linear(2, 2).double(), []
    handle = layer.register_full_backward_hook(lambda m, given, got: seen.append((given[0].data, got[0].data)))
    x = tg.tensor(np.ones((3, 2)), requires_grad=True)
    (layer(x).sum() + (x * 5).sum()).backward()
    np.testing.assert_allclose(seen[0][1], np.ones((3, 2)))
    np.testing.assert_allclose(seen[0][0], np.ones((3, 2)) @ layer.weight.data)
    handle.remove()
    x.grad = None
    layer.register_full_backward_hook(lambda m, given, got: (given[0] * 0,))
    layer(x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 0)


def test_hooks_with_keywords_and_before_others():
    class Scaled(nn.Module):
        def forward(self, x, factor=1.0):
            return x * factor

    layer, order = Scaled(), []
    layer.register_forward_pre_hook(lambda m, args: order.append("second"))
    layer.register_forward_pre_hook(lambda m, args: order.append("first"), prepend=True)
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"factor": 2 * kwargs["factor"]}), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, kwargs, out: out + kwargs["factor"], with_kwargs=True)
    assert layer(tg.tensor(3.0), factor=5.0).item() == 40
    assert order == ["first", "second"]
    layer.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(
        TypeError, match=r"Scaled: a forward pre-hook with with_kwargs=True must return None or \(args,"
    ):
        layer(tg.tensor(3.0), factor=5.0)


def test_hooks_whose_handles_nobody_keeps_all_run():
    layer, seen = nn.Identity(), []
    for number in range(20):
        layer.register_forward_hook(lambda m, args, out, number=number: seen.append(number))
    layer(1)
    assert seen == list(range(20))
