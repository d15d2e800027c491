"""Landscapes and learning rates on problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn, viz
from tinygrad_opt.errors import ShapeError


def linear_model():
    model = nn.Linear(2, 1).double()
    x = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [-1.0, 1.0]])
    y = x @ np.array([[1.0], [-2.0]]) + 0.5
    return model, lambda: nn.functional.mse_loss(model(x), y), x


def train(model, loss, steps=30, lr=0.1):
    path = [viz.snapshot(model)]
    for _ in range(steps):
        model.zero_grad()
        loss().backward()
        for parameter in model.parameters():
            parameter.data[...] -= lr * parameter.grad.data
        path.append(viz.snapshot(model))
    return path


def test_the_plane_holds_the_loss_and_most_of_the_path():
    model, loss, _ = linear_model()
    path = train(model, loss)
    before = viz.snapshot(model)
    found = viz.landscape(model, loss, path, resolution=9)
    np.testing.assert_array_equal(viz.snapshot(model), before)
    np.testing.assert_allclose(found.path[-1], 0.0, atol=1e-12)
    assert 0.99 < sum(found.explained) <= 1.0 + 1e-12
    assert found.explained[0] >= found.explained[1]
    moved = np.asarray(path) - path[-1]
    _, spread, rows = np.linalg.svd(moved, full_matrices=False)
    point = path[-1] + found.x[2] * rows[0] + found.y[5] * rows[1]
    model.weight.data[...] = point[:2]
    model.bias.data[...] = point[2:]
    assert found.loss[5, 2] == pytest.approx(loss().item(), rel=1e-12)
    assert found.explained[0] == pytest.approx(spread[0] ** 2 / (spread**2).sum())


def test_a_loss_that_raises_leaves_the_parameters():
    model, loss, _ = linear_model()
    path = train(model, loss, steps=4)
    before = viz.snapshot(model)
    calls = []

    def fails():
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("no")
        return loss()

    with pytest.raises(RuntimeError, match="no"):
        viz.landscape(model, fails, path, resolution=4)
    np.testing.assert_array_equal(viz.snapshot(model), before)


def test_paths_that_span_no_plane_say_why():
    model, loss, _ = linear_model()
    point = viz.snapshot(model)
    with pytest.raises(ShapeError, match="3 parameters"):
        viz.landscape(model, loss, [point[:2]] * 3)
    with pytest.raises(ValueError, match="three snapshots"):
        viz.landscape(model, loss, [point, point])
    with pytest.raises(ValueError, match="does not move"):
        viz.landscape(model, loss, [point, point, point])


def test_sharpness_is_the_largest_eigenvalue():
    model, loss, x = linear_model()
    inputs = np.hstack([x, np.ones((4, 1))])
    exact = np.linalg.eigvalsh(2 * inputs.T @ inputs / 4)[-1]
    assert viz.sharpness(loss, list(model.parameters()), iterations=200) == pytest.approx(exact, rel=1e-9)
    p = tg.tensor([1.0, 2.0], requires_grad=True, dtype=np.float64)
    assert viz.sharpness(lambda: p.sum(), [p]) == 0.0
    assert viz.sharpness(lambda: -3.0 * (p * p).sum(), [p]) == pytest.approx(-6.0)


def test_gradient_descent_diverges_beyond_the_limit_and_not_before():
    model, loss, _ = linear_model()
    start = viz.snapshot(model)
    curvature = viz.sharpness(loss, list(model.parameters()), iterations=200)
    limit = 2 / curvature

    def final(lr):
        model.weight.data[...] = start[:2]
        model.bias.data[...] = start[2:]
        train(model, loss, steps=800, lr=lr)
        return loss().item()

    found = viz.lr_sensitivity(final, [0.5 * limit, 0.98 * limit, 1.02 * limit, 2 * limit], curvature=curvature)
    assert found.limit == pytest.approx(limit)
    assert found.losses[0, 0] < 1e-9
    assert found.losses[1, 0] < 1e-9
    assert found.losses[2, 0] > 1e6
    assert np.isinf(found.losses[3, 0])
    assert found.best < limit


def test_seeds_and_plots():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    found = viz.lr_sensitivity(lambda lr, seed: (np.log10(lr) + 1) ** 2 + 0.1 * seed + 1, [0.01, 0.1, 1.0], seeds=3)
    assert found.losses.shape == (3, 3)
    assert found.best == 0.1
    ax = Figure().add_subplot()
    assert found.plot(ax) is ax
    model, loss, _ = linear_model()
    ax = Figure().add_subplot()
    assert viz.landscape(model, loss, train(model, loss, 5), resolution=5).plot(ax) is ax
    assert "%" in ax.get_xlabel()
