"""What one place in a function's bytecode does: whom it calls, and how the arguments are written."""

from __future__ import annotations

import dis
import opcode
from types import CodeType
from typing import NamedTuple, TypeAlias

__all__ = ["DISPLAY", "Applied", "Expression", "Names", "Site", "read_site"]

_OPERATIONS = {
    "store": ("STORE_SUBSCR", "STORE_SLICE", "STORE_ATTR"),
    "format": ("FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC"),
    "iterate": ("FOR_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND", "SET_UPDATE", "SEND"),
}
_CALLS = ("PRECALL", "CALL", "CALL_KW", "CALL_FUNCTION_EX")
_WRITTEN = ("BUILD_LIST", "BUILD_TUPLE", "BUILD_SET", "BUILD_MAP", "LIST_EXTEND", "LOAD_CONST")
_DISPLAYS = (*_WRITTEN, "MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "BINARY_SLICE")
_INLINED = (("SWAP", "STORE_FAST"), ("STORE_FAST", "STORE_FAST"), ("SWAP", "STORE_FAST_STORE_FAST"))
_COMPREHENSIONS = (*_INLINED, ("GET_ITER", "CALL"), ("GET_ITER", "PRECALL"), ("BUILD_SLICE", "BINARY_SUBSCR"))
"""What a comprehension in its function's own code ends with, any other comprehension, and a slice with a step."""
_ROOM = ("LOAD_FAST_AND_CLEAR", "SWAP", "BUILD_LIST", "BUILD_SET", "BUILD_MAP")
"""With what the former makes room for its variables and its result before the loop."""


class Names(NamedTuple):
    """An expression of names alone: ``np.random.normal`` has root "np" and steps ("random", "normal").

    The root is empty when the steps start from something that is no name, as in ``f(x).fill``.
    """

    root: str = ""
    is_global: bool = False
    steps: tuple[str, ...] = ()


class Applied(NamedTuple):
    """A call within a call: ``map(float, a)`` has the callee ``map`` and the arguments ``float`` and ``a``."""

    callee: Expression
    arguments: tuple[Expression, ...]


DISPLAY = "display"
Expression: TypeAlias = "Names | Applied | str | None"
"""DISPLAY for a constant, a lambda, a comprehension, a slice or elements that are written down; None for the rest."""


class Site(NamedTuple):
    """What happens at a place in the code.

    Attributes
    ----------
    operation : str
        "call", or what else takes values: "store", "iterate", "format", "operate"; else empty.
    callee, first, key : Expression
        The callee, its first positional argument (or the iterator that is read), and its argument ``key``. The first
        of ``f(*a)`` is ``a``; a key that is there has Names at least, with "…" for a step.
    """

    operation: str
    callee: Expression = None
    first: Expression = None
    key: Expression = None


class _Step(NamedTuple):
    """An instruction, and how many values the stack holds before it."""

    name: str
    value: object
    offset: int
    is_target: bool
    depth: int


_sites: dict[tuple[int, int], tuple[CodeType, Site]] = {}
"""By the code's id (its hash is slow) and the place in it; the code is kept so that no other comes to have its id."""


def read_site(code: CodeType, place: int) -> Site:
    """What the instruction at `place` does."""
    try:
        return _sites[id(code), place][1]
    except KeyError:
        if len(_sites) > 5000:
            _sites.clear()
        try:
            site = _read(code, place)
        except (ValueError, IndexError, TypeError):  # an instruction that this Python's dis does not know
            site = Site("")
        _sites[id(code), place] = code, site
        return site


def _read(code: CodeType, place: int) -> Site:
    name = opcode.opname[code.co_code[place]]
    if name in _CALLS:
        return _read_call(*_run_to(code, place))
    if name == "BINARY_OP":
        steps, _ = _run_to(code, place)
        return Site("format" if steps[-1].value == "%" else "operate")
    operation = next((kind for kind, names in _OPERATIONS.items() if name in names), "")
    if operation != "iterate":
        return Site(operation)
    steps, _ = _run_to(code, place)
    end = len(steps) - 1
    steps[end] = steps[end]._replace(is_target=False)  # a loop comes back to it with the same iterator
    i = end - 1
    while steps[i].name in _ROOM:
        i -= 1
    end = i if steps[i].name == "GET_ITER" else end
    start = _start(steps, end, steps[end].depth - 1)
    return Site(operation, first=_expression(steps, start, end))


def _run_to(code: CodeType, place: int) -> tuple[list[_Step], int]:
    """The instructions up to `place`, and the depth of the stack after the last one."""
    steps: list[_Step] = []
    arriving: dict[int, int] = {}
    depth = 0
    for i in dis.get_instructions(code):
        depth = arriving.get(i.offset, depth)
        if isinstance(i.argval, tuple) and i.opname.count("LOAD_FAST") == 2:  # one instruction that is two
            steps += [_Step("LOAD_FAST", i.argval[k], i.offset, i.is_jump_target and k == 0, depth + k) for k in (0, 1)]
        elif i.opname != "EXTENDED_ARG":
            value = i.argrepr if i.opname == "BINARY_OP" else i.argval
            value = code.co_consts[i.arg] if i.opname == "KW_NAMES" and i.arg is not None else value
            steps.append(_Step(i.opname, value, i.offset, i.is_jump_target, depth))
        if i.opcode in dis.hasjrel:
            arriving[i.argval] = depth + dis.stack_effect(i.opcode, i.arg, jump=True)
        depth += dis.stack_effect(i.opcode, i.arg, jump=False)
        if i.offset >= place and i.opname != "PRECALL":  # Python 3.11's may do the whole work of the CALL behind it
            break
    return steps, depth


def _start(steps: list[_Step], end: int, depth: int) -> int:
    """Where the value begins that ends before `end` and has `depth` values below it; -1 if that cannot be told.

    Branches inside of that value begin at the same depth.
    """
    for i in reversed(range(1, end)):
        if steps[i].depth < depth:
            break
        if steps[i].depth == depth and (_ends_statement(steps, i - 1) or not _begins_branch(steps, i, end)):
            return i
    return -1


def _ends_statement(steps: list[_Step], i: int) -> bool:
    name, before = steps[i].name, steps[max(i - 1, 0)].name
    if name == "POP_TOP":
        return not ("JUMP" in before or before in ("SWAP", "NOT_TAKEN"))  # those are of "or", and of a < b < c
    return name.startswith(("STORE_", "RETURN_", "RAISE_")) or name in ("JUMP_BACKWARD", "END_FOR")


def _begins_branch(steps: list[_Step], i: int, end: int) -> bool:
    before = steps[i - 1]
    if before.name == "JUMP_FORWARD":
        return before.depth != steps[i].depth  # with the other branch's value on the stack, or else after a statement
    if "JUMP" in before.name:
        return not (isinstance(before.value, int) and before.value > steps[end].offset)
    return steps[i].is_target or before.name in ("POP_TOP", "NOT_TAKEN", "PRECALL")


def _read_call(steps: list[_Step], after: int) -> Site:
    """The call that `steps` end with."""
    starts, keywords = _arguments(steps, len(steps) - 1, after - 1)
    if not starts:
        return Site("call")
    callee, positional = _names(steps, starts[0] - 1)[0], len(starts) - 1 - len(keywords)
    first, key = _expression(steps, *starts[:2]) if positional else DISPLAY, None
    if steps[-1].name == "CALL_FUNCTION_EX":
        return Site("call", callee, None if first == DISPLAY else first)  # a display of all arguments: f(a, *b)
    if "key" in keywords:
        k = positional + keywords.index("key")
        key = _expression(steps, *starts[k : k + 2]) or Names(steps=("…",))
    return Site("call", callee, DISPLAY if positional > 1 and key else first, key)  # max(a, b, key=float)


def _arguments(steps: list[_Step], call: int, depth: int) -> tuple[list[int], tuple[object, ...]]:
    """Where the arguments of a call begin and the last one ends, empty if that cannot be told; and its keywords.

    Of the stack the call has `depth` values below it, and its callee takes two places.
    """
    name, count = steps[call].name, steps[call].value
    end = call
    while steps[end - 1].name in ("PRECALL", "KW_NAMES"):
        end -= 1
    if name == "CALL_KW":
        end -= 1  # its keywords are a constant on the stack
    keywords = steps[end].value if name == "CALL_KW" or steps[end].name == "KW_NAMES" else ()
    if not isinstance(count, int) or not isinstance(keywords, tuple):
        return [], ()
    starts = [end]
    for k in reversed(range(1 + (count & 1) if name == "CALL_FUNCTION_EX" else count)):
        starts.insert(0, _start(steps, starts[0], depth + 2 + k))
    return (starts if starts[0] >= 0 else []), keywords


def _expression(steps: list[_Step], start: int, end: int) -> Expression:
    """How the value from `start` to `end` is written."""
    if start < 0 or steps[end].is_target:  # two branches meet there: f(a if c else b)
        return None
    names, first = _names(steps, end - 1)
    if start in (first, first - 1 if steps[start].name == "PUSH_NULL" else first):
        return names
    last = [step.name for step in steps[start:end] if step.name != "PRECALL"][-2:]
    if last[-1] in _DISPLAYS or tuple(last) in _COMPREHENSIONS:
        return DISPLAY
    starts, _ = _arguments(steps, end - 1, steps[start].depth) if last[-1] in ("CALL", "CALL_KW") else ([], ())
    if not starts:
        return None
    arguments = [_expression(steps, *starts[k : k + 2]) for k in range(len(starts) - 1)]
    return Applied(_expression(steps, start, starts[0]), tuple(arguments))


def _names(steps: list[_Step], last: int) -> tuple[Names, int]:
    """The names from which the steps that end with `last` take a value, and where those steps begin."""
    attributes: list[str] = []
    while last >= 0 and not steps[last + 1].is_target:  # else two branches meet there: (f if c else g)(x)
        step = steps[last]
        if step.name in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"):
            attributes.insert(0, str(step.value))
            if step.name == "LOAD_SUPER_ATTR":
                break
        elif step.name != "PUSH_NULL":
            name = step.value[-1] if isinstance(step.value, tuple) else step.value  # STORE_FAST_LOAD_FAST
            if "LOAD_" in step.name and step.name != "LOAD_CONST" and isinstance(name, str):
                return Names(name, step.name == "LOAD_GLOBAL", tuple(attributes)), last
            break
        last -= 1
    return Names(steps=tuple(attributes) or ("…",)), -1
