"""Time optimizer steps beside PyTorch's, in alternating rounds of separate processes.

    python tests/benchmarks/optimizers.py             a Markdown table
    python tests/benchmarks/optimizers.py --rounds 8  more rounds

The sides take turns, since machines drift; the best time of all rounds counts for each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import timeit

MOONS = [(16, 2), (16,), (16, 16), (16,), (1, 16), (1,)]
FORTY = [(16, 16), (16,)] * 20
LARGE = [(5_000_000,)]

# what is measured: name, shapes, our optimizer, PyTorch's, the ratio to stay below (NumPy, Numba)
WORK = [
    ("SGD, 2-16-16-1", MOONS, "SGD", {}, {"foreach": True}, (1.0, 1.0)),
    ("Adam, 40 small tensors, against foreach", FORTY, "Adam", {}, {"foreach": True}, (0.5, 0.5)),
    ("Adam, 5 M, against fused", LARGE, "Adam", {}, {"fused": True}, (None, 1.0)),
    ("Adam, 5 M, against foreach", LARGE, "Adam", {}, {"foreach": True}, (2.5, None)),
]


def best(step, small):
    """The least time of a step in microseconds."""
    for _ in range(3):
        step()
    number = 200 if small else 2
    return min(timeit.repeat(step, number=number, repeat=7)) / number * 1e6


def ours(choice):
    """Times of our steps, by name."""
    import numpy as np

    import tinygrad_opt as tg
    from tinygrad_opt.kernels import kernels

    kernels(choice)
    times = {}
    for name, shapes, optimizer, options, _, _ in WORK:
        rng = np.random.default_rng(0)
        params = [tg.Tensor(rng.standard_normal(s).astype("f4"), requires_grad=True) for s in shapes]
        for p in params:
            p.grad = tg.Tensor(rng.standard_normal(p.shape).astype("f4"))
        times[name] = best(getattr(tg.optim, optimizer)(params, 1e-6, **options).step, len(shapes) > 1)
    return times


def theirs():
    """Times of PyTorch's steps, by name."""
    import torch

    times = {}
    for name, shapes, optimizer, options, switches, _ in WORK:
        params = [torch.nn.Parameter(torch.randn(s)) for s in shapes]
        for p in params:
            p.grad = torch.randn(p.shape)
        times[name] = best(getattr(torch.optim, optimizer)(params, 1e-6, **options, **switches).step, len(shapes) > 1)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--side", choices=["numpy", "numba", "torch"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(theirs() if arguments.side == "torch" else ours(arguments.side)))
        return
    least = {}
    for _ in range(arguments.rounds):
        for side in ("numpy", "numba", "torch"):
            run = subprocess.run([sys.executable, __file__, "--side", side], capture_output=True, text=True, check=True)
            for name, time in json.loads(run.stdout).items():
                least[name, side] = min(time, least.get((name, side), float("inf")))
    print("| step | NumPy, µs | Numba, µs | PyTorch, µs | NumPy / PyTorch | Numba / PyTorch | wanted below |")
    print("|---|---|---|---|---|---|---|")
    for name, *_, wanted in WORK:
        a, b, c = (least[name, side] for side in ("numpy", "numba", "torch"))
        bounds = " and ".join("–" if w is None else f"{w:g}" for w in wanted)
        print(f"| {name} | {a:.1f} | {b:.1f} | {c:.1f} | {a / c:.2f} | {b / c:.2f} | {bounds} |")


if __name__ == "__main__":
    main()
