"""What users do to parameters and optimizers in the middle of training, beside PyTorch doing the same.

A scenario is written once, in the words that both libraries share, and run with each.
"""

import copy
import pickle
import warnings

import numpy as np
import pytest
from optim_configurations import OWN

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.kernels import kernels, rules
from tinygrad_opt.optim import flat

OPTIMIZERS = {
    "SGD": {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1},
    "NAdam": {"lr": 0.01},
    "Adagrad": {"lr": 0.05, "initial_accumulator_value": 0.1},
    "RMSprop": {"lr": 0.01, "centered": True, "momentum": 0.5},
    "ASGD": {"lr": 0.01, "t0": 5.0},
    "Adafactor": {"lr": 0.01},
    "Rprop": {"lr": 0.01},
    "LBFGS": {"lr": 0.1, "max_iter": 3},
}
OPTIONS = {name: found[-1] for name, found in OWN.items()} | {"Prodigy": {"d0": 0.01}} | OPTIMIZERS
SHAPES = [(2, 3), (), (4,), (1, 2, 2)]


class Ours:
    optim = optim

    @staticmethod
    def leaf(array):
        return tg.Tensor(np.array(array), requires_grad=True)

    @staticmethod
    def array(value):
        return np.array(value)

    @staticmethod
    def numbers(p):
        return p.data

    tensor = staticmethod(tg.Tensor)


class Theirs:
    def __init__(self, torch):
        self.torch, self.optim = torch, torch.optim

    def leaf(self, array):
        return self.torch.nn.Parameter(self.torch.tensor(array))

    def array(self, value):
        return self.torch.tensor(value)

    tensor = array

    @staticmethod
    def numbers(p):
        return p.detach().numpy()


def params(lib):
    rng = np.random.default_rng(0)
    return [lib.leaf(np.asarray(rng.standard_normal(s))) for s in SHAPES]


def train(lib, given, optimizer, first, last, without=()):
    """Steps on ½‖p‖² with noise; the parameters at the places `without` get no gradient."""
    for step in range(first, last):
        rng = np.random.default_rng(step)
        noise = [rng.standard_normal(s) for s in SHAPES]

        def closure(noise=noise):
            for i, p in enumerate(given):
                p.grad = None if i in without else lib.tensor(np.asarray(lib.numbers(p) + noise[i]))
            return sum(float(np.sum((lib.numbers(p) + n) ** 2)) / 2 for p, n in zip(given, noise, strict=False))

        optimizer.step(closure)


def make(lib, name, given):
    extra = {"allow_unused": True} if lib is Ours else {}
    return getattr(lib.optim, name)(given, **OPTIONS[name], **extra)


def undisturbed(lib, name):
    given = params(lib)
    train(lib, given, make(lib, name, given), 0, 30)
    return given


def added_group(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given[:2])
    train(lib, given[:2], optimizer, 0, 10)
    optimizer.add_param_group({"params": given[2:3]})
    train(lib, given[:3], optimizer, 10, 20)
    optimizer.add_param_group({"params": given[3:], "lr": 0.002})
    train(lib, given, optimizer, 20, 30)
    return given


def frozen_and_thawed(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 8)
    for i in (0, 2):
        given[i].requires_grad_(False)
    train(lib, given, optimizer, 8, 16, without=(0, 2))
    given[0].requires_grad_(True)
    train(lib, given, optimizer, 16, 24, without=(2,))
    given[2].requires_grad_(True)
    train(lib, given, optimizer, 24, 32)
    return given


