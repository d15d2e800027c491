"""Where each node of a picture stands: the nested boxes of modules, and the dashed ones of repeated blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .fold import Item, Repeat
from .text import clean, dot_attributes, dot_text
from .theme import Theme
from .trace import Value

__all__ = ["Clusters", "belongs"]

Chain = tuple[str, ...]


class Clusters:
    """A tree of clusters, each named by the chain of keys that leads to it."""

    def __init__(
        self, items: Sequence[Item], classes: Mapping[str, str], stages: Mapping[int, str] | None = None
    ) -> None:
        self.labels: dict[Chain, tuple[str, bool]] = {}
        self.members: dict[Chain, list[tuple[str, dict[str, str]]]] = {}
        self.classes = classes
        self.stages = stages or {}
        self.items = items
        self._shared: dict[int, tuple[tuple[str, ...], bool]] = {}
        self._chains: dict[int, Chain] = {}
        self._keys = _module_keys(items)

    def of_item(self, item: Item) -> Chain:
        """The chain of an item's cluster."""
        if id(item) not in self._chains:
            self._chains[id(item)] = self._find(item)
        return self._chains[id(item)]

    def of_value(self, value: Value, maker: Item | None, users: Sequence[Item]) -> Chain:
        """The chain of a value's cluster: its maker's; for parameters and lone numbers the users' common one."""
        if maker is not None:
            return self.of_item(maker)
        own = value.kind == "leaf" and value.name is not None
        if not users or not (own or value.lone):
            return ()
        chain = self.of_item(users[0])
        for user in users[1:]:
            other = self.of_item(user)
            same = 0
            while same < min(len(chain), len(other)) and chain[same] == other[same]:
                same += 1
            chain = chain[:same]
        while own and chain and not belongs(value, _path(chain)):
            chain = chain[:-1]
        return chain

    def add(self, chain: Chain, name: str, attributes: dict[str, str]) -> None:
        """Put a node into a cluster."""
        self.members.setdefault(chain, []).append((name, attributes))

    def _find(self, item: Item) -> Chain:
        keys = self._keys[id(item)]
        if item.repeat is not None:
            common, whole = self._common(item.repeat)
            at = max(len(common) - 1, 0) if whole else len(common)
            rest = keys[at + 1 :] if whole and common else keys[at:]
            chain = (*keys[:at], f"repeat {id(item.repeat)}")
            self.labels[chain] = f"{item.repeat.label} × {item.repeat.times}", True
            result = (*chain, *rest)
        else:
            result = tuple(keys)
        stage = self.stages.get(item.operations[0].number)
        if stage is not None:
            result = (f"stage {stage}", *result)
            self.labels[result[:1]] = stage, False
            if item.repeat is not None:
                self.labels[(result[0], *chain)] = self.labels[chain]
        for length in range(1, len(result) + 1):
            key = result[length - 1]
            if key.startswith("module "):
                self.labels.setdefault(result[:length], (self._title(_path((key,))), False))
        return result

    def _common(self, repeat: Repeat) -> tuple[tuple[str, ...], bool]:
        """The path that all items of a block share, and whether nothing else stands in it."""
        if id(repeat) not in self._shared:
            paths = [tuple(i.path.split(".")) if i.path else () for i in self.items if i.repeat is repeat]
            common = paths[0]
            for path in paths[1:]:
                same = 0
                while same < min(len(common), len(path)) and common[same] == path[same]:
                    same += 1
                common = common[:same]
            others = [i.path.split(".") for i in self.items if i.repeat is not repeat and i.path]
            whole = bool(common) and not any(tuple(path[: len(common)]) == common for path in others)
            self._shared[id(repeat)] = common, whole
        return self._shared[id(repeat)]

    def _title(self, path: str) -> str:
        """The last name of a path, with the list it belongs to when it is a number; its class when that is known."""
        parts = path.split(".")
        start = len(parts) - 1
        while start and parts[start].isdigit():
            start -= 1
        title = ".".join(parts[start:])
        return f"{title}: {self.classes[path]}" if path in self.classes else title

    def write(self, picture: Any, theme: Theme) -> None:
        """Declare all nodes, inside their clusters, in a Picture."""
        chains = set(self.members)
        for chain in list(self.members):
            chains |= {chain[:length] for length in range(len(chain))}
        children: dict[Chain, list[Chain]] = {}
        order = {chain: i for i, chain in enumerate(self.members)}
        for chain in sorted(chains, key=lambda c: (len(c), order.get(c, 0))):
            if chain:
                children.setdefault(chain[:-1], []).append(chain)
        opened: list[tuple[Chain, bool]] = [((), False)]
        depth = 1
        number = 0
        while opened:  # iterative: the nesting of modules has no limit here
            chain, closing = opened.pop()
            if closing:
                depth -= 1
                picture.body.append("\t" * depth + "}\n")
                continue
            if chain:
                label, repeat = self.labels[chain]
                picture.body.append("\t" * depth + f"subgraph cluster_{number} {{\n")
                number += 1
                depth += 1
                self._style(picture, depth, label, repeat, theme)
                opened.append((chain, True))
            for name, attributes in self.members.get(chain, []):
                picture.body.append("\t" * depth + f"{name} {dot_attributes(attributes)}\n")
            opened += [(child, False) for child in reversed(children.get(chain, []))]

    def _style(self, picture: Any, depth: int, label: str, repeat: bool, theme: Theme) -> None:
        style = {
            "label": dot_text([clean(label, 60)]),
            "labelloc": "t",
            "labeljust": "l",
            "style": "rounded,filled" + (",dashed" if repeat else ""),
            "fillcolor": theme.cluster[0],
            "color": theme.nodes["module"][1] if repeat else theme.cluster[1],
            "fontsize": "10",
            "margin": "9",
            "class": "repeat" if repeat else "module-box",
            "lines": "title",
            "tooltip": dot_text([clean(label, 60)]),
        }
        picture.body.append("\t" * depth + f"graph {dot_attributes(style)}\n")


def belongs(value: Value, path: str) -> bool:
    """Whether a leaf is, by its name, a parameter of the module at a path; all are of the whole model."""
    return value.kind == "leaf" and value.name is not None and (not path or value.name.startswith(f"{path}."))


def _path(chain: Chain) -> str:
    """The path of the innermost module of a chain."""
    return next((key[7:].rpartition("\n")[0] for key in reversed(chain) if key.startswith("module ")), "")


def _module_keys(items: Sequence[Item]) -> dict[int, list[str]]:
    """For each item the keys of its modules, outermost first; a module that is used again later is another box."""
    keys: dict[int, list[str]] = {}
    before: list[str] = []
    visits: dict[str, int] = {}
    for item in items:
        parts = item.path.split(".") if item.path else []
        now: list[str] = []
        for depth in range(len(parts)):
            path = ".".join(parts[: depth + 1])
            going_on = len(before) > depth and before[:depth] == now and _path((before[depth],)) == path
            if not going_on:
                visits[path] = visits.get(path, 0) + 1
            now.append(f"module {path}\n{visits[path]}")
        keys[id(item)] = before = now
    return keys
