"""Making a large graph small enough to read: modules become boxes, repeated blocks "× 12", long stretches one node.

All folding merges operations that ran next to each other. Runs of neighbours in a topological order, each shrunk to
a point, cannot form a cycle, so the folded picture is a graph that runs one way like the full one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .text import plural
from .trace import Operation, Trace

__all__ = ["Item", "Repeat", "fold"]

LONGEST_BLOCK = 2000
"""Repeated blocks of more operations than this are not looked for."""


class Item:
    """What is drawn as one operation: a single one, a collapsed module, or a stretch of operations.

    Attributes
    ----------
    kind : str
        "operation", "module" or "stretch".
    path : str
        The module cluster in which it stands; a collapsed module stands in its parent's.
    repeat : Repeat or None
        The repetition whose first member it belongs to.
    """

    __slots__ = ("kind", "label", "operations", "path", "repeat")

    def __init__(self, operations: list[Operation], path: str, kind: str = "operation", label: str = "") -> None:
        self.operations = operations
        self.path = path
        self.kind = kind
        self.label = label
        self.repeat: Repeat | None = None


class Repeat:
    """Consecutive blocks of the same structure, of which only the first is drawn."""

    def __init__(self, times: int, period: int, label: str) -> None:
        self.times = times
        self.period = period
        self.label = label
        self.hidden: list[list[Item]] = []


def fold(
    trace: Trace, depth: int | None, repeats: bool | None, limit: int
) -> tuple[list[Item], list[Repeat], list[str]]:
    """The items to draw in order, the repetitions among them, and sentences that say what was folded.

    Parameters
    ----------
    depth : int or None
        Collapse modules nested deeper than this; None collapses none, unless the graph is over the limit.
    repeats : bool or None
        Fold repeated blocks always, never, or (None) when the graph is over the limit.
    limit : int
        Draw at most about this many items.
    """
    operations = trace.operations
    items = _collapse(operations, depth)
    notes: list[str] = []
    groups: list[Repeat] = []
    if repeats or (repeats is None and len(items) > limit):
        items, groups = _fold_repeats(items)
        notes += [
            f"{group.label}: {group.times} blocks of the same structure, the first one drawn." for group in groups
        ]
    if len(items) > limit and depth is None:
        deepest = max((op.module.count(".") + 1 for op in operations if op.module), default=0)
        for level in range(deepest, 0, -1):
            shallower = _collapse(operations, level)
            folded, found = _fold_repeats(shallower) if repeats is not False else (shallower, [])
            if len(folded) < len(items):
                items, groups, used = folded, found, level
                notes = [f"Modules are collapsed at depth {used} ({plural(len(operations), 'operation')} in all)."]
                notes += [f"{g.label}: {g.times} blocks of the same structure, the first one drawn." for g in groups]
            if len(items) <= limit:
                break
    if len(items) > limit:
        before = len(items)
        items, groups = _chunk(_unfold(items), max(2, limit // 2)), []
        notes = [f"{plural(before, 'operation')} are drawn as {len(items)} stretches of consecutive ones."]
    return items, groups, notes


def _collapse(operations: Sequence[Operation], depth: int | None) -> list[Item]:
    items: list[Item] = []
    last = None
    for operation in operations:
        parts = operation.module.split(".") if operation.module else []
        if depth is None or len(parts) < depth or (depth == 0 and not parts and len(operations) == 1):
            items.append(Item([operation], operation.module))
            last = None
            continue
        path = ".".join(parts[:depth])
        if last == path and items:
            items[-1].operations.append(operation)
        else:
            parent = ".".join(parts[: max(depth - 1, 0)])
            items.append(Item([operation], parent, "module", path or "everything"))
            last = path
    return items


# Repeated blocks


def _token(item: Item) -> tuple[Any, ...]:
    """What two items must share to count as the same: operations, shapes, place up to the numbers in the path."""
    return (
        item.kind,
        re.sub(r"\d+", "#", item.label or item.path),
        tuple(
            (
                op.primitive.name,
                tuple(v.shape for v in op.outputs),
                tuple((p, v.kind == "constant" and v.lone, v.shape) for p, v in op.inputs),
            )
            for op in item.operations
        ),
    )


def _tandem(tokens: np.ndarray[Any, Any], start: int, stop: int) -> tuple[int, int, int] | None:
    """(first, length, period) of the periodic run in tokens[start:stop] that hides most; shortest period on a tie."""
    best, hidden = None, max(1, len(tokens) // 100)  # in a large graph small repetitions are not worth a box
    part = tokens[start:stop]
    for period in range(1, min(len(part) // 2, LONGEST_BLOCK) + 1):
        same = part[period:] == part[:-period]
        if same.sum() <= hidden:
            continue
        edges = np.flatnonzero(np.diff(np.concatenate(([0], same.astype(np.int8), [0]))))
        lengths = edges[1::2] - edges[::2]
        longest = int(lengths.argmax())
        length = int(lengths[longest]) + period
        if (length // period - 1) * period > hidden:
            best, hidden = (start + int(edges[2 * longest]), length, period), (length // period - 1) * period
    return best


def _fold_repeats(items: list[Item]) -> tuple[list[Item], list[Repeat]]:
    """Replace runs of equal blocks by their first one, largest first."""
    codes: dict[tuple[Any, ...], int] = {}
    tokens = np.array([codes.setdefault(_token(item), len(codes)) for item in items], dtype=np.int64)
    index = {op.number: i for i, item in enumerate(items) for op in item.operations}
    found: list[tuple[int, int, int]] = []
    ranges = [(0, len(items))]
    while ranges:
        start, stop = ranges.pop()
        best = _tandem(tokens, start, stop)
        if best is None:
            continue
        first, period, times = _align(items, index, *best)
        ranges.append((start, first))
        ranges.append((first + period * times, stop))
        if times >= 2:
            found.append((first, period, times))
    result: list[Item] = []
    groups: list[Repeat] = []
    at = 0
    for first, period, times in sorted(found):
        blocks = [items[first + k * period : first + (k + 1) * period] for k in range(times)]
        group = Repeat(times, period, _title(blocks))
        group.hidden = blocks[1:]
        for item in blocks[0]:
            item.repeat = group
        result += items[at:first] + blocks[0]
        at = first + period * times
        groups.append(group)
    return result + items[at:], groups


def _align(items: list[Item], index: dict[int, int], first: int, length: int, period: int) -> tuple[int, int, int]:
    """(first, period, times): begin where a module begins, and keep only blocks wired alike inside."""
    for shift in range(min(period, length - 2 * period + 1)):
        here = first + shift
        if here == 0 or _block(items[here]) != _block(items[here - 1]):
            first, length = here, length - shift
            break
    wirings = [_wiring(items, index, at, period) for at in range(first, first + length - period + 1, period)]
    times = 1
    while times < len(wirings) and wirings[times] == wirings[0]:
        times += 1
    return first, period, times


def _block(item: Item) -> str:
    """The path up to its last number: the member of a list of blocks an item belongs to."""
    path = item.label if item.kind == "module" else item.path
    match = re.match(r"(.*?\d+)(?:\.|$)", path)
    return match.group(1) if match else ""


def _wiring(items: list[Item], index: dict[int, int], start: int, period: int) -> list[tuple[int, ...]]:
    """For each item of a block, how far back inside the block its inputs were made (0: outside)."""
    wiring = []
    for i in range(start, start + period):
        back = []
        for operation in items[i].operations:
            for _, value in operation.inputs:
                if not (value.kind == "constant" and value.lone):
                    made = index.get(value.maker.number, -1) if value.maker is not None else -1
                    back.append(i - made if made >= start else 0)
        wiring.append(tuple(back))
    return wiring


def _title(blocks: list[list[Item]]) -> str:
    first, last = _name(blocks[0]), _name(blocks[-1])
    if first and last and first != last:
        return f"{first} … {last}"
    return first or plural(len(blocks[0]), "operation")


def _name(block: Sequence[Item]) -> str:
    """The modules that a block consists of, e.g. ``blocks.3`` or ``0–1``."""
    paths = [_block(item) or (item.label if item.kind == "module" else item.path) for item in block]
    return paths[0] if paths[0] == paths[-1] else f"{paths[0]}–{paths[-1]}"


# Stretches


def _unfold(items: list[Item]) -> list[Item]:
    whole: list[Item] = []
    done = set[int]()
    for item in items:
        group = item.repeat
        item.repeat = None
        whole.append(item)
        if group is not None and id(group) not in done:
            done.add(id(group))
            whole += [hidden for block in group.hidden for hidden in block]
    return sorted(whole, key=lambda item: item.operations[0].number)


def _chunk(items: list[Item], count: int) -> list[Item]:
    size = -(-len(items) // count)
    chunks = []
    for start in range(0, len(items), size):
        operations = [op for item in items[start : start + size] for op in item.operations]
        if len(operations) == 1:
            chunks.append(Item(operations, ""))
            continue
        kinds = Counter(op.primitive.name for op in operations).most_common(3)
        label = ", ".join(f"{name} × {times}" for name, times in kinds)
        chunks.append(Item(operations, "", "stretch", label))
    return chunks
