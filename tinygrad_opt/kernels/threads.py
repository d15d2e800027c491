"""The threads that run parts of compiled kernels, beside the one that calls: how many, and when they are awake."""

from __future__ import annotations

import functools
import os
import threading
from typing import Any

import numpy as np

__all__ = ["AWAKE", "DONE", "FAILED", "JOB", "OWNER", "TASK", "awake", "parts_of", "workers"]

JOB, TASK, OWNER = 0, 1, 5
"""Of a worker's words (64-bit integers), those that callers write: the number of the work, odd when somebody has taken
it; function, arguments, first and last of the range; whether a caller holds these words."""

DONE, FAILED, AWAKE = 8, 9, 10
"""What the worker writes, a line of the cache apart: the last work it did, whether that failed, whether it looks."""

_WORDS = 16


@functools.cache
def workers() -> int:
    """How many threads share a kernel's work: OMP_NUM_THREADS, else the cores this process may use, at most 8."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return min(8, int(given))
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def parts_of(count: int, work: int, least: int) -> int:
    """Into how many parts ``range(count)`` is cut: one for each `least` of the `work`, but not more than threads."""
    return max(1, min(workers(), count, work // least))


class _Worker:
    """A thread that looks for compiled work, and sleeps when there has been none for a while."""

    def __init__(self, number: int, words: Any) -> None:
        self.words = words
        self.wanted = threading.Event()
        threading.Thread(target=self.serve, name=f"tinygrad_opt_{number}", daemon=True).start()

    def serve(self) -> None:
        from .waiting import until_idle

        while True:
            self.wanted.wait()
            self.wanted.clear()
            until_idle(self.words)


@functools.cache
def _words() -> Any:
    """What the threads tell one another: a row of numbers for each beside the calling one."""
    return np.zeros((max(workers() - 1, 1), _WORDS), np.int64)


@functools.cache
def _pool() -> list[_Worker]:
    """The threads beside the calling one, started here."""
    return [_Worker(i, _words()[i]) for i in range(workers() - 1)]


def awake(parts: int) -> Any:
    """The words of the threads. As many as `parts`, less one, will be wanted at once: those that sleep are woken."""
    words = _words()
    for i in range(parts - 1):
        if not words.item(i, AWAKE):
            _pool()[i].wanted.set()
    return words


def _forget() -> None:
    _pool.cache_clear()
    _words.cache_clear()


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_forget)
