"""A study gives the same records however it is run, interrupted or spread; and notices when the rules have changed."""

import dataclasses
import math
import os

import pytest

from tinygrad_opt import optim
from tinygrad_opt.study import Plan, Records, collect, optimizer, quick, records, run
from tinygrad_opt.study.forms import arms
from tinygrad_opt.study.plan import Arm
from tinygrad_opt.study.records import OtherStudyError
from tinygrad_opt.study.runner import pending
from tinygrad_opt.study.summary import summarize
from tinygrad_opt.study.tables import as_text

PLAN = Plan(("moons",), ("sgd", "adam"), quick(steps=12, trials=3, centre=-1.0, final_seeds=2, evaluations=4))


def contents(store):
    return [dataclasses.replace(record, seconds=[]) for record in store.all()]


@pytest.fixture(scope="module")
def undisturbed():
    store = Records()
    run(PLAN, store)
    return contents(store)


def test_a_complete_study_has_nothing_left_to_do(undisturbed):
    store = Records()
    run(PLAN, store)
    assert pending(PLAN, store) == []
    before = len(store)
    run(PLAN, store)
    assert len(store) == before
    assert contents(store) == undisturbed


@pytest.mark.parametrize("joblib", [True, False])
def test_processes_change_nothing(undisturbed, monkeypatch, joblib):
    if joblib:
        pytest.importorskip("joblib")
    else:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    before = dict(os.environ)
    store = Records()
    run(PLAN, store, jobs=2)
    assert contents(store) == undisturbed
    assert {**before, **os.environ} == before


@pytest.mark.parametrize("stop", [1, 4, 9, 13])
def test_an_interrupted_study_goes_on_and_repeats_nothing(tmp_path, undisturbed, stop):
    calls = []

    def progress(done, total, what):
        calls.append(done)
        if len(calls) == stop:
            raise KeyboardInterrupt

    store = Records(tmp_path / "study.sqlite")
    with pytest.raises(KeyboardInterrupt):
        run(PLAN, store, progress=progress)
    store.close()
    store = Records(tmp_path / "study.sqlite")
    assert len(store) == stop
    run(PLAN, store, progress=lambda done, total, what: calls.append(done))
    assert calls == list(range(1, len(undisturbed) + 1))
    assert contents(store) == undisturbed


def test_other_rules_are_noticed(tmp_path):
    store = Records(tmp_path / "study.sqlite")
    store.claim(PLAN.facts())
    store.claim(PLAN.facts())
    other = dataclasses.replace(PLAN, protocol=dataclasses.replace(PLAN.protocol, steps=13))
    with pytest.raises(OtherStudyError, match="protocol"):
        run(other, store)


def test_other_code_is_noticed(tmp_path, monkeypatch):
    store = Records(tmp_path / "study.sqlite")
    store.claim(PLAN.facts())
    monkeypatch.setattr(records, "code_version", lambda: "0.0.0+other")
    with pytest.raises(OtherStudyError, match=r"0\.0\.0\+other"):
        run(PLAN, store)


def test_a_changed_file_of_ones_own_is_noticed(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("first = 1\n")
    plan = dataclasses.replace(PLAN, own=(str(own),))
    store = Records()
    store.claim(plan.facts())
    own.write_text("first = 2\n")
    with pytest.raises(OtherStudyError, match="own"):
        store.claim(plan.facts())


def test_a_plan_survives_its_facts():
    plan = dataclasses.replace(PLAN, forms=arms("moons", 8))
    assert Plan.from_facts(plan.facts()) == plan


def test_the_range_is_widened_at_most_twice_and_then_marked():
    # Plain descent on two moons with 12 steps likes large steps: the best of 0.001…0.01 is on the upper edge for ever.
    low = quick(steps=12, trials=3, centre=-3.0, final_seeds=1, evaluations=2)
    plan = Plan(("moons",), ("sgd",), low)
    store = Records()
    run(plan, store)
    results, _ = collect(plan, store)
    result = results[Arm("moons", "sgd")]
    tried = sorted(dict(settings)["lr"] for settings in result.tuning)
    assert tried == [0.0003162, 0.001, 0.003162, 0.01, 0.03162, 0.1, 0.3162]
    assert dict(result.selected)["lr"] == 0.3162
    assert result.edge


def test_an_optimizer_that_always_diverges_stays_in_and_comes_last(registries):
    @optimizer("explodes", lr=1.0)
    def explodes(params, lr):
        return optim.SGD(params, lr=1e6 * lr)

    rules = quick(steps=12, trials=3, centre=-1.0, final_seeds=3, evaluations=3, extensions=1)
    plan = Plan(("quadratic",), ("explodes", "sgd"), rules)
    store = Records()
    run(plan, store)
    results, targets = collect(plan, store)
    failed = results[Arm("quadratic", "explodes")]
    assert failed.selected is None
    assert failed.edge
    assert len(failed.final) == 3
    assert all(record.diverged for record in failed.final)
    summary = summarize(plan, results, targets)
    assert summary["overall"]["tuned"]["groups"] == [["sgd"], ["explodes"]]
    assert summary["runs"]["scored diverged"] == 6
    assert "diverged" in as_text(summary)
    assert "6 of the 12 scored runs diverged." in summary["answer"]


def test_a_task_on_which_everything_diverges_says_so(registries):
    @optimizer("explodes")
    def explodes(params, lr):
        return optim.SGD(params, lr=1e6 * lr)

    rules = quick(steps=12, trials=2, final_seeds=1, extensions=0)
    with pytest.raises(ValueError, match="'quadratic': every run of every optimizer diverged"):
        run(Plan(("quadratic",), ("explodes",), rules), Records())


def test_targets_are_fixed_before_any_scored_run():
    store = Records()
    seen = []

    def progress(done, total, what):
        seen.append((what, store.about("target moons")))

    run(PLAN, store, progress=progress)
    assert all(target is None for what, target in seen if what in ("tuning", "targets"))
    final = [target for what, target in seen if what == "final runs"]
    assert final
    assert len({str(target) for target in final}) == 1
    assert math.isfinite(final[0]["best"])


def test_an_incomplete_study_cannot_be_reported():
    with pytest.raises(ValueError, match="missing"):
        collect(PLAN, Records())


def test_what_is_no_study_file_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look like one " * 10)
    with pytest.raises(ValueError, match="not a file of study records"):
        Records(path)
