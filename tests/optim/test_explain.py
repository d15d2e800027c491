"""explain, trace, race: what an optimizer does, in words, in numbers, and as paths."""

import re

import numpy as np
import pytest
from optim_configurations import all_cases
from optim_helpers import ALL

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import GradientError
from tinygrad_opt.optim.explain import explanation


def setting(make, values=(2.0, -1.0), gradient=(4.0, -2.0)):
    w = tg.Tensor(np.array(values), requires_grad=True)
    w.grad = tg.Tensor(np.array(gradient))
    return w, make([w])


def test_explanation_has_formula_values_and_the_decided_rule(capsys):
    _, optimizer = setting(lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01))
    optimizer.step()
    optimizer.explain()
    text = capsys.readouterr().out
    assert "momentum (μ) = 0.9" in text
    assert "at step t = 2" in text
    assert "g′ = g + 0.01 * θ" in text
    assert "v′ = 0.9 * v + g′" in text
    assert "θ = θ - 0.1 * v′" in text


@pytest.mark.parametrize("name", sorted({name for _, name, _ in all_cases()}))
def test_every_optimizer_explains_itself(name):
    w = tg.Tensor(np.ones((2, 2)), requires_grad=True)
    optimizer = getattr(optim, name)([w], 0.1)
    text = explanation(optimizer)
    assert re.search(r"lr( \([ηγ]\))? = 0.1$", text, re.M)
    assert "not shown" not in text
    assert (type(optimizer).formula or type(optimizer).rule.formula) in repr(optimizer)


@pytest.mark.parametrize(
    ("name", "options", "lines"),
    [
        ("Lion", {}, ["lr (η) = 0.0001", "θ = θ - 0.0001 * u"]),
        ("Lion", {"lr": 1.0, "weight_decay": 0.5}, ["θ = θ * 0.5 - u"]),
        ("ScheduleFreeSGD", {}, ["lr (γ) = 1.0", "z′ = θ - g", "x′ = θ + (z′ - θ)"]),
        ("Adadelta", {}, ["rho (ρ) = 0.9", "θ = θ - delta"]),
        ("Rprop", {}, ["lr = 0.01", "etas (η⁻, η⁺) = (0.5, 1.2)"]),
        ("ASGD", {}, ["lr = 0.01", "lambd (λ) = 0.0001", "weight_decay = 0.0"]),
    ],
)
def test_the_explanation_says_nothing_needless(name, options, lines, capsys):
    """No factor of 1, no term of 0, and the symbols that the formula itself has."""
    getattr(optim, name)([tg.Tensor(np.ones(2), requires_grad=True)], **options).explain()
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line not in shown] == []
    assert "group 0, 1 parameter:" in shown


def test_the_explanation_knows_what_evolves_with_the_steps():
    """Nesterov's μ at the third step, and ASGD's falling rate at the second, by their formulas."""
    _, optimizer = setting(lambda p: optim.Nesterov(p, 0.1))
    optimizer.step()
    optimizer.step()
    second = (1 + 5**0.5) / 2
    third = (1 + (1 + 4 * second**2) ** 0.5) / 2
    fourth = (1 + (1 + 4 * third**2) ** 0.5) / 2
    assert f"+ {(third - 1) / fourth:.6g} * (y_new - y)" in explanation(optimizer)
    _, optimizer = setting(lambda p: optim.ASGD(p, 0.5, lambd=0.1, alpha=0.5))
    optimizer.step()
    assert f"- {0.5 / 1.05**0.5:.6g} * g" in explanation(optimizer)


def test_trace_shows_what_weight_decay_adds():
    w, optimizer = setting(lambda p: optim.SGD(p, 0.1, weight_decay=0.5))
    found = optimizer.trace(w)
    np.testing.assert_allclose(found["gradient used"], [5.0, -2.5])
    np.testing.assert_allclose(found["decay"], [-0.1, 0.05])
    w, optimizer = setting(lambda p: optim.SGD(p, 0.1))
    assert "decay" not in optimizer.trace(w)


