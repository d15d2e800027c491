"""State to and from PyTorch, and what does not fit."""

import numpy as np
import pytest
from optim_configurations import CONFIGURATIONS, MUON, SPARSE_ADAM
from optim_lbfgs import PROBLEMS as LBFGS_PROBLEMS

import tinygrad_opt as tg
from tinygrad_opt import optim

SHAPES = [(3, 2), (4,)]


def setting(name, options, shapes=SHAPES):
    rng = np.random.default_rng(0)
    params = [tg.Tensor(rng.standard_normal(s), requires_grad=True) for s in shapes]
    return params, getattr(optim, name)(params, **options)


def train(params, optimizer, steps, first=0):
    for step in range(first, first + steps):
        rng = np.random.default_rng(step)
        for p in params:
            p.grad = tg.Tensor(rng.standard_normal(p.shape))
        optimizer.step()


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


@pytest.fixture
def torch(monkeypatch):
    """PyTorch with float64 throughout: its Muon rounds to two digits otherwise, and its ASGD keeps rates in float32."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
    yield torch
    torch.set_default_dtype(before)


IN_PYTORCH = {**CONFIGURATIONS, "Muon": MUON, "SparseAdam": SPARSE_ADAM}


def tensors(torch, params):
    return [torch.nn.Parameter(torch.tensor(p.data.copy())) for p in params]


def train_both(torch, name, sides, first, last):
    """Steps on the same gradients; the second parameter has none at first. SparseAdam sees two rows of the first."""
    for step in range(first, last):
        for params, optimizer in sides:
            rng = np.random.default_rng(step)
            for i, p in enumerate(params):
                g, rows = rng.standard_normal(tuple(p.shape)), rng.choice(3, 2, replace=False)
                if name == "SparseAdam":
                    g[np.setdiff1d(np.arange(len(g)), rows)] = 0
                given = tg.Tensor(g) if isinstance(p, tg.Tensor) else torch.tensor(g)
                if name == "SparseAdam" and not isinstance(p, tg.Tensor):
                    given = torch.sparse_coo_tensor(
                        torch.tensor(rows)[None], given[rows], given.shape, check_invariants=True
                    )
                p.grad = None if i == 1 and step < 2 else given
            optimizer.step()


def assert_together(sides):
    (params, _), *others = sides
    for other, _ in others:
        for p, q in zip(params, other, strict=True):
            np.testing.assert_allclose(
                np.asarray(p.data), q.data if isinstance(q, tg.Tensor) else q.detach().numpy(), rtol=1e-12, atol=1e-14
            )


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::tinygrad_opt.optim.OptimizerWarning")
@pytest.mark.parametrize("name", IN_PYTORCH)
def test_to_and_from_pytorch_in_the_middle(name, torch):
    """Every configuration: ours to theirs after 5 steps, theirs to a new one of ours after 10, all the same to 15."""
    shapes = [(4, 3), (3, 5)] if name in ("Muon", "SparseAdam") else SHAPES
    for options in IN_PYTORCH[name]:
        ours = setting(name, options, shapes)
        train_both(torch, name, [ours], 0, 5)
        theirs = tensors(torch, ours[0])
        their = getattr(torch.optim, name)(theirs, **options)
        their.load_state_dict(optim.to_torch(ours[1]))
        sides = [ours, (theirs, their)]
        train_both(torch, name, sides, 5, 10)
        assert_together(sides)
        fresh = setting(name, options, shapes)
        for p, q in zip(fresh[0], theirs, strict=True):
            p.data[...] = q.detach().numpy()
        fresh[1].load_state_dict(optim.from_torch(fresh[1], their.state_dict()))
        sides.append(fresh)
        train_both(torch, name, sides, 10, 15)
        assert_together(sides)


@pytest.mark.torch
@pytest.mark.parametrize("history", [5, 100])
@pytest.mark.parametrize("search", ["strong_wolfe", None])
@pytest.mark.parametrize("problem", LBFGS_PROBLEMS)
def test_lbfgs_step_by_step_with_pytorchs_state(problem, search, history, torch):
    """A step from PyTorch's state equals PyTorch's step, and the state comes back: far beyond where paths part."""
    options = {"line_search_fn": search, "lr": 1.0 if search else 0.01, "max_iter": 4, "history_size": history}
    task = LBFGS_PROBLEMS[problem]()
    theirs = [torch.nn.Parameter(torch.tensor(np.asarray(x))) for x in task.start]
    their = torch.optim.LBFGS(theirs, **options)

    def closure_for(params, step, wrap):
        def closure():
            values = [p.data if isinstance(p, tg.Tensor) else p.detach().numpy() for p in params]
            for p, g in zip(params, task.gradients(values, step), strict=True):
                p.grad = None if g is None else wrap(np.array(g))
            return task.loss(values, step)

        return closure

    for step in range(60):
        params = [tg.Tensor(q.detach().numpy().copy(), requires_grad=True) for q in theirs]
        ours = optim.LBFGS(params, **options)
        ours.load_state_dict(optim.from_torch(ours, their.state_dict()))
        if step:
            twins = tensors(torch, params)
            twin = torch.optim.LBFGS(twins, **options)
            twin.load_state_dict(optim.to_torch(ours))
            twin.step(closure_for(twins, step, torch.tensor))
        ours.step(closure_for(params, step, tg.Tensor))
        their.step(closure_for(theirs, step, torch.tensor))
        size = max(1.0, *(float(np.abs(p.data).max()) for p in params))
        for p, q in zip(params, theirs, strict=True):
            np.testing.assert_allclose(p.data / size, q.detach().numpy() / size, rtol=0, atol=1e-10)
        for q, r in zip(theirs, twins if step else theirs, strict=True):
            np.testing.assert_allclose(q.detach().numpy() / size, r.detach().numpy() / size, rtol=0, atol=1e-10)


def test_what_cannot_be_converted_is_told():
    _params, optimizer = setting("Adam", {"lr": 0.1})
    theirs = {"state": {}, "param_groups": [{"params": [0, 1], "lr": 0.1, "foreach": None}]}
    with pytest.raises(ValueError, match=r"convert it: optim.from_torch\(optimizer, state_dict\)"):
        optimizer.load_state_dict(theirs)
    with pytest.raises(TypeError, match="got SAM. Give it the optimizer inside: wrapper.optimizer"):
        optim.from_torch(optim.SAM(optimizer), theirs)
    with pytest.raises(TypeError, match="an optimizer of this package, got dict"):
        optim.from_torch({}, theirs)
    with pytest.raises(ValueError, match=r"state_dict\(\) of PyTorch's optimizer"):
        optim.from_torch(optimizer, {"state": {}})
    with pytest.raises(ValueError, match="2 groups were saved, this Adam has 1"):
        optim.from_torch(optimizer, {**theirs, "param_groups": theirs["param_groups"] * 2})


def test_an_unknown_state_is_named():
    _params, optimizer = setting("SGD", {"lr": 0.1})
    state = {"state": {0: {"exp_avg": np.ones((3, 2))}}, "param_groups": [{"params": [0, 1], "lr": 0.1}]}
    with pytest.raises(ValueError, match="no state for 'exp_avg'"):
        optim.from_torch(optimizer, state)
