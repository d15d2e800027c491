"""One compiled kernel on several threads, without the interpreter: its range is cut, and a thread takes each piece.

A thread that is looking for work takes its piece at once. A piece that nobody has taken, the caller does himself. The
cuts depend on the amount of work alone, so the results do not depend on who was there. The interpreter's lock is free
meanwhile, and nobody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import types

from .atomics import addresses_of, call_part, read, swap, write
from .threads import FAILED, JOB, OWNER, TASK, awake, parts_of
from .waiting import until_done

__all__ = ["shared"]

_word = types.int64


@numba.njit(types.void(_word, _word, types.Array(_word, 2, "C"), _word, _word), nogil=True, cache=True)
def _share(function, place, words, parts, count):  # type: ignore[no-untyped-def]
    """Have the parts of ``range(count)`` done; `words` has a row for each thread beside this one."""
    failed = 0
    taken = 0
    for i in range(1, parts):
        row, first, last = words[i - 1], count * i // parts, count * (i + 1) // parts
        if swap(row, OWNER, 0, 1):
            taken |= 1 << i
            row[TASK], row[TASK + 1], row[TASK + 2], row[TASK + 3] = function, place, first, last
            write(row, JOB, (read(row, JOB) | 1) + 1)
        else:  # another thread of the user's has work in progress there
            failed |= call_part(function, place, first, last)
    failed |= call_part(function, place, 0, count // parts)
    for i in range(1, parts):
        if taken >> i & 1:
            row = words[i - 1]
            job = read(row, JOB) & ~1
            if swap(row, JOB, job, job + 1):
                failed |= call_part(function, place, row[TASK + 2], row[TASK + 3])
            else:
                until_done(row, job)
                failed |= row[FAILED]
                row[FAILED] = 0
            write(row, OWNER, 0)
    if failed:
        raise MemoryError("a compiled kernel found no memory to work in.")


_SOURCE = """
def {name}_in_parts(_words, _parts, _count, {arguments}):
    _function, _place = _addresses(({arguments},))
    _share(_function, _place, _words, _parts, _count)
"""


def shared(kernel: Any, on_disk: bool = True) -> Callable[..., None]:
    """Let a compiled kernel whose last two arguments are a range be called for a whole range, on several threads.

    Parameters
    ----------
    kernel : compiled function
        Takes ``(*arguments, first, last)`` and returns nothing; it may write only what belongs to its range.
    on_disk : bool
        Whether to keep the machine code beside the kernel's file.

    Returns
    -------
    callable
        ``run(count, work, *arguments, least=2**18)``: for ``range(count)``, on a thread for each `least`
        multiplications of `work`.
    """
    function = kernel.py_func
    code = function.__code__
    names = code.co_varnames[: code.co_argcount - 2]
    source = _SOURCE.format(name=function.__name__, arguments=", ".join(names))
    scope = {"_addresses": addresses_of(kernel), "_share": _share, "__name__": function.__module__}
    exec(compile(source, code.co_filename, "exec"), scope)  # as of the kernel's file, beside which the cache lies
    has_file = not code.co_filename.startswith("<")
    compiled = numba.njit(nogil=True, cache=on_disk and has_file)(scope[f"{function.__name__}_in_parts"])

    def run(count: int, work: int, *arguments: Any, least: int = 1 << 18) -> None:
        parts = parts_of(count, work, least)
        compiled(awake(parts), parts, count, *arguments)

    return run
