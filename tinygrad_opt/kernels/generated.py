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

__all__ = ["DAMAGE", "compile_source", "is_kept", "keep", "source_for_many", "source_of"]

DAMAGE = (ImportError, OSError, EOFError, RuntimeError, ValueError, UnpicklingError)
"""What a damaged cache raises, which is no reason to fail."""


def source_of(
    rule: Any, loop: Loop, arrays: Sequence[str], written: dict[str, str | None], dtype: np.dtype[Any]
) -> str:
    """A Python function for Numba that runs a rule over a range of the elements of its arrays.

    Names of its own begin with an underscore, since a rule may call its states whatever it likes.
    """
    lines = [f"def {rule.name}({', '.join(arrays)}, _constants, _first, _last):  # {dtype}"]
    lines += [f"    c_{i} = _constants[{i}]" for i in range(len(loop.constants))]
    lines += _indented(_loop(loop, arrays, written, {"part": "_first:_last"}))
    return "\n".join(lines) + "\n"


def source_for_many(
    rule: Any, loop: Loop, arrays: Sequence[str], written: dict[str, str | None], dtype: np.dtype[Any]
) -> str:
    """The same for many sets of arrays, as if they lay end to end.

    `_places` has a row for each: size, addresses, and a last number that becomes 1 where a gradient may hold a NaN or
    an infinity. Both halves of what there is to do of a set are gone through at once: memory, which is what bounds
    large updates, then hands out somewhat more.
    """
    lines = [f"def {rule.name}(_places, _constants, _first, _last):  # {dtype}"]
    lines += [f"    c_{i} = _constants[{i}]" for i in range(len(loop.constants))]
    lines += ["    _end = 0", "    for _row in range(_places.shape[0]):"]
    inside = ["_start, _size = _end, _places[_row, 0]", "_end = _start + _size"]
    inside += ["_low, _high = max(_first - _start, 0), min(_last - _start, _size)"]
    inside += ["_middle = _low + (_high - _low) // 2", "_stop = 2 * _middle - _low"]
    inside += ["if _low < _high:"]
    each = [f"{name} = array_at(_places[_row, {i + 1}], _size, _constants)" for i, name in enumerate(arrays)]
    each += ["_sum = p.dtype.type(0)"]
    each += _loop(loop, arrays, written, {"low": "_low:_middle", "high": "_middle:_stop"}, watched=True)
    each += _loop(loop, arrays, written, {"rest": "_stop:_high"}, watched=True)
    each += ["if not np.isfinite(_sum):", f"    _places[_row, {len(arrays) + 1}] = 1"]
    return "\n".join(lines + _indented(_indented(inside + _indented(each)))) + "\n"


def _loop(
    loop: Loop, arrays: Sequence[str], written: dict[str, str | None], parts: dict[str, str], watched: bool = False
) -> list[str]:
    """A loop through parts of one length at once: their names, and where they lie. When watched, it sums gradients."""
    stores = [(name, result) for name, result in written.items() if result is not None]
    lines = [f"{name}_{part} = {name}[{place}]" for part, place in parts.items() for name in arrays]
    lines.append(f"for _i in range(p_{next(iter(parts))}.shape[0]):")
    for part in parts:
        body = [f"{name}_i = {name}_{part}[_i]" for name in arrays if name in loop.reads or (watched and name == "g")]
        body += ["_sum = add_in_any_order(_sum, g_i)"] if watched else []
        body += loop.body
        body += [f"{name}_new = {result}" for name, result in stores]
        body += [f"{name}_{part}[_i] = {name}_new" for name, _ in stores]
        lines += _indented(body)
    return lines


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def compile_source(source: str, kinds: Sequence[Any]) -> Any:
    """Machine code for generated source, from the disk where it has been made before.

    Parameters
    ----------
    source : str
    kinds : sequence
        Numba's types of all arguments but the last two, the ends of the range.
    """
    import numba

    from .atomics import add_in_any_order, array_at

    path = keep(source)
    # a cached loop looks its module up by name
    names = {"add_in_any_order": add_in_any_order, "array_at": array_at, "np": np}
    namespace: dict[str, Any] = {**names, "__name__": __name__}
    exec(compile(source, str(path or "<update rule>"), "exec"), namespace)
    function = namespace[source[4 : source.index("(")]]
    signature = numba.void(*kinds, numba.int64, numba.int64)
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