def gradients_come_and_go(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    for step in range(30):
        train(lib, given, optimizer, step, step + 1, without={step % 5, (step * 7) % 4} if step % 3 else ())
    return given


def data_replaced(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 7)
    given[0].data = lib.array(np.arange(6.0).reshape(3, 2)).T
    train(lib, given, optimizer, 7, 14)
    given[1].data = lib.array(np.array(3.0))
    given[2].data[...] = 0.25
    train(lib, given, optimizer, 14, 21, without=(1,))
    for p in given:
        p.data = p.data * 0.5
    train(lib, given, optimizer, 21, 30)
    return given


def optimizer_loaded(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10, without=(3,))
    saved = copy.deepcopy(optimizer.state_dict())
    train(lib, given, optimizer, 10, 17)
    optimizer.load_state_dict(copy.deepcopy(saved))  # PyTorch goes on to write into what it is given
    train(lib, given, optimizer, 17, 25)
    others = params(lib)
    fresh = make(lib, name, others)
    fresh.load_state_dict(saved)
    train(lib, others, fresh, 25, 33)
    return [*given, *others]


def optimizer_loaded_with_other_groups_rates(lib, name):
    given = params(lib)
    groups = [{"params": given[:1], "lr": 0.003}, {"params": given[1:]}]
    optimizer = make(lib, name, groups)
    train(lib, given, optimizer, 0, 10)
    optimizer.param_groups[1]["lr"] = 0.02
    saved = copy.deepcopy(optimizer.state_dict())
    others = params(lib)
    fresh = make(lib, name, [{"params": others[:1]}, {"params": others[1:]}])
    fresh.load_state_dict(saved)
    train(lib, others, fresh, 10, 20)
    return others


def copied(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10, without=(1,))
    others, twin = copy.deepcopy((given, optimizer))
    train(lib, given, optimizer, 10, 20)
    train(lib, others, twin, 50, 60)
    return [*given, *others]


def pickled(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10)
    others, twin = pickle.loads(pickle.dumps((given, optimizer)))
    train(lib, others, twin, 10, 20)
    train(lib, given, optimizer, 30, 35)
    return [*given, *others]


def hyperparameters_changed(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10)
    optimizer.param_groups[0]["lr"] *= 0.1
    if "weight_decay" in optimizer.param_groups[0]:
        optimizer.param_groups[0]["weight_decay"] = 0.05
    train(lib, given, optimizer, 10, 20)
    return given


SCENARIOS = [
    undisturbed,
    added_group,
    frozen_and_thawed,
    gradients_come_and_go,
    data_replaced,
    optimizer_loaded,
    optimizer_loaded_with_other_groups_rates,
    copied,
    pickled,
    hyperparameters_changed,
]


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(before)


@pytest.mark.torch
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda f: f.__name__)
def test_ends_where_pytorch_does(scenario, name, torch, on_numpy):
    if name == "LBFGS" and scenario in (added_group, optimizer_loaded_with_other_groups_rates, copied, pickled):
        pytest.skip("L-BFGS takes one group in both libraries; PyTorch's cannot be copied")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = scenario(Ours, name), scenario(Theirs(torch), name)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-10, atol=1e-13)


ELEMENTWISE = [name for name in OPTIONS if hasattr(getattr(optim, name), "rule")]
ELEMENTWISE = [name for name in ELEMENTWISE if getattr(optim, name).rule.elementwise]


@pytest.mark.parametrize("execution", ["whole", "blocks", "compiled"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_execution_ends_where_separate_parameters_do(name, execution, monkeypatch):
    """A flat buffer, in one go, in blocks or compiled, beside each parameter by itself with its own arrays."""
    if execution == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(flat, "LEAST", 1)
        monkeypatch.setattr(rules, "LEAST", 1)
    if execution == "blocks":
        monkeypatch.setattr(flat, "LARGE", 2)
        monkeypatch.setattr(flat, "BLOCK", 2)
    before = kernels()
    kernels("numba" if execution == "compiled" else "numpy")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            together = [scenario(Ours, name) for scenario in SCENARIOS]
            monkeypatch.setattr(getattr(optim, name).rule, "elementwise", False)
            apart = [scenario(Ours, name) for scenario in SCENARIOS]
    finally:
        kernels(before)
    for scenario, some, others in zip(SCENARIOS, together, apart, strict=True):
        for a, b in zip(some, others, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-14, err_msg=scenario.__name__)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda f: f.__name__)
def test_leaves_no_parameter_behind(scenario, on_numpy):
    """Without PyTorch: the same scenario twice gives the same numbers, and every parameter has moved."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, other = scenario(Ours, "Adam"), scenario(Ours, "Adam")
    starts = [p.data for p in params(Ours)] * 2
    for a, b, start in zip(one, other, starts, strict=False):
        np.testing.assert_array_equal(a.data, b.data)
        assert not np.array_equal(a.data, start)


def tied_model(lib, nn, name):
    """Two layers with one weight; the model's own state is put back in the middle, and it goes through a copy."""
    rng = np.random.default_rng(1)
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    for p in net.parameters():
        p.data = lib.array(rng.standard_normal(tuple(p.shape)))
    net[2].weight = net[0].weight
    optimizer = make(lib, name, net.parameters())
    x, y = (lib.tensor(rng.standard_normal((8, 3))) for _ in range(2))

    def step():
        def closure():
            optimizer.zero_grad()
            loss = ((net(x) - y) ** 2).mean()
            loss.backward()
            return loss

        optimizer.step(closure)

    for _ in range(4):
        step()
    saved = copy.deepcopy(net.state_dict())
    for _ in range(4):
        step()
    net.load_state_dict(saved)
    for _ in range(4):
        step()
    if name != "LBFGS":  # PyTorch's cannot be copied
        net, optimizer = copy.deepcopy((net, optimizer))
    assert net[2].weight is net[0].weight
    for _ in range(4):
        step()
    return list(net.parameters())


@pytest.mark.torch
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_tied_parameters_and_a_models_state(name, torch, on_numpy):
    tg.set_default_dtype("float64")
    try:
        ours = tied_model(Ours, tg.nn, name)
    finally:
        tg.set_default_dtype("float32")
    theirs = tied_model(Theirs(torch), torch.nn, name)
    assert len(ours) == 3
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-9, atol=1e-12)
