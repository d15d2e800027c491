"""Update rules compiled over the elements of their arrays by Numba, one loop a rule and dtype.

The loop is made from the rule's own source (see `trace` and `generated`), so the formula stays written once. Large
arrays are cut over the cores.
"""

from __future__ import annotations

import ast
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _installed, kernels
from .generated import DAMAGE, compile_source, is_kept, source_for_many, source_of
from .places import address_of
from .trace import CannotCompile, Loop, trace

__all__ = ["AHEAD", "COMPILING", "LEAST", "LOADING", "STARTING", "Batch", "find", "reason"]

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

_GRADIENT = 2  # its column in a table of places: size, parameter, gradient, states
_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class Kernel:
    """A rule for one dtype and one outcome of its branches; called as ``kernel(p, g, states, hyper)``.

    It is `timed` where the same hyperparameters may call for another one at another step.
    """

    def __init__(self, rule: Any, loop: Loop, dtype: np.dtype[Any], timed: bool) -> None:
        self.dtype = dtype
        self.timed = timed
        self.exact = loop.exact
        self.count = len(loop.constants)
        self.evaluate = _evaluator(rule.hyper, "(" + "".join(f"{text}, " for text in loop.constants) + ")", loop.names)
        names = ["p", "g", *rule.state]
        written = dict(zip(["p", *rule.state], loop.results, strict=True))
        own = [name for name in rule.state if name in loop.reads or written[name] is not None]
        self.states = [rule.state.index(name) for name in own]
        arrays = [name for name in names if name in ("p", "g", *own)]
        self.source = source_of(rule, loop, arrays, written, dtype)
        self.source_for_many = source_for_many(rule, loop, arrays, written, dtype)
        self.loop: Any = None
        self.shared: Any = None
        self.look: Any = None

    def compile(self) -> None:
        """Make the machine code, or load it."""
        self.loop = compile_source(self.source, [_vectors(self.dtype)] * (3 + len(self.states)))

    def share(self) -> None:
        """Make the form for several threads, or load it: before the step writes anything, in case that fails."""
        import numba

        from .finite import perhaps_not_finite
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
            self.shared, self.look = made, perhaps_not_finite
            return

    def __call__(self, p: Array, g: Array, states: Sequence[Any], hyper: dict[str, Any]) -> None:
        batch = Batch(self, [(p, states)])
        batch.renew([g], hyper)
        batch.run()


class Batch:
    """A compiled rule with all parameters that it updates with the same hyperparameters; when large, in one call.

    It is made once and gets new gradients for each step: after a large update little Python is left in the processor's
    caches, and each line then takes several times as long as it would in a loop of its own.

    Parameters
    ----------
    kernel : Kernel
    sets : sequence of (ndarray, sequence)
        Each parameter's vector and states.
    """

    def __init__(self, kernel: Kernel, sets: Sequence[tuple[Array, Sequence[Any]]]) -> None:
        self.kernel = kernel
        self.arrays = [(p, *[states[i] for i in kernel.states]) for p, states in sets]
        self.size = sum(p.size for p, _ in sets)
        self.gradients: Sequence[Array] = ()
        self.constants: Array
        self.places: Any = None
        self.watches = self.size >= 2 * PART and kernel.shared is not None
        if self.watches:
            rows = [[p.size, *map(address_of, (p, p, *rest)), 0] for p, *rest in self.arrays]
            self.places = np.array(rows, np.int64)

    def renew(self, gradients: Sequence[Array], hyper: dict[str, Any]) -> None:
        """Take what the next step is to be made with."""
        self.constants = np.array(self.kernel.evaluate(**hyper), self.kernel.dtype)
        if not self.watches:
            self.gradients = [g if g.flags.writeable else g.copy() for g in gradients]
        else:
            self.gradients = gradients
            self.places[:, _GRADIENT] = [address_of(g) for g in gradients]

    def not_finite(self) -> bool:
        """Whether the gradients may hold a NaN or an infinity."""
        if not self.watches:
            return not all(math.isfinite(g.dot(g)) for g in self.gradients)
        return bool(self.kernel.look(self.places, _GRADIENT, self.size, self.kernel.dtype))

    def run(self) -> bool:
        """Update all, on a thread for each PART of the elements, and let go of the gradients.

        Returns
        -------
        bool
            Whether its loop watches the gradients and has met what may be a NaN or an infinity.
        """
        gradients, self.gradients = self.gradients, ()
        if self.watches:
            self.places[:, -1] = 0
            self.kernel.shared(self.size, self.size, self.places, self.constants, least=PART)
            return bool(self.places[:, -1].any())
        for (p, *states), g in zip(self.arrays, gradients, strict=True):
            self.kernel.loop(p, g, *states, self.constants, 0, p.size)
        return False


class Program:
    """All compiled forms of one rule: a tree of its branches' tests, with a Kernel at each end that was reached."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule
        self.tests: dict[tuple[bool, ...], Callable[..., Any]] = {}
        self.kernels: dict[tuple[Any, ...], Kernel] = {}
        self.traced: dict[tuple[Any, ...], Kernel] = {}
        self.work: dict[tuple[Any, ...], int] = {}
        self.refused: str | None = None if rule.elementwise else "it works on whole arrays"

    def path(self, hyper: dict[str, Any]) -> tuple[bool, ...]:
        """The outcomes of the tests that are known so far, for these hyperparameters."""
        path: tuple[bool, ...] = ()
        while (test := self.tests.get(path)) is not None:
            path = (*path, bool(test(**hyper)))
        return path

    def trace(self, hyper: dict[str, Any], dtype: np.dtype[Any]) -> Kernel:
        """The loop for these hyperparameters' branches, not compiled yet."""
        path: tuple[bool, ...] = ()
        timed = self.rule.advance is not None

        def decide(test: str, names: dict[str, Any]) -> bool:
            nonlocal path, timed
            timed = timed or any(isinstance(part, ast.Name) and part.id == "t" for part in ast.walk(ast.parse(test)))
            if path not in self.tests:
                self.tests[path] = _evaluator(self.rule.hyper, test, names)
            path = (*path, bool(self.tests[path](**hyper)))
            return path[-1]

        loop = trace(self.rule.function, self.rule.hyper, decide)
        return self.traced.setdefault((path, dtype), Kernel(self.rule, loop, dtype, timed))

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
    if size >= 2 * PART and kernel.shared is None:
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
