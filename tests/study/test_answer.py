"""The sentences say what the numbers say."""

import math

import pytest

from tinygrad_opt.study.answer import answer, listed

TITLES = {"a": "Able", "b": "Baker", "c": "Charlie"}


def made(groups, times, *, tasks=("one", "two"), diverged=0, edge=False, scored=True, default=None, known=()):
    def rows(name):
        return [
            {"title": title, "edge": edge and o == "a", "tuned": {"steps": {"0.1": {"median": times[name][o]}}}}
            for o, title in TITLES.items()
        ]

    return {
        "protocol": {"targets": [0.1, 0.01], "steps": 250, "trials": 6},
        "optimizers": {o: {"title": title} for o, title in TITLES.items()},
        "overall": {
            "tasks": list(tasks),
            "tuned": {"groups": groups},
            "default": {"groups": default or [["c"], ["a", "b"]]},
        },
        "tasks": [
            {"name": name, "title": f"task {name}", "rows": rows(name), "groups": groups, "scored": scored}
            for name in tasks
        ],
        "runs": {"scored": 40, "scored diverged": diverged},
        "known": list(known),
    }


TIMES = {"one": {"a": 10, "b": 20, "c": math.inf}, "two": {"a": 50, "b": 30, "c": math.inf}}


def test_a_tie_is_called_a_tie():
    text = answer(made([["a", "b"], ["c"]], TIMES))
    assert text[0] == (
        "On these 2 tasks, with 250 steps a run and at least 6 learning rates tried for each optimizer, Able and Baker "
        "come out ahead and cannot be told apart."
    )
    assert "Behind them: Charlie." in text


def test_a_winner_is_called_a_winner():
    text = answer(made([["b"], ["a", "c"]], TIMES))
    assert text[0].endswith("Baker comes out ahead.")
    assert "Then: Able and Charlie." in text


def test_when_nobody_can_be_told_apart_nobody_leads():
    assert answer(made([["a", "b", "c"]], TIMES))[0].endswith("Able, Baker and Charlie cannot be told apart.")


def test_speed_names_the_soonest_and_those_who_never_arrive():
    text = answer(made([["a", "b"], ["c"]], TIMES))
    assert "Soonest 90 % of the way to the best loss known: Able on one (10 steps); Baker on two (30 steps)." in text
    assert "Not that far in most runs: Charlie on every task." in text


def test_what_went_wrong_is_said():
    text = answer(made([["a"], ["b"], ["c"]], TIMES, diverged=3, edge=True))
    assert "3 of the 40 scored runs diverged." in text
    assert text[-1].endswith("for Able on one and Able on two.")
    calm = answer(made([["a"], ["b"], ["c"]], TIMES))
    assert not any("diverged" in sentence or "care" in sentence for sentence in calm)


def test_illustrations_are_called_so():
    assert any("illustrations" in s for s in answer(made([["a"], ["b"], ["c"]], TIMES, scored=False)))
    assert not any("illustrations" in s for s in answer(made([["a"], ["b"], ["c"]], TIMES)))


def test_untuned_leaders_are_named_apart():
    assert "At their default settings, without any tuning, Charlie comes out ahead." in answer(made([["a"]], TIMES))


def test_known_facts_are_counted_and_a_missed_one_is_explained():
    def fact(came_out):
        return {"claim": "Water is wet.", "numbers": "0 of 5.", "came_out": came_out, "why": "It was ice."}

    groups = [["a"], ["b"], ["c"]]
    both = answer(made(groups, TIMES, known=[fact(True), fact(True)]))
    assert "All 2 known facts that this study can speak to came out." in both
    one = answer(made(groups, TIMES, known=[fact(True), fact(False)]))
    assert "Of 2 known facts that this study can speak to, 1 came out." in one
    assert "Not so here: “Water is wet.” It was ice." in one
    assert not any("known fact" in sentence for sentence in answer(made(groups, TIMES)))


@pytest.mark.parametrize(("words", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_lists(words, text):
    assert listed(words) == text
