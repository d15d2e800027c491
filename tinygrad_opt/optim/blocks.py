"""A large parameter updated by NumPy: block by block, so that temporaries stay in the cache, on several threads."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.threads import parts_of, workers

__all__ = ["in_blocks"]

PART = 1 << 18
"""Elements that are worth a thread of their own."""


def in_blocks(size: int, block: int, work: Callable[[slice], bool]) -> bool:
    """Do ``work(part)`` for ``range(size)`` in parts of `block`, in any order; whether one of them returned True."""
    threads = parts_of(-(-size // block), size, PART)

    def every_so_many(first: int) -> bool:
        found = False
        with np.errstate(all="ignore"):  # which a thread does not have from the one that calls
            for low in range(first * block, size, threads * block):
                found |= work(slice(low, low + block))
        return found

    if threads == 1:
        return every_so_many(0)
    from concurrent.futures import wait

    others = [_pool().submit(every_so_many, i) for i in range(1, threads)]
    try:
        found = every_so_many(0)
    finally:
        wait(others)
    return any([found, *[other.result() for other in others]])


@functools.cache
def _pool() -> Any:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max(workers() - 1, 1), thread_name_prefix="tinygrad_opt")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