def test_trace_of_the_step_to_come_changes_nothing():
    w, optimizer = setting(lambda p: optim.Adam(p, 0.1, betas=(0.9, 0.99), weight_decay=0.5))
    found = optimizer.trace(w)
    np.testing.assert_allclose(found["gradient used"], [5.0, -2.5])
    np.testing.assert_allclose(found["m"], [0.5, -0.25])
    np.testing.assert_allclose(found["v_hat"], [25.0, 6.25])
    assert found["t"] == 1
    np.testing.assert_array_equal(w.data, [2.0, -1.0])
    before = w.data.copy()
    optimizer.step()
    np.testing.assert_array_equal(w.data - before, found["Δ"])


def test_trace_of_the_last_step():
    w, optimizer = setting(lambda p: optim.AdamW(p, 0.1))
    optimizer.record(w)
    before = w.data.copy()
    optimizer.step()
    found = optimizer.trace(w)
    np.testing.assert_array_equal(w.data - before, found["Δ"])
    np.testing.assert_allclose(found["decay"], -before * 0.1 * 0.01)
    assert found["t"] == 1


def test_trace_needs_a_gradient_and_a_parameter():
    w, optimizer = setting(lambda p: optim.SGD(p, 0.1))
    w.grad = None
    with pytest.raises(GradientError, match="backward"):
        optimizer.trace(w)
    with pytest.raises(ValueError, match="none of the optimizer's"):
        optimizer.trace(tg.Tensor(np.ones(1)))


def test_an_optimizer_that_is_no_rule():
    w, optimizer = setting(lambda p: optim.LBFGS(p, 0.5))
    assert "lr (η) = 0.5" in explanation(optimizer)
    with pytest.raises(TypeError, match="not one formula"):
        optimizer.trace(w)


def valley(x):
    return (x * x * tg.Tensor(np.array([1.0, 10.0]))).sum() / 2


def test_race_by_hand_and_from_many_starts():
    starts = [[1.0, 1.0], [-2.0, 0.5]]
    paths = optim.race(
        valley, starts, {"sgd": lambda p: optim.SGD(p, 0.05), "lbfgs": lambda p: optim.LBFGS(p, line_search_fn="strong_wolfe")}, 10  # noqa: E501
    )  # fmt: skip
    expected = np.array(starts)[:, None, :] * np.array([0.95, 0.5]) ** np.arange(11)[None, :, None]
    np.testing.assert_allclose(paths["sgd"].points, expected)
    assert paths["lbfgs"].losses[:, -1].max() < 1e-9
    np.testing.assert_allclose(paths["sgd"].losses[0, 0], 5.5)


def test_race_with_noise_is_reproducible_and_common():
    makers = {"a": lambda p: optim.SGD(p, 0.05), "b": lambda p: optim.SGD(p, 0.05)}
    one = optim.race(valley, [1.0, 1.0], makers, 20, noise=0.3, seed=4)
    np.testing.assert_array_equal(one["a"].points, one["b"].points)
    other = optim.race(valley, [1.0, 1.0], makers, 20, noise=0.3, seed=5)
    assert not np.array_equal(one["a"].points, other["a"].points)


def test_a_race_ends_before_a_gradient_that_is_not_finite():
    """√x at 0 has a value and no slope; nothing is said, since the path shows it."""
    makers = {"sgd": lambda p: optim.SGD(p, 0.1), "wrapped": lambda p: optim.Lookahead(optim.Adam(p, 0.1))}
    for path in optim.race(lambda x: np.sqrt(x).sum(), [0.0, 1.0], makers, 3).values():
        np.testing.assert_array_equal(path.points[0, 0], [0.0, 1.0])
        assert np.isnan(path.points[0, 1:]).all()


@pytest.mark.parametrize("name", ALL)
def test_repr_says_where_epsilon_stands(name):
    optimizer = getattr(optim, name)([tg.Tensor(np.ones((2, 2)), requires_grad=True)], lr=0.1)
    first = repr(optimizer).splitlines()[0]
    assert "θ ← " in first
    assert ("ε" in first) == ("eps" in optimizer.defaults)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Adam", ["blocks of a flat buffer", "compiled: yes", "on Tensors: yes"]),
        ("LAMB", ["each parameter by itself", "compiled: no: it works on whole arrays", "on Tensors: yes"]),
        ("Lion", ["compiled: yes", "on Tensors: no: the rule of Lion is built on signs"]),
        ("Prodigy", ["compiled: yes", "on Tensors: no: Prodigy does more in a step"]),
        ("LBFGS", ["compiled: no: it is no update rule", "on Tensors: no: LBFGS has no update rule"]),
    ],
)
def test_an_explanation_says_in_which_ways_the_rule_runs(name, lines):
    text = explanation(getattr(optim, name)([tg.Tensor(np.ones((2, 2)), requires_grad=True)]))
    assert [line for line in lines if line not in text] == []


