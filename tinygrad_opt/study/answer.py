"""The result of a study in plain words, the answer first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["answer", "listed"]


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def answer(summary: dict[str, Any]) -> list[str]:
    """A few sentences: who leads, who follows, how quick, what tuning was worth, what went wrong."""
    sentences = [_leaders(summary), *_others(summary), *_speed(summary), _untuned(summary), *_known(summary)]
    if not any(task["scored"] for task in summary["tasks"]):
        sentences.insert(1, "These tasks are illustrations: they say little about training networks.")
    runs = summary["runs"]
    if runs["scored diverged"]:
        sentences.append(f"{runs['scored diverged']} of the {runs['scored']} scored runs diverged.")
    edges = [f"{row['title']} on {t['name']}" for t in summary["tasks"] for row in t["rows"] if row["edge"]]
    if edges:
        sentences.append(
            f"Read with care: the best learning rate lies on the edge of what was tried for {listed(edges)}."
        )
    return [s for s in sentences if s]


def _titles(summary: dict[str, Any], names: Sequence[str]) -> list[str]:
    return [summary["optimizers"][name]["title"] for name in names]


def _ahead(names: list[str], what: str) -> str:
    if len(names) == 1:
        return f"{names[0]} {what.replace('come', 'comes', 1).replace('reach', 'reaches', 1)}"
    return f"{listed(names)} {what} and cannot be told apart"


def _leaders(summary: dict[str, Any]) -> str:
    rules, overall = summary["protocol"], summary["overall"]
    count = len(overall["tasks"])
    where = f"On these {count} tasks" if count > 1 else f"On this task ({summary['tasks'][0]['title']})"
    tried = "learning rates" if rules["trials"] <= 10 else "settings"
    budget = f"with {rules['steps']:,} steps a run and at least {rules['trials']} {tried} tried for each optimizer"
    groups = overall["tuned"]["groups"]
    if len(groups) == 1 and len(groups[0]) > 1:
        return f"{where}, {budget}, {listed(_titles(summary, groups[0]))} cannot be told apart."
    if len(groups) == 1:
        only = summary["optimizers"][groups[0][0]]["title"]
        return f"{where}, {budget}, {only} ran alone: there is nothing to compare it with."
    return f"{where}, {budget}, {_ahead(_titles(summary, groups[0]), 'come out ahead')}."


def _others(summary: dict[str, Any]) -> list[str]:
    groups = summary["overall"]["tuned"]["groups"]
    sentences = []
    if len(groups) > 1:
        parts = [listed(_titles(summary, group)) for group in groups[1:]]
        sentences.append(
            f"Behind them: {', then '.join(parts)}." if len(groups[0]) > 1 else f"Then: {', then '.join(parts)}."
        )
    if len(summary["tasks"]) > 1 and len(summary["optimizers"]) > 1:
        best = [f"{listed(_titles(summary, t['groups'][0]))} on {t['name']}" for t in summary["tasks"]]
        sentences.append(f"Lowest test loss, task by task: {'; '.join(best)}.")
    return sentences


def _speed(summary: dict[str, Any]) -> list[str]:
    """Who reaches the first target soonest, task by task, and who mostly does not reach it at all."""
    tau = summary["protocol"]["targets"][0]
    soonest: dict[str, list[str]] = {}
    never: dict[str, list[str]] = {}
    for task in summary["tasks"]:
        times = {row["title"]: row["tuned"]["steps"][str(tau)]["median"] for row in task["rows"]}
        first = min(times, key=lambda title: times[title])
        if math.isfinite(times[first]):
            soonest.setdefault(first, []).append(f"{task['name']} ({times[first]:.0f} steps)")
        for title, steps in times.items():
            if not math.isfinite(steps):
                never.setdefault(title, []).append(task["name"])
    out = []
    goal = f"{100 * (1 - tau):g} % of the way to the best loss known"
    if soonest:
        out.append(f"Soonest {goal}: {'; '.join(f'{who} on {listed(on)}' for who, on in soonest.items())}.")
    if never:
        everywhere = len(summary["tasks"]) if len(summary["tasks"]) > 1 else 0
        places = [f"{who} on {listed(on) if len(on) != everywhere else 'every task'}" for who, on in never.items()]
        out.append(f"Not that far in most runs: {'; '.join(places)}.")
    return out


def _untuned(summary: dict[str, Any]) -> str:
    groups = summary["overall"]["default"]["groups"]
    if len(summary["optimizers"]) < 2:
        return ""
    return f"At their default settings, without any tuning, {_ahead(_titles(summary, groups[0]), 'come out ahead')}."


def _known(summary: dict[str, Any]) -> list[str]:
    """How many known facts came out, and for each that did not, why."""
    facts = summary["known"]
    if not facts:
        return []
    came = sum(fact["came_out"] for fact in facts)
    if len(facts) == 1:
        counted = f"The one known fact that this study can speak to {'came out' if came else 'did not come out'}"
    elif came == len(facts):
        counted = f"All {came} known facts that this study can speak to came out"
    else:
        counted = f"Of {len(facts)} known facts that this study can speak to, {came} came out"
    missed = [f"Not so here: “{f['claim']}” {f['why'] or f['numbers']}" for f in facts if not f["came_out"]]
    return [f"{counted}.", *missed]
