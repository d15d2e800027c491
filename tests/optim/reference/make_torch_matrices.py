"""Freezes PyTorch's Muon and SparseAdam: 500 steps in float64 of every configuration.

Muon's iteration runs in bfloat16 in PyTorch, whose two digits would hide any mistake; here it is made to run in
float64.
Run by hand where torch is installed: python tests/optim/reference/make_torch_matrices.py
"""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from optim_configurations import MUON, SPARSE_ADAM  # noqa: E402
from optim_problems import CHECKPOINTS, Matrices, Rows  # noqa: E402


def sparse(g, rows):
    """The rows of a gradient as PyTorch's sparse tensor."""
    return torch.sparse_coo_tensor(torch.tensor(rows)[None], torch.tensor(g[rows]), g.shape, check_invariants=True)


def trajectory(optimizer, options, problem):
    """The parameters at the checkpoints, end to end in one vector."""
    params = [torch.nn.Parameter(torch.tensor(x)) for x in problem.start]
    sign = -1.0 if options.get("maximize") else 1.0
    made = optimizer(params, **options)
    points = []
    for step in range(CHECKPOINTS[-1]):
        gradients = problem.gradients([p.detach().numpy() for p in params], step)
        for i, (p, g) in enumerate(zip(params, gradients, strict=True)):
            if isinstance(problem, Rows):
                p.grad = sparse(sign * g, problem.seen[step][i])
            else:
                p.grad = None if g is None else torch.tensor(sign * g)
        made.step()
        if step + 1 in CHECKPOINTS:
            points.append(np.concatenate([p.detach().numpy().reshape(-1) for p in params]))
    return np.stack(points)


def main():
    torch.Tensor.bfloat16 = lambda self: self.clone()
    muon = np.stack([trajectory(torch.optim.Muon, options, Matrices()) for options in MUON])
    rows = np.stack([trajectory(torch.optim.SparseAdam, options, Rows()) for options in SPARSE_ADAM])
    assert np.isfinite(muon).all()
    assert np.isfinite(rows).all()
    np.savez_compressed(HERE / "torch_matrices.npz", torch=np.array(torch.__version__), Muon=muon, SparseAdam=rows)
    print(len(muon) + len(rows), "trajectories")


if __name__ == "__main__":
    main()
