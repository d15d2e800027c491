"""``tg.compile``: a training step that records itself, proves its recording, and from then on replays it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_array
from ..func.tree import leaves, rebuild
from .plan import Plan
from .record import CompileError, Recorder, recording
from .surroundings import Surroundings, differences

__all__ = ["CompiledStep", "compile"]

TRIES = 4
"""Recordings before giving up: the first steps of an optimizer still lay out its memory."""


class CompiledStep:
    """A step that is replayed; made by :func:`compile`. Calling it is calling the step.

    A call with arguments of other shapes, dtypes or plain values makes a plan of its own. A plan is made anew when a
    parameter's memory, a module's training mode or the set of parameters has changed.
    """

    def __init__(self, step: Callable[..., Any]) -> None:
        functools.update_wrapper(self, step)
        self._step = step
        self._plans: dict[Any, tuple[Plan, Surroundings]] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arrays, key = _describe(args, kwargs)
        found = self._plans.get(key)
        if found is not None and found[1].unchanged():
            return found[0].run(arrays)
        return self._record(key, (args, kwargs), arrays)

    def plan(self) -> Plan:
        """The plan that was made last.

        Raises
        ------
        CompileError
            Before the first call.
        """
        if not self._plans:
            raise CompileError("compile: there is no plan before the step was called for the first time.")
        return list(self._plans.values())[-1][0]

    def _record(self, key: Any, tree: Any, arrays: list[Any]) -> Any:
        """Make a plan for a call like this one, and do the call; or raise, and leave everything as it was."""
        around = Surroundings(self._step)
        start = around.snapshot()
        try:
            result, plan = self._settled(around, start, tree, arrays)
            after = around.snapshot()
            around.restore(start)
            replayed = plan.run(arrays)
            if wrong := differences(after, around.snapshot()) + _unequal(result, replayed):
                raise CompileError(
                    f"compile: a replay did not do what the step did: {'; '.join(wrong[:4])}. The step changes "
                    f"something besides the parameters, e.g. running statistics or a schedule: take it out of the step."
                )
        except BaseException:
            around.restore(start)
            raise
        around.settle()
        self._plans[key] = plan, around
        return result

    def _settled(self, around: Surroundings, start: Any, tree: Any, arrays: list[Any]) -> tuple[Any, Plan]:
        """Observe the step until two recordings are the same."""
        result, plan = self._observe(tree, arrays)
        for _ in range(TRIES):
            around.restore(start)
            before, (result, plan) = plan, self._observe(tree, arrays)
            if plan.signature() == before.signature():
                return result, plan
        raise CompileError(
            f"compile: {getattr(self._step, '__name__', 'the step')} does something else each time: "
            f"{_first_difference(before, plan)}. Random numbers (dropout), values computed by NumPy outside of tg "
            f"functions (normalisation in training), and branches that depend on a counter cannot be replayed."
        )

    def _observe(self, tree: Any, arrays: list[Any]) -> tuple[Any, Plan]:
        from ..optim.optimizer import Optimizer

        recorder = Recorder()
        own = [array.copy() for array in arrays]  # so that the same array given twice counts as two
        given = iter(own)
        args, kwargs = rebuild(tree, [_like(v, next(given)) if _is_array(v) else v for v in leaves(tree)])
        with recording(recorder, Optimizer):
            result = self._step(*args, **kwargs)
        return _detached(result), Plan(recorder, own, result)


def compile(step: Callable[..., Any]) -> CompiledStep:
    """Record a training step, and from then on replay it: no graph, no allocation, the same numbers.

    The first call runs the step as it is, twice under observation, and then once from the recording, which must give
    the same results, parameters and optimizer state; so a compiled step is either right or an error. Later calls run
    the recorded operations on the same buffers. For small nets, where Python's part rules, that halves the time.

    Parameters
    ----------
    step : callable
        Takes Tensors or arrays (nested as you like) and plain values, and does a whole step: ``zero_grad()``, the
        loss, ``backward()``, the optimizer's ``step()``. It returns Tensors.

    Returns
    -------
    CompiledStep
        Call it in place of the step; ``plan()`` tells what it does, ``plan().graph()`` draws it.

    Raises
    ------
    CompileError
        At a call, when the step reads values of Tensors, draws random numbers, changes state that is not the
        parameters' or the optimizer's, or does something else each time. Everything is then as it was before.

    Notes
    -----
    Dropout, normalisation layers, and recurrent layers without an initial state compute a part of their work outside
    of recorded operations and are refused. What the step reads from outside, other than parameters, buffers and the
    hyperparameters of its optimizers, is read when it is recorded. Gradients left in ``p.grad`` are overwritten by the
    next call. Python's own part of the step (a print, a counter of yours) runs only while it is recorded.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> model = tg.nn.Linear(3, 1)
    >>> optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    >>> @tg.compile
    ... def train(x, y):
    ...     optimizer.zero_grad()
    ...     loss = ((model(x) - y) ** 2).mean()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> x, y = np.ones((4, 3), np.float32), np.zeros((4, 1), np.float32)
    >>> first, last = train(x, y), [train(x, y) for _ in range(20)][-1]
    >>> bool(last < 0.1 * first)
    True
    """
    return CompiledStep(step)


def _describe(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
    """The arrays among the arguments; and what must be equal for a plan to fit: shapes, dtypes, numbers, nesting."""
    nested = bool(kwargs) or any(isinstance(value, (tuple, list, dict)) for value in args)
    arrays: list[Any] = []
    key: list[Any] = []
    values = leaves((args, kwargs)) if nested else args
    for value in values:
        if isinstance(value, Tensor):
            value = value.data
        if isinstance(value, np.ndarray):
            arrays.append(value)
            key += (value.shape, value.dtype.str)
        else:
            key.append(value)
    if nested:
        key.append(repr(rebuild((args, kwargs), range(len(values)))))
    return arrays, tuple(key)


def _is_array(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray))


def _like(value: Any, array: Any) -> Any:
    return Tensor(array) if isinstance(value, Tensor) else array


def _detached(result: Any) -> Any:
    return rebuild(result, [v.detach() if isinstance(v, Tensor) else v for v in leaves(result)])


def _unequal(result: Any, replayed: Any) -> list[str]:
    """What differs between the results of the step and of its replay."""
    wrong = []
    for i, (a, b) in enumerate(zip(leaves(result), leaves(replayed), strict=True)):
        if isinstance(a, Tensor):
            if not _close(a.data, b.data):
                wrong.append(f"result {i} differs")
        elif a != b:
            wrong.append(f"result {i} is {b!r} instead of {a!r}")
    return wrong


def _close(a: Any, b: Any) -> bool:
    bound = 1e-5 if as_array(a).dtype.itemsize <= 4 else 1e-10
    return bool(np.allclose(a, b, rtol=bound, atol=bound, equal_nan=True))


def _first_difference(before: Plan, now: Plan) -> str:
    for i, (a, b) in enumerate(zip(before.signature(), now.signature(), strict=False)):
        if a != b:
            return f"operation {i}, '{b[1]}', took something else than before"
    return f"{len(before.calls)} operations, then {len(now.calls)}"
