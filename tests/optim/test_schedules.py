"""Schedules against PyTorch's for 100 epochs, and what they promise besides."""

from pathlib import Path

import numpy as np
import pytest
from optim_schedules import EPOCHS, PLATEAUS, SCHEDULES, measurement

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.optim import lr_scheduler

FROZEN = np.load(Path(__file__).parent / "reference" / "torch_schedules.npz")


def optimizer(cls=optim.SGD, **options):
    a, b = (tg.Tensor(np.zeros(1), requires_grad=True) for _ in range(2))
    options = options or {"momentum": 0.9}
    return cls([{"params": [a]}, {"params": [b], "lr": 0.02}], lr=0.05, allow_unused=True, **options)


def values(o):
    return [[g["lr"], g["momentum"]] for g in o.param_groups]


def run(o, schedule, epochs):
    rows = [values(o)]
    for _ in range(epochs):
        o.step()
        schedule.step()
        rows.append(values(o))
    return np.array(rows)


@pytest.mark.parametrize("name", SCHEDULES)
def test_equals_pytorch(name):
    o = optimizer()
    np.testing.assert_allclose(run(o, SCHEDULES[name](lr_scheduler, o), EPOCHS), FROZEN[name], rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("number", range(len(PLATEAUS)))
def test_plateau_equals_pytorch(number):
    o = optimizer()
    schedule = lr_scheduler.ReduceLROnPlateau(o, **PLATEAUS[number])
    rows = []
    for t in range(EPOCHS):
        schedule.step(measurement(t))
        rows.append(values(o))
    np.testing.assert_allclose(rows, FROZEN[f"plateau {number}"], rtol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_state_goes_on(name):
    o = optimizer()
    schedule = SCHEDULES[name](lr_scheduler, o)
    run(o, schedule, 37)
    saved = schedule.state_dict()
    rest = run(o, schedule, 20)
    other = optimizer()
    again = SCHEDULES[name](lr_scheduler, other)
    again.load_state_dict(saved)
    np.testing.assert_array_equal(run(other, again, 20), rest)


def test_state_of_another_kind():
    o = optimizer()
    saved = lr_scheduler.StepLR(o, 3).state_dict()
    with pytest.raises(ValueError, match="state of a StepLR, not of a ExponentialLR"):
        lr_scheduler.ExponentialLR(o, 0.9).load_state_dict(saved)


def test_a_plateau_says_where_it_is_and_what_does_not_fit():
    o = optimizer()
    plateau = lr_scheduler.ReduceLROnPlateau(o, patience=3)
    plateau.step(0.5)
    plateau.step(0.6)
    assert repr(plateau) == ("ReduceLROnPlateau: step 2, lr 0.05, 0.02, best 0.5, 1 of 3 steps without improvement")
    for bad, text in (
        (lr_scheduler.StepLR(o, 3).state_dict(), "state of a StepLR"),
        ({"best": 0.1}, "missing for ReduceLROnPlateau: num_bad_epochs, cooldown_counter, last_epoch"),
    ):
        with pytest.raises(ValueError, match=text):
            plateau.load_state_dict(bad)
        assert plateau.best == 0.5
    with pytest.raises(TypeError, match="expected an optimizer, got dict"):
        lr_scheduler.ReduceLROnPlateau({})


def test_the_wrong_order_is_told():
    o = optimizer()
    schedule = lr_scheduler.ExponentialLR(o, 0.5)
    with pytest.warns(optim.OptimizerWarning, match=r"optimizer.step\(\) first"):
        schedule.step()


def test_the_curve_sets_nothing():
    o = optimizer()
    schedule = lr_scheduler.ExponentialLR(o, 0.5)
    np.testing.assert_allclose(schedule.curve(3), [0.05, 0.025, 0.0125])
    np.testing.assert_allclose(schedule.curve(2, group=1), [0.02, 0.01])
    assert o.param_groups[0]["lr"] == 0.05


def test_warm_up_stable_decay():
    o = optimizer()
    curve = lr_scheduler.WarmupStableDecayLR(o, 4, 3, 5, final_factor=0.2).curve(15) / 0.05
    np.testing.assert_allclose(curve, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 0.84, 0.68, 0.52, 0.36, 0.2, 0.2, 0.2])
    with pytest.raises(ValueError, match="shape"):
        lr_scheduler.WarmupStableDecayLR(o, 1, 1, 1, shape="steep")


def test_warm_up_then_another():
    o = optimizer()
    after = lr_scheduler.ExponentialLR(o, 0.5)
    curve = lr_scheduler.WarmupLR(o, 2, after).curve(5) / 0.05
    np.testing.assert_allclose(curve, [0.5, 1.0, 1.0, 0.5, 0.25])


def test_momentum_of_adam_is_its_first_beta():
    o = optimizer(optim.Adam, betas=(0.9, 0.99))
    lr_scheduler.OneCycleLR(o, 0.1, total_steps=10)
    assert o.param_groups[0]["betas"] == (0.95, 0.99)
    with pytest.raises(ValueError, match="no momentum to cycle"):
        lr_scheduler.OneCycleLR(optimizer(optim.Adagrad, eps=1e-8), 0.1, total_steps=10)


@pytest.mark.parametrize("given", [None, [1], {}, {"last_epoch": 3}])
@pytest.mark.parametrize("make", [lambda o: lr_scheduler.StepLR(o, 2), lr_scheduler.ReduceLROnPlateau])
def test_what_is_no_state_of_a_schedule(make, given):
    schedule = make(optimizer())
    with pytest.raises(ValueError, match="load_state_dict: (expected|missing)"):
        schedule.load_state_dict(given)
    assert schedule.last_epoch == 0


def test_a_group_that_was_added_to_the_optimizer():
    """The schedule says how to go on, and what it says is right; a plateau takes it in."""
    o = optimizer()
    schedule = lr_scheduler.ExponentialLR(o, 0.5)
    plateau = lr_scheduler.ReduceLROnPlateau(o, patience=0)
    run(o, schedule, 3)
    w = tg.Tensor(np.ones(2), requires_grad=True)
    w.grad = tg.Tensor(np.ones(2))
    o.add_param_group({"params": [w], "lr": 1.0})
    o.step()
    before = schedule.get_last_lr()
    with pytest.raises(ValueError, match=r"made for 2 groups.*3 now.*last_epoch=schedule.last_epoch"):
        schedule.step()
    assert (schedule.last_epoch, schedule.get_last_lr()) == (3, before)
    with pytest.raises(ValueError, match="made for 2 groups"):
        schedule.load_state_dict(schedule.state_dict())
    again = lr_scheduler.ExponentialLR(o, 0.5, last_epoch=schedule.last_epoch)
    np.testing.assert_allclose(again.get_last_lr(), [before[0] / 2, before[1] / 2, 1.0 / 16])
    plateau.step(1.0)
    plateau.step(1.0)
    np.testing.assert_allclose(plateau.get_last_lr(), [before[0] / 20, before[1] / 20, 0.1 / 16])


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (tg.Tensor(np.array(0.37)), TypeError, "got Tensor. Only ReduceLROnPlateau goes by a measurement"),
        ("3", TypeError, "got str"),
        (True, TypeError, "got bool"),
        (-3, ValueError, "counted from 0, got -3"),
        (float("nan"), ValueError, "counted from 0, got nan"),
    ],
)
def test_what_is_no_step(given, error, text):
    o = optimizer()
    schedule = lr_scheduler.StepLR(o, 2)
    before = schedule.get_last_lr()
    o.step()
    with pytest.raises(error, match=text):
        schedule.step(given)
    assert (schedule.last_epoch, schedule.get_last_lr()) == (0, before)
    schedule.step(np.int64(4))
    assert schedule.get_last_lr() == [lr * 0.1**2 for lr in before]


