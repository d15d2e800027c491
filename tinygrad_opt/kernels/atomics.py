"""What compiled loops need of the processor: numbers that other threads write, addresses, sums in any order."""

from __future__ import annotations

import sys
from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic as _intrinsic

__all__ = ["add_in_any_order", "addresses_of", "array_at", "call_part", "offer_core", "read", "swap", "write"]

offer_core = types.ExternalFunction("SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32())
"""Let another thread have this core, if one waits for it."""

cgutils: Any = _cgutils  # it has no types
intrinsic: Any = _intrinsic  # the types it has are those of its own arguments, not of the calls in compiled code
_WORD = ir.IntType(64)
_PART = ir.FunctionType(_WORD, [_WORD, _WORD, _WORD])


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(array.data, [args[1]])


@intrinsic
def read(typing_context, words, place):  # type: ignore[no-untyped-def]
    """``words[place]``, read anew each time, and whatever its writer wrote before it."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.load_atomic(_place(context, builder, signature, args), "acquire", 8)

    return types.int64(words, types.int64), generate


@intrinsic
def write(typing_context, words, place, value):  # type: ignore[no-untyped-def]
    """``words[place] = value`` for other threads; what was written before, they see too."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        builder.store_atomic(args[2], _place(context, builder, signature, args), "release", 8)
        return context.get_dummy_value()

    return types.void(words, types.int64, types.int64), generate


@intrinsic
def swap(typing_context, words, place, old, new):  # type: ignore[no-untyped-def]
    """Make ``words[place]`` the new number if it is the old one; whether it was. One thread only can succeed."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        place = _place(context, builder, signature, args)
        return builder.extract_value(builder.cmpxchg(place, args[2], args[3], "acq_rel", "acquire"), 1)

    return types.boolean(words, types.int64, types.int64, types.int64), generate


def _view(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """An array that no one counts the owners of: threads that count take the counter from one another each time."""
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)
    return array._getvalue()


def addresses_of(kernel: Any) -> Any:
    """For compiled code: a function of a tuple of arguments that gives two addresses.

    The first is that of a function that calls ``kernel(*arguments, first, last)``, the second that of the arguments.
    They hold for as long as the function runs that asked for them.
    """

    @intrinsic
    def addresses(typing_context, arguments):  # type: ignore[no-untyped-def]
        kinds = (*arguments.types, types.int64, types.int64)
        kernel.get_call_template(kinds, {})  # compiles it

        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            compiled = kernel.overloads[kinds]
            context.add_linking_libs([compiled.library])
            given = cgutils.unpack_tuple(builder, args[0], arguments.count)
            views = [_view(context, builder, kind, value) for kind, value in zip(arguments, given, strict=True)]
            kept = cgutils.alloca_once_value(builder, context.make_tuple(builder, arguments, views))
            module = builder.module
            name = module.get_unique_name(f"part.{compiled.fndesc.mangled_name}")
            part = ir.Function(module, _PART, name)
            part.linkage = "internal"
            inside = ir.IRBuilder(part.append_basic_block("entry"))
            taken = inside.load(inside.inttoptr(part.args[0], kept.type))
            values = [*cgutils.unpack_tuple(inside, taken, arguments.count), *part.args[1:]]
            target = context.declare_function(module, compiled.fndesc)
            status, _ = context.call_conv.call_function(inside, target, compiled.fndesc.restype, kinds, values)
            inside.ret(inside.zext(status.is_error, _WORD))
            return cgutils.pack_array(builder, [builder.ptrtoint(part, _WORD), builder.ptrtoint(kept, _WORD)])

        return types.Tuple((types.int64, types.int64))(arguments), generate  # type: ignore[no-untyped-call]

    return addresses


@intrinsic
def call_part(typing_context, function, arguments, first, last):  # type: ignore[no-untyped-def]
    """Run a part by the two addresses; 0, or 1 where the kernel failed."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.call(builder.inttoptr(args[0], _PART.as_pointer()), args[1:])

    return types.int64(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def add_in_any_order(typing_context, total, term):  # type: ignore[no-untyped-def]
    """``total + term`` that may be regrouped, so that a loop adds as many terms at once as the processor can."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.fadd(*args, flags=("reassoc",))

    return total(total, term), generate


@intrinsic
def _pointer(typing_context, address, like):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(like.dtype)(address, like), generate  # type: ignore[no-untyped-call]


@numba.njit(inline="always")
def array_at(address, size, like):  # type: ignore[no-untyped-def]
    """For compiled code: the vector of `size` elements at an address, of the dtype of another array."""
    return numba.carray(_pointer(address, like), size)
