"""The innermost loops of convolution as vector instructions, which no compiler finds by itself in a nest of loops.

A tile of 4 × 3 sums, each a vector register of 32 bytes, stays in registers while the loop runs over the terms, as in
the matrix products of BLAS (Goto & van de Geijn 2008); only so are the multipliers kept busy. Written in LLVM's
language through Numba; where a machine has narrower vectors LLVM cuts them up.
"""

from __future__ import annotations

import itertools
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["VECTOR_BYTES", "begin_tile", "dot_tile", "sum_tile"]

VECTOR_BYTES = 32

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

    def total(self, vector: Any) -> Any:
        """The sum of a vector's elements, by halves."""
        builder, nothing = self.builder, ir.Constant(self.vector, ir.Undefined)
        half = self.width // 2
        while half:
            mask = ir.Constant(
                ir.VectorType(ir.IntType(32), self.width), [(i + half) % self.width for i in range(self.width)]
            )
            vector = builder.fadd(vector, builder.shuffle_vector(vector, nothing, mask))
            half //= 2
        return builder.extract_element(vector, ir.IntType(32)(0))

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


def _sum_over_terms(code: _Code, begin: Any, arrays: Any, numbers: Any, signature: Any, context: Any) -> Any:
    """The loop of :func:`begin_tile` and :func:`sum_tile`; `begin` gives a tile's first values."""
    builder = code.builder
    x_at, offsets_at, w_at, places_at, sums_at = (
        _pointer(context, builder, kind, value) for kind, value in zip(signature, arrays, strict=True)
    )
    first, count, place = numbers
    length = builder.extract_value(context.make_array(signature[-1])(context, builder, arrays[-1]).shape, 1)
    target = builder.mul(place, _INDEX(code.width))
    rows = [builder.add(builder.mul(_INDEX(i), length), target) for i in range(_ROWS)]
    targets = [code.at(sums_at, row, j * code.width) for row in rows for j in range(_VECTORS)]
    starts = [
        builder.gep(x_at, [builder.load(builder.gep(places_at, [builder.add(place, _INDEX(j))]))])
        for j in range(_VECTORS)
    ]
    offsets_at = builder.gep(offsets_at, [first])
    w_at = builder.gep(w_at, [builder.mul(first, _INDEX(_ROWS))])

    def body(k: Any, totals: list[Any]) -> list[Any]:
        shift = builder.load(builder.gep(offsets_at, [k]))
        seen = [code.load(code.at(start, shift)) for start in starts]
        new = []
        for i in range(_ROWS):
            weight = builder.gep(w_at, [builder.add(builder.mul(k, _INDEX(_ROWS)), _INDEX(i))])
            factor = code.splat(builder.load(weight))
            new += [code.fma(factor, seen[j], totals[i * _VECTORS + j]) for j in range(_VECTORS)]
        return new

    totals = code.loop(count, 1, begin(targets), body)
    for total, at in zip(totals, targets, strict=True):
        code.store(total, at)
    return context.get_dummy_value()


@intrinsic
def begin_tile(typing_context, x, offsets, w, bias, first, count, places, place, sums):  # type: ignore[no-untyped-def]
    """As :func:`sum_tile`, but `sums` is written, and begins from ``bias[i]``, with four values."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        code = _Code(context, builder, x)
        bias_at = _pointer(context, builder, bias, args[3])

        def begin(targets: list[Any]) -> list[Any]:
            splats = [code.splat(builder.load(builder.gep(bias_at, [_INDEX(i)]))) for i in range(_ROWS)]
            return [splats[place // _VECTORS] for place in range(len(targets))]

        arrays, kinds = (args[0], args[1], args[2], args[6], args[8]), (x, offsets, w, places, sums)
        return _sum_over_terms(code, begin, arrays, (args[4], args[5], args[7]), kinds, context)

    return types.void(x, offsets, w, bias, types.int64, types.int64, places, types.int64, sums), generate


@intrinsic
def sum_tile(typing_context, x, offsets, w, first, count, places, place, sums):  # type: ignore[no-untyped-def]
    """``sums[i, v] += Σ w[first + k, i] · x[offsets[first + k] + places[v]]`` over k < count, for three v and four i.

    `place` is the first v, the number of the tile's first vector; what is written for one element here holds for a
    whole vector. All arrays are contiguous: x (any,), offsets and places (any,) of int64, w (any, 4), sums (4, any).
    Nothing is checked: the caller sees to it that x and sums go on for whole vectors.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        code = _Code(context, builder, x)

        def begin(targets: list[Any]) -> list[Any]:
            return [code.load(target) for target in targets]

        arrays, kinds = (args[0], args[1], args[2], args[5], args[7]), (x, offsets, w, places, sums)
        return _sum_over_terms(code, begin, arrays, (args[3], args[4], args[6]), kinds, context)

    return types.void(x, offsets, w, types.int64, types.int64, places, types.int64, sums), generate


@intrinsic
def dot_tile(typing_context, g, rows, x, offsets, first, places, count, sums):  # type: ignore[no-untyped-def]
    """``sums[i, first + j] += Σ g[rows[i] + v] · x[offsets[first + j] + places[v]]`` over `count` vectors v.

    i is below 4, j below 3. g and x are flat, sums is (4, any); all are contiguous; rows, offsets and places are of
    int64. g must be zero where a vector goes past what is to be summed.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        code = _Code(context, builder, x)
        g_at, rows_at, x_at, offsets_at, places_at, sums_at = (
            _pointer(context, builder, kind, value)
            for kind, value in zip((g, rows, x, offsets, places, sums), (*args[:4], args[5], args[7]), strict=True)
        )
        first_at = args[4]
        starts = [builder.gep(g_at, [builder.load(builder.gep(rows_at, [_INDEX(i)]))]) for i in range(_ROWS)]
        seen_at = [
            builder.gep(x_at, [builder.load(builder.gep(offsets_at, [builder.add(first_at, _INDEX(j))]))])
            for j in range(_VECTORS)
        ]

        def body(v: Any, totals: list[Any]) -> list[Any]:
            place = builder.load(builder.gep(places_at, [v]))
            seen = [code.load(code.at(at, place)) for at in seen_at]
            new = []
            for i, start in enumerate(starts):
                factor = code.load(code.at(start, builder.mul(v, _INDEX(code.width))))
                new += [code.fma(factor, seen[j], totals[i * _VECTORS + j]) for j in range(_VECTORS)]
            return new

        nothing = ir.Constant(code.vector, None)
        totals = code.loop(args[6], 1, [nothing] * (_ROWS * _VECTORS), body)
        length = builder.extract_value(context.make_array(sums)(context, builder, args[7]).shape, 1)
        for i, j in itertools.product(range(_ROWS), range(_VECTORS)):
            place = builder.add(builder.mul(_INDEX(i), length), builder.add(first_at, _INDEX(j)))
            at = builder.gep(sums_at, [place])
            builder.store(builder.fadd(builder.load(at), code.total(totals[i * _VECTORS + j])), at)
        return context.get_dummy_value()

    return types.void(g, rows, x, offsets, types.int64, places, types.int64, sums), generate
