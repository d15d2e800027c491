"""Cutting a compiled kernel's work over the cores, with threads of our own.

The kernels release the interpreter's lock. A thread that waits here sleeps; Numba's own pool would spin beside the one
of the matrix products, and the two would take each other's cores.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

__all__ = ["in_parts", "pieces", "workers"]


@functools.cache
def workers() -> int:
    """How many threads share a kernel's work: OMP_NUM_THREADS, else the cores this process may use, at most 8."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return min(8, int(given))
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class _Task:
    """A range for another thread to work on, and what came of it."""

    __slots__ = ("done", "error", "first", "function", "last", "result")

    def __init__(self, function: Callable[[int, int], Any], first: int, last: int) -> None:
        self.function, self.first, self.last = function, first, last
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def run(self) -> None:
        try:
            self.result = self.function(self.first, self.last)
        except BaseException as error:  # it is raised in the thread that waits
            self.error = error
        finally:
            self.done.release()

    def wait(self) -> Any:
        self.done.acquire()
        if self.error is not None:
            raise self.error
        return self.result


def _serve(tasks: SimpleQueue[_Task]) -> None:
    while True:
        tasks.get().run()


@functools.cache
def _pool() -> SimpleQueue[_Task]:
    """The queue from which the other threads, started here, take their tasks: half the cost of an executor's."""
    tasks: SimpleQueue[_Task] = SimpleQueue()
    for i in range(workers() - 1):
        threading.Thread(target=_serve, args=(tasks,), name=f"tinygrad_opt_{i}", daemon=True).start()
    return tasks


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
    parts = min(workers(), count, max(1, work // least))
    if parts <= 1:
        return [function(0, count)]
    cuts = [count * i // parts for i in range(parts + 1)]
    waiting = [_Task(function, cuts[i], cuts[i + 1]) for i in range(1, parts)]
    for task in waiting:
        _pool().put(task)
    try:
        mine = function(cuts[0], cuts[1])
    finally:
        others = [task.wait() for task in waiting]
    return [mine, *others]


def pieces(sizes: Sequence[int], first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """What a range over several arrays laid end to end is made of: which array, from where, to where."""
    start = 0
    for i, size in enumerate(sizes):
        low, high = max(first - start, 0), min(last - start, size)
        if low < high:
            yield i, low, high
        start += size


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
