"""Saving and loading: how states are matched, and what does not fit is told before anything changes."""

import numpy as np
import pytest
from optim_configurations import CONFIGURATIONS, OWN
from optim_helpers import elementwise, executing

import tinygrad_opt as tg
from tinygrad_opt import optim

SHAPES = [(3, 2), (4,), ()]


def setting(name, options, names=None):
    rng = np.random.default_rng(0)
    params = [tg.Tensor(np.asarray(rng.standard_normal(s)), requires_grad=True) for s in SHAPES]
    given = list(zip(names, params, strict=True)) if names else params
    return params, getattr(optim, name)(given, allow_unused=True, **options)


def train(params, optimizer, first, last):
    for step in range(first, last):
        rng = np.random.default_rng(step)
        for i, p in enumerate(params):
            g = np.asarray(rng.standard_normal(p.shape))
            p.grad = None if i == 1 and step < 4 else tg.Tensor(g)
        optimizer.step()


@pytest.mark.parametrize("execution", ["blocks", "compiled"])
@pytest.mark.parametrize("name", elementwise({**CONFIGURATIONS, **OWN}))
def test_round_trip_in_every_execution(name, execution, monkeypatch):
    """Saved in one execution, continued in the same; the compiled one continues from NumPy's state too."""
    options = {**CONFIGURATIONS, **OWN}[name][-1]

    def run(params, optimizer, first, last):
        for step in range(first, last):
            rng = np.random.default_rng(step)
            for p in params:
                p.grad = tg.Tensor(rng.standard_normal(p.shape))
            optimizer.step()

    def made():
        params = [tg.Tensor(np.random.default_rng(0).standard_normal((33, 32)), requires_grad=True)]
        return params, getattr(optim, name)(params, **options)

    with executing(execution, monkeypatch, size=64, least=1024):
        (params, optimizer), (others, other) = made(), made()
        run(params, optimizer, 0, 4)
        saved, value = optimizer.state_dict(), params[0].data.copy()
        run(params, optimizer, 4, 8)
        others[0].data[...] = value
        other.load_state_dict(saved)
        run(others, other, 4, 8)
    np.testing.assert_array_equal(params[0].data, others[0].data)


def test_saved_arrays_are_copies():
    params, optimizer = setting("Adam", {"lr": 0.1})
    train(params, optimizer, 0, 5)
    saved = optimizer.state_dict()
    before = saved["state"][0]["m"].copy()
    train(params, optimizer, 5, 6)
    np.testing.assert_array_equal(saved["state"][0]["m"], before)


def test_names_win_over_positions():
    names = ["a", "b", "c"]
    params, optimizer = setting("Adam", {"lr": 0.1}, names)
    train(params, optimizer, 0, 6)
    rng = np.random.default_rng(1)
    turned = [tg.Tensor(np.asarray(rng.standard_normal(s)), requires_grad=True) for s in SHAPES[::-1]]
    other = optim.Adam(list(zip(names[::-1], turned, strict=True)), 0.1)
    other.load_state_dict(optimizer.state_dict())
    for p, q in zip(params, turned[::-1], strict=True):
        np.testing.assert_array_equal(optimizer.state[p]["m"], other.state[q]["m"])


