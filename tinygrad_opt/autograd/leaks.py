"""A meter for graphs that are kept by mistake: ``total += loss`` instead of ``total += loss.item()``."""

from __future__ import annotations

import gc
import warnings
from types import TracebackType

from .lines import forget_lines, line_of, note_lines
from .node import Node, ancestors

__all__ = ["LeakMeter", "LeakWarning", "live_nodes"]


class LeakWarning(UserWarning):
    """The recorded graph has grown for many steps in a row."""


def live_nodes() -> list[Node]:
    """All recorded operations that are still in memory, of all threads, earliest first.

    It looks through every object of the process: some milliseconds a call.
    """
    return sorted((o for o in gc.get_objects() if issubclass(type(o), Node)), key=lambda node: node.number)


class LeakMeter:
    """Context manager: count the live nodes at each ``step()`` and warn when they grow `patience` times in a row.

    Parameters
    ----------
    patience : int

    Attributes
    ----------
    counts : list of int
        Live nodes at each step.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor(1.0, requires_grad=True)
    >>> with tg.autograd.LeakMeter() as meter:
    ...     for _ in range(3):
    ...         loss = (w * 2 - 1) ** 2
    ...         loss.backward()
    ...         meter.step()
    >>> meter.counts[0] == meter.counts[2]
    True
    """

    def __init__(self, patience: int = 10) -> None:
        self.patience = patience
        self.counts: list[int] = []
        self._lines = note_lines()
        self._grown = 0
        self._first = 0
        self._warned = False

    def __enter__(self) -> LeakMeter:
        before = live_nodes()
        self._first = before[-1].number + 1 if before else 0
        self._lines.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.__exit__(kind, error, trace)

    def step(self) -> None:
        """Count, at the end of a training step; warns with :class:`LeakWarning`, once."""
        nodes = self._mine()
        forget_lines({node.number for node in nodes})
        self._grown = self._grown + 1 if self.counts and len(nodes) > self.counts[-1] else 0
        self.counts.append(len(nodes))
        if self._grown >= self.patience and not self._warned:
            gc.collect()  # what only waits for the collector is no leak
            if len(self._mine()) == len(nodes):
                self._warned = True
                warnings.warn(f"the live graph grew {self._grown} steps in a row: {self.report()}", LeakWarning, 2)

    def report(self) -> str:
        """How many nodes are alive, where the oldest was made, and what keeps it."""
        nodes = self._mine()
        if not nodes:
            return "no nodes are alive."
        used = {id(parent) for node in nodes for parent in node.parents}
        keeper = next(root for root in nodes if id(root) not in used and nodes[0] in ancestors([root]))
        return (
            f"{len(nodes)} nodes are alive, the oldest from {line_of(nodes[0]) or 'an unknown line'}; kept by the "
            f"value made at {line_of(keeper) or 'an unknown line'}. Keep loss.item() or loss.detach() instead."
        )

    def _mine(self) -> list[Node]:
        return [node for node in live_nodes() if node.number >= self._first]
