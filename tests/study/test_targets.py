"""The package's targets belong to its tasks, are used where they fit, and where not, the study says so."""

import math

import pytest

from tinygrad_opt.study import Plan, Records, collect, full, quick, run, targets, task
from tinygrad_opt.study.figures import figures
from tinygrad_opt.study.page import page
from tinygrad_opt.study.problems import FULL, QUICK, quadratic_problem
from tinygrad_opt.study.summary import summarize
from tinygrad_opt.study.targets import fingerprint, frozen_target

ALL = [(name, rules.steps) for names, rules in ((QUICK, quick()), (FULL, full())) for name in names]


@pytest.mark.parametrize(("name", "steps"), ALL)
def test_every_task_of_the_study_has_a_target_that_was_frozen_for_it_as_it_is(name, steps):
    target, why = frozen_target(name, steps)
    assert target is not None, f"{why}: run tests/study/make_targets.py {name}"
    assert target.source == "frozen"
    assert math.isfinite(target.best)
    assert target.best < target.start


def test_a_fingerprint_is_the_same_twice_and_tells_a_changed_task(registries):
    first = fingerprint("quadratic")
    assert fingerprint("quadratic") == first
    assert first["losses"][1] == pytest.approx(25.0, rel=1e-4)  # fifty directions with ½ each, by construction

    @task("quadratic")
    def gentler(rng):
        return quadratic_problem(rng, condition=10.0, noise=0.1, samples=1000)

    assert frozen_target("quadratic", 250) == (None, "the task is not the one for which the package's was frozen")


def test_no_target_for_other_lengths_nor_for_ones_own_tasks():
    assert frozen_target("digits", 17) == (None, "the package has none for runs of 17 steps")
    assert frozen_target("moons", 250) == (None, "the package has none for this task")


@pytest.fixture
def short(monkeypatch):
    """As if a target had been frozen for runs of 12 steps on the quadratic."""
    known = {"fingerprint": fingerprint("quadratic"), "steps": {"12": {"start": 25.0, "best": 1.5, "by": "adam"}}}
    monkeypatch.setattr(targets, "_frozen", lambda: {"quadratic": known})


def study(*names):
    plan = Plan(names, ("sgd",), quick(steps=12, trials=2, centre=-1.5, final_seeds=2, evaluations=3, extensions=0))
    store, seen = Records(), []
    run(plan, store, progress=lambda done, total, what: seen.append(what))
    return summarize(plan, *collect(plan, store)), seen


def test_a_frozen_target_needs_no_runs_and_is_not_moved_by_the_study(short):
    summary, seen = study("quadratic")
    assert summary["tasks"][0]["target"] == {"start": 25.0, "best": 1.5, "by": "adam", "source": "frozen"}
    assert "targets" not in seen


def test_a_target_of_the_studys_own_is_said_to_be_so(short):
    summary, seen = study("quadratic", "moons")
    assert seen.count("targets") == 2
    text = page(summary, figures(summary))
    assert "Fixed in this study: moons; the package has none for this task." in text
    assert text.count("Fixed in this study") == 1
