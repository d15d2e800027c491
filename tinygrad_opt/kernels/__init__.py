"""Which implementation of the fused operations runs: NumPy's, or the compiled twin beside it (the ``fast`` extra).

Nothing outside this folder imports Numba. A caller asks for a twin by name and says how much work there is; it gets the
module with the compiled functions, or None and then runs its NumPy form. Both give the same results within the bounds
that the tests state.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
from typing import Any

from ..errors import missing_extra

__all__ = ["kernels", "twin"]

_CHOICES = ("auto", "numpy", "numba")
_choice = os.environ.get("TINYGRAD_OPT_KERNELS", "auto")


def kernels(choice: str | None = None) -> str:
    """Choose the implementation of fused operations for this process, and return the choice.

    Parameters
    ----------
    choice : {"auto", "numpy", "numba"}, optional
        "auto" (at first) compiles where Numba is installed and the arrays are large enough to gain by it; "numpy" never
        does; "numba" always does where there is a twin. Without an argument nothing changes.

    Raises
    ------
    ValueError
        For another choice.
    MissingExtraError
        For "numba" where it is not installed.

    The environment variable TINYGRAD_OPT_KERNELS makes the first choice.

    Examples
    --------
    >>> from tinygrad_opt.kernels import kernels
    >>> kernels()
    'auto'
    """
    global _choice
    if choice is not None:
        if choice not in _CHOICES:
            raise ValueError(f"kernels({choice!r}): the choices are {', '.join(map(repr, _CHOICES))}.")
        if choice == "numba" and not _installed():
            raise missing_extra("numba", "fast", "compiled kernels")
        _choice = choice
    return _choice


@functools.cache
def _installed() -> bool:
    return importlib.util.find_spec("numba") is not None


@functools.cache
def _module(name: str) -> Any:
    path = f"{__name__}.{name}"
    return importlib.import_module(path) if importlib.util.find_spec(path) else None


def twin(name: str, work: int, least: int) -> Any:
    """The module of compiled functions `name`, or None where NumPy's form is to run.

    Parameters
    ----------
    name : str
        A file of this folder, e.g. "pooling".
    work : int
        What the operation is about to do, in elements.
    least : int
        From how much work on compiled code is the faster one, its call included.
    """
    if _choice == "numba" or (_choice == "auto" and work >= least and _installed()):
        return _module(name)
    return None
