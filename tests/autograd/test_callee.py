"""What a function is calling is read from its bytecode as its source says it."""

from __future__ import annotations

import math
import operator
import sys

import numpy as np

from tinygrad_opt.autograd.callee import Unknown, read_attribute, what_is_called


class Probe:
    """Asks what its caller is calling when NumPy or Python ask for its number."""

    def __float__(self) -> float:
        self.call = what_is_called(sys._getframe(1))
        return 1.0


def test_what_is_called() -> None:
    probe, a = Probe(), np.zeros(2)
    seen = []
    for call in (
        lambda: float(probe),
        lambda: math.sin(probe),
        lambda: np.fromiter([probe], float),
        lambda: operator.setitem(a, 0, probe),
        lambda: {"a": a}.get("a").fill(probe),
        lambda: (float or int)(probe),
    ):
        call()
        seen.append(probe.call.function)
    assert seen[:3] == [float, math.sin, np.fromiter]
    assert seen[3:] == [operator.setitem, Unknown("fill"), Unknown("…")]


def test_what_the_call_reads() -> None:
    probe, numbers = Probe(), map(np.float64, [1])
    probes = {"a": probe, "b": probe}
    items = zip("a", map(int, map(float, [probe])), strict=True)
    for call, asking, key in (
        (lambda: list(map(float, [probe])), [float], None),
        (lambda: [*map(np.fromiter, [probe], [float])], [np.fromiter], None),
        (lambda: max([probe, probe], key=float), [float], float),
        (lambda: sorted((probe for _ in range(2)), key=float, reverse=True), [float], float),
        (lambda: max(probes.values(), key=float), [float], float),
        (lambda: max(map(lambda x: x, sorted(probes.values(), key=id)), key=float), [float], float),  # noqa: C417
        (lambda: dict(enumerate(zip("ab", map(float, probes.values()), strict=True), start=1)), [float], None),
        (lambda: [number for _, number in items], [int, float], None),
        (lambda: (lambda *numbers: numbers)(*filter(float, map(np.float64, [probe]))), [float, np.float64], None),
        (lambda: max(map(float, [probe]), key=[float][0]), [float, Unknown("…")], Unknown("…")),
        (lambda: np.fromiter(numbers and map(float, [probe]), float), [Unknown("…")], None),
    ):
        try:
            call()
        except TypeError:
            assert asking[0] is np.fromiter
            continue
        assert (list(probe.call.asking), probe.call.key) == (asking, key)


def test_attributes_are_read_without_running_the_users_code() -> None:
    class Loud:
        __slots__ = ("slot",)

        @property
        def alarm(self) -> None:
            raise AssertionError("a property was run")

    loud = Loud()
    assert read_attribute(loud, "alarm") == Unknown("alarm")
    assert read_attribute(loud, "slot") == Unknown("slot")
    loud.slot = 3
    assert read_attribute(loud, "slot") == 3
    assert read_attribute(math, "exp") is math.exp
    assert read_attribute(math, "no") == read_attribute(Unknown("x"), "no") == Unknown("no")
    assert read_attribute(np.float64(2.0), "real") == 2.0
