"""Which line of the user's code made each node: noted only while some diagnostic asks for it."""

from __future__ import annotations

import importlib
import linecache
import os
import re
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

from .. import errors
from .node import Node, next_number

__all__ = ["forget_lines", "line_of", "note_lines", "source_line"]


class _Noting(threading.local):
    depth = 0


_here = _Noting()
_lock = threading.Lock()
_active = [0]
_lines: dict[int, str] = {}


def source_line() -> str:
    """File, line and text of the innermost call outside of this package, as ``train.py:41 `loss = np.log(p)```."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(errors._PACKAGE):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number).strip()
    return f"{os.path.basename(name)}:{number}" + (f" `{text}`" if text else "")


_CUT = re.compile(r"=.*\.(detach\(|numpy\(|item\(|tolist\(|data\b)|no_grad|set_grad_enabled\(False")


def likely_cut() -> str | None:
    """The last line before the present one, in the user's functions that are running, that looks like it ends a graph.

    Nothing is recorded for this while a program runs well: the source is read when the error is made. Innermost
    function first, and only the file of that one; None when no line looks so.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(errors._PACKAGE):
        frame = frame.f_back
    name = frame.f_code.co_filename if frame is not None else ""
    while frame is not None:
        if frame.f_code.co_filename == name:
            first = 1 if frame.f_code.co_name == "<module>" else frame.f_code.co_firstlineno
            for number in range(frame.f_lineno - 1, first - 1, -1):
                text = linecache.getline(name, number).strip()
                if _CUT.search(text) and not text.startswith("#"):
                    return f"{os.path.basename(name)}:{number} `{text}`"
        frame = frame.f_back
    return None


def line_of(node: Node) -> str | None:
    """The line that made a node, if lines were being noted then."""
    return _lines.get(node.number)


def forget_lines(alive: set[int]) -> None:
    """Drop the lines of all nodes but those with these numbers."""
    for number in [n for n in list(_lines) if n not in alive]:
        del _lines[number]


def _noting_number() -> int:
    number = next_number()
    if _here.depth:
        _lines[number] = source_line()
    return number


def _number_nodes_by(numbering: Callable[[], int]) -> None:
    """Put this in place of ``next_number`` in the modules that make nodes."""
    for module in ("primitive", "quick"):
        vars(importlib.import_module(f"{__package__}.{module}"))["next_number"] = numbering


class note_lines:
    """Context manager: note which line of the user's code makes each node, for pictures and diagnostics.

    Only this thread's operations are noted, and forgotten when the last such context ends. It makes each operation a
    few microseconds slower.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> with tg.autograd.note_lines():
    ...     picture = tg.viz.graph(x * x)
    >>> "made at" in picture.source
    True
    """

    def __enter__(self) -> None:
        with _lock:
            _active[0] += 1
            _number_nodes_by(_noting_number)
        _here.depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _here.depth -= 1
        with _lock:
            _active[0] -= 1
            if not _active[0]:
                _number_nodes_by(next_number)
                _lines.clear()
