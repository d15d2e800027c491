"""Time training steps side by side with PyTorch, in alternating rounds of separate processes.

    python tests/benchmarks/run.py                  all workloads, a Markdown table
    python tests/benchmarks/run.py moons chain600   some of them
    python tests/benchmarks/run.py --numpy          without the compiled kernels
    python tests/benchmarks/run.py --threads 1      one thread each
    python tests/benchmarks/run.py moons --compile  our step replayed by tg.compile
    python tests/benchmarks/run.py --peers          beside jax.jit, autograd and MyGrad too, where they are installed

A ratio is our time over PyTorch's: below 1 is faster. Both the ratio of medians and that of minima are given. Memory is
the process's peak beyond Python and NumPy: with the library's own import, and (in brackets) since that import.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import sys
from typing import Any

import peers
import workloads
from harness import in_process, measure, peak_megabytes


def worker(side: str, name: str, seconds: float) -> None:
    """Run one side of one workload in this process; print its times and the rise of its memory."""
    if side in peers.PEERS:
        print(json.dumps({"times": measure(peers.build(side, name), seconds), "memory": 0, "work": 0}))
        return
    bare = peak_megabytes()
    lib = workloads.load(side)
    if side == "torch":
        lib.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        lib.ones(2, requires_grad=True).sum().backward()  # its first call loads a part of the library
    before = peak_megabytes()
    step = workloads.WORKLOADS[name](lib)
    times = measure(lib.compile(step) if side == "compiled" else step, seconds)
    peak = peak_megabytes()
    print(json.dumps({"times": times, "memory": peak - bare, "work": peak - before}))


def collect(name: str, sides: list[str], options: Any) -> dict[str, dict[str, list[float]]]:
    """For each side the median times and the memory of every round."""
    found: dict[str, dict[str, list[float]]] = {side: {"times": [], "memory": [], "work": []} for side in sides}
    for _ in range(options.rounds):
        for side in sides:
            got = in_process(
                __file__,
                "compiled" if options.compile and side == "tinygrad_opt" else side,
                name,
                str(options.seconds),
                threads=options.threads,
                numpy_only=options.numpy,
            )
            found[side]["times"].append(statistics.median(got["times"]))
            found[side]["memory"].append(got["memory"])
            found[side]["work"].append(got["work"])
    return found


def row(name: str, found: dict[str, dict[str, list[float]]]) -> str:
    """One workload's line of the table."""
    ours, theirs = found["tinygrad_opt"], found["torch"]
    cells = [name]
    cells += [f"{statistics.median(side['times']) * 1e3:.3f} ms" for side in found.values()]
    cells.append(f"{statistics.median(ours['times']) / statistics.median(theirs['times']):.2f}")
    cells.append(f"{min(ours['times']) / min(theirs['times']):.2f}")
    memory = [statistics.median(side[kind]) for kind in ("memory", "work") for side in (ours, theirs)]
    cells.append("{:.0f} / {:.0f} MB ({:.0f} / {:.0f})".format(*memory))
    return f"| {' | '.join(cells)} |"


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
    parser.add_argument("--compile", action="store_true", help="replay our steps by tg.compile, where they can be")
    parser.add_argument("--peers", action="store_true", help=f"also {', '.join(peers.PEERS)}, on {peers.SHARED}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(workloads.WORKLOADS):
        parser.error(f"there is no workload {', '.join(sorted(unknown))}; there are {', '.join(workloads.WORKLOADS)}")
    sides = ["tinygrad_opt", "torch"]
    names = options.names or list(workloads.WORKLOADS)
    if options.peers:
        sides += [peer for peer in peers.PEERS if importlib.util.find_spec(peer)]
        names = [name for name in names if name in peers.SHARED]
    head = ["workload", "tinygrad_opt", "PyTorch", *sides[2:], "ratio of medians", "ratio of minima", "memory"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name in names:
        print(row(name, collect(name, sides, options)), flush=True)


if __name__ == "__main__":
    main()