def test_phases_of_no_length():
    o = optimizer()
    warm = lr_scheduler.WarmupStableDecayLR(o, 0, 2, 0, final_factor=0.5)
    np.testing.assert_allclose(warm.curve(5) / warm.base_lrs[0], [1, 1, 1, 0.5, 0.5])


def test_a_rate_that_others_have_changed_is_not_overwritten_silently():
    """Two schedules called in turn, a plateau, a change by hand: in PyTorch all of them multiply."""

    def second(o):
        lr_scheduler.ConstantLR(o, 0.5)

    def plateau(o):
        lr_scheduler.ReduceLROnPlateau(o, patience=-1).step(1.0)

    def by_hand(o):
        o.param_groups[1]["lr"] *= 0.5

    for change in (second, plateau, by_hand):
        o = optimizer()
        schedule = lr_scheduler.ExponentialLR(o, 0.5)
        run(o, schedule, 2)
        change(o)
        o.step()
        with pytest.warns(optim.OptimizerWarning, match=r"overwrites lr .* it had set .*ChainedScheduler") as told:
            schedule.step()
        assert len(told) == 1
        assert told[0].filename == __file__
        change(o)
        o.step()
        schedule.step()  # said once
        np.testing.assert_allclose(schedule.get_last_lr(), np.array(schedule.base_lrs) / 16)
        schedule.base_lrs = [lr / 2 for lr in schedule.base_lrs]
        np.testing.assert_allclose(schedule.curve(2), [schedule.base_lrs[0], schedule.base_lrs[0] / 2])


