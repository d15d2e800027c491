"""Waiting without sleeping: a loop that looks at a number until another thread changes it.

A thread that sleeps takes 30 to 100 µs to wake, and a scheduler that saves power may wake it on the very core that is
busy: two threads then take as long as one. So a thread that will soon be wanted looks for its work, without the
interpreter's lock, and offers its core to others all the while. After about a hundredth of a second it gives up and
may sleep.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

__all__ = ["FINISHED", "POSTED", "until_finished", "until_posted"]

POSTED, FINISHED = 0, 8
"""Where the numbers of tasks handed over and done stand in a worker's array: a line of the cache apart."""

_ROUNDS = 20000  # about a hundredth of a second, offers of the core included
_LOOKS = 200  # between two offers, a third of a microsecond
_HEAD_START = 8000  # looks, for whoever handed the task over to come out of the interpreter with its own part

_signals = types.Array(types.int64, 1, "C")
_yield = types.ExternalFunction("sched_yield", types.int32())


def _address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(array.data, [args[1]])


@intrinsic
def _read(typing_context, signals, place):  # type: ignore[no-untyped-def]
    """A number that other threads write, read anew each time."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.load_atomic(_address(context, builder, signature, args), "acquire", 8)

    return types.int64(signals, types.int64), generate


@intrinsic
def _write(typing_context, signals, place, value):  # type: ignore[no-untyped-def]
    """Write a number for other threads; what was written before, they see too."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        number = builder.zext(args[2], ir.IntType(64)) if args[2].type.width < 64 else args[2]
        builder.store_atomic(number, _address(context, builder, signature, args), "release", 8)
        return context.get_dummy_value()

    return types.void(signals, types.int64, types.int64), generate


@numba.njit(types.void(_signals, types.int64, types.int64), nogil=True, cache=True)
def until_posted(signals, finished, seen):  # type: ignore[no-untyped-def]
    """Say how many tasks are done, now that the interpreter is free, and wait for the number of tasks to change."""
    _write(signals, FINISHED, finished)  # type: ignore[call-arg]
    for _ in range(_ROUNDS):
        for _ in range(_LOOKS):
            if _read(signals, POSTED) != seen:
                for _ in range(_HEAD_START):
                    _read(signals, POSTED)
                return
        _yield()


@numba.njit(types.void(_signals, types.int64), nogil=True, cache=True)
def until_finished(signals, number):  # type: ignore[no-untyped-def]
    """Wait until so many tasks are done."""
    for _ in range(_ROUNDS):
        for _ in range(_LOOKS):
            if _read(signals, FINISHED) >= number:  # type: ignore[call-arg]
                return
        _yield()
