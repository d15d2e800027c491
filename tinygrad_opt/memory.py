"""Letting the C library keep freed memory instead of giving it back after each step of a training.

glibc returns large freed blocks to the system and asks for them again at the next step; the system then clears them
page by page, which can take as long as the arithmetic itself. It learns from what a program frees: after a block of
up to 32 MiB it keeps twice as much for reuse. Importing the package lets it learn that at once.
"""

from __future__ import annotations

import ctypes
import sys

import numpy as np

__all__ = ["keep_memory"]

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_LEARNT = (1 << 25) - (1 << 16)  # bytes; freeing a larger block teaches glibc nothing


def _teach() -> None:
    """Show glibc a large block that is freed: from then on up to 64 MiB at the end of its heap stay for reuse.

    Any program that frees such an array has this effect; it is bounded, touches no page, and is nothing elsewhere.
    Where the user has set thresholds, by MALLOC_TRIM_THRESHOLD_ or by mallopt, glibc goes on following those.

    Two more blocks then come from that heap. NumPy asks Linux to give arrays of their size pages of 2 MiB, and the
    place keeps them when the arrays are gone: the arrays of a training, too small to be asked for, get them too.
    """
    np.empty(_LARGEST_LEARNT, np.uint8)
    _blocks = [np.empty(_LARGEST_LEARNT - (1 << 20), np.uint8) for _ in range(2)]


_teach()


def keep_memory(keep: bool = True) -> bool:
    """Keep more freed memory in the process for the next step, or go back to the C library's habit.

    It pays where a training step holds more than the 64 MiB that are kept anyway. It holds for the whole process and
    all its libraries. What it costs: the process stays at its largest size (up to 1 GiB of freed memory is kept, in
    blocks of up to 256 MiB) until it ends or this is called with False. It changes no result.

    Parameters
    ----------
    keep : bool
        False restores glibc's initial thresholds (128 KiB) and returns free memory to the system.

    Returns
    -------
    bool
        Whether it took effect; it can only with glibc, that is on most Linux systems.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> effective = tg.keep_memory()
    >>> effective == tg.keep_memory(False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    mmap_threshold, trim_threshold = (1 << 28, 1 << 30) if keep else (128 * 1024, 128 * 1024)
    done = library.mallopt(_M_MMAP_THRESHOLD, mmap_threshold) and library.mallopt(_M_TRIM_THRESHOLD, trim_threshold)
    if not keep:
        library.malloc_trim(0)
    return bool(done)
