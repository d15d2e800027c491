"""Freezes PyTorch's L-BFGS on the chained Rosenbrock function. Run by hand where torch is installed."""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
START = np.array([-1.2, 1.0, 0.7, -0.5])
OPTIONS = [
    {"lr": 1.0, "line_search_fn": "strong_wolfe", "max_iter": 6},
    {"lr": 0.5, "line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3},
    {"lr": 0.001, "max_iter": 5},
    {"lr": 1.0, "line_search_fn": "strong_wolfe", "max_iter": 20, "max_eval": 7},
]


def rosenbrock(x):
    a, b = x[:-1], x[1:]
    gradient = np.zeros_like(x)
    gradient[:-1] = -2 * (1 - a) - 400 * a * (b - a**2)
    gradient[1:] += 200 * (b - a**2)
    return float(np.sum((1 - a) ** 2 + 100 * (b - a**2) ** 2)), gradient


def run(options):
    x = torch.nn.Parameter(torch.tensor(START))
    optimizer = torch.optim.LBFGS([x], **options)

    def closure():
        loss, gradient = rosenbrock(x.detach().numpy())
        x.grad = torch.tensor(gradient)
        return torch.tensor(loss, dtype=torch.float64)

    points = []
    for _ in range(5):
        optimizer.step(closure)
        points.append(x.detach().numpy().copy())
    return np.stack(points)


if __name__ == "__main__":
    np.savez(HERE / "torch_lbfgs.npz", **{f"case{i}": run(options) for i, options in enumerate(OPTIONS)})
    print(sys.argv[0], "done")
