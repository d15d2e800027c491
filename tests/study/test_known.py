"""Known facts are told to have come out, or not and why, from records made by hand."""

import pytest

from tinygrad_opt.study import Plan, quick
from tinygrad_opt.study.known import checks, known
from tinygrad_opt.study.plan import Arm, ArmResult
from tinygrad_opt.study.scoring import Target
from tinygrad_opt.study.trial import Record, Trial

SEEDS = 4


def made(arm, curve, *, seed=0, every=10, diverged=None, accuracy=()):
    """A record with an evaluation every so many steps."""
    steps = [every * i for i in range(len(curve))]
    trial = Trial(arm.task, arm.optimizer, (("lr", 0.1),), seed, steps[-1])
    test = None if diverged else curve[-1]
    return Record(trial, steps, list(curve), list(curve), list(accuracy), test_loss=test, diverged=diverged)


def result(runs, *, edge=False, **settings):
    selected = tuple(sorted({"lr": 0.1, **settings}.items()))
    return ArmResult({selected: runs[:1]}, selected, edge, final=runs)


def arm_of(task, optimizer, curves, **more):
    arm = Arm(task, optimizer)
    return {arm: result([made(arm, curve, seed=i) for i, curve in enumerate(curves)], **more)}


def told(plan, results, targets=None):
    return known(plan, results, targets or {})


def sparse(**losses):
    results = {}
    for name, ends in losses.items():
        results |= arm_of("sparse", name, [[0.7, 0.7, 0.7, end, end] for end in ends], edge=name == "adagrad")
    return told(Plan(("sparse",), tuple(losses), quick(final_seeds=SEEDS)), results)


def test_adagrad_that_leads_on_sparse_features():
    (fact,) = sparse(sgd=[0.5] * 4, adagrad=[0.2, 0.21, 0.2, 0.21], adam=[0.3, 0.31, 0.3, 0.31])
    assert fact["came_out"]
    assert fact["numbers"] == "Mean test loss 0.205; Adam, the best of the others, 0.305; SGD 0.5."
    assert fact["why"] == ""


def test_adagrad_that_shares_the_lead_says_with_whom():
    (fact,) = sparse(sgd=[0.5] * 4, adagrad=[0.2, 0.3, 0.2, 0.3], adam=[0.3, 0.2, 0.3, 0.2])
    assert fact["came_out"]
    assert "Adam cannot be told from it with 4 seeds." in fact["numbers"]


def test_adagrad_that_does_not_lead_says_who_does_and_what_the_records_show():
    (fact,) = sparse(sgd=[0.5] * 4, adagrad=[0.4] * 4, adam=[0.3] * 4)
    assert not fact["came_out"]
    assert fact["why"].startswith("Adam has the lower loss in most pairs. Its best learning rate lies on the edge")


def quadratic(plain, momentum, *, every=10, noisy_plain=(100, 1), noisy_momentum=(100, 1), budget=None):
    """Curves of losses for the twin without noise and for the task itself; the evaluations lie `every` apart."""
    rules = quick(final_seeds=1, steps=250)
    plan = Plan(("quadratic",), ("sgd", "momentum"), rules, checks=checks(("quadratic",), ("sgd", "momentum"), rules))
    curves = dict(zip(plan.checks, (plain, momentum), strict=True))
    results = {arm: result([made(arm, curve, every=every)]) for arm, curve in curves.items()}
    results |= arm_of("quadratic", "sgd", [noisy_plain]) | arm_of("quadratic", "momentum", [noisy_momentum])
    return told(plan, results, {"quadratic": Target(100.0, 0.0, "sgd")})


def test_momentum_that_is_root_kappa_times_quicker():
    (fact,) = quadratic([100.0] * 60 + [1.0], [100, 50, 1.0], every=10)  # 600 and 20 steps: 30 times, √1000 is 32
    assert fact["came_out"]
    assert "plain descent 600 steps, momentum 20, 30.0 times fewer; √κ = 32." in fact["numbers"]
    assert "With the task’s noise, to the 10 % target plain descent 10 steps, momentum 10" in fact["numbers"]
    assert fact["why"].startswith("With noise")


@pytest.mark.parametrize("length", [3, 200])
def test_momentum_whose_lead_is_another(length):
    (fact,) = quadratic([100.0] * length + [1.0], [100, 50, 1.0])
    assert not fact["came_out"]
    assert fact["why"].startswith("Only six learning rates")


