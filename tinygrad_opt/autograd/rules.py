"""The gradient rules of a primitive: how they are declared, what they read, and how the backward pass gets them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import GradientError
from .node import KEEP_SIZE, Node
from .signatures import read_positions

__all__ = ["Rule", "Rules"]

Rule = Callable[..., Any]


class Rules:
    """One rule for each array argument, or one for each, or one for all of them together.

    Parameters
    ----------
    name : str
    arrays : int
        How many array arguments there are; with `variadic`, any number.
    vjp : sequence of callable or None
        The rules, where they are known already.
    elementwise, variadic : bool
    part : callable, optional
        As of :class:`Primitive`.
    """

    def __init__(
        self,
        name: str,
        arrays: int,
        vjp: Sequence[Rule | None],
        elementwise: bool,
        variadic: bool,
        part: Callable[..., Any] | None,
    ) -> None:
        self.name, self.arrays, self.elementwise, self.variadic, self.part = name, arrays, elementwise, variadic, part
        self.rules: list[Any] = [None] * arrays
        self.simple = not variadic  # one rule an argument and one output: the pass may call `rules` as they are
        self.each: Rule | None = None
        self.joint: Rule | None = None
        self._unread: dict[tuple[bool, ...], tuple[tuple[int, ...], bool]] = {}
        for position, rule in enumerate(vjp):
            self.rules[position] = rule
        self._rules_changed()

    def _rules_changed(self) -> None:
        one_each = self.each is None and self.joint is None
        self.simple = self.simple and one_each and self.part is None
        self.complete = not one_each or None not in self.rules  # every argument has a rule
        self.quick_size = KEEP_SIZE if self.elementwise and self.complete else -1  # up to here, see quick.py
        self.sound = False  # an elementwise rule that returned the right shape once will do so again
        self._unread.clear()

    def vjp(self, position: int) -> Callable[[Rule], Rule]:
        """Declare the gradient rule for one array argument: ``rule(g, out, *inputs, **options)``."""

        if not 0 <= position < self.arrays:
            raise ValueError(f"{self.name}.vjp({position}): it has array arguments 0 to {self.arrays - 1}")

        def declare(rule: Rule) -> Rule:
            self.rules[position] = rule
            self._rules_changed()
            return rule

        return declare

    def vjp_each(self, rule: Rule) -> Rule:
        """Declare one rule for every array argument: ``rule(position, g, out, *inputs, **options)``."""
        self.each = rule
        self._rules_changed()
        return rule

    def vjp_joint(self, rule: Rule) -> Rule:
        """Declare one rule for all arguments: ``rule(needed, g, out, *inputs, **options)`` returns a tuple.

        `needed` is a tuple of bool, one for each array argument; entries that are not needed may be None.
        """
        self.joint = rule
        self._rules_changed()
        return rule

    def _find_unread(self, parents: tuple[Any, ...]) -> tuple[tuple[int, ...], bool]:
        """Which inputs, and whether the output, no rule that a backward pass will run reads; remembered."""
        wanted = tuple(map(bool, parents))  # whatever made an array is true
        found = self._unread.get(wanted)
        if found is not None:
            return found
        read = set[int]()
        for position, want in enumerate(wanted):
            if not want:
                continue
            rule = self.joint or self.each or (self.rules[position] if position < self.arrays else None)
            if rule is None:
                raise GradientError(
                    f"{self.name} has no gradient with respect to argument {position}, which requires one. "
                    f"Pass it detached if it is meant to be constant."
                )
            read |= read_positions(rule, 1 if self.joint or self.each else 0, len(wanted))
        found = tuple(i for i in range(len(wanted)) if i not in read), -1 not in read
        self._unread[wanted] = found
        return found

    def reads(self, node: Node, position: int) -> bool:
        """Whether some rule that this node will run reads the values of the input at `position`."""
        return position not in self._find_unread(tuple(node.parents))[0]

    def bind(self, node: Node, g: Any, out: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        """One rule an argument, from a rule for each or for all of them."""
        if self.each is not None:
            return [functools.partial(self.each, position) for position in range(len(inputs))]
        if self.joint is None:
            return self.rules
        needed = tuple(map(bool, node.parents))
        found = self.joint(needed, g, out, *inputs, **node.kwargs)
        if not isinstance(found, (tuple, list)) or len(found) != len(needed):
            what = f"{len(found)} gradients" if isinstance(found, (tuple, list)) else type(found).__name__
            raise GradientError(
                f"the joint gradient rule of {self.name} returned {what} for {len(needed)} arguments; it must return a "
                f"tuple of one for each, None where it is not needed"
            )
        return [functools.partial(_known, gradient) for gradient in found]


def _known(gradient: Any, *_: Any, **__: Any) -> Any:
    return gradient
