"""Keeping freed memory: it takes effect, changes no result, and can be undone."""

import os
import platform
import resource
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_opt as tg

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these options")


@pytest.fixture(autouse=True)
def _undo():
    yield
    tg.keep_memory(False)


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _page_faults_of_large_temporaries() -> int:
    for _ in range(3):
        np.ones(1 << 22).sum()
    before = _faults()
    for _ in range(20):
        np.ones(1 << 22).sum()
    return _faults() - before


@glibc
def test_large_arrays_are_not_faulted_in_again():
    tg.keep_memory(False)
    without = _page_faults_of_large_temporaries()
    assert tg.keep_memory()
    assert _page_faults_of_large_temporaries() < without / 4


_STEPS = """
import resource
import numpy as np
{first}
def faults_of_ten_steps():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        arrays = [np.ones(1 << 19) for _ in range(6)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults_of_ten_steps()
print(faults_of_ten_steps())
"""


def _faults_of_steps(first: str, **environment: str) -> int:
    """Page faults of ten steps of 24 MiB each, in a process that begins with `first`."""
    command = [sys.executable, "-c", _STEPS.format(first=first)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}  # Dask sets some
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**inherited, **environment})
    return int(done.stdout)


@glibc
def test_the_import_teaches_the_library_to_reuse():
    assert _faults_of_steps("import tinygrad_opt") < 1000
    given_back = _faults_of_steps("import tinygrad_opt", MALLOC_TRIM_THRESHOLD_="131072")
    assert given_back > 10000  # 24 MiB are 6000 pages: what the user set still holds


def test_elsewhere_it_says_that_it_did_nothing(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert tg.keep_memory() is False