def test_plain_descent_that_does_not_arrive_gives_a_lower_bound_and_no_success():
    (fact,) = quadratic([100.0] * 61, [100, 50, 1.0])
    assert not fact["came_out"]
    assert "plain descent did not arrive, momentum took 20 steps, at least 30.0 times fewer" in fact["numbers"]
    assert fact["why"] == "Plain descent had only 600 steps."


def test_momentum_that_does_not_arrive_is_no_success():
    (fact,) = quadratic([100.0] * 61, [100.0, 50.0])
    assert not fact["came_out"]
    assert "momentum did not arrive" in fact["numbers"]
    assert fact["why"] == "Momentum had only 10 steps."


def adam_eps(tuned, momentum):
    rules = quick(final_seeds=len(tuned))
    plan = Plan(("digits",), ("momentum",), rules, checks=checks(("digits",), ("momentum",), rules))
    results = arm_of("digits", "momentum", [[2.0, end] for end in momentum])
    results |= arm_of("digits", "adam-eps", [[2.0, end] for end in tuned], eps=1e4)
    return told(plan, results)


def test_adam_with_epsilon_that_is_as_good_as_momentum():
    (fact,) = adam_eps([0.1, 0.2, 0.1, 0.2], [0.2, 0.1, 0.2, 0.1])
    assert fact["came_out"]
    assert "0.15 with ε = 10000, Momentum 0.15; Momentum was lower in 50 % of the pairs." in fact["numbers"]


def test_adam_with_epsilon_that_loses_every_pair_is_told():
    (fact,) = adam_eps([0.2] * 5, [0.1] * 5)
    assert not fact["came_out"]
    assert fact["why"].startswith("ε was selected by 1 tuning run of each setting, and of three values only.")


def mlp(plain, adam, **more):
    """Accuracies at the end, one for each seed; the loss falls to 0.5 and, for plain descent, on to `last`."""
    plan = Plan(("digits",), ("sgd", "adam"), quick(final_seeds=len(plain)))
    results, last = {}, more.pop("last", 0.5)
    for name, ends in (("sgd", plain), ("adam", adam)):
        arm = Arm("digits", name)
        curve = [2.0, 1.5, 1.0, 0.8, 0.5, last if name == "sgd" else 0.5]
        runs = [made(arm, curve, seed=i, accuracy=[0.1, end]) for i, end in enumerate(ends)]
        results[arm] = result(runs, **(more if name == "sgd" else {}))
    return told(plan, results)


def test_plain_descent_that_is_close_to_adam():
    (fact,) = mlp([0.94, 0.95, 0.96], [0.96, 0.97, 0.97])
    assert fact["came_out"]
    assert fact["numbers"] == "Median validation accuracy: SGD 95.0 %, Adam 97.0 %."


@pytest.mark.parametrize(
    ("plain", "more", "why"),
    [
        ([0.80, 0.81, 0.82], {"last": 0.4}, "Its loss still fell by 20 % in the last fifth of the steps"),
        ([0.60, 0.81, 0.95], {}, "Its runs end between 60 and 95 %: the learning rate that won"),
        ([0.80, 0.81, 0.82], {"edge": True}, "Its best learning rate lies on the edge of what was tried."),
        ([0.80, 0.81, 0.82], {}, "No run of it went wrong: it was slower, and took 100 % of the way down."),
    ],
)
def test_plain_descent_far_behind_says_why(plain, more, why):
    (fact,) = mlp(plain, [0.96, 0.97, 0.97], **more)
    assert not fact["came_out"]
    assert why in fact["why"]


def test_a_study_that_cannot_speak_to_a_fact_is_silent():
    rules = quick(final_seeds=1)
    plan = Plan(("moons",), ("sgd",), rules)
    assert told(plan, arm_of("moons", "sgd", [[1.0, 0.5]])) == []
    assert checks(("moons",), ("sgd", "momentum"), rules) == ()
    assert checks(("quadratic",), ("sgd", "adam"), rules) == ()


def test_a_diverged_run_counts_as_trouble():
    arm = Arm("sparse", "adagrad")
    runs = [made(arm, [0.7, 0.3], seed=i, diverged=None if i else 5) for i in range(SEEDS)]
    results = {arm: result(runs), **arm_of("sparse", "sgd", [[0.7, 0.2]] * SEEDS)}
    (fact,) = told(Plan(("sparse",), ("sgd", "adagrad"), quick(final_seeds=SEEDS)), results)
    assert not fact["came_out"]
    assert "1 of its 4 runs diverged" in fact["why"]
