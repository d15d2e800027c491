"""What the benchmarks share: timing steps, memory, and processes of their own for each side.

Machines drift, so the sides of a comparison take turns, each round in a fresh process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def measure(step: Callable[[], Any], seconds: float) -> list[float]:
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


def peak_megabytes() -> float:
    """The most memory this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def in_process(script: str, *arguments: str, threads: int, numpy_only: bool = False) -> Any:
    """What ``script --worker arguments`` prints as JSON, from a process of its own."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(HERE.parents[1]), str(HERE)]))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        environment[variable] = str(threads)
    environment["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    if numpy_only:
        environment["TINYGRAD_OPT_KERNELS"] = "numpy"
    command = [sys.executable, script, "--worker", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
