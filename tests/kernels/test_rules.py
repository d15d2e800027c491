"""Rules compiled from their own source: what is hoisted, decided, followed, and refused."""

import math

import numpy as np
import pytest

from tinygrad_opt import optim
from tinygrad_opt.kernels import kernels, rules
from tinygrad_opt.kernels.trace import CannotCompile, trace

HALF = 0.5


def branches(answers):
    """Decide branches by evaluating their test with these hyperparameters."""
    return lambda test, names: bool(eval(test, dict(names), dict(answers)))


def helper(x, scale):
    return x * scale


@optim.update_rule(state=("m",), when={"m": "momentum"})
def sample(p, g, m, *, lr, momentum, power, t):
    """A rule with a branch, a hoisted power, a helper, a module constant and a where."""
    if momentum:
        m = momentum * m + g if t > 1 else g
        g = m
    g = np.where(g > 0, g, HALF * g)
    return p - helper(g, lr / math.sqrt(1 - power**t)), m


def run(rule, hyper, dtype=np.float64, size=2000):
    """The compiled rule and the plain one on the same numbers."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(size).astype(dtype) for _ in range(2 + len(rule.state))]
    expected = rule.function(*[a.copy() for a in arrays], **hyper)
    before = kernels()
    kernels("numba")
    try:
        kernel = rules.find(rule, hyper, np.dtype(dtype), size)
    finally:
        kernels(before)
    kernel(arrays[0], arrays[1], arrays[2:], hyper)
    return (arrays[0], *arrays[2:]), expected if isinstance(expected, tuple) else (expected,)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("momentum", "t"), [(0.0, 1), (0.9, 1), (0.9, 5)])
def test_equals_the_plain_rule(dtype, momentum, t):
    pytest.importorskip("numba")
    got, expected = run(sample, {"lr": 0.1, "momentum": momentum, "power": 0.9, "t": t}, dtype)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_hyperparameters_are_hoisted():
    hyper = {"lr": 0.1, "momentum": 0.9, "power": 0.5, "t": 2}
    loop = trace(sample.function, sample.hyper, branches(hyper))
    assert "lr / math.sqrt(1 - power ** t)" in loop.constants
    assert loop.exact
    assert loop.reads == {"p", "g", "m"}


def test_an_unused_state_is_not_read():
    loop = trace(sample.function, sample.hyper, branches({"momentum": 0.0}))
    assert loop.reads == {"p", "g"}
    assert loop.results[1] is None


def test_powers_other_than_two_are_not_called_exact():
    @optim.update_rule()
    def cubed(p, g, *, lr):
        return p - lr * g**3

    @optim.update_rule()
    def squared(p, g, *, lr):
        return p - lr * g**2

    assert not trace(cubed.function, cubed.hyper, branches({})).exact
    assert trace(squared.function, squared.hyper, branches({})).exact


def test_a_rule_that_calls_another():
    pytest.importorskip("numba")
    inner = optim.Adam.rule

    @optim.update_rule(state=("m", "v"))
    def decayed(p, g, m, v, *, lr, decay, t):
        p = p - lr * decay * p
        p, m, v, _ = inner(
            p, g, m, v, None, lr=lr, beta1=0.9, beta2=0.99, eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False,
            decoupled_weight_decay=False,
            eps_root=0.0, t=t,
        )  # fmt: skip
        return p, m, v

    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(2000), rng.standard_normal(2000), rng.standard_normal(2000), rng.uniform(size=2000)]
    hyper = {"lr": 0.1, "decay": 0.01, "t": 3}
    expected = decayed.function(*[a.copy() for a in arrays], **hyper)
    before = kernels()
    kernels("numba")
    try:
        kernel = rules.find(decayed, hyper, np.dtype(np.float64), 2000)
    finally:
        kernels(before)
    kernel(arrays[0], arrays[1], arrays[2:], hyper)
    for a, b in zip((arrays[0], *arrays[2:]), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def refused(function, **hyper):
    with pytest.raises(CannotCompile) as error:
        trace(function, tuple(hyper), branches(hyper))
    return str(error.value)


def test_what_has_no_form_for_one_element_is_named():
    def branch(p, g, *, lr):
        if g > 0:
            return p
        return p - lr * g

    def reduction(p, g, *, lr):
        return p - lr * g / np.sum(g)

    def loop(p, g, *, lr):
        for _ in range(3):
            p = p - lr * g
        return p

    def both(p, g, *, lr):
        return np.where(g > 0 and p > 0, p, p - lr * g)

    assert "np.where" in refused(branch, lr=0.1)
    assert "'np.sum' has no form" in refused(reduction, lr=0.1)
    assert "for _ in range(3)" in refused(loop, lr=0.1)
    assert "& or |" in refused(both, lr=0.1)


def test_a_refused_rule_runs_on_numpy_and_says_why(monkeypatch):
    pytest.importorskip("numba")

    @optim.update_rule()
    def cumulative(p, g, *, lr):
        return p - lr * np.cumsum(g)

    before = kernels()
    kernels("numba")
    try:
        with pytest.warns(RuntimeWarning, match="cumulative runs on NumPy: 'np.cumsum'"):
            assert rules.find(cumulative, {"lr": 0.1}, np.dtype("f8"), 2000) is None
        assert rules.find(cumulative, {"lr": 0.1}, np.dtype("f8"), 2000) is None
    finally:
        kernels(before)
    assert "np.cumsum" in rules.reason(cumulative, {"lr": 0.1})
    assert rules.reason(sample, {"lr": 0.1, "momentum": 0.0, "power": 0.5, "t": 1}) is None


def test_without_numba_everything_runs_on_numpy(monkeypatch):
    import tinygrad_opt as tg

    @optim.update_rule()
    def lonely(p, g, *, lr):
        return p - lr * g

    monkeypatch.setattr(rules, "_installed", lambda: False)
    monkeypatch.setattr(rules, "STARTING", 0)
    monkeypatch.setattr(rules, "COMPILING", 0)
    monkeypatch.setattr(rules, "LOADING", 0)
    w = tg.Tensor(np.ones(2000), requires_grad=True)
    w.grad = tg.Tensor(np.ones(2000))
    made = type("Lonely", (optim.Optimizer,), {"rule": lonely, "defaults": {"lr": 0.5}})([w])
    made.step()
    np.testing.assert_array_equal(w.data, 0.5)
    assert rules._programs[lonely.function].kernels == {}
    before = kernels()
    monkeypatch.setattr(rules, "kernels", lambda: "numba")
    assert rules.find(lonely, {"lr": 0.5}, np.dtype("f8"), 2000) is None
    assert rules._programs[lonely.function].refused == "Numba is not installed"
    assert kernels() == before


def test_a_numba_that_cannot_be_imported_runs_on_numpy(monkeypatch):
    @optim.update_rule()
    def halved(p, g, *, lr):
        return p - lr * g * 0.5

    monkeypatch.setitem(rules.sys.modules, "numba", None)
    monkeypatch.setattr(rules, "_installed", lambda: True)
    monkeypatch.setattr(rules, "kernels", lambda: "numba")
    with pytest.warns(RuntimeWarning, match="halved runs on NumPy: Numba cannot be imported"):
        assert rules.find(halved, {"lr": 0.1}, np.dtype("f8"), 2000) is None
    assert rules.find(halved, {"lr": 0.1}, np.dtype("f8"), 2000) is None


def test_what_numba_itself_refuses_runs_on_numpy():
    pytest.importorskip("numba")

    @optim.update_rule()
    def negated(p, g, *, lr):
        return p - lr * (~g)

    before = kernels()
    kernels("numba")
    try:
        with pytest.warns(RuntimeWarning, match="negated runs on NumPy: Numba says"):
            assert rules.find(negated, {"lr": 0.1}, np.dtype("f8"), 2000) is None
    finally:
        kernels(before)


def test_small_arrays_and_other_dtypes_stay_with_numpy():
    pytest.importorskip("numba")
    before = kernels()
    kernels("numba")
    try:
        hyper = {"lr": 0.1, "momentum": 0.0, "power": 0.5, "t": 1}
        assert rules.find(sample, hyper, np.dtype("f8"), rules.LEAST - 1) is None
        assert rules.find(sample, hyper, np.dtype("f2"), 2000) is None
    finally:
        kernels(before)


def test_a_large_update_is_ready_for_several_threads_before_it_runs(tmp_path, monkeypatch):
    """What may fail, as with a damaged file on the disk, must not come when a step is half done."""
    pytest.importorskip("numba")
    monkeypatch.setenv("TINYGRAD_OPT_CACHE", str(tmp_path))
    size = 2 * rules.PART + 3  # neither the parts nor their halves are of one length

    @optim.update_rule()
    def spread(p, g, *, lr):
        return p - lr * g * g

    got, expected = run(spread, {"lr": 0.1}, np.float32, size)
    np.testing.assert_array_equal(got[0], expected[0])
    for file in (tmp_path / "tinygrad_opt" / "rules").rglob("*.nbc"):
        file.write_bytes(b"no machine code")
    rules._programs.pop(spread.function)
    before = kernels("numba") and "auto"
    try:
        assert rules.find(spread, {"lr": 0.1}, np.dtype("f4"), 2000).shared is None
        assert rules.find(spread, {"lr": 0.1}, np.dtype("f4"), size).shared is not None
    finally:
        kernels(before)
    got, expected = run(spread, {"lr": 0.1}, np.float32, size)
    np.testing.assert_array_equal(got[0], expected[0])


@pytest.mark.parametrize("part", [700, 10**6])
def test_many_parameters_run_as_one(monkeypatch, part):
    """Many parameters, none of them large: one after the other they would run on one thread."""
    pytest.importorskip("numba")
    monkeypatch.setattr(rules, "PART", part)
    rng = np.random.default_rng(0)
    hyper = {"lr": 0.1, "momentum": 0.9, "power": 0.5, "t": 2}
    sets = [rng.standard_normal((3, size)) for size in (1500, 4001, 0, 1, 5000)]
    sets[0].flags.writeable = False  # a gradient may be
    values = [(p.copy(), m.copy()) for p, _, m in sets]
    before = kernels()
    kernels("numba")
    try:
        kernel = rules.find(sample, hyper, np.dtype(float), 10502)
        batch = rules.Batch(kernel, [(p, [m]) for p, m in values])
        assert (batch.places is not None) == (part == 700)
        for t in (2, 3):
            hyper["t"] = t
            expected = [sample.function(p, g, m, **hyper) for (p, m), (_, g, _) in zip(values, sets, strict=True)]
            batch.renew([g for _, g, _ in sets], hyper)
            assert not batch.not_finite()
            batch.run()
            for found, new in zip(values, expected, strict=True):
                np.testing.assert_array_equal(found, new)
        for _, g, _ in sets[1:2] + sets[3:]:
            g[-1], kept = np.nan, g[-1]
            batch.renew([g for _, g, _ in sets], hyper)
            assert batch.not_finite()
            g[-1] = kept
    finally:
        kernels(before)


def test_a_rule_may_call_its_states_what_it_likes(monkeypatch):
    """Also as the generated loops might call their own variables."""
    pytest.importorskip("numba")
    monkeypatch.setattr(rules, "PART", 700)

    @optim.update_rule(state=("first", "last", "start", "size", "row", "i", "constants", "places"))
    def named(p, g, first, last, start, size, row, i, constants, places, *, lr):
        first = first + g
        return p - lr * first * i, first, last + 1, start + 2, size * 2, row - g, i + p, constants + 3, places * g

    got, expected = run(named, {"lr": 0.1})
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)
