"""Update rules: an optimizer's formula as one pure function, with what an executor must know about it."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["UpdateRule", "update_rule"]


RULE_CODES: set[types.CodeType] = set()
"""The code of every update rule, by which a trace knows its frames."""


class UpdateRule:
    """A pure function ``rule(p, g, *state, **hyper) -> (p, *state)``; made by :func:`update_rule`.

    Attributes
    ----------
    function : callable
        The function as it was written; every executor runs this one.
    state : tuple of str
        Names of the state arrays, in the order in which the function takes and returns them.
    hyper : tuple of str
        Names of the keyword-only arguments; ``t`` is the step count, from 1.
    counts : bool
        Whether it takes ``t``.
    elementwise : bool
        Whether each element is updated by itself, so that any cut of the arrays gives the same result.
    differentiable : bool
        Whether gradients through the rule mean something; False for rules built on the sign.
    fits : set of type
        The optimizers that :meth:`verify` has found to fit it.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        state: Sequence[str] = (),
        *,
        elementwise: bool = True,
        when: Mapping[str, str] | None = None,
        init: Mapping[str, str | Callable[..., Any]] | None = None,
        differentiable: bool = True,
    ) -> None:
        self.function = function
        RULE_CODES.add(function.__code__)
        self.state = tuple(state)
        self._all = (True,) * len(self.state)
        self.elementwise = elementwise
        self.when = dict(when or {})
        self.init = dict(init or {})
        self.differentiable = differentiable
        self.advance: Callable[..., dict[str, float]] | None = None
        self.fits: set[type] = set()
        functools.update_wrapper(self, function)
        self.name: str = function.__name__
        parameters = list(inspect.signature(function).parameters.values())
        self.hyper = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self.counts = "t" in self.hyper
        arrays = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        if len(arrays) != 2 + len(self.state):
            raise TypeError(
                f"update rule {self.name}: it takes {arrays}, but should take a parameter, its gradient and the "
                f"states {list(self.state)}; hyperparameters go behind a *."
            )
        if "step" in self.state:
            raise TypeError(f"update rule {self.name}: a state cannot be called 'step', as the step count is.")
        for name in (*self.when, *self.init):
            if name not in self.state:
                raise TypeError(f"update rule {self.name}: '{name}' is none of its states {list(self.state)}.")

    def __call__(self, *arrays: Any, **hyper: Any) -> Any:
        return self.function(*arrays, **hyper)

    def __repr__(self) -> str:
        return f"<update rule {self.name}: {self.formula}>"

    @property
    def formula(self) -> str:
        """The mathematics: the first paragraph of the function's docstring."""
        return " ".join((self.function.__doc__ or self.name).split("\n\n")[0].split())

    def active(self, hyper: Mapping[str, Any]) -> tuple[bool, ...]:
        """Which states the hyperparameters call for; the others are None in the call."""
        if not self.when:
            return self._all
        return tuple([name not in self.when or bool(hyper[self.when[name]]) for name in self.state])

    def optional(self, state: str) -> bool:
        """Whether a state may be absent for some parameters or hyperparameters."""
        return state in self.when or callable(self.init.get(state))

    def clock(self, function: Callable[..., dict[str, float]]) -> Callable[..., dict[str, float]]:
        """Declare scalars that evolve with the steps of a parameter, such as a product of coefficients.

        ``function(**hyper)`` gets the hyperparameters, ``t``, and its own last result (the defaults of its
        arguments at first); it returns a dict of numbers that the rule takes as hyperparameters.
        """
        self.advance = function
        return function

    def first_clock(self) -> dict[str, float]:
        """The clock's values before the first step."""
        if self.advance is None:
            return {}
        parameters = inspect.signature(self.advance).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}

    def verify(self, cls: type, values: Mapping[str, Any]) -> None:
        """Once for a class, before its first step: raise TypeError where they do not fit, or elements are not apart."""
        known = {**values, "t": 1}
        if self.advance is not None:
            known |= self.advance(**{**known, **self.first_clock()})
        if missing := [name for name in self.hyper if name not in known]:
            raise TypeError(
                f"update rule {self.name} takes {', '.join(missing)}, which {cls.__name__} does not have. Give each a "
                f"default in the class: defaults = optim.table(…, {missing[0]}=…)."
            )
        if self.elementwise and not self._goes_by_elements(known):
            raise TypeError(
                f"update rule {self.name}: what becomes of an element depends on the others (a norm, a mean?), and "
                f"several parameters may lie in one array. Declare it: @update_rule(…, elementwise=False)."
            )
        self.fits.add(cls)

    def _goes_by_elements(self, known: Mapping[str, Any]) -> bool:
        """Whether three elements become together what they become one by one."""
        hyper = {name: known[name] for name in self.hyper}
        arrays: list[Any] = [np.array([1.0, -2.0, 0.25]), np.array([0.5, -1.5, 3.0])]
        for name, wanted in zip(self.state, self.active(known), strict=True):
            fill = self.init.get(name, 0.0)
            arrays.append(np.full(3, known[fill] if isinstance(fill, str) else fill) if wanted else None)

        def run(part: slice) -> list[Any]:
            found = self.function(*[None if array is None else array[part] for array in arrays], **hyper)
            return list(found) if isinstance(found, tuple) else [found]

        with np.errstate(all="ignore"):
            together, apart = run(slice(None)), [run(slice(i, i + 1)) for i in range(3)]
        return all(
            a is None or np.shape(a) != (3,) or np.allclose(a, np.concatenate(parts), rtol=1e-9, equal_nan=True)
            for a, *parts in zip(together, *apart, strict=True)
        )


def update_rule(state: Sequence[str] = (), **options: Any) -> Callable[[Callable[..., Any]], UpdateRule]:
    """Declare an update rule: ``rule(p, g, *state, **hyper) -> (p, *state)``, written as in the paper.

    The function must be pure: plain expressions of NumPy functions, no writing into its arguments. A branch may
    depend on hyperparameters only; for elements there is ``np.where``.

    Parameters
    ----------
    state : sequence of str
        Names of the state arrays; they begin as zeros of the parameter's shape.
    elementwise : bool, optional
        False for a rule that looks at shapes or takes norms; it then runs on each parameter by itself. Where that is
        forgotten, the first step says so.
    when : mapping, optional
        State name → hyperparameter without which the state is not kept (it is None in the call).
    init : mapping, optional
        State name → hyperparameter that fills it at first; or, for rules that are not elementwise, a function of
        the parameter array that gives the first state.
    differentiable : bool, optional
        False where a gradient through the rule would say nothing.

    Examples
    --------
    >>> from tinygrad_opt import optim
    >>> @optim.update_rule(state=("v",))
    ... def heavy_ball(p, g, v, *, lr, momentum):
    ...     '''v ← μ·v + g ;  θ ← θ − η·v'''
    ...     v = momentum * v + g
    ...     return p - lr * v, v
    >>> heavy_ball(1.0, 2.0, 4.0, lr=0.25, momentum=0.5)
    (0.0, 4.0)
    """

    def declare(function: Callable[..., Any]) -> UpdateRule:
        return UpdateRule(function, state, **options)

    return declare
