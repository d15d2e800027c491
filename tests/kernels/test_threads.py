import os
import subprocess
import sys
import threading
import time

import pytest

from tinygrad_opt.kernels import kernels, threads, twin


def test_the_work_decides_how_many_parts_there_are(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 3)
    assert [threads.parts_of(10, work, 100) for work in (0, 99, 199, 200, 300, 1000)] == [1, 1, 1, 2, 3, 3]
    assert [threads.parts_of(count, 1000, 1) for count in (0, 1, 2, 3, 10)] == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(("given", "expected"), [("2", 2), ("20", 8), ("0", None), ("many", None)])
def test_the_environment_says_how_many_threads_there_are(monkeypatch, given, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert threads.workers.__wrapped__() == (expected or min(8, cores))


def test_a_thread_that_is_wanted_wakes_and_goes_to_sleep_again(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(threads, "workers", lambda: 2)
    threads._forget()
    words = threads.awake(1)
    assert not words[0, threads.AWAKE]
    for _ in range(3):
        for wanted in (1, 0):
            limit = time.monotonic() + 20
            while words[0, threads.AWAKE] != wanted and time.monotonic() < limit:
                if wanted:
                    threads.awake(2)
                time.sleep(0.001)
            assert words[0, threads.AWAKE] == wanted
    assert sum(thread.name == "tinygrad_opt_0" for thread in threading.enumerate()) >= 1
    threads._forget()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_has_threads_of_its_own():
    pytest.importorskip("numba")
    program = """
import os, numpy as np
from tinygrad_opt.kernels import blas, threads
a = np.ones((512, 512), np.float32)
blas.product(a, a)
child = os.fork()
if child == 0:
    ok = all((blas.product(a, a) == 512).all() for _ in range(50))
    os._exit(0 if ok and len(threads._pool()) == 1 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), (blas.product(a, a) == 512).all())
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["0", "True"]


def test_the_choice_of_kernels():
    before = kernels()
    try:
        assert kernels("numpy") == "numpy"
        assert twin("pooling", 10**9, 1) is None
        with pytest.raises(ValueError, match="'auto', 'numpy', 'numba'"):
            kernels("cuda")
        assert kernels() == "numpy"
        pytest.importorskip("numba")
        kernels("auto")
        assert twin("pooling", 10, 1000) is None
        assert twin("pooling", 1000, 1000) is not None
        assert twin("nothing_of_this_name", 1000, 1000) is None
    finally:
        kernels(before)
