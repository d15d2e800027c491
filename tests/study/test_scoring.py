"""The scorer on runs made by hand, the known traps among them."""

import math

import numpy as np
import pytest

from tinygrad_opt.study.scoring import (
    Target,
    basin_width,
    best_loss,
    final_accuracy,
    final_loss,
    gap_left,
    lost_again,
    select,
    set_target,
    steps_to,
)
from tinygrad_opt.study.scoring import test_loss as loss_on_test
from tinygrad_opt.study.trial import Record, Trial


def made(validation, *, lr=0.1, seed=0, diverged=None, test=None, accuracy=()):
    """A record with an evaluation every ten steps."""
    trial = Trial("task", "optimizer", (("lr", lr),), seed, 10 * (len(validation) - 1))
    steps = [10 * i for i in range(len(validation))]
    test = validation[-1] if test is None and diverged is None else test
    return Record(trial, steps, list(validation), list(validation), list(accuracy), test_loss=test, diverged=diverged)


def key(lr):
    return (("lr", lr),)


def test_steps_are_those_of_the_first_evaluation_at_the_target():
    run = made([9, 5, 3, 2, 1])
    assert steps_to(run, 3) == 20
    assert steps_to(run, 2.5) == 30
    assert steps_to(run, 9) == 0
    assert steps_to(run, 0.5) == math.inf


def test_a_target_reached_and_lost_is_reached_but_marked():
    run = made([9, 5, 1, 4, 6])
    assert steps_to(run, 2) == 20
    assert lost_again(run, 2)
    assert not lost_again(made([9, 5, 1, 4, 2]), 2)
    assert not lost_again(made([9, 5]), 2)  # never reached, so never lost
    assert final_loss(run) == 6  # the final loss is the last one, not the best
    assert best_loss(run) == 1


def test_a_diverged_run_scores_infinity_whatever_it_reached_before():
    run = made([9, 1], diverged=17, accuracy=[0.1, 0.9])
    assert final_loss(run) == best_loss(run) == loss_on_test(run) == math.inf
    assert steps_to(run, 5) == math.inf
    assert final_accuracy(run) == 0
    assert gap_left(run, Target(9, 1, "sgd")) == math.inf


def test_selection_is_by_the_mean_of_the_last_validation_loss():
    tuning = {
        key(0.01): [made([9, 3], lr=0.01)],
        key(0.1): [made([9, 0.1, 2], lr=0.1)],  # the best moment does not count
        key(1.0): [made([9, 1], lr=1.0, diverged=12)],
    }
    assert select(tuning) == key(0.1)


def test_one_good_seed_cannot_select_a_setting_that_fails_with_another():
    tuning = {
        key(0.1): [made([9, 2]), made([9, 2], seed=1)],
        key(1.0): [made([9, 0.01], lr=1.0), made([9, 5], lr=1.0, seed=1, diverged=11)],
    }
    assert select(tuning) == key(0.1)


def test_selection_never_looks_at_the_test_loss():
    tuning = {
        key(0.1): [made([9, 2], test=100.0)],
        key(1.0): [made([9, 3], lr=1.0, test=0.0)],
    }
    assert select(tuning) == key(0.1)


def test_when_all_diverged_nothing_is_selected():
    assert select({key(lr): [made([9], lr=lr, diverged=3)] for lr in (0.1, 1.0)}) is None


def test_of_equal_settings_the_smallest_rate_is_selected():
    assert select({key(lr): [made([9, 2], lr=lr)] for lr in (1.0, 0.1, 0.3)}) == key(0.1)


@pytest.mark.parametrize(
    ("losses", "selected"),
    [
        ((0.199, 0.196), 0.1),  # nearer than 5 % of the lowest and than 1 % of the way down: the smaller rate
        ((0.210, 0.196), 1.0),  # 7 % above the lowest
        ((1.040, 1.010), 1.0),  # 3 % above the lowest, but 3 % of the way down from 2
        ((1.015, 1.010), 0.1),
    ],
)
def test_of_settings_too_near_to_call_the_smaller_rate_is_selected(losses, selected):
    tuning = {key(lr): [made([2.0, loss], lr=lr)] for lr, loss in zip((0.1, 1.0), losses, strict=True)}
    assert select(tuning) == key(selected)


def test_where_nothing_was_learnt_the_lowest_loss_is_selected():
    tuning = {key(lr): [made([2.0, loss], lr=lr)] for lr, loss in zip((0.1, 1.0), (2.1, 2.05), strict=True)}
    assert select(tuning) == key(1.0)


def test_the_target_comes_from_the_strongest_baselines_median():
    tuned = {
        "steady": [made([10, v], seed=i) for i, v in enumerate([2.0, 2.0, 2.0])],
        "lucky": [made([10, v], seed=i) for i, v in enumerate([0.1, 5.0, 5.0])],  # best of all once, median 5
        "broken": [made([10, 0.0], seed=i, diverged=12) for i in range(3)],
    }
    target = set_target(tuned)
    assert target == Target(10, 2, "steady")
    assert target.level(0.1) == pytest.approx(2.8)
    assert target.level(0.01) == pytest.approx(2.08)


def test_no_progress_means_no_target():
    with pytest.raises(ValueError, match="no optimizer improved"):
        set_target({"sgd": [made([1.0, 1.0])], "adam": [made([1.0, 0.5], diverged=12)]})


def test_gap_left():
    target = Target(10.0, 2.0, "sgd")
    assert gap_left(made([10, 2]), target) == 0
    assert gap_left(made([10, 10]), target) == 1
    assert gap_left(made([10, 1]), target) == pytest.approx(-1 / 8)


@pytest.mark.parametrize(
    ("losses", "width"),
    [
        ([5, 1.05, 1.0, 1.08, 9], 1.5),
        ([1.0, 5, 5, 5, 5], 0.5),
        ([1.05, 5, 1.0, 5, 5], 0.5),  # a good rate beyond a bad one does not count
        ([math.inf, 1.0, math.inf, math.inf, math.inf], 0.5),
        ([math.inf] * 5, 0.0),
    ],
)
def test_basin_width_in_decades(losses, width):
    rates = 10.0 ** np.arange(-3, -0.5, 0.5)
    tuning = {
        key(lr): [made([9, loss], lr=lr, diverged=None if math.isfinite(loss) else 5)]
        for lr, loss in zip(rates, losses, strict=True)
    }
    assert basin_width(tuning) == pytest.approx(width)
