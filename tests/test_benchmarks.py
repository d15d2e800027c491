"""The benchmarks run; what they measure is for the README and for quiet machines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"


def run(script: str, *arguments: str) -> str:
    environment = dict(os.environ, PYTHONPATH=str(BENCHMARKS.parents[1]))
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.torch
@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("run.py", ["moons", "--rounds", "1", "--seconds", "0.01"]),
        ("run.py", ["chain600", "--rounds", "1", "--seconds", "0.01", "--threads", "1", "--numpy"]),
        ("growth.py", ["operations", "--seconds", "0.01", "--threads", "1"]),
    ],
)
def test_benchmark_prints_a_table(script, arguments):
    pytest.importorskip("torch")
    rows = [line for line in run(script, *arguments).splitlines() if line.startswith("|")]
    assert len(rows) >= 3
    assert len({row.count("|") for row in rows[:3]}) == 1


def test_unknown_workload_is_named():
    command = [sys.executable, str(BENCHMARKS / "run.py"), "mnist"]
    environment = dict(os.environ, PYTHONPATH=str(BENCHMARKS.parents[1]))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "there is no workload mnist" in done.stderr
