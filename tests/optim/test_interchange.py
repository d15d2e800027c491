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


def through_npz(arrays, folder):
    np.savez(folder / "state.npz", **arrays)
    with np.load(folder / "state.npz", allow_pickle=False) as loaded:
        return optim.unpack_state(loaded)


def through_safetensors(arrays, folder):
    files = pytest.importorskip("safetensors.numpy")
    files.save_file(arrays, folder / "state.safetensors")
    return optim.unpack_state(files.load_file(folder / "state.safetensors"))


@pytest.mark.parametrize("through", [through_npz, through_safetensors], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", [*CONFIGURATIONS, *OWN])
def test_through_a_file(name, through, tmp_path):
    options = {**CONFIGURATIONS, **OWN}[name][-1]
    params, optimizer = setting(name, options)
    train(params, optimizer, 5)
    saved = through(optim.pack_state(optimizer.state_dict()), tmp_path)
    values = [p.data.copy() for p in params]
    train(params, optimizer, 5, 5)
    others, other = setting(name, options)
    for p, value in zip(others, values, strict=True):
        p.data[...] = value
    other.load_state_dict(saved)
    train(others, other, 5, 5)
    for a, b in zip(params, others, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


WRAPPERS = {
    "Lookahead": lambda o: optim.Lookahead(o, k=4),
    "SAM": lambda o: optim.SAM(o, rho=0.1),
    "Accumulate": lambda o: optim.Accumulate(o, 4),
    "GradientNoise": lambda o: optim.GradientNoise(o, generator=np.random.default_rng(3)),
    "GradientCentralization": optim.GradientCentralization,
    "AGC": optim.AGC,
    "two": lambda o: optim.Lookahead(optim.GradientNoise(o, generator=np.random.default_rng(3)), k=4),
}


@pytest.mark.parametrize("through", [through_npz, through_safetensors], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_through_a_file(name, through, tmp_path):
    """Saved after 6 steps: between two slow steps of Lookahead, and in the middle of an accumulation."""

    def run(params, optimizer, first, last):
        for step in range(first, last):
            rng = np.random.default_rng(step)
            noise = [rng.standard_normal(p.shape) for p in params]

            def closure(noise=noise):
                optimizer.zero_grad()
                loss = sum(((p + n) ** 2).sum() for p, n in zip(params, noise, strict=True))
                loss.backward()
                return loss

            optimizer.step(closure)

    params, inner = setting("Adam", {"lr": 0.01})
    optimizer = WRAPPERS[name](inner)
    run(params, optimizer, 0, 6)
    saved = through(optim.pack_state(optimizer.state_dict()), tmp_path)
    values = [p.data.copy() for p in params]
    run(params, optimizer, 6, 13)
    others, inner = setting("Adam", {"lr": 0.01})
    other = WRAPPERS[name](inner)
    for p, value in zip(others, values, strict=True):
        p.data[...] = value
    other.load_state_dict(saved)
    run(others, other, 6, 13)
    for a, b in zip(params, others, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_wrappers_state_that_does_not_fit_changes_nothing():
    params, inner = setting("Adam", {"lr": 0.01})
    optimizer = optim.Lookahead(inner)
    train(params, optimizer, 3)
    before = optim.pack_state(optimizer.state_dict())
    saved = optimizer.state_dict()
    for bad, text in (
        (inner.state_dict(), "missing: optimizer"),
        ({**saved, "slow": saved["slow"][::-1]}, "slow holds arrays of shapes"),
        ({**saved, "fast": 1}, "unexpected: fast"),
    ):
        with pytest.raises(ValueError, match="nothing was loaded") as error:
            optimizer.load_state_dict(bad)
        assert text in str(error.value)
        for key, array in optim.pack_state(optimizer.state_dict()).items():
            np.testing.assert_array_equal(array, before[key])


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


@pytest.mark.torch
def test_lbfgs_to_and_from_pytorch():
    torch = pytest.importorskip("torch")
    options = {"lr": 0.5, "max_iter": 3, "line_search_fn": "strong_wolfe"}
    curvature = np.array([1.0, 10.0, 0.3])

    def loss(x):
        return float(np.sum(curvature * x * x + np.cos(x))), 2 * curvature * x - np.sin(x)

    def ours(p):
        value, gradient = loss(p.data)
        p.grad = tg.Tensor(gradient)
        return tg.Tensor(np.array(value))

    def theirs(q):
        value, gradient = loss(q.detach().numpy())
        q.grad = torch.tensor(gradient)
        return torch.tensor(value, dtype=torch.float64)

    p = tg.Tensor(np.array([1.0, -2.0, 3.0]), requires_grad=True)
    optimizer = optim.LBFGS([p], **options)
    optimizer.step(lambda: ours(p))
    q = torch.nn.Parameter(torch.tensor(p.data.copy()))
    their = torch.optim.LBFGS([q], **options)
    their.load_state_dict(optim.to_torch(optimizer))
    optimizer.step(lambda: ours(p))
    their.step(lambda: theirs(q))
    np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-10, atol=1e-12)
    r = tg.Tensor(p.data.copy(), requires_grad=True)
    other = optim.LBFGS([r], **options)
    other.load_state_dict(optim.from_torch(other, their.state_dict()))
    optimizer.step(lambda: ours(p))
    other.step(lambda: ours(r))
    np.testing.assert_allclose(p.data, r.data, rtol=1e-9, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["Muon", "SparseAdam"])
def test_states_of_matrices_to_and_from_pytorch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    p = tg.Tensor(rng.standard_normal((4, 3)), requires_grad=True)
    optimizer = getattr(optim, name)([p], 0.01)
    for _ in range(3):
        p.grad = tg.Tensor(rng.standard_normal(p.shape))
        optimizer.step()
    their = getattr(torch.optim, name)([torch.nn.Parameter(torch.tensor(p.data))], 0.01)
    their.load_state_dict(optim.to_torch(optimizer))
    other = getattr(optim, name)([tg.Tensor(p.data.copy(), requires_grad=True)], 0.01)
    other.load_state_dict(optim.from_torch(other, their.state_dict()))
    mine, back = optimizer.state_dict()["state"][0], other.state_dict()["state"][0]
    for key in getattr(optim, name).rule.state:
        np.testing.assert_array_equal(mine[key], back[key])


def test_an_unknown_state_is_named():
    _params, optimizer = setting("SGD", {"lr": 0.1})
    state = {"state": {0: {"exp_avg": np.ones((3, 2))}}, "param_groups": [{"params": [0, 1], "lr": 0.1}]}
    with pytest.raises(ValueError, match="no state for 'exp_avg'"):
        optim.from_torch(optimizer, state)
