"""Freezes PyTorch's trajectories: 500 steps in float64 of every configuration on every problem.

Run by hand where torch is installed: python tests/optim/reference/make_torch_trajectories.py
"""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from optim_configurations import cases  # noqa: E402
from optim_problems import CHECKPOINTS, PROBLEMS  # noqa: E402


def trajectory(name, options, problem):
    """The parameters at the checkpoints, end to end in one vector."""
    params = [torch.nn.Parameter(torch.tensor(x, dtype=torch.float64)) for x in problem.start]
    sign = -1.0 if options.get("maximize") else 1.0
    optimizer = getattr(torch.optim, name)(params, **options)
    points = []
    for step in range(CHECKPOINTS[-1]):
        gradients = problem.gradients([p.detach().numpy() for p in params], step)
        for p, g in zip(params, gradients, strict=True):
            p.grad = None if g is None else torch.tensor(sign * np.asarray(g), dtype=torch.float64)
        optimizer.step()
        if step + 1 in CHECKPOINTS:
            points.append(np.concatenate([p.detach().numpy().reshape(-1) for p in params]))
    return np.stack(points)


def main():
    torch.set_default_dtype(torch.float64)  # ASGD keeps its rate in the default dtype
    arrays = {}
    for label, name, options in cases():
        for kind, problem in PROBLEMS.items():
            arrays[f"{label}|{kind}"] = trajectory(name, options, problem())
    assert all(np.isfinite(a).all() for a in arrays.values())
    keys = np.array(list(arrays))
    parts = {kind: np.stack([a for k, a in arrays.items() if k.endswith("|" + kind)]) for kind in PROBLEMS}
    labels = np.array([k.rsplit("|", 1)[0] for k in keys if k.endswith("|network")])
    np.savez_compressed(HERE / "torch_trajectories.npz", labels=labels, torch=np.array(torch.__version__), **parts)
    print(len(keys), "trajectories")


if __name__ == "__main__":
    main()
