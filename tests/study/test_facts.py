"""Facts about optimizers that are known from theory and from the literature must come out of the study."""

import math
from typing import ClassVar

import numpy as np
import pytest

from tinygrad_opt import optim
from tinygrad_opt.study import Plan, Records, collect, optimizer, quick, run, task
from tinygrad_opt.study.known import checks
from tinygrad_opt.study.plan import Arm
from tinygrad_opt.study.problems import quadratic_problem
from tinygrad_opt.study.scoring import final_accuracy, final_loss, steps_to
from tinygrad_opt.study.scoring import test_loss as loss_on_test
from tinygrad_opt.study.summary import summarize
from tinygrad_opt.study.trial import Trial, run_trial


def study(tasks, optimizers, **changes):
    plan = Plan(tasks, optimizers, quick(evaluations=10, **changes))
    store = Records()
    run(plan, store)
    results, targets = collect(plan, store)
    return {arm.optimizer: result for arm, result in results.items()}, summarize(plan, results, targets)


def test_momentum_beats_plain_descent_by_about_the_root_of_the_condition_number(registries):
    # Without noise and with the best rate, each step shrinks the loss by ((κ−1)/(κ+1))² for plain descent and by β for
    # the heavy ball with β at or above its optimum (Polyak 1964). For κ = 1000 and β = 0.9 a factor of 100 takes 1,151
    # and 44 steps: a ratio of 26, where √κ is 32.
    @task("noiseless", batch_size=None)
    def noiseless(rng):
        return quadratic_problem(rng, condition=1e3, noise=0.0, samples=1)

    def steps_for_a_factor_of_100(name, lr, steps):
        record = run_trial(Trial("noiseless", name, (("lr", lr),), 0, steps, steps // 2))
        first = record.validation[0]
        return steps_to(record, 1e-6 * first) - steps_to(record, 1e-4 * first)

    plain = steps_for_a_factor_of_100("sgd", 2 / (10 + 0.01), 4000)
    momentum = min(steps_for_a_factor_of_100("momentum", lr, 400) for lr in (2.0, 3.0))
    assert plain == pytest.approx(math.log(100) * 1000 / 4, rel=0.1)
    assert 0.6 * math.sqrt(1000) < plain / momentum < 1.2 * math.sqrt(1000)


def test_momentums_lead_is_told_from_the_records_of_a_study():
    names, rules = ("sgd", "momentum"), quick(final_seeds=1, extensions=1, evaluations=25)
    plan = Plan(("quadratic",), names, rules, checks=checks(("quadratic",), names, rules))
    store = Records()
    run(plan, store)
    (fact,) = summarize(plan, *collect(plan, store))["known"]
    assert fact["came_out"], fact
    assert "√κ = 32" in fact["numbers"]


def test_adagrad_leads_on_sparse_features():
    results, summary = study(("sparse",), ("sgd", "momentum", "adagrad"), trials=5, centre=-0.5, final_seeds=3)
    losses = {name: np.array([loss_on_test(r) for r in result.final]) for name, result in results.items()}
    assert (losses["adagrad"] < losses["sgd"]).all()
    assert losses["adagrad"].mean() < min(losses["momentum"].mean(), losses["sgd"].mean())
    assert "adagrad" in summary["tasks"][0]["groups"][0]
    assert "sgd" not in summary["tasks"][0]["groups"][0]


def finals(task_name, name, *, seeds=(0, 1, 2, 3), **settings):
    trials = [Trial(task_name, name, tuple(sorted(settings.items())), seed, 250, 5) for seed in seeds]
    return [run_trial(trial) for trial in trials]


def test_adam_with_a_tuned_epsilon_is_not_worse_than_momentum():
    # A large ε makes Adam's denominator constant: θ − (η/ε) m̂ is momentum but for the bias correction, so that the best
    # over (lr, ε) cannot lose (Choi et al. 2019). The standard error of these means is about 8 %.
    def mean_loss(*arguments, **settings):
        return np.mean([final_loss(record) for record in finals("digits", *arguments, **settings)])

    momentum = mean_loss("momentum", lr=1.0)
    as_momentum = mean_loss("adam", lr=1e4, eps=1e4)
    assert as_momentum == pytest.approx(momentum, rel=0.16)
    assert min(as_momentum, mean_loss("adam", lr=0.01)) <= 1.08 * momentum


def test_tuned_plain_descent_is_close_to_adam_on_digits():
    # The rates are those that the quick study selects, or half a decade less.
    accuracy = {
        name: max(
            np.median([final_accuracy(r) for r in finals("digits", name, seeds=(0, 1, 2), lr=lr)]) for lr in rates
        )
        for name, rates in {"sgd": (0.3162, 1.0), "adam": (0.01, 0.03162)}.items()
    }
    assert accuracy["adam"] > 0.93
    assert abs(accuracy["adam"] - accuracy["sgd"]) < 0.025


def test_a_missing_bias_correction_is_visibly_worse(registries):
    @optim.update_rule(state=("m", "v"))
    def uncorrected(p, g, m, v, *, lr, beta1, beta2, eps):
        """Adam with the bias correction forgotten: the first steps are several times too long."""
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        return p - lr * m / (np.sqrt(v) + eps), m, v

    class Uncorrected(optim.Optimizer):
        rule = uncorrected
        defaults: ClassVar = {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8}

    optimizer("uncorrected")(Uncorrected)
    # At the rate that is best for Adam on this task, of the half decades.
    _, summary = study(("digits",), ("uncorrected", "adam"), trials=1, centre=-1.5, extensions=0, steps=100)
    assert summary["overall"]["tuned"]["groups"] == [["adam"], ["uncorrected"]]
    share, low, _ = summary["overall"]["tuned"]["rows"][0]["versus"]["uncorrected"]
    assert share >= 0.9
    assert low > 0.5


def test_the_same_seed_gives_the_same_summary():
    first, second = (study(("moons",), ("sgd", "adam"), steps=20, final_seeds=3)[1] for _ in range(2))
    for found in (first, second):
        for row in found["tasks"][0]["rows"]:
            row["curve"].pop("seconds")
            for kind in ("tuned", "default"):
                row[kind].pop("milliseconds")
    assert first == second


def test_arms_are_told_apart_by_batch_size():
    assert Arm("digits", "sgd", 1) != Arm("digits", "sgd")
