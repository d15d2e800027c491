"""What a running Python function is calling just now, read from its bytecode: a C function leaves no other trace."""

from __future__ import annotations

import dis
import inspect
import opcode
import operator
from types import CodeType, FrameType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, NamedTuple

__all__ = ["Unknown", "read_attribute", "what_is_called"]

_STORES = frozenset(opcode.opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in opcode.opmap)
_CALLS = frozenset(
    opcode.opmap[name] for name in ("PRECALL", "CALL", "CALL_KW", "CALL_FUNCTION_EX") if name in opcode.opmap
)
_ITERATES = frozenset(
    opcode.opmap[name]
    for name in ("FOR_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND", "SET_UPDATE")
    if name in opcode.opmap
)


class Unknown(NamedTuple):
    """What cannot be told without running the user's code, and the name that would have led to it.

    A callee of no name, as in ``(f or g)(x)``, has the name "…"; where nothing is called it is empty.
    """

    name: str = ""


class _Expression(NamedTuple):
    """How a callee is written: ``np.random.normal`` has root "np" and steps ("random", "normal").

    The root is empty when the steps start from something that is no name, as in ``f(x).fill``.
    """

    root: str = ""
    is_global: bool = False
    steps: tuple[str, ...] = ()


_NOTHING = Unknown()
_expressions: dict[tuple[int, int], tuple[CodeType, _Expression]] = {}
"""By the code's id (its hash is slow) and the place in it; the code is kept so that no other comes to have its id."""


def what_is_called(frame: FrameType) -> Any:
    """The object that `frame` is calling, or Unknown.

    ``a[i] = x`` counts as a call of ``operator.setitem``, a loop over an iterator as one of ``next``.
    """
    code, place = frame.f_code, frame.f_lasti
    try:
        root, is_global, steps = _expressions[id(code), place][1]
    except KeyError:
        if len(_expressions) > 5000:
            _expressions.clear()
        root, is_global, steps = expression = _read(code, place)
        _expressions[id(code), place] = code, expression
    if not root:
        now = code.co_code[place]
        if now in _STORES:
            return operator.setitem
        return next if now in _ITERATES else Unknown(steps[-1] if steps else "")
    if not is_global and root in frame.f_locals:
        found = frame.f_locals[root]
    elif root in frame.f_globals:
        found = frame.f_globals[root]
    else:
        found = frame.f_builtins.get(root, _NOTHING)
    for name in steps:
        found = read_attribute(found, name)
    return found


def read_attribute(owner: Any, name: str) -> Any:
    """``owner.name`` where that runs no Python code: no property, no ``__getattr__``; Unknown elsewhere."""
    found = Unknown(name)
    if isinstance(owner, ModuleType):
        return vars(owner).get(name, found)
    if isinstance(owner, Unknown):
        return found
    static = inspect.getattr_static(owner, name, found)
    if isinstance(static, (GetSetDescriptorType, MemberDescriptorType)):
        try:
            return static.__get__(owner)
        except (AttributeError, TypeError):
            return found
    return found if isinstance(static, (property, classmethod, staticmethod)) else static


def _read(code: CodeType, place: int) -> _Expression:
    """The callee's expression, as far as the instruction at `place` is a call of one that consists of names."""
    if code.co_code[place] not in _CALLS:
        return _Expression()
    try:
        instructions, depths, after = _run_to(code, place)
    except ValueError:  # an instruction that this Python's dis does not know
        return _Expression()
    # The callee takes two places of the stack, of which the result will take the first: the first argument begins
    # where the stack is one place higher than after the call. Branches inside of that argument begin there as well.
    for i in reversed(range(len(instructions))):
        before = instructions[i - 1].opname
        inside = instructions[i].is_jump_target or "JUMP" in before or before in ("POP_TOP", "NOT_TAKEN", "PRECALL")
        if depths[i] == after + 1 and not inside:
            return _walk_back(instructions, i - 1)
        if depths[i] <= after:
            break
    return _Expression(steps=("…",))


def _run_to(code: CodeType, place: int) -> tuple[list[dis.Instruction], list[int], int]:
    """The instructions up to `place`, the depth of the stack before each, and the depth after the last one."""
    instructions: list[dis.Instruction] = []
    depths: list[int] = []
    arriving: dict[int, int] = {}
    depth = 0
    for i in dis.get_instructions(code):
        depth = arriving.get(i.offset, depth)
        if i.opname != "EXTENDED_ARG":
            instructions.append(i)
            depths.append(depth)
        if i.opcode in dis.hasjrel:
            arriving[i.argval] = depth + dis.stack_effect(i.opcode, i.arg, jump=True)
        depth += dis.stack_effect(i.opcode, i.arg, jump=False)
        if i.offset >= place and i.opname != "PRECALL":  # Python 3.11's may do the whole work of the CALL behind it
            break
    return instructions, depths, depth


def _walk_back(instructions: list[dis.Instruction], last: int) -> _Expression:
    """The names from which the instructions that end with `last` take the callee."""
    steps: list[str] = []
    while not instructions[last + 1].is_jump_target:  # else two branches meet there: (f if c else g)(x)
        i = instructions[last]
        if i.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            steps.insert(0, i.argval)
        elif i.opname == "LOAD_SUPER_ATTR":
            steps.insert(0, i.argval)
            break
        elif i.opname != "PUSH_NULL":
            name = i.argval[-1] if isinstance(i.argval, tuple) else i.argval  # two loads may be one instruction
            if "LOAD_" in i.opname and i.opname != "LOAD_CONST" and isinstance(name, str):
                return _Expression(name, i.opname == "LOAD_GLOBAL", tuple(steps))
            break
        last -= 1
    return _Expression(steps=tuple(steps) or ("…",))
