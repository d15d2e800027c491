import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tinygrad_opt.kernels import kernels, threads, twin


def test_parts_make_up_the_whole(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 3)
    threads._forget()
    for count in (0, 1, 2, 3, 10):
        ranges = threads.in_parts(lambda first, last: (first, last), count, work=100, least=1)
        assert [i for first, last in ranges for i in range(first, last)] == list(range(count))
    threads._forget()


def test_little_work_stays_in_this_thread():
    here = threading.get_ident()
    assert threads.in_parts(lambda first, last: threading.get_ident(), 100, work=10) == [here]


def test_an_error_in_a_part_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 2)
    threads._forget()

    def fail(first, last):
        if first:
            raise RuntimeError("in the second part")

    with pytest.raises(RuntimeError, match="second part"):
        threads.in_parts(fail, 10, work=100, least=1)
    threads._forget()


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


def test_threads_that_look_for_work_find_it(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(threads, "workers", lambda: 4)
    threads._forget()
    for i in range(300):
        parts = threads.in_parts(lambda first, last: (first, last, threading.get_ident()), 8, work=100, least=1)
        assert [part[:2] for part in parts] == [(0, 2), (2, 4), (4, 6), (6, 8)]
        assert len({part[2] for part in parts}) == 4
        if i % 100 == 50:
            time.sleep(0.02)  # they sleep by now, and have to be woken
    threads._forget()


def test_several_threads_share_the_workers(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 3)
    threads._forget()

    def many(number):
        return [threads.in_parts(lambda i, j: [number] * (j - i), 30, work=100, least=1) for _ in range(100)]

    with ThreadPoolExecutor(4) as pool:
        for number, found in enumerate(pool.map(many, range(4))):
            assert all([*itertools.chain(*parts)] == [number] * 30 for parts in found)
    threads._forget()


def test_without_numba_threads_sleep(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 2)
    monkeypatch.setattr(threads, "spinning", lambda: None)
    threads._forget()
    assert threads.in_parts(lambda i, j: j - i, 10, work=100, least=1) == [5, 5]
    threads._forget()


def test_a_part_may_be_cut_again(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 2)
    threads._forget()
    found = threads.in_parts(lambda i, j: sum(threads.in_parts(lambda a, b: b - a, 4, work=100, least=1)), 2, 100, 1)
    assert found == [4, 4]
    threads._forget()
