"""A compiled kernel's range on several threads: everything is done once, whoever does it, and failures are heard of."""

import gc
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinygrad_opt.kernels import threads

numba = pytest.importorskip("numba")
sharing = pytest.importorskip("tinygrad_opt.kernels.sharing")

_jit = numba.njit(nogil=True)


@sharing.shared
@_jit
def add(y, x, by, first, last):
    for i in range(first, last):
        y[i] += x[i] + by[0]


@sharing.shared
@_jit
def note(starts, ends, first, last):
    starts[first], ends[first] = first + 1, last


@sharing.shared
@_jit
def need_room(sizes, first, last):
    for i in range(first, last):
        sizes[i] = np.empty(sizes[i], np.int64).size


@sharing.shared
@_jit
def wait(done, rounds, first, last):
    for _ in range(rounds):
        for i in range(first, last):
            done[i] += 1


@pytest.fixture(params=[1, 2, 4])
def count(request, monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: request.param)
    threads._forget()
    yield request.param
    threads._forget()


def test_every_element_is_done_once(count):
    x = np.arange(1000.0)
    for i in range(300):
        y = np.zeros(1000)
        add(1000, 1 << 20, y, x, (1,), least=1)
        np.testing.assert_array_equal(y, x + 1)
        if i % 100 == 50:
            time.sleep(0.03)  # the threads sleep by now
    add(0, 1 << 20, y[:0], x[:0], (1,), least=1)


def test_the_cuts_depend_on_the_work_alone(count):
    for _ in range(3):
        starts, ends = np.zeros(10, np.int64), np.zeros(10, np.int64)
        note(10, 100, starts, ends, least=1)
        expected = [10 * i // count for i in range(count + 1)]
        assert [*(starts[starts > 0] - 1), 10] == expected
        assert [*ends[starts > 0]] == expected[1:]
    starts[:] = 0
    note(10, 100, starts, ends, least=100)
    assert [*starts] == [1] + [0] * 9


@pytest.mark.skipif(os.cpu_count() == 1, reason="there is no other core")
def test_other_threads_take_their_share(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 2)
    threads._forget()
    done, words, helped = np.zeros(2, np.int64), threads._words()[0], 0
    for _ in range(200):
        before = words[threads.JOB] & ~1
        wait(2, 100, done, 10**6, least=1)
        helped += words[threads.DONE] > before
        assert words[threads.OWNER] == 0
    assert (done == 200 * 10**6).all()
    assert helped > 0
    threads._forget()


def test_several_callers_at_once(count):
    def many(number):
        y, x = np.zeros(100), np.full(100, float(number))
        for _ in range(300):
            add(100, 100, y, x, (0,), least=1)
        return y

    with ThreadPoolExecutor(4) as pool:
        for number, y in enumerate(pool.map(many, range(4))):
            np.testing.assert_array_equal(y, 300.0 * number)


def test_a_failing_part_is_heard_of(count):
    sizes = np.array([1, 1, 1, 1 << 60])
    with pytest.raises(MemoryError, match="no memory to work in"):
        need_room(4, 4, sizes, least=1)
    y = np.zeros(4)
    add(4, 4, y, y, (1,), least=1)  # and the threads go on
    assert (y == 1).all()


def test_arrays_are_not_kept(count):
    y = np.zeros(100)
    before = sys.getrefcount(y)
    for _ in range(10):
        add(100, 100, y, y, (0,), least=1)
    gc.collect()
    assert sys.getrefcount(y) == before


def test_a_thread_of_the_users_may_end(count):
    y = np.zeros(100)
    for _ in range(5):
        thread = threading.Thread(target=lambda: add(100, 100, y, np.ones(100), (0,), least=1))
        thread.start()
        thread.join()
    assert (y == 5).all()
