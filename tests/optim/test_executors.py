"""One rule, several executions: whole arrays, flat buffers in blocks, compiled loops, Tensors."""

import numpy as np
import pytest
from optim_configurations import all_cases

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.kernels import kernels
from tinygrad_opt.kernels.rules import find
from tinygrad_opt.optim import flat

SHAPES = [(16, 16), (16,), (), (0, 3), (300,), (7, 5)]


def elementwise_cases():
    return [case for case in all_cases() if getattr(optim, case[1]).rule.elementwise]


def tensor_cases():
    """All but those whose rule takes an eigendecomposition, which Tensors differentiate elsewhere."""
    return all_cases()


def run(name, options, dtype, steps=20, shapes=SHAPES, gap=True):
    """Parameters after some steps on noise; one parameter has no gradient at first."""
    rng = np.random.default_rng(5)
    params = [tg.Tensor(np.asarray(rng.standard_normal(s), dtype), requires_grad=True) for s in shapes]
    optimizer = getattr(optim, name)(params, allow_unused=True, **options)
    for step in range(steps):
        for i, p in enumerate(params):
            g = np.asarray(rng.standard_normal(p.shape) * (rng.uniform(size=p.shape) < 0.9), dtype)
            p.grad = None if gap and i == 1 and step < 3 else tg.Tensor(g)
        optimizer.step()
    return [p.data.copy() for p in params]


def first_state(init, hyper, p):
    return init(p) if callable(init) else np.full_like(p, hyper[init] if isinstance(init, str) else init)


def naive(name, options, dtype, steps=20, shapes=SHAPES, gap=True):
    """The same with the rule called on each parameter alone, as it stands."""
    rng = np.random.default_rng(5)
    cls = getattr(optim, name)
    values = [np.asarray(rng.standard_normal(s), dtype) for s in shapes]
    full = cls([tg.Tensor(np.ones(1), requires_grad=True)], **options)._values(0)
    rule = cls.rule
    active = rule.active(full)
    states = [
        [
            first_state(rule.init.get(n, 0), full, np.zeros(s, dtype)) if a else None
            for n, a in zip(rule.state, active, strict=True)
        ]
        for s in shapes
    ]
    count = [0] * len(shapes)
    clocks = [rule.first_clock() for _ in shapes]
    for step in range(steps):
        for i, value in enumerate(values):
            g = np.asarray(rng.standard_normal(value.shape) * (rng.uniform(size=value.shape) < 0.9), dtype)
            if gap and i == 1 and step < 3:
                continue
            count[i] += 1
            known = {**full, "t": count[i]}
            if rule.advance is not None:
                clocks[i] = rule.advance(**{**known, **clocks[i]})
                known |= clocks[i]
            new = rule.function(value, g, *states[i], **{k: known[k] for k in rule.hyper})
            values[i], *states[i] = new if isinstance(new, tuple) else (new,)
    return values


@pytest.mark.parametrize("case", elementwise_cases(), ids=lambda case: case[0])
def test_flat_buffer_is_the_rule_bit_for_bit(case, on_numpy):
    _, name, options = case
    for dtype in (np.float64, np.float32):
        for a, b in zip(run(name, options, dtype), naive(name, options, dtype), strict=True):
            assert a.dtype == dtype
            np.testing.assert_array_equal(a, b)


def a_few_each():
    """The first and the last configuration of each optimizer: compiling takes its time."""
    by_name = {}
    for case in elementwise_cases():
        by_name.setdefault(case[1], []).append(case)
    return [case for found in by_name.values() for case in {c[0]: c for c in (found[0], found[-1])}.values()]


@pytest.mark.parametrize("case", a_few_each(), ids=lambda case: case[0])
def test_compiled_loop_is_the_rule(case, on_numba):
    """float64: equal to the last bit for rules of + − × ÷ √; float32 likewise, since constants take its dtype."""
    _, name, options = case
    shapes = [(40, 40), (300,)]
    for dtype in (np.float64, np.float32):
        compiled = run(name, options, dtype, shapes=shapes, gap=False)
        whole = naive(name, options, dtype, shapes=shapes, gap=False)
        exact = kernel_of(name, options, dtype).exact
        for a, b in zip(compiled, whole, strict=True):
            if exact:
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(a, b, rtol=1e-12 if dtype is np.float64 else 2e-5)


