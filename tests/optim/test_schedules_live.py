"""Every option of every schedule beside PyTorch's for 100 epochs, and a round trip of its state in the middle."""

import itertools
import math
import warnings

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim

EPOCHS = 100


def combinations(name, **options):
    """(text, schedule of a module and an optimizer) for every combination of options."""
    for values in itertools.product(*options.values()):
        chosen = dict(zip(options, values, strict=True))
        yield f"{name} {chosen}", lambda s, o, chosen=chosen: getattr(s, name)(o, **chosen)


CASES = dict(
    [
        *combinations("LambdaLR", lr_lambda=[lambda t: 0.95**t, [lambda t: 1 / (1 + t), lambda t: 1.0]]),
        *combinations("MultiplicativeLR", lr_lambda=[lambda t: 0.9 + 0.1 * math.sin(t), [lambda t: 0.99] * 2]),
        *combinations("StepLR", step_size=(1, 7, 200), gamma=(0.5, 1.0, 2.0)),
        *combinations("MultiStepLR", milestones=([30, 10, 60, 60], [1, 99, 150]), gamma=(0.3, 1.5)),
        *combinations("ConstantLR", factor=(0.25, 1.0), total_iters=(1, 8, 200)),
        *combinations("LinearLR", start_factor=(0.1, 1.0), end_factor=(0.0, 0.7, 1.0), total_iters=(1, 20, 200)),
        *combinations("ExponentialLR", gamma=(0.9, 1.0, 1.01)),
        *combinations("PolynomialLR", total_iters=(1, 40, 200), power=(0.5, 1.0, 3.0)),
        *combinations("CosineAnnealingLR", T_max=(1, 30, 150), eta_min=(0.0, 0.001, 0.1)),
        *combinations("CosineAnnealingWarmRestarts", T_0=(1, 7), T_mult=(1, 2, 3), eta_min=(0.0, 0.01)),
        *combinations(
            "OneCycleLR",
            max_lr=(0.3, [0.3, 0.1]),
            total_steps=(101, 130),
            pct_start=(0.1, 0.45),
            anneal_strategy=("cos", "linear"),
            cycle_momentum=(False, True),
            base_momentum=(0.7,),
            max_momentum=(0.93,),
            div_factor=(25.0, 10.0),
            final_div_factor=(100.0,),
            three_phase=(False, True),
        ),
        *combinations(
            "CyclicLR",
            base_lr=([0.01, 0.02],),
            max_lr=(0.1,),
            step_size_up=(8,),
            step_size_down=(None, 1, 5),
            mode=("triangular", "triangular2", "exp_range"),
            gamma=(1.0, 0.95),
            cycle_momentum=(False, True),
            base_momentum=(0.6,),
            max_momentum=(0.95,),
        ),
        *combinations(
            "CyclicLR",
            base_lr=(0.01,),
            max_lr=([0.1, 0.2],),
            step_size_up=(8,),
            scale_fn=(lambda x: 0.99**x,),
            scale_mode=("cycle", "iterations"),
        ),
        (
            "three in sequence",
            lambda s, o: s.SequentialLR(
                o, [s.LinearLR(o, 0.1, 1.0, 10), s.CosineAnnealingLR(o, 30, 0.001), s.StepLR(o, 5, 0.5)], [10, 40]
            ),
        ),
        (
            "restarts in sequence",
            lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 5), s.CosineAnnealingWarmRestarts(o, 7, 2)], [5]),
        ),
        (
            "a chain",
            lambda s, o: s.ChainedScheduler([s.LinearLR(o, 0.1, 1.0, 10), s.CosineAnnealingLR(o, 60)]),
        ),
        (
            "a longer chain",
            lambda s, o: s.ChainedScheduler(
                [s.PolynomialLR(o, 50, 2.0), s.MultiStepLR(o, [20, 60], 0.5), s.ExponentialLR(o, 0.97)]
            ),
        ),
    ]
)
PLATEAUS = [
    dict(zip(("mode", "patience", "threshold_mode", "threshold", "cooldown", "min_lr", "eps"), values, strict=True))
    for values in itertools.product(
        ("min", "max"), (0, 3), ("rel", "abs"), (1e-4, 0.1), (0, 4), (0.0, [0.01, 0.001]), (1e-8, 1e-3)
    )
]


def ours(name):
    a, b = (tg.Tensor(np.zeros(1), requires_grad=True) for _ in range(2))
    options = {"momentum": 0.9} if name == "SGD" else {}
    groups = [{"params": [a]}, {"params": [b], "lr": 0.02}]
    return getattr(optim, name)(groups, lr=0.05, allow_unused=True, **options)


def theirs(torch, name):
    a, b = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    options = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(torch.optim, name)([{"params": [a]}, {"params": [b], "lr": 0.02}], lr=0.05, **options)


def values(o):
    return [[g["lr"], g["momentum"] if "momentum" in g else g["betas"][0]] for g in o.param_groups]


def run(o, schedule, epochs=EPOCHS):
    rows = [values(o)]
    for _ in range(epochs):
        o.step()
        schedule.step()
        rows.append(values(o))
    return np.array(rows)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_state_goes_on_in_the_middle(name):
    """And what the schedule does is what its curve, a function of the step, has said before."""
    for text, make in CASES.items():
        o = ours(name)
        schedule = make(optim.lr_scheduler, o)
        curves = [schedule.curve(38, group) for group in range(2)]
        np.testing.assert_array_equal(run(o, schedule, 37)[:, :, 0].T, curves, err_msg=text)
        saved, rest = schedule.state_dict(), run(o, schedule, 20)
        other = ours(name)
        again = make(optim.lr_scheduler, other)
        again.load_state_dict(saved)
        np.testing.assert_array_equal(run(other, again, 20), rest, err_msg=text)


@pytest.mark.parametrize("options", PLATEAUS[::7], ids=str)
def test_plateau_goes_on_in_the_middle(options):
    measurements = np.random.default_rng(0).uniform(size=60).cumsum() % 3.0
    o, other = ours("SGD"), ours("SGD")
    schedule, again = (optim.lr_scheduler.ReduceLROnPlateau(one, **options) for one in (o, other))
    for m in measurements[:30]:
        schedule.step(m)
    again.load_state_dict(schedule.state_dict())
    for one, its in zip(o.param_groups, other.param_groups, strict=True):
        its["lr"] = one["lr"]
    for m in measurements[30:]:
        schedule.step(m)
        again.step(m)
        assert values(o) == values(other)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.torch
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_every_option_equals_pytorch(name, torch):
    for text, make in CASES.items():
        o, p = ours(name), theirs(torch, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = run(p, make(torch.optim.lr_scheduler, p))
        got = run(o, make(optim.lr_scheduler, o))
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12, err_msg=text)


@pytest.mark.torch
def test_every_plateau_equals_pytorch(torch):
    measurements = np.random.default_rng(0).uniform(size=EPOCHS).cumsum() % 3.0
    for options in PLATEAUS:
        o, p = ours("SGD"), theirs(torch, "SGD")
        mine = optim.lr_scheduler.ReduceLROnPlateau(o, **options)
        other = torch.optim.lr_scheduler.ReduceLROnPlateau(p, **options)
        for m in measurements:
            mine.step(m)
            other.step(m)
            np.testing.assert_allclose(values(o), values(p), rtol=1e-12, err_msg=str(options))
