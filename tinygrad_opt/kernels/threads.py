"""Cutting a compiled kernel's work over the cores, with threads of our own.

The kernels release the interpreter's lock, and so do NumPy's matrix products, whose large ones are cut here as well: a
pool of OpenBLAS's beside this one would take its cores.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np

__all__ = [
    "AWAKE", "DONE", "FAILED", "FINISHED", "JOB", "OWNER", "POSTED", "TASK",
    "awake", "in_parts", "parts_of", "pieces", "spinning", "workers",
]  # fmt: skip

_here = threading.local()

POSTED = 0
"""How many of Python's tasks were handed over: the first of a worker's words, all of them 64-bit integers.

Those that different threads write lie a line of the cache apart.
"""

JOB, TASK, OWNER = 8, 9, 13
"""Compiled work: its number, odd when somebody has taken it; function, arguments, first, last; who may write these."""

FINISHED, DONE, FAILED, AWAKE = 16, 24, 25, 26
"""What the worker writes: how many tasks are finished, the last compiled work, if it failed, whether it looks."""

_WORDS = 32


@functools.cache
def workers() -> int:
    """How many threads share a kernel's work: OMP_NUM_THREADS, else the cores this process may use, at most 8."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return min(8, int(given))
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@functools.cache
def spinning() -> Any:
    """The loops that wait without sleeping; None where there is no Numba or no POSIX."""
    if sys.platform == "win32" or importlib.util.find_spec("numba") is None:
        return None
    return importlib.import_module(".waiting", __package__)


class _Task:
    """A range for another thread to work on, and what came of it."""

    __slots__ = ("done", "error", "first", "function", "last", "number", "result", "worker")

    def __init__(self, function: Callable[[int, int], Any], first: int, last: int, worker: _Worker) -> None:
        self.function, self.first, self.last, self.worker = function, first, last, worker
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()
        self.number = worker.take(self)

    def run(self) -> None:
        try:
            self.result = self.function(self.first, self.last)
        except BaseException as error:  # it is raised in the thread that waits
            self.error = error
        finally:
            self.done.release()

    def wait(self) -> Any:
        if loops := spinning():
            loops.until_finished(self.worker.words, self.number)
        self.done.acquire()
        if self.error is not None:
            raise self.error
        return self.result


class _Worker:
    """A thread with a queue of its own.

    The queue alone decides what is done of Python's tasks. The words are hints, on which a thread stops looking for
    something new and asks the queue, or a task's lock. Compiled work (`sharing`) goes by the words alone.
    """

    def __init__(self, number: int, words: Any) -> None:
        self.tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self.words = words
        threading.Thread(target=self.serve, name=f"tinygrad_opt_{number}", daemon=True).start()

    def take(self, task: _Task | None) -> int:
        """Queue a task, or None for nothing but to be awake; returns its number."""
        self.tasks.put(task)
        number: int = self.words.item(POSTED) + 1
        self.words[POSTED] = number
        return number

    def serve(self) -> None:
        _here.is_worker = True
        finished = 0
        while True:
            task = self.tasks.get()
            if task is not None:
                task.run()
            finished += 1
            seen = self.words.item(POSTED)
            if (loops := spinning()) and self.tasks.empty():
                loops.until_posted(self.words, finished, seen)
            else:
                self.words[FINISHED] = finished


@functools.cache
def _words() -> Any:
    """What the threads tell one another: a row of numbers for each beside the calling one."""
    return np.zeros((max(workers() - 1, 1), _WORDS), np.int64)


@functools.cache
def _pool() -> list[_Worker]:
    """The threads beside the calling one, started here."""
    return [_Worker(i, _words()[i]) for i in range(workers() - 1)]


def parts_of(count: int, work: int, least: int) -> int:
    """Into how many parts a range is cut; the arguments as those of :func:`in_parts`."""
    return max(1, min(workers(), count, work // least))


def awake(parts: int) -> Any:
    """The words of the threads, so many of which (less one) will be wanted at once: those that sleep are woken."""
    words = _words()
    for i in range(parts - 1):
        if not words.item(i, AWAKE):
            worker = _pool()[i]
            if worker.tasks.empty():
                worker.take(None)
    return words


def in_parts(function: Callable[[int, int], Any], count: int, work: int, least: int = 1 << 18) -> list[Any]:
    """``function(first, last)`` for ranges that make up ``range(count)``, side by side when the work is worth it.

    Parameters
    ----------
    function : callable
        Calls one compiled kernel; the ranges it is given do not overlap.
    count : int
    work : int
        Multiplications in all.
    least : int
        How many of them are worth a thread.
    """
    parts = parts_of(count, work, least)
    if parts <= 1 or getattr(_here, "is_worker", False):  # a worker that waits for itself would wait for ever
        return [function(0, count)]
    cuts = [count * i // parts for i in range(parts + 1)]
    tasks = [_Task(function, cuts[i], cuts[i + 1], worker) for i, worker in enumerate(_pool()[: parts - 1], 1)]
    try:
        mine = function(cuts[0], cuts[1])
    finally:
        others = [task.wait() for task in tasks]
    return [mine, *others]


def pieces(sizes: Sequence[int], first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """What a range over several arrays laid end to end is made of: which array, from where, to where."""
    start = 0
    for i, size in enumerate(sizes):
        low, high = max(first - start, 0), min(last - start, size)
        if low < high:
            yield i, low, high
        start += size


def _forget() -> None:
    _pool.cache_clear()
    _words.cache_clear()


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_forget)
