"""NumPy's own BLAS, called from compiled code: large products of matrices on the threads of the compiled kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from .sharing import shared

__all__ = ["product"]

_ROW_MAJOR, _PLAIN, _TURNED = 101, 111, 112  # CBLAS's numbers
_FLAG, _WORD, _PLACE = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
_NO_BIAS = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


@intrinsic
def _gemm(typing_context, blas, m, n, k, a, across_a, turned_a, b, across_b, turned_b, y, across_y):  # type: ignore[no-untyped-def]
    """y (m, n) = a (m, k) · b (k, n); of the three there are the vectors that begin with the first element.

    `blas` is the address of the function; two rows lie `across` elements apart; a matrix that lies there transposed
    is `turned`.
    """
    number = ir.FloatType() if y.dtype is types.float32 else ir.DoubleType()
    parameters = [_FLAG, _FLAG, _FLAG, _WORD, _WORD, _WORD, number, _PLACE, _WORD, _PLACE, _WORD, number, _PLACE, _WORD]
    code = ir.FunctionType(ir.VoidType(), parameters)

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        def place(i: int) -> Any:
            array = context.make_array(signature.args[i])(context, builder, args[i])
            return builder.bitcast(array.data, _PLACE)

        def way(i: int) -> Any:
            turned = builder.icmp_unsigned("!=", args[i], ir.Constant(args[i].type, 0))
            return builder.select(turned, ir.Constant(_FLAG, _TURNED), ir.Constant(_FLAG, _PLAIN))

        one, zero = ir.Constant(number, 1.0), ir.Constant(number, 0.0)
        sizes, matrices = args[1:4], (place(4), args[5], place(7), args[8], zero, place(10), args[11])
        order = ir.Constant(_FLAG, _ROW_MAJOR)
        builder.call(builder.inttoptr(args[0], code.as_pointer()), [order, way(6), way(9), *sizes, one, *matrices])
        return context.get_dummy_value()

    word, flag = types.int64, types.boolean
    return types.void(word, word, word, word, a, word, flag, b, word, flag, y, word), generate


@shared
@numba.njit(nogil=True, cache=True, error_model="numpy")
def _product(blas, a, turned_a, b, turned_b, bias, y, by_rows, first, last):  # type: ignore[no-untyped-def]
    """Some rows or columns of y, to which their bias is added while they are in the cache."""
    m, n = y.shape
    k = a.shape[0] if turned_a else a.shape[1]
    flat_a, flat_b, flat_y = a.reshape(-1), b.reshape(-1), y.reshape(-1)
    top, bottom, left, right = 0, m, 0, n
    if by_rows:
        top, bottom = first, last
        flat_a = flat_a[first * (1 if turned_a else k) :]
    else:
        left, right = first, last
        flat_b = flat_b[first * (k if turned_b else 1) :]
    flat_y = flat_y[top * n + left :]
    rows, columns = bottom - top, right - left
    _gemm(blas, rows, columns, k, flat_a, a.shape[1], turned_a, flat_b, b.shape[1], turned_b, flat_y, n)  # type: ignore[call-arg]
    if bias.size:
        for i in range(top, bottom):
            row = y[i]
            for j in range(left, right):
                row[j] += bias[j]


def _as_it_lies(a: Any) -> tuple[Any, bool]:
    """A matrix whose rows lie one after the other, and whether it is the transposed one."""
    if a.flags.c_contiguous:
        return a, False
    return (a.T, True) if a.flags.f_contiguous else (np.ascontiguousarray(a), False)


def product(addresses: Mapping[Any, int], a: Any, b: Any, bias: Any, least: int) -> Any:
    """``a @ b``, or ``a @ b + bias``, of matrices of one dtype, on a thread for each `least` multiplications.

    Parameters
    ----------
    addresses : mapping
        Where CBLAS's functions are, by dtype; others are multiplied by NumPy.
    """
    blas = addresses.get(a.dtype)
    if blas is None:
        return a.dot(b) if bias is None else a.dot(b) + bias
    m, n = len(a), b.shape[1]
    y = np.empty((m, n), a.dtype)
    work, by_rows = a.size * n, m >= n
    (a, turned_a), (b, turned_b) = _as_it_lies(a), _as_it_lies(b)
    bias = _NO_BIAS[a.dtype] if bias is None else bias
    _product(m if by_rows else n, work, blas, a, turned_a, b, turned_b, bias, y, by_rows, least=least)
    return y
