"""Freezes PyTorch's L-BFGS on three functions, every option combination. Run by hand where torch is installed."""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from optim_lbfgs import (  # noqa: E402
    FUNCTIONS,
    START,
    STEPS,
    at_checkpoints,
    cases,
    horizon,
    long_cases,
    long_run,
)


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


def make(starts, options):
    params = [torch.nn.Parameter(torch.tensor(np.asarray(x))) for x in starts]
    optimizer = torch.optim.LBFGS(params, **options)

    def advance(evaluate):
        def closure():
            loss, gradients = evaluate()
            for p, g in zip(params, gradients, strict=True):
                p.grad = None if g is None else torch.tensor(g)
            return torch.tensor(loss)

        optimizer.step(closure)

    return lambda: [p.detach().numpy() for p in params], advance


def long(problem, options):
    """PyTorch's path, and for how many steps its own rounding leaves it within 1e-10 of itself."""
    path = long_run(make, problem, options, 500)
    others = [long_run(make, problem, options, 500, np.random.default_rng(seed)) for seed in range(3)]
    return at_checkpoints(path), horizon([path, *others])


def main():
    torch.set_default_dtype(torch.float64)
    found = {text: run(function, options) for text, function, options in cases()}
    assert all(np.isfinite(points).all() for points in found.values())
    arrays = {"labels": np.array(list(found)), "points": np.stack(list(found.values()))}
    horizons = {}
    for text, problem, options in long_cases():
        arrays[text], horizons[text] = long(problem, options)
    arrays["horizons"] = np.array(list(horizons.values()))
    np.savez_compressed(HERE / "torch_lbfgs.npz", torch=np.array(torch.__version__), **arrays)
    print(len(found), "short runs,", len(horizons), "long ones, which can be followed for", list(horizons.values()))


if __name__ == "__main__":
    main()
