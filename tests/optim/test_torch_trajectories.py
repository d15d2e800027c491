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


def ours(name, options, problem):
    params = [tg.Tensor(x.copy(), requires_grad=True) for x in map(np.asarray, problem.start)]
    sign = -1.0 if options.get("maximize") else 1.0
    optimizer = getattr(optim, name)(params, allow_unused=True, **options)
    points = []
    for step in range(CHECKPOINTS[-1]):
        gradients = problem.gradients([p.data for p in params], step)
        for p, g in zip(params, gradients, strict=True):
            p.grad = None if g is None else tg.Tensor(np.asarray(sign * g))
        optimizer.step()
        if step + 1 in CHECKPOINTS:
            points.append(np.concatenate([p.data.reshape(-1) for p in params]))
    return points


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("case", cases(), ids=[label for label, _, _ in cases()])
def test_follows_pytorch(case, kind, on_numpy):
    text, name, options = case
    expected = FROZEN[kind][ROWS[text]]
    got = ours(name, options, PROBLEMS[kind]())
    for at, point, value in zip(CHECKPOINTS, got, expected, strict=True):
        assert deviation([point], [value]) < TOLERANCE, f"after {at} steps"


def test_every_frozen_row_is_used():
    assert {text for text, _, _ in cases()} == set(ROWS)
    assert label("A", {"b": 1}) == "A,b=1"
