"""Layer health: every number against NumPy, every warning with a net that earns it."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn, optim, viz


def deep(activation, layers=6, scale=1.0, width=8):
    rng = np.random.default_rng(0)
    model = nn.Sequential(*[part for _ in range(layers) for part in (nn.Linear(width, width), activation())])
    for parameter in model.parameters():
        parameter.data[...] = scale * rng.standard_normal(parameter.shape) / np.sqrt(width)
    x = rng.standard_normal((16, width)).astype(np.float32)
    return model, model(x).mean()


def test_numbers_are_those_of_numpy():
    model, loss = deep(nn.Tanh, layers=2)
    report = viz.flow(model, loss, lr=0.5)
    assert [layer.path for layer in report.layers] == ["0", "1", "2", "3"]
    loss.backward(retain_graph=True)
    weight, bias = model[0].weight, model[0].bias
    norm = np.sqrt((weight.data**2).sum() + (bias.data**2).sum())
    slope = np.sqrt((weight.grad.data**2).sum() + (bias.grad.data**2).sum())
    first = report.layers[0]
    assert first.weight == pytest.approx(norm, rel=1e-5)
    assert first.weight_gradient == pytest.approx(slope, rel=1e-5)
    assert first.update == pytest.approx(0.5 * slope / norm, rel=1e-5)
    assert report.layers[-1].gradient == pytest.approx(1 / (16 * 8), rel=1e-5)
    assert np.isnan(report.layers[1].weight)


@pytest.mark.parametrize("kind", ["SGD", "Momentum", "Adam", "AdamW", "LAMB"])
def test_with_an_optimizer_the_update_is_its_real_step(kind):
    model, loss = deep(nn.Tanh, layers=2)
    optimizer = getattr(optim, kind)(model.parameters(), lr=0.01)
    for _ in range(3):  # so that it has a memory
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss = model(np.ones((4, 8), np.float32)).mean()
    optimizer.zero_grad()
    state = optimizer.state_dict()
    report = viz.flow(model, loss, optimizer=optimizer)
    assert all(p.grad is None for p in model.parameters())
    np.testing.assert_equal(optimizer.state_dict(), state)
    before = [np.copy(p.data) for p in model[0].parameters()]
    loss.backward()
    optimizer.step()
    moved = np.sqrt(sum(np.sum((p.data - b) ** 2) for p, b in zip(model[0].parameters(), before, strict=True)))
    size = np.sqrt(sum(np.sum(b**2) for b in before))
    assert report.layers[0].update == pytest.approx(moved / size, rel=1e-3)


def test_an_optimizer_that_is_no_formula_is_noted():
    model, loss = deep(nn.Tanh, layers=1)
    report = viz.flow(model, loss, optimizer=optim.LBFGS(model.parameters()))
    assert "LBFGS is not one formula" in str(report)
    assert np.isnan(report.layers[0].update)


def test_no_gradient_changes():
    model, loss = deep(nn.Tanh, layers=1)
    viz.flow(model, loss)
    assert all(p.grad is None for p in model.parameters())


def test_vanishing_gradients_are_reported():
    model, loss = deep(nn.Sigmoid, layers=8, scale=0.5)
    assert any("0: Linear: the gradient vanishes" in line for line in viz.flow(model, loss).warnings)


def test_dead_units_are_counted():
    model, _ = deep(nn.ReLU, layers=1)
    model[0].bias.data[:6] = -100.0
    report = viz.flow(model, model(np.ones((4, 8), np.float32)).mean())
    assert report.layers[1].dead >= 0.75
    assert any("of the units are 0 for every example" in line for line in report.warnings)


def test_saturation_is_counted():
    model, loss = deep(nn.Tanh, layers=1, scale=100.0)
    report = viz.flow(model, loss)
    assert report.layers[1].saturated > 0.5
    assert "saturated" in str(report)


def test_updates_out_of_range_are_reported():
    model, loss = deep(nn.Tanh, layers=1)
    assert any("lower the rate" in line for line in viz.flow(model, loss, lr=1e3).warnings)
    assert any("only" in line for line in viz.flow(model, loss, lr=1e-9).warnings)


def test_after_backward_it_says_what_is_missing():
    model, loss = deep(nn.Tanh, layers=1)
    loss.backward()
    report = viz.flow(model, loss)
    assert "used up" in str(report)
    assert np.isfinite(report.layers[0].weight_gradient)
    assert np.isnan(report.layers[0].gradient)


def test_another_models_loss_is_refused():
    model, _ = deep(nn.Tanh, layers=1)
    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match="no layer"):
        viz.flow(model, (x * x).sum())


def test_each_plot_takes_and_returns_its_axes():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    model, loss = deep(nn.ReLU, layers=3)
    report = viz.flow(model, loss)
    for draw in (report.plot_gradients, report.plot_activations, report.plot_dead, report.plot_updates):
        ax = Figure().add_subplot()
        assert draw(ax) is ax
        assert len(ax.get_xticklabels()) == 6
