"""What Numba compiles for an update rule: the loop's source, and the folder that keeps its machine code.

Machine code is kept on disk, in a folder of the user's, under a name that holds the generated source's hash.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from .trace import CannotCompile, Loop

__all__ = ["DAMAGE", "compile_source", "is_kept", "keep", "source_of"]

DAMAGE = (ImportError, OSError, EOFError, RuntimeError, ValueError, UnpicklingError)
"""What a damaged cache raises, which is no reason to fail."""

_WHOLE = {"part": ("first", "last")}
_HALVES = {"low": ("first", "_middle"), "high": ("_middle", "_end"), "rest": ("_end", "last")}


def source_of(
    rule: Any,
    loop: Loop,
    arrays: Sequence[str],
    written: dict[str, str | None],
    dtype: np.dtype[Any],
    at_two_places: bool = False,
) -> str:
    """A Python function for Numba that runs a rule over a range of elements.

    With `at_two_places` it goes through both halves of the range at once: memory, which is what bounds large updates,
    then hands out somewhat more.
    """
    stores = [(name, result) for name, result in written.items() if result is not None]
    lines = [f"def {rule.name}({', '.join(arrays)}, constants, first, last):  # {dtype}"]
    lines += [f"    c_{i} = constants[{i}]" for i in range(len(loop.constants))]
    if at_two_places:
        lines += ["    _middle = first + (last - first) // 2", "    _end = 2 * _middle - first"]
    for part, (start, stop) in (_HALVES if at_two_places else _WHOLE).items():
        lines += [f"    {name}_{part} = {name}[{start}:{stop}]" for name in arrays]
    for together in (("low", "high"), ("rest",)) if at_two_places else (("part",),):
        lines.append(f"    for i in range(p_{together[0]}.shape[0]):")
        for part in together:
            lines += [f"        {name}_i = {name}_{part}[i]" for name in arrays if name in loop.reads]
            lines += [f"        {line}" for line in loop.body]
            lines += [f"        {name}_new = {result}" for name, result in stores]
            lines += [f"        {name}_{part}[i] = {name}_new" for name, _ in stores]
    return "\n".join(lines) + "\n"


def compile_source(source: str, states: int, dtype: np.dtype[Any]) -> Any:
    """Machine code for generated source, from the disk where it has been made before."""
    import numba

    path = keep(source)
    namespace: dict[str, Any] = {"np": np, "__name__": __name__}  # a cached loop looks its module up by name
    exec(compile(source, str(path or "<update rule>"), "exec"), namespace)
    function = namespace[source[4 : source.index("(")]]
    scalar = numba.float32 if dtype == np.float32 else numba.float64
    signature = numba.void(*[scalar[::1]] * (3 + states), numba.int64, numba.int64)
    options: dict[str, Any] = {"error_model": "numpy", "nogil": True}
    if path is not None:
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except DAMAGE:
            pass
        except numba.core.errors.NumbaError as error:
            raise CannotCompile(f"Numba says: {str(error).strip().splitlines()[-1]}") from None
    try:
        return numba.njit(signature, **options)(function)
    except numba.core.errors.NumbaError as error:
        raise CannotCompile(f"Numba says: {str(error).strip().splitlines()[-1]}") from None


def _place(source: str) -> Path | None:
    """Where generated source belongs; None where that is turned off or unknown.

    The folder is under the user's cache directory, or TINYGRAD_OPT_CACHE; empty turns this off.
    """
    base = os.environ.get("TINYGRAD_OPT_CACHE")
    if base == "":
        return None
    try:
        root = Path(base or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # there is no home
        return None
    return root / "tinygrad_opt" / "rules" / f"rule_{hashlib.sha256(source.encode()).hexdigest()[:24]}.py"


def is_kept(source: str) -> bool:
    """Whether machine code for this source has been kept."""
    path = _place(source)
    try:
        return path is not None and any((path.parent / "__pycache__").glob(f"{path.stem}.*.nbi"))
    except OSError:
        return False


def keep(source: str) -> Path | None:
    """Put generated source where Numba can keep its machine code beside it; None where no folder is safe.

    The folder is taken only when it belongs to the user, since code is loaded from it.
    """
    path = _place(source)
    if path is None:
        return None
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if hasattr(os, "getuid") and (folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o022):
            return None
        if not path.exists() or path.read_text() != source:
            unfinished = path.with_suffix(f".{os.getpid()}")
            unfinished.write_text(source)
            unfinished.replace(path)
    except OSError:
        return None
    return path
