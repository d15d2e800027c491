"""What users do to parameters and optimizers in the middle of training, beside PyTorch doing the same."""

import copy
import warnings

import numpy as np
import pytest
from optim_helpers import elementwise, executing
from optim_lifecycle import (
    OPTIMIZERS,
    OPTIONS,
    SCENARIOS,
    Life,
    Ours,
    Theirs,
    added_group,
    copied,
    make,
    optimizer_loaded_with_other_groups_rates,
    params,
    pickled,
)

import tinygrad_opt as tg
from tinygrad_opt import optim


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


@pytest.mark.parametrize("execution", ["whole", "blocks", "compiled"])
@pytest.mark.parametrize("name", elementwise(OPTIONS))
def test_every_execution_ends_where_separate_parameters_do(name, execution, monkeypatch):
    """A flat buffer, in one go, in blocks or compiled, beside each parameter by itself with its own arrays."""
    with executing(execution, monkeypatch), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        together = [scenario(Ours, name) for scenario in SCENARIOS]
        monkeypatch.setattr(getattr(optim, name).rule, "elementwise", False)
        apart = [scenario(Ours, name) for scenario in SCENARIOS]
    for scenario, some, others in zip(SCENARIOS, together, apart, strict=True):
        for a, b in zip(some, others, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-14, err_msg=scenario.__name__)


SEEDS = {"whole": range(3), "blocks": range(3, 6), "compiled": range(6, 9)}


@pytest.mark.parametrize("execution", SEEDS)
@pytest.mark.parametrize("name", elementwise(OPTIONS))
def test_whatever_happens_every_execution_ends_where_separate_parameters_do(name, execution, monkeypatch):
    with executing(execution, monkeypatch), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        together = [Life(Ours, name, seed).run() for seed in SEEDS[execution]]
        monkeypatch.setattr(getattr(optim, name).rule, "elementwise", False)
        apart = [Life(Ours, name, seed).run() for seed in SEEDS[execution]]
    for seed, some, others in zip(SEEDS[execution], together, apart, strict=True):
        for a, b in zip(some, others, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-11, atol=1e-13, err_msg=f"seed {seed}")


@pytest.mark.torch
@pytest.mark.parametrize("execution", SEEDS)
@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "LBFGS"])  # which takes one group
def test_whatever_happens_it_ends_where_pytorch_does(name, execution, torch, monkeypatch):
    with executing(execution, monkeypatch), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = [Life(Ours, name, seed).run() for seed in SEEDS[execution]]
        theirs = [Life(Theirs(torch), name, seed).run() for seed in SEEDS[execution]]
    for seed, some, others in zip(SEEDS[execution], ours, theirs, strict=True):
        for a, b in zip(some, others, strict=True):
            np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=f"seed {seed}")


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
