"""L-BFGS against PyTorch's frozen runs, and what it promises besides."""

from pathlib import Path

import numpy as np
import pytest
from optim_lbfgs import FUNCTIONS, START, STEPS, cases, distances, long_cases, long_run, rosenbrock
from optim_problems import CHECKPOINTS

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import GradientError
from tinygrad_opt.optim.line_search import Point, cubic_minimum

FROZEN = np.load(Path(__file__).parent / "reference" / "torch_lbfgs.npz")
LONG = list(long_cases())
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


def make(starts, options):
    params = [tg.Tensor(np.array(x), requires_grad=True) for x in starts]
    optimizer = optim.LBFGS(params, **options)

    def advance(evaluate):
        def closure():
            loss, gradients = evaluate()
            for p, g in zip(params, gradients, strict=True):
                p.grad = None if g is None else tg.Tensor(g)
            return loss

        optimizer.step(closure)

    return lambda: [p.data for p in params], advance


@pytest.mark.parametrize("number", range(len(LONG)), ids=[text for text, _, _ in LONG])
def test_follows_pytorch_for_500_steps_or_as_long_as_it_follows_itself(number):
    """The horizon is where PyTorch's paths leave each other when its gradients are wrong in the last bit."""
    text, problem, options = LONG[number]
    steps = int(FROZEN["horizons"][number])
    got = long_run(make, problem, options, steps)
    for at, expected in zip(CHECKPOINTS, FROZEN[text], strict=True):
        if at <= steps:
            assert distances(got[at - 1 : at], expected[None])[0] < 1e-10, f"after {at} of {steps} steps"


def test_every_frozen_run_is_used():
    assert {text for text, _, _ in cases()} == set(ROWS)
    assert {text for text, _, _ in LONG} == set(FROZEN.files) - {"labels", "points", "horizons", "torch"}
    assert (FROZEN["horizons"] == 500).sum() >= 9


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
    for cls in (optim.LBFGS, optim.AdaHessian, lambda p: optim.SAM(optim.SGD(p, 0.1))):
        for wrong, text in ((None, "NoneType"), ((x * x).sum(), "Tensor")):
            with pytest.raises(TypeError, match=rf"closure[\s\S]*[Gg]ot {text}"):
                cls([x]).step(wrong)
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


def test_cubic_through_a_straight_line_goes_to_an_end():
    """PyTorch divides by zero there, and takes the bound that the infinity is beyond."""
    low, high = Point(0.0, 0.0, None, 0.0), Point(1.0, 0.0, None, 0.0)
    assert cubic_minimum(low, high) == 0.5
    assert cubic_minimum(low, low) == 0.0
    assert 0.0 <= cubic_minimum(Point(0.0, np.inf, None, -1.0), high) <= 1.0


def test_a_linear_loss_goes_on_falling():
    x = tg.Tensor(np.array([1.0, -1.0]), requires_grad=True)
    optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe")

    def closure():
        x.grad = tg.Tensor(np.array([1e-3, -2e-3]))
        return float(x.data @ x.grad.data)

    losses = [optimizer.step(closure) for _ in range(10)]
    assert losses == sorted(losses, reverse=True)
    assert np.isfinite(x.data).all()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_closure_that_fails_in_the_middle_leaves_all_as_it_was(search):
    _, optimizer, closure = run({**OPTIONS, "line_search_fn": search, "lr": 1e-3}, 2)
    before = optim.pack_state(optimizer.state_dict())
    values = [p.data.copy() for p in optimizer.param_groups[0]["params"]]
    calls = iter(range(100))

    def failing():
        if next(calls) == 3:
            raise KeyboardInterrupt
        return closure()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(failing)
    after = optim.pack_state(optimizer.state_dict())
    assert before.keys() == after.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])
    for p, value in zip(optimizer.param_groups[0]["params"], values, strict=True):
        np.testing.assert_array_equal(p.data, value)


def test_a_step_at_the_minimum_is_a_step():
    """It counts, so that a schedule after it does not complain of the order."""
    x = tg.Tensor(np.zeros(2), requires_grad=True)
    optimizer = optim.LBFGS([x])
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    x.grad = tg.Tensor(np.zeros(2))
    for _ in range(3):
        optimizer.step(lambda: 0.0)
        schedule.step()
    assert optimizer.state_dict()["state"] == {}


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
