"""Every option combination follows PyTorch's optimizer of the same name for 500 steps in float64."""

from pathlib import Path

import numpy as np
import pytest
from optim_configurations import CONFIGURATIONS, MUON, SPARSE_ADAM, cases, label
from optim_problems import CHECKPOINTS, PROBLEMS, Matrices, Quadratic, Rows, deviation

import tinygrad_opt as tg
from tinygrad_opt import optim

REFERENCE = Path(__file__).parent / "reference"
FROZEN = np.load(REFERENCE / "torch_trajectories.npz")
ROWS = {str(text): row for row, text in enumerate(FROZEN["labels"])}
MATRICES = np.load(REFERENCE / "torch_matrices.npz")
TOLERANCE = 1e-11


def ours(name, configurations, problems):
    """Parameters by problem, (configurations, checkpoints, numbers); each configuration is a group of its own.

    All problems are solved by one optimizer, which changes nothing about any of them.
    """
    problems = {kind: make() for kind, make in problems.items()}
    starts = [x for problem in problems.values() for x in problem.start]
    groups = [
        {"params": [tg.Tensor(np.array(x), requires_grad=True) for x in starts], **options}
        for options in configurations
    ]
    optimizer = getattr(optim, name)(groups, allow_unused=True)
    signs = np.array([-1.0 if options.get("maximize") else 1.0 for options in configurations])
    columns = list(zip(*(group["params"] for group in groups), strict=True))
    points = []
    for step in range(CHECKPOINTS[-1]):
        values = iter([np.stack([p.data for p in column]) for column in columns])
        found = [g for q in problems.values() for g in q.gradients([next(values) for _ in q.start], step)]
        for column, g, x in zip(columns, found, starts, strict=True):
            signed = None if g is None else np.broadcast_to(g, (len(signs), *x.shape)).T * signs
            for p, one in zip(column, signs if g is None else signed.T, strict=True):
                p.grad = None if g is None else tg.Tensor(np.asarray(one))
        optimizer.step()
        if step + 1 in CHECKPOINTS:
            points.append([np.concatenate([p.data.reshape(-1) for p in group["params"]]) for group in groups])
    ends = np.cumsum([sum(x.size for x in problem.start) for problem in problems.values()])
    return dict(zip(problems, np.split(np.array(points).swapaxes(0, 1), ends[:-1], axis=-1), strict=True))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_follows_pytorch(name, on_numpy):
    got = ours(name, CONFIGURATIONS[name], PROBLEMS)
    for row, options in enumerate(CONFIGURATIONS[name]):
        for kind in PROBLEMS:
            expected = FROZEN[kind][ROWS[label(name, options)]]
            for at, point, value in zip(CHECKPOINTS, got[kind][row], expected, strict=True):
                assert deviation([point], [value]) < TOLERANCE, f"{options}, {kind}, after {at} steps"


@pytest.mark.parametrize(("name", "problem"), [("Muon", Matrices), ("SparseAdam", Rows)])
def test_follows_pytorch_on_matrices(name, problem):
    """Muon beside PyTorch's with its iteration in float64; SparseAdam beside PyTorch's on sparse gradients."""
    configurations = {"Muon": MUON, "SparseAdam": SPARSE_ADAM}[name]
    got = ours(name, configurations, {"only": problem})["only"]
    for row, options in enumerate(configurations):
        assert deviation(got[row], MATRICES[name][row]) < TOLERANCE, options


def test_every_frozen_row_is_used():
    assert {text for text, _, _ in cases()} == set(ROWS)
    assert label("A", {"b": 1}) == "A,b=1"
    assert [len(MATRICES[name]) for name in ("Muon", "SparseAdam")] == [len(MUON), len(SPARSE_ADAM)]


@pytest.mark.torch
def test_nadam_follows_pytorch_where_pytorch_does_not_follow_itself():
    """Steps of a fixed size across a minimum make rounding errors grow, as any two orders of the same sums show.

    Here PyTorch's two implementations agree within 1e-14 for 300 steps and differ in the second digit after 500.
    From PyTorch's parameters and state a single step is the same all along, and the whole path parts no further from
    the one than they do from each other.
    """
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam keeps its product of μ in the default dtype
    try:
        problem, options = Quadratic(), {"lr": 0.002, "betas": (0.8, 0.99)}
        theirs = [[torch.nn.Parameter(torch.tensor(x)) for x in problem.start] for _ in range(2)]
        loop, foreach = (torch.optim.NAdam(p, foreach=f, **options) for p, f in zip(theirs, (False, True), strict=True))
        free, led = ([tg.Tensor(np.array(x), requires_grad=True) for x in problem.start] for _ in range(2))
        ours, follower = (optim.NAdam(p, allow_unused=True, **options) for p in (free, led))
        for step in range(500):
            if looked := step % 10 == 7:
                follower.load_state_dict(optim.from_torch(follower, loop.state_dict()))
                for p, q in zip(led, theirs[0], strict=True):
                    p.data[...] = q.detach().numpy()
            for values, make in ((free, tg.Tensor), (led, tg.Tensor), *((p, torch.tensor) for p in theirs)):
                arrays = [p.detach().numpy() for p in values]
                for p, g in zip(values, problem.gradients(arrays, step), strict=True):
                    p.grad = None if g is None else make(np.asarray(g))
            for optimizer in (ours, follower, loop, foreach):
                optimizer.step()
            goal = [p.detach().numpy() for p in theirs[0]]
            assert not looked or deviation([p.data for p in led], goal) < 1e-15, step
            parted = [deviation([p.detach().numpy() for p in other], goal) for other in (free, theirs[1])]
            if step == 300:
                assert max(parted) < 1e-14
        assert parted[1] > 1e-3
        assert parted[0] < 2 * parted[1]
    finally:
        torch.set_default_dtype(before)


@pytest.mark.torch
def test_every_optimizer_of_pytorch_is_here_with_its_hyperparameters():
    torch = pytest.importorskip("torch")
    import inspect

    switches = {"foreach", "fused", "capturable", "differentiable"}
    for name, cls in vars(torch.optim).items():
        if inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer) and name != "Optimizer":
            theirs = {k: v.default for k, v in inspect.signature(cls).parameters.items() if k not in switches}
            mine = {k: v.default for k, v in inspect.signature(getattr(optim, name)).parameters.items()}
            assert theirs.keys() <= mine.keys(), name
            assert {k: mine[k] for k in theirs} == theirs, name
