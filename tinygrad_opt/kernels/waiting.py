"""Waiting without sleeping: a loop that looks at a number until another thread changes it.

A thread that sleeps takes 30 to 100 µs to wake, and a scheduler that saves power may wake it on the very core that is
busy: two threads then take as long as one. So a thread that will soon be wanted looks for its work, without the
interpreter's lock, and offers its core to others all the while. After about a hundredth of a second it gives up and
may sleep.
"""

from __future__ import annotations

import numba
from numba import types

from .atomics import call_part, offer_core, read, swap, write
from .threads import AWAKE, DONE, FAILED, JOB, TASK

__all__ = ["until_done", "until_idle"]

_ROUNDS = 20000  # about a hundredth of a second, offers of the core included
_LOOKS = 200  # between two offers, a third of a microsecond

_words = types.Array(types.int64, 1, "C")


@numba.njit(types.void(_words), nogil=True, cache=True)
def until_idle(words):  # type: ignore[no-untyped-def]
    """Do the work that comes, until for a while there is none."""
    write(words, AWAKE, 1)
    left = _ROUNDS
    while left:
        left -= 1
        for _ in range(_LOOKS):
            job = read(words, JOB)
            if job & 1 == 0 and job > words[DONE] and swap(words, JOB, job, job + 1):
                words[FAILED] |= call_part(words[TASK], words[TASK + 1], words[TASK + 2], words[TASK + 3])
                write(words, DONE, job)
                left = _ROUNDS
        offer_core()
    write(words, AWAKE, 0)


@numba.njit(types.void(_words, types.int64), nogil=True, cache=True)
def until_done(words, job):  # type: ignore[no-untyped-def]
    """Wait until that work is done."""
    while True:
        for _ in range(_LOOKS):
            if read(words, DONE) >= job:
                return
        offer_core()