@pytest.mark.parametrize("name", ALL)
def test_every_docstring_says_what_one_wants_to_know(name):
    text = getattr(optim, name).__doc__
    for heading in ("Principle: ", "Equation: ", "Source: ", "Strengths: ", "Weaknesses: ", "Use it", "Differences: "):
        assert heading in re.sub(r"\s+", " ", text), heading


@pytest.mark.parametrize("name", ALL)
def test_every_optimizer_races(name):
    """Downhill with noise, from two starts; what takes matrices alone says so."""
    makers = {"it": lambda p: getattr(optim, name)(p, lr=0.01)}
    if name == "Muon":
        with pytest.raises(tg.errors.ShapeError, match="matrices"):
            optim.race(valley, [1.0, 1.0], makers, 3)
        return
    path = optim.race(valley, [[1.0, 1.0], [0.5, -2.0]], makers, 25, noise=0.01)["it"]
    assert path.points.shape == (2, 26, 2)
    assert (path.losses[:, -1] < path.losses[:, 0]).all()


@pytest.mark.parametrize("name", ALL)
def test_the_record_is_of_the_step_that_was_taken(name):
    w = tg.Tensor(np.array([[2.0, -1.0], [0.5, 3.0]]), requires_grad=True)
    optimizer = getattr(optim, name)([w], lr=0.01)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        if optimizer.backward_in_closure:
            loss.backward()
        return loss

    if name == "LBFGS":
        optimizer.step(closure)
        with pytest.raises(TypeError, match="not one formula"):
            optimizer.trace(w)
        return
    optimizer.record(w)
    for step in range(1, 4):
        before = w.data.copy()
        optimizer.step(closure)
        found = optimizer.trace(w)
        assert found["t"] == step
        np.testing.assert_allclose(found["Δ"], w.data - before, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "optimizers", "text"),
    [
        (lambda x: x * 2, {"sgd": lambda p: optim.SGD(p, 0.1)}, r"Tensor of one number, got shape \(2,\)"),
        (lambda x: 1.0, {"sgd": lambda p: optim.SGD(p, 0.1)}, "Tensor of one number, got float"),
        (lambda x: x.sum(), [optim.Adam], "dict of names and makers, got list"),
        (lambda x: x.sum(), {"sgd": optim.SGD([tg.Tensor(np.ones(2), requires_grad=True)], 0.1)}, "'sgd' must be what"),
    ],
)
def test_a_race_that_cannot_start_says_why(f, optimizers, text):
    with pytest.raises(TypeError, match=text):
        optim.race(f, [1.0, 2.0], optimizers)


def test_wrappers_and_averages_explain_themselves(capsys):
    w = tg.Tensor(np.ones(2), requires_grad=True)
    optim.Lookahead(optim.SAM(optim.SGD([w], 0.1), rho=0.2), k=3).explain()
    text = capsys.readouterr().out
    assert "φ ← φ + α(θ − φ)" in text
    assert "k = 3" in text
    assert "rho = 0.2" in text
    assert "θ = θ - 0.1 * g" in text
    assert repr(optim.EMA([w], decay=0.5)).startswith(
        "EMA(count=0, decay=0.5, warmup=False) of 1 parameter: Exponential"
    )


def test_a_race_of_nothing():
    for options in ({"steps": -1}, {"noise": -1.0}, {"noise": float("nan")}):
        with pytest.raises(ValueError, match="steps and noise must be at least 0"):
            optim.race(valley, [1.0, 2.0], {"sgd": optim.SGD}, **options)
    with pytest.raises(TypeError, match="made NoneType, not an optimizer"):
        optim.race(valley, [1.0, 2.0], {"none": lambda p: None})


def test_race_shows_divergence():
    paths = optim.race(valley, [1.0, 1.0], {"sgd": lambda p: optim.SGD(p, 1e30)}, 60)
    assert np.isnan(paths["sgd"].points[0, -1]).all()
    assert paths["sgd"].points.shape == (1, 61, 2)
