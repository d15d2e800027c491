"""Freezes PyTorch's L-BFGS on three functions, every option combination. Run by hand where torch is installed."""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from optim_lbfgs import FUNCTIONS, START, STEPS, cases  # noqa: E402


def run(function, options):
    x = torch.nn.Parameter(torch.tensor(START))
    optimizer = torch.optim.LBFGS([x], **options)

    def closure():
        loss, gradient = FUNCTIONS[function](x.detach().numpy())
        x.grad = torch.tensor(gradient)
        return torch.tensor(loss, dtype=torch.float64)

    points = []
    for _ in range(STEPS):
        optimizer.step(closure)
        points.append(x.detach().numpy().copy())
    return np.stack(points)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    found = {text: run(function, options) for text, function, options in cases()}
    assert all(np.isfinite(points).all() for points in found.values())
    labels = np.array(list(found))
    np.savez_compressed(HERE / "torch_lbfgs.npz", labels=labels, points=np.stack(list(found.values())))
    print(len(found), "runs")
