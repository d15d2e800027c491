"""Formula texts of primitives, such as ``−g · a / b²``, as MathML, with symbols or with numbers in their places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from .text import number

__all__ = ["array_math", "bracketed", "formula_math", "names_in", "number_math"]

_UP = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ˣᵃᵇᵉᵀⁿ", "0123456789−+xabeTn", strict=True))
_DOWN = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼ", "0123456789ij", strict=True))
_TOKEN = re.compile(
    rf"(?P<up>[{''.join(_UP)}]+)|(?P<down>[{''.join(_DOWN)}]+)|(?P<number>\d+(?:\.\d+)?(?:e[−-]?\d+)?)"
    rf"|(?P<name>[^\W\d_{''.join(_UP)}{''.join(_DOWN)}]+(?:_\w+)?)"
    r"|(?P<root>√)|(?P<op>[^\s])|(?P<space>\s+)"
)
_FUNCTIONS = {"exp", "ln", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "max", "min", "mean", "softmax", "erf"}


def number_math(value: Any) -> str:
    """A number as MathML.

    >>> number_math(-2.5)
    '<mn>−2.5</mn>'
    """
    return f"<mn>{number(value)}</mn>"


def array_math(array: Any, full: int = 16) -> str | None:
    """A number, a small vector or a small matrix as MathML; None for what is larger."""
    array = np.asarray(array)
    if array.size == 0 or array.size > full or array.ndim > 2:
        return None
    if array.ndim == 0:
        return number_math(array[()])
    rows = "".join(
        "<mtr>" + "".join(f"<mtd>{number_math(x)}</mtd>" for x in row) + "</mtr>" for row in np.atleast_2d(array)
    )
    return f"<mtable>{rows}</mtable>"


def bracketed(math: str) -> str:
    """MathML of a number, in brackets when it is negative."""
    return f"<mrow><mo>(</mo>{math}<mo>)</mo></mrow>" if math.startswith("<mn>−") else math


def names_in(text: str) -> set[str]:
    """The names that stand for numbers in a formula text.

    >>> sorted(names_in("g · a² · ln(b)"))
    ['a', 'b', 'g', 'ln']
    """
    return {match.group() for match in _TOKEN.finditer(text) if match.lastgroup == "name"}


def formula_math(text: str, values: Mapping[str, Any] | None = None) -> str:
    """A formula text as MathML.

    Parameters
    ----------
    text : str
    values : mapping of str to array, optional
        What to write in the place of names: numbers and small arrays; names of larger ones stay. Text is MathML
        that stands for the name.

    Examples
    --------
    >>> formula_math("g · a²")
    '<mi>g</mi><mo>·</mo><msup><mi>a</mi><mn>2</mn></msup>'
    >>> formula_math("g · b", {"g": 1.0, "b": -3.0})
    '<mn>1</mn><mo>·</mo><mrow><mo>(</mo><mn>−3</mn><mo>)</mo></mrow>'
    """
    parts: list[str] = []
    root, last, gap = False, "", False
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match.group()
        if kind == "space":
            gap = last in ("name", "number")
            continue
        if gap and kind == "name":  # words, and factors without a sign between them
            parts.append('<mspace width="0.3em"></mspace>')
        last, gap = kind, False
        if kind == "root":
            root = True
            continue
        if kind == "up":
            parts.append(f"<msup>{parts.pop() if parts else '<mrow/>'}{_script(token, _UP, values)}</msup>")
            continue
        if kind == "down":
            parts.append(f"<msub>{parts.pop() if parts else '<mrow/>'}{_script(token, _DOWN, None)}</msub>")
            continue
        made = _symbol(kind, token, values)
        parts.append(f"<msqrt>{made}</msqrt>" if root and kind != "op" else ("<mo>√</mo>" if root else "") + made)
        root = False
    return "".join(parts)


def _symbol(kind: str, token: str, values: Mapping[str, Any] | None) -> str:
    if kind == "number":
        return f"<mn>{token}</mn>"
    if kind == "op":
        return f"<mo>{escape(token)}</mo>"
    if values is not None and token in values:
        made = values[token] if isinstance(values[token], str) else array_math(values[token])
        if made is not None:
            return bracketed(made)
    if token in _FUNCTIONS or len(token) > 3:
        return f"<mtext>{escape(token)}</mtext>" if token not in _FUNCTIONS else f"<mi>{token}</mi>"
    base, _, below = token.partition("_")
    return f"<msub><mi>{escape(base)}</mi><mi>{escape(below)}</mi></msub>" if below else f"<mi>{escape(token)}</mi>"


def _script(token: str, table: Mapping[str, str], values: Mapping[str, Any] | None) -> str:
    plain = "".join(table[char] for char in token)
    pieces = re.findall(r"\d+|[−+]|[A-Za-z]", plain)
    made = []
    for piece in pieces:
        if piece.isdigit():
            made.append(f"<mn>{piece}</mn>")
        elif piece in "−+":
            made.append(f"<mo>{piece}</mo>")
        elif piece != "T" and values is not None and piece in values:
            known = values[piece]
            made.append((known if isinstance(known, str) else array_math(known)) or f"<mi>{piece}</mi>")
        else:
            made.append(f"<mi>{piece}</mi>")
    return made[0] if len(made) == 1 else f"<mrow>{''.join(made)}</mrow>"
