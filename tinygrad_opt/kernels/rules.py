"""Update rules compiled over the elements of their arrays by Numba, one loop a rule and dtype.

The loop is made from the rule's own source (see `trace` and `generated`), so the formula stays written once. Large
arrays are cut over the cores.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import _installed, kernels
from .generated import DAMAGE, compile_source, is_kept, source_for_many, source_of
from .places import places_of
from .trace import CannotCompile, Loop, trace

__all__ = ["AHEAD", "COMPILING", "LEAST", "LOADING", "STARTING", "find", "not_finite", "reason", "run", "together"]

Array = np.ndarray[Any, Any]

LEAST = 1024
"""Elements from which a compiled loop beats NumPy's calls, whatever the rule."""

PART = 1 << 18
"""Elements that are worth a thread of their own."""

STARTING, COMPILING, LOADING = 1 << 28, 1 << 26, 1 << 21
"""What it costs to import Numba, to compile a loop, and to load one from the disk: in elements that NumPy updates in
about the same time (1 s, 0.3 s and 10 ms)."""

AHEAD = 100
"""Steps that a training is expected to make yet. "auto" compiles when the elements updated so far, and those of so many
steps more, come to what it costs: large models at once, small ones after a while, short runs on small ones never."""

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class Job(NamedTuple):
    """A compiled rule with what it is to run on."""

    kernel: Kernel
    arrays: list[Array]
    constants: Array


