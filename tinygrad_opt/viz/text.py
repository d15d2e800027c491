"""How numbers, arrays and names of any kind are written on a picture: short, exact in meaning, and harmless."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "array_lines",
    "clean",
    "dot_attributes",
    "dot_text",
    "gradient_lines",
    "number",
    "of_dtype",
    "of_shape",
    "plain_text",
    "plural",
]

FULL_SIZE = 12
"""Arrays up to this many elements are shown in full, larger ones in a summary."""


def clean(text: Any, width: int = 80) -> str:
    """User text as one printable line: control characters made visible, over-long text cut.

    >>> clean("a\\nb\\x00")
    'a⏎b␀'
    """
    out = []
    for char in str(text):
        code = ord(char)
        if char == "\n":
            out.append("⏎")
        elif code < 32:
            out.append(chr(0x2400 + code))
        elif 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF):
            out.append("�")
        elif 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:  # would reverse the text around it
            continue
        else:
            out.append(char)
    line = "".join(out)
    return line if len(line) <= width else line[: width - 1] + "…"


def number(value: Any, digits: int = 4) -> str:
    """A number to so many significant digits, with a true minus sign.

    >>> number(-0.123456), number(3), number(2.0), number(1e-12)
    ('−0.1235', '3', '2', '1e−12')
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(value).replace("-", "−")
    if isinstance(value, (complex, np.complexfloating)):
        imaginary = f"{value.imag:+.4g}".replace("+", " + ").replace("-", " − ")
        return number(value.real) + imaginary + "i"
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def of_shape(shape: tuple[int, ...]) -> str:
    """A shape as NumPy writes it; a scalar by name.

    >>> of_shape((32, 10)), of_shape((3,)), of_shape(())
    ('(32, 10)', '(3,)', 'scalar')
    """
    return str(tuple(int(n) for n in shape)) if shape else "scalar"


def of_dtype(dtype: Any) -> str:
    """A dtype by its name."""
    return str(np.dtype(dtype))


def plural(count: int, noun: str) -> str:
    """``1 value``, ``3 values``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def dot_text(lines: Sequence[str], end: str = "\\n") -> str:
    """Lines of any text as the inside of a DOT string, which shows nothing but that text.

    >>> print(dot_text(["<b>", "a & b"]))
    <b>\\na &amp; b
    """
    return end.join(line.replace("\\", "\\\\").replace("&", "&amp;") for line in lines)


def dot_attributes(attributes: Mapping[str, str]) -> str:
    """A DOT attribute list; every value quoted.

    >>> print(dot_attributes({"label": 'say "hi"'}))
    [label="say \\"hi\\""]
    """
    pairs = (f"{key}=" + '"' + value.replace('"', '\\"') + '"' for key, value in attributes.items())
    return "[" + " ".join(pairs) + "]"


def plain_text(dot: str) -> str:
    """What :func:`dot_text` was given, lines set apart by newlines."""
    parts = dot.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
    return parts.replace("&amp;", "&")


def array_lines(array: np.ndarray[Any, Any], full: int = FULL_SIZE) -> list[str]:
    """The lines that show an array: every element of a small one; mean ± standard deviation and range of a large one.

    >>> array_lines(np.array([[1.0, 2.0], [3.0, 4.5]]))
    ['1   2', '3  4.5']
    >>> array_lines(np.arange(6))
    ['[0, 1, 2, 3,', '4, 5]']
    >>> array_lines(np.arange(100.0))
    ['mean 49.5 ± 28.9', '0 … 99']
    """
    array = np.asarray(array)
    if array.size == 0:
        return ["empty"]
    if array.size <= full and array.ndim <= 2:
        return _full(array)
    return _summary(array)


def gradient_lines(gradient: np.ndarray[Any, Any]) -> list[str]:
    """The lines that show a gradient: marked as such, a matrix on lines of its own.

    >>> gradient_lines(np.array(2.0)), gradient_lines(np.eye(2))
    (['grad 2'], ['grad', '1  0', '0  1'])
    """
    first, *rest = array_lines(gradient)
    is_table = np.ndim(gradient) == 2 and np.size(gradient) <= FULL_SIZE and bool(rest)
    return ["grad", first, *rest] if is_table else [f"grad {first}", *rest]


def _full(array: np.ndarray[Any, Any]) -> list[str]:
    if array.ndim == 0:
        return [number(array[()])]
    rows = [[number(x, 3) for x in row] for row in np.atleast_2d(array)]
    if array.ndim == 1:
        cells = rows[0]
        per_line = 4 if len(cells) > 5 else 5
        lines = [", ".join(cells[start : start + per_line]) for start in range(0, len(cells), per_line)]
        return ("[" + ",\n".join(lines) + "]").split("\n")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.center(w) for cell, w in zip(row, widths, strict=True)).strip() for row in rows]


def _summary(array: np.ndarray[Any, Any]) -> list[str]:
    if array.dtype.kind == "b":
        return [f"{100 * array.mean():.3g}% True"]
    if array.dtype.kind not in "iuf":
        return [f"mean size {number(np.abs(array).mean())}"]
    finite = array[np.isfinite(array)]
    bad = array.size - finite.size
    lines = []
    if finite.size:
        exact = finite.astype(np.float64)
        lines = [
            f"mean {number(exact.mean(), 3)} ± {number(exact.std(), 3)}",
            f"{number(exact.min(), 3)} … {number(exact.max(), 3)}",
        ]
    if bad:
        nan = int(np.isnan(array).sum())
        lines.append(", ".join(f"{n:,} {what}" for n, what in ((nan, "NaN"), (bad - nan, "infinite")) if n))
    return lines
