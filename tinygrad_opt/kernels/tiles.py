"""The innermost loops of convolution as vector instructions, which no compiler finds by itself in a nest of loops.

A tile of 4 × 3 sums, each a vector register of 32 bytes, stays in registers while the loop runs over the terms, as in
the matrix products of BLAS (Goto & van de Geijn 2008); only so are the multipliers kept busy. Written in LLVM's
language through Numba; where a machine has narrower vectors LLVM cuts them up.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["TILE_BYTES", "dot_tile", "sum_tile"]

TILE_BYTES = 96
"""The bytes of one row of a tile: three vectors."""

_ROWS, _VECTORS = 4, 3
_INDEX = ir.IntType(64)


class _Code:
    """What both loops need: vectors of an array's type, and loading and storing them."""

    def __init__(self, context: Any, builder: Any, array_type: Any) -> None:
        self.builder = builder
        self.scalar = context.get_value_type(array_type.dtype)
        self.bytes = 4 if array_type.dtype is types.float32 else 8
        self.width = 32 // self.bytes
        self.vector = ir.VectorType(self.scalar, self.width)
        name = f"llvm.fma.v{self.width}f{8 * self.bytes}"
        self._fma = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(self.vector, [self.vector] * 3), name
        )

    def at(self, start: Any, index: Any, offset: int = 0) -> Any:
        """The address of a vector in an array."""
        place = self.builder.gep(start, [self.builder.add(index, _INDEX(offset))])
        return self.builder.bitcast(place, self.vector.as_pointer())

    def load(self, address: Any) -> Any:
        """A vector, from wherever it lies."""
        value = self.builder.load(address)
        value.align = self.bytes
        return value

    def store(self, value: Any, address: Any) -> None:
        """The other way round."""
        self.builder.store(value, address).align = self.bytes

    def splat(self, scalar: Any) -> Any:
        """A vector of equal elements."""
        one = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), scalar, ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.width), None)
        return self.builder.shuffle_vector(one, ir.Constant(self.vector, ir.Undefined), mask)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a · b + c, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def loop(self, count: Any, step: int, begin: list[Any], body: Any) -> list[Any]:
        """Run ``body(index, values)``, which gives the next values, for index 0, step … below count."""
        builder = self.builder
        before = builder.block
        head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(_INDEX)
        values = [builder.phi(self.vector) for _ in begin]
        index.add_incoming(_INDEX(0), before)
        for value, first in zip(values, begin, strict=True):
            value.add_incoming(first, before)
        builder.cbranch(builder.icmp_signed("<", index, count), inside, after)
        builder.position_at_end(inside)
        following = body(index, values)
        index.add_incoming(builder.add(index, _INDEX(step)), builder.block)
        for value, new in zip(values, following, strict=True):
            value.add_incoming(new, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return values


def _pointer(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    return context.make_array(array_type)(context, builder, value).data


@intrinsic
def sum_tile(typing_context, x, offsets, w, first, count, place, sums):  # type: ignore[no-untyped-def]
    """``sums[i, place:] += Σ w[first + k, i] · x[offsets[first + k] + place:]`` over k < count, for 4 rows of a tile.

    All are contiguous: x (any,), offsets (any,) of int64, w (any, 4), sums (4, any). Nothing is checked: the caller
    sees to it that x and sums go on for a whole tile.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        code = _Code(context, builder, x)
        x_at, offsets_at, w_at, sums_at = (
            _pointer(context, builder, kind, value)
            for kind, value in zip((x, offsets, w, sums), (args[0], args[1], args[2], args[6]), strict=True)
        )
        first_at, count_at, place_at = args[3:6]
        length = builder.extract_value(context.make_array(sums)(context, builder, args[6]).shape, 1)
        rows = [builder.add(builder.mul(_INDEX(i), length), place_at) for i in range(_ROWS)]
        targets = [code.at(sums_at, row, j * code.width) for row in rows for j in range(_VECTORS)]

        def body(k: Any, totals: list[Any]) -> list[Any]:
            k = builder.add(k, first_at)
            start = builder.add(builder.load(builder.gep(offsets_at, [k])), place_at)
            seen = [code.load(code.at(x_at, start, j * code.width)) for j in range(_VECTORS)]
            new = []
            for i in range(_ROWS):
                weight = builder.gep(w_at, [builder.add(builder.mul(k, _INDEX(_ROWS)), _INDEX(i))])
                factor = code.splat(builder.load(weight))
                new += [code.fma(factor, seen[j], totals[i * _VECTORS + j]) for j in range(_VECTORS)]
            return new

        totals = code.loop(count_at, 1, [code.load(target) for target in targets], body)
        for total, target in zip(totals, targets, strict=True):
            code.store(total, target)
        return context.get_dummy_value()

    return types.void(x, offsets, w, types.int64, types.int64, types.int64, sums), generate


@intrinsic
def dot_tile(typing_context, g, rows, x, offsets, count, products):  # type: ignore[no-untyped-def]
    """``products[3·i + j] = Σ g[rows[i] + t] · x[offsets[j] + t]`` over t < count, in parts still to be added up.

    g and x are flat and contiguous, rows four and offsets three int64; products (12, 32 bytes) holds a vector for each.
    `count` is rounded up to whole vectors; g must be zero there.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        code = _Code(context, builder, x)
        g_at, rows_at, x_at, offsets_at, products_at = (
            _pointer(context, builder, kind, value)
            for kind, value in zip((g, rows, x, offsets, products), (*args[:4], args[5]), strict=True)
        )
        starts = [builder.load(builder.gep(rows_at, [_INDEX(i)])) for i in range(_ROWS)]
        shifts = [builder.load(builder.gep(offsets_at, [_INDEX(j)])) for j in range(_VECTORS)]

        def body(t: Any, totals: list[Any]) -> list[Any]:
            seen = [code.load(code.at(x_at, builder.add(shift, t))) for shift in shifts]
            new = []
            for i, start in enumerate(starts):
                factor = code.load(code.at(g_at, builder.add(start, t)))
                new += [code.fma(factor, seen[j], totals[i * _VECTORS + j]) for j in range(_VECTORS)]
            return new

        nothing = ir.Constant(code.vector, None)
        totals = code.loop(args[4], code.width, [nothing] * (_ROWS * _VECTORS), body)
        for i, total in enumerate(totals):
            code.store(total, code.at(products_at, _INDEX(i * code.width)))
        return context.get_dummy_value()

    return types.void(g, rows, x, offsets, types.int64, products), generate
