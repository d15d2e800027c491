"""Every option combination follows PyTorch's optimizer of the same name for 500 steps in float64."""

from pathlib import Path

import numpy as np
import pytest
from optim_configurations import cases, label
from optim_problems import CHECKPOINTS, PROBLEMS, deviation

import tinygrad_opt as tg
from tinygrad_opt import optim

FROZEN = np.load(Path(__file__).parent / "reference" / "torch_trajectories.npz")
ROWS = {str(text): row for row, text in enumerate(FROZEN["labels"])}
TOLERANCE = 1e-12


def ours(name, options):
    """The parameters of all problems at the checkpoints; one optimizer has them all, which changes nothing."""
    problems = {kind: make() for kind, make in PROBLEMS.items()}
    params = {
        kind: [tg.Tensor(np.array(x), requires_grad=True) for x in problem.start] for kind, problem in problems.items()
    }
    sign = -1.0 if options.get("maximize") else 1.0
    optimizer = getattr(optim, name)([p for one in params.values() for p in one], allow_unused=True, **options)
    points = {kind: [] for kind in PROBLEMS}
    for step in range(CHECKPOINTS[-1]):
        for kind, problem in problems.items():
            gradients = problem.gradients([p.data for p in params[kind]], step)
            for p, g in zip(params[kind], gradients, strict=True):
                p.grad = None if g is None else tg.Tensor(np.asarray(sign * g))
        optimizer.step()
        if step + 1 in CHECKPOINTS:
            for kind in PROBLEMS:
                points[kind].append(np.concatenate([p.data.reshape(-1) for p in params[kind]]))
    return points


@pytest.mark.parametrize("case", cases(), ids=[label for label, _, _ in cases()])
def test_follows_pytorch(case, on_numpy):
    text, name, options = case
    got = ours(name, options)
    for kind in PROBLEMS:
        expected = FROZEN[kind][ROWS[text]]
        for at, point, value in zip(CHECKPOINTS, got[kind], expected, strict=True):
            assert deviation([point], [value]) < TOLERANCE, f"{kind}, after {at} steps"


def test_every_frozen_row_is_used():
    assert {text for text, _, _ in cases()} == set(ROWS)
    assert label("A", {"b": 1}) == "A,b=1"
