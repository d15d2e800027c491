"""Time training steps side by side with PyTorch, in alternating rounds of separate processes.

    python tests/benchmarks/run.py                  all workloads, a Markdown table
    python tests/benchmarks/run.py moons chain600   some of them
    python tests/benchmarks/run.py --numpy          without the compiled kernels
    python tests/benchmarks/run.py --threads 1      one thread each

A ratio is our time over PyTorch's: below 1 is faster. Machines drift, so the two sides take turns, each round in a
fresh process, and both the ratio of medians and that of minima are given.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import workloads

HERE = Path(__file__).resolve().parent


def measure(step, seconds: float) -> list[float]:
    """Times of single steps in seconds, after a warm-up, for about `seconds`."""
    for _ in range(3):
        step()
    start = time.perf_counter()
    step()
    once = time.perf_counter() - start
    inner = max(1, int(2e-3 / max(once, 1e-7)))  # a sample lasts at least two milliseconds
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        for _ in range(inner):
            step()
        times.append((time.perf_counter() - start) / inner)
    return times


def worker(side: str, name: str, seconds: float) -> None:
    """Run one side of one workload in this process and print its times."""
    lib = workloads.load(side)
    if side == "torch":
        lib.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    step = workloads.WORKLOADS[name](lib)
    print(json.dumps(measure(step, seconds)))


def run(side: str, name: str, seconds: float, threads: int, numpy_only: bool) -> list[float]:
    """The times of one side, from a process of its own."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(HERE.parents[1]), str(HERE)]))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        environment[variable] = str(threads)
    if numpy_only:
        environment["TINYGRAD_OPT_KERNELS"] = "numpy"
    command = [sys.executable, str(HERE / "run.py"), "--worker", side, name, str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} ({side}) failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(name: str, rounds: int, seconds: float, threads: int, numpy_only: bool) -> str:
    """One row of the table."""
    times: dict[str, list[float]] = {"tinygrad_opt": [], "torch": []}
    for _ in range(rounds):
        for side, collected in times.items():
            collected.append(statistics.median(run(side, name, seconds, threads, numpy_only)))
    ours, theirs = times["tinygrad_opt"], times["torch"]
    return (
        f"| {name} | {statistics.median(ours) * 1e3:.3f} ms | {statistics.median(theirs) * 1e3:.3f} ms "
        f"| {statistics.median(ours) / statistics.median(theirs):.2f} | {min(ours) / min(theirs):.2f} |"
    )


def main() -> None:
    """Parse the command line and print the table row by row."""
    if len(sys.argv) > 1 and sys.argv[1] == "--worker":
        worker(sys.argv[2], sys.argv[3], float(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(workloads.WORKLOADS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="processes a side (default 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="measuring time in each process (default 1)")
    parser.add_argument("--threads", type=int, default=2, help="threads a side (default 2)")
    parser.add_argument("--numpy", action="store_true", help="leave the compiled kernels out")
    options = parser.parse_args()
    if unknown := set(options.names) - set(workloads.WORKLOADS):
        parser.error(f"there is no workload {', '.join(sorted(unknown))}; there are {', '.join(workloads.WORKLOADS)}")
    print("| workload | tinygrad_opt | PyTorch | ratio of medians | ratio of minima |\n|---|---|---|---|---|")
    for name in options.names or workloads.WORKLOADS:
        print(compare(name, options.rounds, options.seconds, options.threads, options.numpy), flush=True)


if __name__ == "__main__":
    main()