class Kernel:
    """A rule for one dtype and one outcome of its branches; called as ``kernel(p, g, states, hyper)``."""

    def __init__(self, rule: Any, loop: Loop, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.exact = loop.exact
        self.count = len(loop.constants)
        self.evaluate = _evaluator(rule.hyper, "(" + "".join(f"{text}, " for text in loop.constants) + ")", loop.names)
        self.known: tuple[dict[str, Any], Array] = ({}, np.empty(0))
        names = ["p", "g", *rule.state]
        written = dict(zip(["p", *rule.state], loop.results, strict=True))
        own = [name for name in rule.state if name in loop.reads or written[name] is not None]
        self.states = [rule.state.index(name) for name in own]
        arrays = [name for name in names if name in ("p", "g", *own)]
        self.source = source_of(rule, loop, arrays, written, dtype)
        self.source_for_many = source_for_many(rule, loop, arrays, written, dtype)
        self.loop: Any = None
        self.shared: Any = None

    def compile(self) -> None:
        """Make the machine code, or load it."""
        self.loop = compile_source(self.source, [_vectors(self.dtype)] * (3 + len(self.states)))

    def share(self) -> None:
        """Make the form for several threads, or load it: before the step writes anything, in case that fails."""
        import numba

        from .sharing import shared

        loop = compile_source(self.source_for_many, [numba.int64[:, ::1], _vectors(self.dtype)])
        for on_disk in (True, False):  # as in compile_source
            try:
                made = shared(loop, on_disk)
                made(0, 0, np.empty((0, 1), np.int64), np.zeros(self.count, self.dtype))
            except DAMAGE:
                if on_disk:
                    continue
                raise
            self.shared = made
            return

    def constants(self, hyper: dict[str, Any]) -> Array:
        """The loop's constants; the parameters of a group, one after the other, have the same."""
        known, constants = self.known
        if hyper != known or not known:
            constants = np.array(self.evaluate(**hyper), self.dtype)
            self.known = dict(hyper), constants
        return constants

    def bind(self, p: Array, g: Array, states: Sequence[Any], hyper: dict[str, Any]) -> Job:
        """The loop with its arrays and constants, to be run by :func:`run`."""
        if not g.flags.writeable:
            g = g.copy()
        return Job(self, [p, g, *[states[i] for i in self.states]], self.constants(hyper))

    def __call__(self, p: Array, g: Array, states: Sequence[Any], hyper: dict[str, Any]) -> None:
        run(together([self.bind(p, g, states, hyper)]))


class Batch:
    """Jobs of one kernel with the same constants; where they are large, they run as one."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.kernel, _, self.constants = jobs[0]
        self.sets = [job.arrays for job in jobs]
        self.size = sum(arrays[0].size for arrays in self.sets)
        large = self.size >= 2 * PART and self.kernel.shared is not None
        self.places = places_of(self.sets) if large else None

    def run(self) -> None:
        """Update all, on a thread for each PART of the elements."""
        if self.places is not None:
            self.kernel.shared(self.size, self.size, self.places, self.constants, least=PART)
            return
        for arrays in self.sets:
            self.kernel.loop(*arrays, self.constants, 0, arrays[0].size)

    def not_finite(self) -> bool:
        """Whether the gradients may hold a NaN or an infinity."""
        if self.places is None:
            return not all(math.isfinite(arrays[1].dot(arrays[1])) for arrays in self.sets)
        from .finite import perhaps_not_finite

        return perhaps_not_finite(self.places, 2, self.size, self.kernel.dtype)


def together(jobs: Sequence[Job]) -> list[Batch]:
    """Put neighbours of one kernel and constants into one batch."""
    found: list[list[Job]] = []
    for job in jobs:
        if found and found[-1][0].kernel is job.kernel and found[-1][0].constants is job.constants:
            found[-1].append(job)
        else:
            found.append([job])
    return [Batch(jobs) for jobs in found]


def not_finite(batches: Sequence[Batch]) -> bool:
    """Whether gradients that compiled rules are about to use may hold a NaN or an infinity."""
    return any(batch.not_finite() for batch in batches)


def run(batches: Sequence[Batch]) -> None:
    """Run compiled rules."""
    for batch in batches:
        batch.run()


class Program:
    """All compiled forms of one rule: a tree of its branches' tests, with a Kernel at each end that was reached."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule
        self.tests: dict[tuple[bool, ...], Callable[..., Any]] = {}
        self.kernels: dict[tuple[Any, ...], Kernel] = {}
        self.traced: dict[tuple[Any, ...], Kernel] = {}
        self.work: dict[tuple[Any, ...], int] = {}
        self.known: tuple[dict[str, Any], int, tuple[bool, ...]] = ({}, -1, ())
        self.refused: str | None = None if rule.elementwise else "it works on whole arrays"

    def path(self, hyper: dict[str, Any]) -> tuple[bool, ...]:
        """The outcomes of the tests that are known so far, for these hyperparameters."""
        known, tests, path = self.known
        if tests == len(self.tests) and hyper == known:  # as of the parameter before
            return path
        path = ()
        while (test := self.tests.get(path)) is not None:
            path = (*path, bool(test(**hyper)))
        self.known = dict(hyper), len(self.tests), path
        return path

    def trace(self, hyper: dict[str, Any], dtype: np.dtype[Any]) -> Kernel:
        """The loop for these hyperparameters' branches, not compiled yet."""
        path: tuple[bool, ...] = ()

        def decide(test: str, names: dict[str, Any]) -> bool:
            nonlocal path
            if path not in self.tests:
                self.tests[path] = _evaluator(self.rule.hyper, test, names)
            path = (*path, bool(self.tests[path](**hyper)))
            return path[-1]

        loop = trace(self.rule.function, self.rule.hyper, decide)
        return self.traced.setdefault((path, dtype), Kernel(self.rule, loop, dtype))

    def compile(self, hyper: dict[str, Any], dtype: np.dtype[Any]) -> Kernel:
        """Trace and compile for these hyperparameters' branches."""
        kernel = self.traced.get((self.path(hyper), dtype)) or self.trace(hyper, dtype)
        kernel.compile()
        self.kernels[self.path(hyper), dtype] = kernel
        return kernel


_programs: dict[Any, Program] = {}


def find(rule: Any, hyper: dict[str, Any], dtype: np.dtype[Any], size: int, whole: int = 0) -> Kernel | None:
    """The compiled form of a rule, or None where NumPy's is to run.

    "numba" compiles at once. "auto" waits until it is worth it, and takes compiled loops only where they give NumPy's
    result to the last bit, so that results do not depend on when the change comes.

    Parameters
    ----------
    rule : UpdateRule
    hyper : dict
        The rule's keyword arguments.
    dtype : dtype
    size : int
        Elements that are about to be updated.
    whole : int
        Elements that a step updates, where these are a part of them.
    """
    choice = kernels()
    if choice == "numpy" or size < LEAST or dtype not in _DTYPES:
        return None
    program = _programs.get(rule.function)
    if program is None:
        program = _programs[rule.function] = Program(rule)
    if program.refused is not None:
        return None
    key = (program.path(hyper), dtype)
    kernel = program.kernels.get(key)
    if kernel is None:
        if choice == "auto":
            work = program.work[key] = program.work.get(key, 0) + size
            if not _pays(program, key, hyper, work + AHEAD * max(size, whole)):
                return None
        kernel = _attempt(program, hyper, dtype, choice)
    if kernel is None or (choice == "auto" and not kernel.exact):
        return None
    if max(size, whole) >= 2 * PART and kernel.shared is None:
        kernel.share()
    return kernel


def _pays(program: Program, key: tuple[Any, Any], hyper: dict[str, Any], work: int) -> bool:
    """Whether so much work is worth compiling a rule, or loading it where it has been compiled before."""
    cost = LOADING + (0 if "numba" in sys.modules else STARTING)
    if work < cost or not _installed():
        return False
    if work >= cost + COMPILING:
        return True
    if key in program.traced:
        return False  # it has been looked for on the disk
    try:
        return is_kept(program.trace(hyper, key[1]).source)
    except CannotCompile as error:
        program.refused = str(error)
        return False


def _attempt(program: Program, hyper: dict[str, Any], dtype: np.dtype[Any], choice: str) -> Kernel | None:
    if not _installed():
        program.refused = "Numba is not installed"
        return None
    try:
        return program.compile(hyper, dtype)
    except (CannotCompile, ImportError) as error:
        program.refused = str(error) if isinstance(error, CannotCompile) else f"Numba cannot be imported: {error}"
        if choice == "numba":
            warnings.warn(
                f"the update rule {program.rule.name} runs on NumPy: {program.refused}.", RuntimeWarning, stacklevel=2
            )
    return None


def reason(rule: Any, hyper: dict[str, Any]) -> str | None:
    """Why a rule cannot be compiled for these hyperparameters; None when it can."""
    if not rule.elementwise:
        return "it works on whole arrays"
    program = Program(rule)
    try:
        trace(rule.function, rule.hyper, lambda test, names: bool(_evaluator(rule.hyper, test, names)(**hyper)))
    except CannotCompile as error:
        return str(error)
    return program.refused


def _vectors(dtype: np.dtype[Any]) -> Any:
    """Numba's type of a vector."""
    import numba

    return (numba.float32 if dtype == np.float32 else numba.float64)[::1]


def _evaluator(hyper: Sequence[str], text: str, names: dict[str, Any]) -> Callable[..., Any]:
    """A Python function of the hyperparameters that gives the value of an expression of the rule's own source."""
    made: Callable[..., Any] = eval(f"lambda {', '.join(hyper)}: {text}", dict(names))
    return made
