"""Optimizers around optimizers."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim


def leaf(*values):
    return tg.Tensor(np.array(values, float), requires_grad=True)


def give(p, *values):
    p.grad = tg.Tensor(np.array(values, float).reshape(p.shape))


def test_lookahead_by_hand():
    w = leaf(0.0)
    optimizer = optim.Lookahead(optim.SGD([w], 1.0), k=3, alpha=0.5)
    seen = []
    for _ in range(6):
        give(w, -1.0)
        optimizer.step()
        seen.append(float(w.data[0]))
    assert seen == [1.0, 2.0, 1.5, 2.5, 3.5, 3.0]


def test_lookahead_starts_from_the_weights_of_its_first_step():
    """Weights loaded after it was made, and groups added later, are not drawn back to what they were."""
    w, late = leaf(0.0), leaf(100.0)
    optimizer = optim.Lookahead(optim.SGD([w], 1.0), k=2, alpha=0.5)
    w.data[...] = 10.0
    for step in range(4):
        if step == 1:
            optimizer.add_param_group({"params": [late]})
            late.data[...] = 50.0
        give(w, -1.0)
        give(late, -1.0)
        optimizer.step()
    assert w.data.tolist() == [12.0]  # 10, 11, 12 → 11, 12, 13 → 12
    assert late.data.tolist() == [51.5]  # 50, 51 → 50.5, 51.5, 52.5 → 51.5


def test_lookahead_goes_on_from_its_state():
    def make():
        w = leaf(0.0)
        return w, optim.Lookahead(optim.SGD([w], 1.0, momentum=0.5), k=3)

    (a, one), (b, other) = make(), make()
    for step in range(8):
        give(a, -1.0)
        one.step()
        if step == 3:
            b.data[...] = a.data
            other.load_state_dict(one.state_dict())
        elif step > 3:
            give(b, -1.0)
            other.step()
    np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_takes_the_gradient_at_the_worst_point(adaptive):
    w = leaf(3.0, 4.0)
    optimizer = optim.SAM(optim.SGD([w], 0.1), rho=0.5, adaptive=adaptive)

    def closure():
        optimizer.zero_grad()
        loss = (w * w * w).sum()
        loss.backward()
        return loss

    x = np.array([3.0, 4.0])
    g = 3 * x**2
    scale = np.abs(x) if adaptive else np.ones(2)
    worst = x + 0.5 * scale**2 * g / np.linalg.norm(scale * g)
    assert optimizer.step(closure).item() == 91.0
    np.testing.assert_allclose(w.data, x - 0.1 * 3 * worst**2)
    with pytest.raises(TypeError, match="closure"):
        optimizer.step()


def test_sam_restores_the_parameters_when_the_closure_fails():
    w = leaf(3.0)
    optimizer = optim.SAM(optim.SGD([w], 0.1))
    calls = []

    def closure():
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("no more")
        w.grad = tg.Tensor(np.ones(1))
        return 0.0

    with pytest.raises(RuntimeError):
        optimizer.step(closure)
    assert w.data[0] == 3.0


def test_gradient_centralization():
    w, b = tg.Tensor(np.zeros((2, 3)), requires_grad=True), leaf(0.0, 0.0)
    optimizer = optim.GradientCentralization(optim.SGD([w, b], 1.0))
    give(w, 1.0, 2.0, 3.0, 0.0, 0.0, 6.0)
    give(b, 1.0, 2.0)
    kept = w.grad
    optimizer.step()
    np.testing.assert_allclose(w.data, [[1.0, 0.0, -1.0], [2.0, 2.0, -4.0]])
    np.testing.assert_allclose(b.data, [-1.0, -2.0])
    assert w.grad is kept


def test_gradient_noise_has_the_stated_variance():
    w = tg.Tensor(np.zeros(20000), requires_grad=True)
    optimizer = optim.GradientNoise(optim.SGD([w], 1.0), eta=0.3, gamma=1.0, generator=np.random.default_rng(0))
    for t in range(3):
        w.data[...] = 0
        w.grad = tg.Tensor(np.zeros(20000))
        optimizer.step()
        assert np.var(w.data) == pytest.approx(0.3 / (1 + t), rel=0.05)


def test_adaptive_clipping():
    w = tg.Tensor(np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]), requires_grad=True)
    optimizer = optim.AGC(optim.SGD([w], 1.0), clipping=0.1)
    give(w, 3.0, 4.0, 0.006, 0.008, 1.0, 0.0)
    optimizer.step()
    np.testing.assert_allclose(w.data, [[2.7, 3.6], [0.294, 0.392], [-1e-4, 0.0]])


def test_accumulation_equals_one_large_batch():
    data = np.random.default_rng(0).standard_normal((8, 3))
    a, b = leaf(1.0, 2.0, 3.0), leaf(1.0, 2.0, 3.0)
    whole, parts = optim.Adam([a], 0.1), optim.Accumulate(optim.Adam([b], 0.1), every=4)
    for _ in range(3):
        whole.zero_grad()
        ((tg.Tensor(data) * a) ** 2).sum(axis=1).mean().backward()
        whole.step()
        for rows in np.split(data, 4):
            parts.zero_grad()
            ((tg.Tensor(rows) * b) ** 2).sum(axis=1).mean().backward()
            parts.step()
    np.testing.assert_allclose(a.data, b.data, rtol=1e-12)


def test_averages():
    w = leaf(0.0)
    ema, swa = optim.EMA([w], 0.9), optim.SWA([w])
    for value in (1.0, 2.0, 3.0):
        w.data[...] = value
        ema.update()
        swa.update()
    with swa.swapped():
        assert w.data[0] == pytest.approx(2.0)
    assert w.data[0] == 3.0
    assert ema.values[0][0] == pytest.approx(0.1 * (3 + 0.9 * 2 + 0.81))
    other = optim.EMA([w], 0.9)
    other.load_state_dict(ema.state_dict())
    np.testing.assert_array_equal(other.values[0], ema.values[0])
    with pytest.raises(ValueError, match="other shapes"):
        optim.SWA([leaf(1.0, 2.0)]).load_state_dict(swa.state_dict())


def test_wrappers_stack_and_take_schedules():
    w = leaf(1.0)
    optimizer = optim.Lookahead(optim.AGC(optim.Adam([w], 0.1)))
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    give(w, 1.0)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.05
    assert "Lookahead(k=5, alpha=0.5" in repr(optimizer)
    optimizer.error_if_nonfinite = True
    give(w, np.nan)
    with pytest.raises(tg.errors.GradientError, match="nothing was updated"):
        optimizer.step()


def test_wrong_arguments():
    w = leaf(1.0)
    inner = optim.SGD([w])
    for make in (
        lambda: optim.Lookahead(inner, k=0),
        lambda: optim.SAM(inner, rho=-1),
        lambda: optim.Accumulate(inner, 0),
        lambda: optim.EMA([w], 2),
        lambda: optim.AGC(inner, 0),
        lambda: optim.AGC(inner, eps=-1.0),
        lambda: optim.Lookahead(inner, k=2.5),
        lambda: optim.Accumulate(inner, 1.5),
        lambda: optim.GradientNoise(inner, eta=-1),
    ):
        with pytest.raises(ValueError, match="must"):
            make()
    with pytest.raises(TypeError, match="expected an optimizer"):
        optim.Lookahead([w])
    with pytest.raises(TypeError, match=r"EMA expected Tensors, got Linear; pass model.parameters\(\)"):
        optim.EMA(tg.nn.Linear(2, 2))
    with pytest.raises(TypeError, match="generator"):
        optim.GradientNoise(inner, generator=3)
