"""What a single operation costs, and how the time of a step grows with batch, width, depth and sequence length.

    python tests/benchmarks/growth.py               all tables in Markdown
    python tests/benchmarks/growth.py operations    one of: operations, import, batch, width, depth, length

Growth is set against the floating-point operations of the step's matrix products: where arithmetic rules, the time for
each of them stays the same, and where overhead rules it falls as the work grows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import workloads
from harness import HERE, in_process, measure
from workloads import Step, random

SIZES = {
    "batch": [1, 8, 64, 512, 4096],
    "width": [8, 32, 128, 512, 1024],
    "depth": [1, 4, 16, 64, 256],
    "length": [4, 16, 64, 256],
}
SIDES = ("tinygrad_opt", "torch")


def perceptron(lib: Any, batch: int, width: int, depth: int) -> tuple[Step, float]:
    """A step of a tanh perceptron with SGD, and the floating-point operations of its products."""
    model = workloads.perceptron(lib.nn, [width] * (depth + 1), lib.nn.Tanh)
    x, y = lib.tensor(random(batch, width)), lib.tensor(random(batch, width))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01)
    return workloads.training_step(model, optimizer, lib.nn.functional.mse_loss, x, y), 6.0 * batch * width**2 * depth


def recurrent(lib: Any, length: int) -> tuple[Step, float]:
    """A step of an LSTM of width 64 on 16 sequences, and the operations of its products."""
    model = lib.nn.LSTM(64, 64)
    x = lib.tensor(random(length, 16, 64))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        model(x)[0].sum().backward()
        optimizer.step()

    return step, 6.0 * length * 16 * 4 * 64 * 128


def sized(lib: Any, table: str, size: int) -> tuple[Step, float]:
    """The step of one row of a growth table."""
    if table == "length":
        return recurrent(lib, size)
    shape = {"batch": 32, "width": 64, "depth": 3} | {table: size}
    return perceptron(lib, **shape)


def operations(lib: Any) -> dict[str, tuple[Step, Step]]:
    """Single operations on 32 numbers: forward alone, and forward with backward."""
    x = lib.tensor(random(32), requires_grad=True)
    matrix = lib.tensor(random(32, 32), requires_grad=True)
    seed = lib.tensor(np.ones(32, np.float32))
    forwards: dict[str, Callable[[], Any]] = {
        "x * x": lambda: x * x,
        "tanh(x)": lambda: lib.tanh(x),
        "x + 1": lambda: x + 1.0,
        "x[3:]": lambda: x[3:],
        "x @ W": lambda: x @ matrix,
        "softmax(x)": lambda: lib.nn.functional.softmax(x, -1),
    }

    def both(forward: Callable[[], Any]) -> Step:
        def step() -> None:
            y = forward()
            y.backward(seed[: len(y)])

        return step

    return {name: (forward, both(forward)) for name, forward in forwards.items()}


def worker(side: str, table: str, size: str, seconds: float) -> None:
    """One measurement in this process, printed as JSON."""
    lib = workloads.load(side)
    if side == "torch":
        lib.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if table == "operations":
        found = {name: [min(measure(f, seconds)) for f in pair] for name, pair in operations(lib).items()}
        print(json.dumps(found))
    else:
        step, work = sized(lib, table, int(size))
        print(json.dumps([statistics.median(measure(step, seconds)), work]))


def print_operations(seconds: float, threads: int) -> None:
    """The table of single operations."""
    found = {side: in_process(__file__, side, "operations", "0", str(seconds), threads=threads) for side in SIDES}
    print("| operation | tinygrad_opt forward | PyTorch | and backward | PyTorch |\n|---|---|---|---|---|")
    for name, ours in found["tinygrad_opt"].items():
        cells = [f"{time * 1e6:.2f} µs" for pair in zip(ours, found["torch"][name], strict=True) for time in pair]
        print(f"| {name} | {' | '.join(cells)} |")


def print_import() -> None:
    """How long a fresh process takes to import each library: the least of seven."""
    print("| import | seconds |\n|---|---|")
    environment = dict(os.environ, PYTHONPATH=str(HERE.parents[1]))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in ("numpy", *SIDES):
        times = []
        for _ in range(7):
            code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
            done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
            times.append(float(done.stdout))
        print(f"| {name} | {min(times):.3f} |")


def print_growth(table: str, seconds: float, threads: int) -> None:
    """One table of growth."""
    print(f"| {table} | operations | tinygrad_opt | GFLOP/s | PyTorch | GFLOP/s | ratio |\n|{'---|' * 7}")
    for size in SIZES[table]:
        cells, times = [], []
        for side in SIDES:
            time_taken, work = in_process(__file__, side, table, str(size), str(seconds), threads=threads)
            times.append(time_taken)
            cells += [f"{time_taken * 1e3:.3f} ms", f"{work / time_taken / 1e9:.2f}"]
        print(f"| {size} | {work / 1e6:.2f} M | {' | '.join(cells)} | {times[0] / times[1]:.2f} |", flush=True)


def main() -> None:
    """Parse the command line and print the tables."""
    if len(sys.argv) > 1 and sys.argv[1] == "--worker":
        worker(*sys.argv[2:5], float(sys.argv[5]))
        return
    tables = ("operations", "import", *SIZES)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help=f"of: {', '.join(tables)} (default: all)")
    parser.add_argument("--seconds", type=float, default=0.5, help="measuring time of each (default 0.5)")
    parser.add_argument("--threads", type=int, default=2, help="threads a side (default 2)")
    options = parser.parse_args()
    if unknown := set(options.tables) - set(tables):
        parser.error(f"there is no table {', '.join(sorted(unknown))}; there are {', '.join(tables)}")
    start = time.perf_counter()
    for table in options.tables or tables:
        print(f"\n{table}\n")
        if table == "operations":
            print_operations(options.seconds, options.threads)
        elif table == "import":
            print_import()
        else:
            print_growth(table, options.seconds, options.threads)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
