"""L-BFGS against PyTorch's frozen runs, and what it promises besides."""

from pathlib import Path

import numpy as np
import pytest
from optim_lbfgs import FUNCTIONS, START, STEPS, cases, rosenbrock

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import GradientError
from tinygrad_opt.optim.line_search import Point, cubic_minimum

FROZEN = np.load(Path(__file__).parent / "reference" / "torch_lbfgs.npz")
ROWS = {str(text): row for row, text in enumerate(FROZEN["labels"])}
OPTIONS = {"lr": 1.0, "line_search_fn": "strong_wolfe", "max_iter": 6}


def run(options, steps=5, function=rosenbrock):
    first = tg.Tensor(START[:1].copy(), requires_grad=True)
    rest = tg.Tensor(START[1:].copy(), requires_grad=True)
    optimizer = optim.LBFGS([first, rest], **options)

    def closure():
        loss, gradient = function(np.concatenate([first.data, rest.data]))
        first.grad, rest.grad = tg.Tensor(gradient[:1]), tg.Tensor(gradient[1:])
        return tg.Tensor(np.array(loss))

    points = []
    for _ in range(steps):
        optimizer.step(closure)
        points.append(np.concatenate([first.data, rest.data]))
    return np.stack(points), optimizer, closure


@pytest.mark.parametrize("function", FUNCTIONS)
def test_follows_pytorch(function):
    """With a history of 2, rounding decides after some dozens of iterations: PyTorch's own path is then arbitrary."""
    for text, kind, options in cases():
        if kind == function:
            same = STEPS if options["history_size"] > 2 else 1
            points, _, _ = run(options, same, FUNCTIONS[kind])
            expected = FROZEN["points"][ROWS[text]][:same]
            np.testing.assert_allclose(points, expected, rtol=1e-10, atol=1e-10, err_msg=text)


def test_every_frozen_run_is_used():
    assert {text for text, _, _ in cases()} == set(ROWS)


def test_state_goes_on_bit_for_bit():
    _, optimizer, closure = run(OPTIONS, 2)
    saved = optimizer.state_dict()
    values = [p.data.copy() for p in optimizer.param_groups[0]["params"]]
    optimizer.step(closure)
    expected = [p.data.copy() for p in optimizer.param_groups[0]["params"]]
    _, other, closure = run(OPTIONS, 1)
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


def test_a_state_that_does_not_fit_is_refused():
    _, optimizer, _ = run(OPTIONS, 1)
    saved = optimizer.state_dict()
    saved["state"][0].pop("d")
    with pytest.raises(ValueError, match="missing: d"):
        optimizer.load_state_dict(saved)
    adam = optim.Adam([tg.Tensor(np.ones(4), requires_grad=True)])
    next(iter(adam.param_groups))["params"][0].grad = tg.Tensor(np.ones(4))
    adam.step()
    with pytest.raises(ValueError, match="unexpected: m"):
        optimizer.load_state_dict(adam.state_dict())


def test_a_closure_that_forgets_zero_grad_is_told():
    x = tg.Tensor(np.ones(2), requires_grad=True)

    def closure():
        loss = (x * x).sum()
        loss.backward()
        return loss

    with pytest.warns(optim.OptimizerWarning, match=r"summed over 2 backward\(\) calls.*zero_grad"):
        optim.LBFGS([x], lr=0.1, max_iter=2).step(closure)
