"""L-BFGS against PyTorch's frozen runs, and what it promises besides."""

from pathlib import Path

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import GradientError
from tinygrad_opt.optim.line_search import Point, cubic_minimum

FROZEN = np.load(Path(__file__).parent / "reference" / "torch_lbfgs.npz")
OPTIONS = [
    {"lr": 1.0, "line_search_fn": "strong_wolfe", "max_iter": 6},
    {"lr": 0.5, "line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3},
    {"lr": 0.001, "max_iter": 5},
    {"lr": 1.0, "line_search_fn": "strong_wolfe", "max_iter": 20, "max_eval": 7},
]
START = np.array([-1.2, 1.0, 0.7, -0.5])


def rosenbrock(x):
    """The chained Rosenbrock function and its gradient."""
    a, b = x[:-1], x[1:]
    gradient = np.zeros_like(x)
    gradient[:-1] = -2 * (1 - a) - 400 * a * (b - a**2)
    gradient[1:] += 200 * (b - a**2)
    return float(np.sum((1 - a) ** 2 + 100 * (b - a**2) ** 2)), gradient


def run(options, steps=5):
    first = tg.Tensor(START[:1].copy(), requires_grad=True)
    rest = tg.Tensor(START[1:].copy(), requires_grad=True)
    optimizer = optim.LBFGS([first, rest], **options)

    def closure():
        loss, gradient = rosenbrock(np.concatenate([first.data, rest.data]))
        first.grad, rest.grad = tg.Tensor(gradient[:1]), tg.Tensor(gradient[1:])
        return tg.Tensor(np.array(loss))

    points = []
    for _ in range(steps):
        optimizer.step(closure)
        points.append(np.concatenate([first.data, rest.data]))
    return np.stack(points), optimizer, closure


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_follows_pytorch(number):
    points, _, _ = run(OPTIONS[number])
    np.testing.assert_allclose(points, FROZEN[f"case{number}"], rtol=1e-10)


def test_state_goes_on_bit_for_bit():
    _, optimizer, closure = run(OPTIONS[0], 2)
    saved = optimizer.state_dict()
    values = [p.data.copy() for p in optimizer.param_groups[0]["params"]]
    optimizer.step(closure)
    expected = [p.data.copy() for p in optimizer.param_groups[0]["params"]]
    _, other, closure = run(OPTIONS[0], 1)
    for p, value in zip(other.param_groups[0]["params"], values, strict=True):
        p.data = value
    other.load_state_dict(saved)
    other.step(closure)
    for p, value in zip(other.param_groups[0]["params"], expected, strict=True):
        np.testing.assert_array_equal(p.data, value)


def test_needs_a_closure_that_leaves_gradients():
    x = tg.Tensor(np.ones(2), requires_grad=True)
    optimizer = optim.LBFGS([x])
    with pytest.raises(TypeError, match="closure"):
        optimizer.step()
    with pytest.raises(GradientError, match=r"backward\(\)"):
        optimizer.step(lambda: (x * x).sum())
    x.grad = tg.Tensor(np.array([np.nan, 1.0]))
    with pytest.raises(GradientError, match="not finite"):
        optimizer.step(lambda: 1.0)


def test_one_group_and_a_known_line_search():
    x, y = (tg.Tensor(np.ones(2), requires_grad=True) for _ in range(2))
    with pytest.raises(ValueError, match="one group"):
        optim.LBFGS([{"params": [x]}, {"params": [y]}])
    with pytest.raises(ValueError, match="strong_wolfe"):
        optim.LBFGS([x], line_search_fn="armijo")


def test_cubic_through_a_cubic_finds_its_minimum():
    f, df = lambda t: t**3 - 3 * t, lambda t: 3 * t * t - 3
    points = [Point(t, f(t), None, df(t)) for t in (0.0, 2.0)]
    assert cubic_minimum(*points) == pytest.approx(1.0)
    assert cubic_minimum(*points[::-1]) == pytest.approx(1.0)
