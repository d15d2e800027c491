"""State as flat arrays, and to and from PyTorch."""

import numpy as np
import pytest
from optim_configurations import CONFIGURATIONS, OWN

import tinygrad_opt as tg
from tinygrad_opt import optim

SHAPES = [(3, 2), (4,)]


def setting(name, options):
    rng = np.random.default_rng(0)
    params = [tg.Tensor(rng.standard_normal(s), requires_grad=True) for s in SHAPES]
    return params, getattr(optim, name)(params, **options)


def train(params, optimizer, steps, first=0):
    for step in range(first, first + steps):
        rng = np.random.default_rng(step)
        for p in params:
            p.grad = tg.Tensor(rng.standard_normal(p.shape))
        optimizer.step()


@pytest.mark.parametrize("name", [*CONFIGURATIONS, *OWN])
def test_through_an_npz_file(name, tmp_path):
    options = {**CONFIGURATIONS, **OWN}[name][-1]
    params, optimizer = setting(name, options)
    train(params, optimizer, 5)
    np.savez(tmp_path / "state.npz", **optim.pack_state(optimizer.state_dict()))
    values = [p.data.copy() for p in params]
    train(params, optimizer, 5, 5)
    others, other = setting(name, options)
    for p, value in zip(others, values, strict=True):
        p.data[...] = value
    with np.load(tmp_path / "state.npz", allow_pickle=False) as arrays:
        other.load_state_dict(optim.unpack_state(arrays))
    train(others, other, 5, 5)
    for a, b in zip(params, others, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_foreign_arrays():
    with pytest.raises(ValueError, match="pack_state"):
        optim.unpack_state({"weight": np.ones(2)})


@pytest.mark.torch
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_to_and_from_pytorch(name):
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        options = CONFIGURATIONS[name][-1]
        params, optimizer = setting(name, options)
        train(params, optimizer, 5)
        theirs = [torch.nn.Parameter(torch.tensor(p.data.copy())) for p in params]
        their = getattr(torch.optim, name)(theirs, **options)
        their.load_state_dict(optim.to_torch(optimizer))
        others, other = setting(name, options)
        for step in range(5, 10):
            rng = np.random.default_rng(step)
            for p, q in zip(params, theirs, strict=True):
                g = rng.standard_normal(p.shape)
                p.grad, q.grad = tg.Tensor(g), torch.tensor(g)
            optimizer.step()
            their.step()
        for p, q, o in zip(params, theirs, others, strict=True):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-12)
            o.data[...] = p.data
        other.load_state_dict(optim.from_torch(other, their.state_dict()))
        train(params, optimizer, 5, 10)
        train(others, other, 5, 10)
        for p, o in zip(params, others, strict=True):
            np.testing.assert_allclose(p.data, o.data, rtol=1e-12)
    finally:
        torch.set_default_dtype(before)


def test_an_unknown_state_is_named():
    _params, optimizer = setting("SGD", {"lr": 0.1})
    state = {"state": {0: {"exp_avg": np.ones((3, 2))}}, "param_groups": [{"params": [0, 1], "lr": 0.1}]}
    with pytest.raises(ValueError, match="no state for 'exp_avg'"):
        optim.from_torch(optimizer, state)