def test_what_does_not_fit_is_listed_and_nothing_changes():
    params, optimizer = setting("Adam", {"lr": 0.1})
    train(params, optimizer, 0, 6)
    before = optimizer.state_dict()
    bad = optimizer.state_dict()
    bad["state"][0]["m"] = np.zeros((2, 3))
    del bad["state"][1]["v"]
    bad["state"][2]["velocity"] = np.zeros(())
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        optimizer.load_state_dict(bad)
    assert "m of parameter '0' is (2, 3), it should be (3, 2)" in str(error.value)
    assert "missing for parameter '1': v" in str(error.value)
    assert "unexpected for parameter '2': velocity" in str(error.value)
    after = optimizer.state_dict()
    for key in before["state"]:
        for name in before["state"][key]:
            np.testing.assert_array_equal(before["state"][key][name], after["state"][key][name])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda saved: saved["state"].update({7: saved["state"][0]}), "a state of parameter 7, which is in no group"),
        (lambda saved: saved["state"].update({0: 3.0}), "the state of parameter '0' is a float, it should be a dict"),
        (lambda saved: saved["state"][0].pop("step"), "missing for parameter '0': step"),
        (lambda saved: saved["state"][0].update(step=-3), "step of parameter '0' is -3, it should be a whole number"),
        (lambda saved: saved["state"][0].update(step=2.5), "step of parameter '0' is 2.5, it should be a whole number"),
        (lambda saved: saved["state"][0].update(step="5"), "step of parameter '0' is '5', it should be a whole number"),
        (lambda saved: saved.update(state=3), "expected the dict that Adam"),
        (lambda saved: saved.update(param_groups=[1]), "expected the dict that Adam"),
    ],
)
def test_spoilt_entries_are_told_and_nothing_changes(spoil, message):
    params, optimizer = setting("Adam", {"lr": 0.1})
    train(params, optimizer, 0, 6)
    saved = optimizer.state_dict()
    spoil(saved)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(saved)
    assert optimizer.state[params[0]]["step"] == 6


@pytest.mark.parametrize("make", [optim.Adam, optim.LBFGS, optim.Prodigy, optim.AdaHessian, optim.EMA, optim.SWA])
@pytest.mark.parametrize("given", [None, {}, [1], {"state": {}}])
def test_what_is_no_state_at_all(make, given):
    stateful = make([tg.Tensor(np.ones(2), requires_grad=True)])
    with pytest.raises(ValueError, match=rf"load_state_dict: .*{make.__name__}.*, got"):
        stateful.load_state_dict(given)


def test_a_mis_shaped_state_of_a_rule_over_whole_arrays():
    params, optimizer = setting("Adafactor", {"lr": 0.1})
    train(params, optimizer, 0, 6)
    bad = optimizer.state_dict()
    bad["state"][0]["r"] = np.zeros((1, 2))
    bad["state"][1]["r"] = np.zeros((4, 1))
    with pytest.raises(ValueError, match=r"r of parameter '0' is \(1, 2\), it should be \(3, 1\)") as error:
        optimizer.load_state_dict(bad)
    assert "r of parameter '1' is (4, 1), it should be None" in str(error.value)


def test_missing_and_unexpected_parameters_by_name():
    params, optimizer = setting("SGD", {"lr": 0.1, "momentum": 0.9}, ["a", "b", "c"])
    train(params, optimizer, 0, 6)
    _, other = setting("SGD", {"lr": 0.1, "momentum": 0.9}, ["a", "b", "d"])
    with pytest.raises(ValueError, match=r"missing parameter 'd'[\s\S]*unexpected parameter 'c'"):
        other.load_state_dict(optimizer.state_dict())


def test_another_number_of_parameters():
    _, optimizer = setting("SGD", {"lr": 0.1})
    other = optim.SGD([tg.Tensor(np.ones(1), requires_grad=True)])
    with pytest.raises(ValueError, match="3 parameters were saved, this optimizer has 1"):
        other.load_state_dict(optimizer.state_dict())


def test_another_optimizers_state():
    params, optimizer = setting("Adam", {"lr": 0.1})
    train(params, optimizer, 0, 2)
    _, other = setting("SGD", {"lr": 0.1})
    with pytest.raises(ValueError, match="unexpected"):
        other.load_state_dict(optimizer.state_dict())


def test_a_restored_learning_rate_is_told():
    _, optimizer = setting("SGD", {"lr": 0.1})
    _, other = setting("SGD", {"lr": 0.01})
    with pytest.warns(optim.OptimizerWarning, match="lr of group 0: 0.1, where it was 0.01"):
        other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.1
    _, third = setting("SGD", {"lr": 0.01})
    third.load_state_dict(optimizer.state_dict(), hyperparameters=False)
    assert third.param_groups[0]["lr"] == 0.01


def test_state_of_one_parameter():
    params, optimizer = setting("Adam", {"lr": 0.1})
    assert optimizer.state[params[0]] == {}
    train(params, optimizer, 0, 2)
    state = optimizer.state[params[0]]
    assert state["step"] == 2
    assert state["m"].shape == (3, 2)
    with pytest.raises(KeyError):
        optimizer.state[tg.Tensor(np.ones(1))]