def test_past_the_end_of_one_cycle():
    o = optimizer()
    schedule = lr_scheduler.OneCycleLR(o, 0.1, total_steps=2)
    run(o, schedule, 2)
    o.step()
    with pytest.raises(ValueError, match="step 3 of 2"):
        schedule.step()
    assert schedule.last_epoch == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o: s.StepLR(o, 0),
        lambda s, o: s.LinearLR(o, -1),
        lambda s, o: s.OneCycleLR(o, 0.1),
        lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, pct_start=2),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2, step_size_up=0),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2, step_size_down=0),
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]),
        lambda s, o: s.ReduceLROnPlateau(o, factor=1.5),
        lambda s, o: s.LambdaLR(o, [abs]),
        lambda s, o: s.ChainedScheduler([]),
        lambda s, o: s.WarmupStableDecayLR(o, -2, 3, 1),
    ],
)
def test_a_wrong_call_raises(make):
    with pytest.raises(ValueError, match=r".+"):
        make(lr_scheduler, optimizer())


def test_what_is_no_function_of_the_step():
    with pytest.raises(TypeError, match="lr_lambda is a function of the step.*got 0.5"):
        lr_scheduler.LambdaLR(optimizer(), 0.5)


def test_plot():
    pytest.importorskip("matplotlib")
    o = optimizer()
    axes = lr_scheduler.CosineAnnealingLR(o, 10).plot(20)
    assert len(axes.lines) == 2
    np.testing.assert_allclose(axes.lines[0].get_ydata()[10], 0, atol=1e-12)
    assert len(lr_scheduler.OneCycleLR(o, 0.1, total_steps=30).plot().lines[0].get_ydata()) == 30


@pytest.mark.parametrize("number", range(len(PLATEAUS)))
def test_the_curve_of_a_plateau_is_what_steps_give_and_sets_nothing(number):
    o, metrics = optimizer(), [measurement(t) for t in range(EPOCHS)]
    plateau = lr_scheduler.ReduceLROnPlateau(o, **PLATEAUS[number])
    plateau.step(metrics[0])
    before, state = values(o), plateau.state_dict()
    curves = [plateau.curve(metrics[1:], group) for group in range(2)]
    assert values(o) == before
    assert plateau.state_dict() == state
    for t, value in enumerate(metrics[1:]):
        plateau.step(value)
        assert plateau.get_last_lr() == [curves[0][t], curves[1][t]]


def test_a_plateau_is_drawn_with_what_was_measured():
    pytest.importorskip("matplotlib")
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer(), patience=0, factor=0.5)
    axes = plateau.plot([tg.tensor(1.0), 1.0, 1.0])
    assert [*axes.lines[1].get_ydata()] == [0.02, 0.01, 0.005]
    assert [*axes.figure.axes[1].lines[0].get_ydata()] == [1, 1, 1]


def test_a_resumed_schedule_is_no_changed_learning_rate():
    """An optimizer state saved under a schedule is loaded without the warning about another lr."""
    o = optimizer()
    run(o, lr_scheduler.ExponentialLR(o, 0.9), 5)
    other, third = optimizer(), optimizer()
    other.load_state_dict(o.state_dict())
    lr_scheduler.LinearLR(third, 0.1)  # has lowered the rate already
    third.load_state_dict(o.state_dict())
    assert third.param_groups[0]["lr"] == other.param_groups[0]["lr"] == o.param_groups[0]["lr"]