def kernel_of(name, options, dtype):
    cls = getattr(optim, name)
    values = {**cls([tg.Tensor(np.ones(1), requires_grad=True)], **options)._values(0), "t": 2}
    if cls.rule.advance is not None:
        values |= cls.rule.advance(**{**values, **cls.rule.first_clock()})
    kernel = find(cls.rule, {k: values[k] for k in cls.rule.hyper}, np.dtype(dtype), 10**6)
    assert kernel is not None
    return kernel


@pytest.mark.parametrize("case", tensor_cases(), ids=lambda case: case[0])
def test_tensors_are_the_rule(case):
    _, name, options = case
    cls = getattr(optim, name)
    if not cls.rule.differentiable:
        with pytest.raises(tg.errors.GradientError, match="derivative"):
            optim.Functional(cls, **options)
        return
    shapes = [(3, 2), (4,)]
    expected = naive(name, options, np.float64, 5, shapes, gap=False)
    rng = np.random.default_rng(5)
    params = [tg.Tensor(rng.standard_normal(s)) for s in shapes]
    pure = optim.Functional(cls, **options)
    state = pure.init(params)
    for _ in range(5):
        gradients = [tg.Tensor(rng.standard_normal(p.shape) * (rng.uniform(size=p.shape) < 0.9)) for p in params]
        params, state = pure.update(params, gradients, state)
    for a, b in zip(params, expected, strict=True):
        np.testing.assert_allclose(a.data, b, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Adam", "RMSprop"])
def test_a_large_parameter_in_blocks(name, on_numpy, monkeypatch):
    shapes = [(50,), (300, 2), (40,), (700,)]
    options = {"lr": 0.1, "momentum": 0.5} if name == "SGD" else {"lr": 0.1}
    expected = naive(name, options, np.float32, 6, shapes, gap=False)
    monkeypatch.setattr(flat, "LARGE", 512)
    monkeypatch.setattr(flat, "BLOCK", 128)
    for a, b in zip(run(name, options, np.float32, 6, shapes, gap=False), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("optimizer", "options", "learnt"),
    [
        (optim.SGD, {"momentum": 0.9}, "lr"),
        (optim.Adam, {}, "lr"),
        (optim.RMSprop, {}, "alpha"),
        (optim.Momentum, {"lr": 0.1}, "beta"),
    ],
)
def test_hyperparameter_through_twenty_steps(optimizer, options, learnt):
    """The derivative of the loss after 20 steps by a hyperparameter, against central differences."""
    curvature = tg.Tensor(np.array([1.0, 0.1, 3.0]))
    start = [tg.Tensor(np.array([1.0, -2.0, 0.5]))]

    def final(value):
        settings = {**options, learnt: value}
        (x,) = optim.unroll(lambda x: (curvature * x * x).sum() / 2, start, optim.Functional(optimizer, **settings), 20)
        return (curvature * x * x).sum()

    at = {"lr": 0.05, "alpha": 0.9, "beta": 0.8}[learnt]
    value = tg.Tensor(np.array(at), requires_grad=True)
    final(value).backward()
    h = 1e-6
    expected = (final(at + h).item() - final(at - h).item()) / (2 * h)
    assert value.grad.item() == pytest.approx(expected, rel=1e-6)


ALL = sorted(
    name
    for name, cls in vars(optim).items()
    if isinstance(cls, type) and issubclass(cls, optim.Optimizer) and cls is not optim.Optimizer
)
NOT_ONE_RULE = {"LBFGS", "AdaHessian", "Prodigy"}


@pytest.mark.parametrize("name", ALL)
def test_a_learning_rate_is_learnt_through_twenty_steps(name):
    """By backpropagation through training, against central differences; or the optimizer says why it cannot."""
    cls = getattr(optim, name)
    if name in NOT_ONE_RULE:
        with pytest.raises(TypeError, match="Functional: "):
            optim.Functional(cls)
        return
    if not cls.rule.differentiable:
        with pytest.raises(tg.errors.GradientError, match="signs or comparisons"):
            optim.Functional(cls, lr=0.1)
        return
    curvature = tg.Tensor(np.array([[1.0, 0.1], [3.0, 0.5]]))
    start = [tg.Tensor(np.array([[2.0, -1.0], [0.5, 3.0]]))]

    def loss(x):
        return (curvature * (x - 0.3) * (x - 0.3)).sum() / 2 + 0.1 * (x @ x).sum()

    def final(lr):
        (x,) = optim.unroll(loss, start, optim.Functional(cls, lr=lr), 20)
        return (curvature * x * x).sum()

    lr = tg.Tensor(np.array(0.03), requires_grad=True)
    final(lr).backward()
    h = 1e-6
    expected = (final(0.03 + h).item() - final(0.03 - h).item()) / (2 * h)
    assert lr.grad.item() == pytest.approx(expected, rel=1e-5)


def test_epsilon_under_the_root_makes_a_zero_gradient_differentiable():
    lr = tg.Tensor(np.array(0.1), requires_grad=True)
    x = tg.Tensor(np.array([1.0, 0.0]), requires_grad=True)
    pure = optim.Functional(optim.Adam, lr=lr, eps_root=1e-12)
    (end,) = optim.unroll(lambda x: (x * x).sum(), [x], pure, 3)
    end.sum().backward()
    assert np.isfinite(x.grad.data).all()


def fresh_rule():
    """A rule that no other test has compiled."""

    @optim.update_rule()
    def plain_step(p, g, *, lr):
        return p - lr * g

    return plain_step


def auto(rule, size, whole=0):
    return find(rule, {"lr": 0.1}, np.dtype("f4"), size, whole)


def test_auto_does_not_compile_a_short_run():
    from tinygrad_opt.kernels import rules

    assert kernels() == "auto"
    rule = fresh_rule()
    assert auto(rule, 100_000) is None
    assert rules._programs[rule.function].kernels == {}


def test_auto_compiles_once_it_pays(monkeypatch):
    """What has been done counts, and what a training of this size will still do."""
    pytest.importorskip("numba")
    from tinygrad_opt.kernels import rules

    monkeypatch.setenv("TINYGRAD_OPT_CACHE", "")
    monkeypatch.setattr(rules, "STARTING", 0)
    monkeypatch.setattr(rules, "LOADING", 0)
    monkeypatch.setattr(rules, "COMPILING", 100 * 6000 + 12_000)
    rule = fresh_rule()
    assert auto(rule, 6000) is None
    assert auto(rule, 6000) is not None
    assert auto(fresh_rule(), 2000, whole=8000) is not None


def test_auto_takes_what_the_disk_holds_sooner(monkeypatch, tmp_path):
    pytest.importorskip("numba")
    from tinygrad_opt.kernels import rules

    monkeypatch.setenv("TINYGRAD_OPT_CACHE", str(tmp_path))
    monkeypatch.setattr(rules, "STARTING", 0)
    monkeypatch.setattr(rules, "LOADING", 100 * 5000)
    rule = fresh_rule()
    assert auto(rule, 5000) is None
    assert auto(rule, 5000) is None
    before = kernels()
    kernels("numba")
    try:
        assert auto(rule, 5000) is not None
    finally:
        kernels(before)
    again = fresh_rule()
    assert auto(again, 4000) is None
    assert auto(again, 6000) is not None


def test_large_arrays_are_cut_over_the_cores(on_numba, monkeypatch):
    """Several parameters at once, at borders that lie inside of them."""
    from tinygrad_opt.kernels import rules, threads

    shapes = [(300, 20), (1100,), (40, 50), (2000,)]
    expected = naive("Adam", {"lr": 0.1}, np.float32, 5, shapes, gap=False)
    monkeypatch.setattr(flat, "LARGE", 512)
    monkeypatch.setattr(rules, "PART", 700)
    monkeypatch.setattr(threads, "workers", lambda: 3)
    threads._forget()
    got = run("Adam", {"lr": 0.1}, np.float32, 5, shapes, gap=False)
    threads._forget()
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_search_that_failed_is_made_again(on_numba, monkeypatch):
    """The loop without weight decay must not go on after a step that was interrupted while it looked for the other."""
    p = tg.Tensor(np.ones(2000), requires_grad=True)
    optimizer = optim.SGD([p], 0.5)
    p.grad = np.ones(2000)
    optimizer.step()
    optimizer.param_groups[0]["weight_decay"] = 1.0
    with monkeypatch.context() as broken:
        broken.setattr(flat, "find", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            optimizer.step()
    np.testing.assert_array_equal(p.data, 0.5)
    optimizer.step()
    np.testing.assert_array_equal(p.data, 0.5 - 0.5 * (1 + 0.5))
