"""The loops that are generated for update rules are right as plain Python already, and are kept safely."""

import operator
from itertools import pairwise

import numpy as np
import pytest

from tinygrad_opt import optim
from tinygrad_opt.kernels import generated, kernels, rules

HYPER = {
    "lr": 0.1,
    "momentum": 0.9,
    "dampening": 0.0,
    "weight_decay": 0.01,
    "nesterov": True,
    "maximize": False,
    "t": 3,
}


SETS = np.random.default_rng(0).standard_normal((3, 11))


@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("last", [3, 4, 10, 11])
def test_the_loop_does_what_the_rule_does_and_only_there(first, last):
    rule = optim.SGD.rule
    kernel = rules.Program(rule).trace(HYPER, np.dtype(float))
    p, v = rule.function(*SETS, **HYPER)
    found = SETS.copy()
    scope = {"np": np}
    exec(kernel.source, scope)
    scope[rule.name](*found, np.array(kernel.evaluate(**HYPER)), first, last)
    expected = SETS.copy()
    expected[0, first:last], expected[2, first:last] = p[first:last], v[first:last]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("first", [0, 2, 3, 6])
@pytest.mark.parametrize("last", [6, 7, 10, 11])
def test_the_loop_for_many_takes_them_as_if_they_lay_end_to_end(first, last):
    rule = optim.SGD.rule
    kernel = rules.Program(rule).trace(HYPER, np.dtype(float))
    p, v = rule.function(*SETS, **HYPER)
    borders = [0, 3, 3, 4, 11]
    vectors = [part for i in range(4) for part in SETS.copy()[:, borders[i] : borders[i + 1]]]
    table = np.array([[vectors[i].size, i, i + 1, i + 2, 0] for i in range(0, len(vectors), 3)])
    scope = {"np": np, "array_at": lambda address, size, like: vectors[address], "add_in_any_order": operator.add}
    exec(kernel.source_for_many, scope)
    scope[rule.name](table, np.array(kernel.evaluate(**HYPER)), first, last)
    expected = SETS.copy()
    expected[0, first:last], expected[2, first:last] = p[first:last], v[first:last]
    for i in range(3):
        np.testing.assert_array_equal(np.concatenate(vectors[i::3]), expected[i])
    assert not table[:, -1].any()
    for place in range(11):
        gradients = SETS[1].copy()
        gradients[place] = np.nan
        for i in range(4):
            vectors[3 * i + 1][:] = gradients[borders[i] : borders[i + 1]]
        table[:, -1] = 0
        scope[rule.name](table, np.array(kernel.evaluate(**HYPER)), first, last)
        assert table[:, -1].tolist() == [first <= place < last and a <= place < b for a, b in pairwise(borders)]


def test_machine_code_is_kept_in_the_named_folder(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv("TINYGRAD_OPT_CACHE", str(tmp_path))

    @optim.update_rule()
    def kept(p, g, *, lr):
        return p - lr * g * g

    before = kernels()
    kernels("numba")
    try:
        for _ in range(2):  # the second time from the disk
            rules._programs.pop(kept.function, None)
            p, g = np.random.default_rng(0).standard_normal((2, 2000))
            expected = p - 0.1 * g * g
            rules.find(kept, {"lr": 0.1}, p.dtype, p.size)(p, g, [], {"lr": 0.1})
            np.testing.assert_array_equal(p, expected)
    finally:
        kernels(before)
    files = list((tmp_path / "tinygrad_opt" / "rules").rglob("*"))
    assert sum(f.suffix == ".py" for f in files) == 1
    assert any(f.suffix == ".nbc" for f in files)


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path, monkeypatch):
    folder = tmp_path / "tinygrad_opt" / "rules"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    monkeypatch.setenv("TINYGRAD_OPT_CACHE", str(tmp_path))
    assert generated.keep("def f(): pass\n") is None
    monkeypatch.setenv("TINYGRAD_OPT_CACHE", "")
    assert generated.keep("def f(): pass\n") is None
