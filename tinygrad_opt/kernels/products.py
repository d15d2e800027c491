"""A small matrix product for use inside compiled loops, where a call of BLAS would pack its weights each time anew.

Weights that serve many products are cut once into panels of columns; a product adds up four rows of one panel in
registers, as those of BLAS do (Goto & van de Geijn 2008). Written in LLVM's language through Numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from .functions import compiled
from .tiles import _INDEX, _Code, _pointer

__all__ = ["NEXT", "ROWS", "START", "add_product", "cut_panels", "lay_panels", "rounded"]

ROWS = 4
"""Rows that are computed together."""

START, NEXT = np.int64(0), np.int64(1)
"""For places and steps of a product. Bare numbers would each have a form of it compiled for themselves."""

_PANEL = 24
_VECTOR = 8
_DEPTH = 256  # terms in one go: as many rows of a panel stay in the nearest cache


def _panel(vectors: int) -> Any:
    """The product for panels of so many vectors."""

    def add(typing_context, a, a_at, a_row, a_term, rows, b, b_at, count, c, c_at, c_row):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            code = _Code(context, builder, b)
            a_0, b_0, c_0 = (_pointer(context, builder, *pair) for pair in ((a, args[0]), (b, args[5]), (c, args[8])))
            a_at, a_row, a_term, rows, b_at, count, c_at, c_row = (args[i] for i in (1, 2, 3, 4, 6, 7, 9, 10))
            starts = []
            for i in range(ROWS):  # rows that are not there read the first one
                there = builder.icmp_signed("<", _INDEX(i), rows)
                step = builder.select(there, builder.mul(_INDEX(i), a_row), _INDEX(0))
                starts.append(builder.gep(a_0, [builder.add(a_at, step)]))
            lines = [builder.add(c_at, builder.mul(_INDEX(i), c_row)) for i in range(ROWS)]
            targets = [code.at(c_0, line, j * code.width) for line in lines for j in range(vectors)]

            def body(k: Any, totals: list[Any]) -> list[Any]:
                place = builder.add(b_at, builder.mul(k, _INDEX(vectors * code.width)))
                seen = [code.load(code.at(b_0, place, j * code.width)) for j in range(vectors)]
                term = builder.mul(k, a_term)
                new = []
                for i, start in enumerate(starts):
                    factor = code.splat(builder.load(builder.gep(start, [term])))
                    new += [code.fma(factor, seen[j], totals[i * vectors + j]) for j in range(vectors)]
                return new

            totals = code.loop(count, 1, [code.load(target) for target in targets], body)
            for total, target in zip(totals, targets, strict=True):
                code.store(total, target)
            return context.get_dummy_value()

        n = types.int64
        return types.void(a, n, n, n, n, b, n, n, c, n, n), generate

    return intrinsic(add)


_three, _two, _one = _panel(3), _panel(2), _panel(1)


def rounded(columns: int) -> int:
    """A number of columns that whole vectors make up."""
    return -(-columns // _VECTOR) * _VECTOR


def cut_panels(weights: Any) -> Any:
    """A matrix (K, N) as panels of up to 24 columns, each (K, columns) and contiguous, end to end in one array."""
    depth, columns = weights.shape
    padded = np.zeros((depth, rounded(columns)), weights.dtype)
    padded[:, :columns] = weights
    panels = [padded[:, j : j + _PANEL].reshape(-1) for j in range(0, padded.shape[1], _PANEL)]
    return np.concatenate(panels)


@compiled
def lay_panels(x, at, row, column, depth, columns, panels):  # type: ignore[no-untyped-def]
    """The same from within a loop: element (k, j) is ``x[at + k·row + j·column]``; `panels` has room for all."""
    size = (columns + _VECTOR - 1) // _VECTOR * _VECTOR
    for first in range(0, size, _PANEL):
        width = min(_PANEL, size - first)
        there = min(width, columns - first)
        for k in range(depth):
            start = first * depth + k * width
            line, source = panels[start : start + width], at + k * row + first * column
            if column == 1:  # known to the compiler, this becomes vectors
                given = x[source : source + there]
                for j in range(there):
                    line[j] = given[j]
            else:
                for j in range(there):
                    line[j] = x[source + j * column]
            for j in range(there, width):
                line[j] = 0


@compiled
def add_product(a, a_at, a_row, a_term, rows, panels, depth, terms, c, columns):  # type: ignore[no-untyped-def]
    """``c[i, j] += Σ a[a_at + i·a_row + k·a_term] · weights[k, j]`` over k < terms, for i < rows and j < columns.

    a is flat; `depth` is that of the panels; c has its rows rounded up to fours and its columns to whole vectors, and
    what lies beyond comes out as any number.
    """
    flat, step = c.reshape(-1), c.shape[1]
    size = (columns + _VECTOR - 1) // _VECTOR * _VECTOR
    whole = (c.shape[1] + _VECTOR - 1) // _VECTOR * _VECTOR
    for first in range(0, terms, _DEPTH):
        count = min(_DEPTH, terms - first)
        for column in range(0, size, _PANEL):
            width = min(_PANEL, whole - column)
            start = column * depth + first * width
            for i in range(0, rows, ROWS):
                at, there, target = a_at + i * a_row + first * a_term, rows - i, i * step + column
                if width == 24:
                    _three(a, at, a_row, a_term, there, panels, start, count, flat, target, step)
                elif width == 16:
                    _two(a, at, a_row, a_term, there, panels, start, count, flat, target, step)
                else:
                    _one(a, at, a_row, a_term, there, panels, start, count, flat, target, step)
