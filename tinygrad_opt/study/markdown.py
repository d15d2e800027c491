"""The report as Markdown: everything that the page says, without its charts."""

from __future__ import annotations

import math
from typing import Any

from . import prose
from .tables import cells, form_table, headings, notes, ordered, rate

__all__ = ["as_markdown"]


def as_markdown(summary: dict[str, Any]) -> str:
    """The answer, the tables, known facts, the rules, the machine, and what the study cannot show."""
    out = ["# Optimizers compared", ""]
    for sentence in summary["answer"]:
        out += [sentence, ""]
    out += _overall(summary)
    for task in summary["tasks"]:
        out += _task(summary, task)
    out += [notes(summary["protocol"]), ""]
    if summary["forms"]:
        out += ["## Gradient descent in three forms", "", *_table(*form_table(summary)), "", prose.FORMS, ""]
    if summary["known"]:
        out += ["## What is known, and whether it came out here", ""]
        for fact in summary["known"]:
            verdict = "came out" if fact["came_out"] else "did not"
            out += [f"- **{verdict}**: {fact['claim']} ({fact['source']}) {fact['numbers']} {fact['why']}".rstrip()]
        out += [""]
    rules, runs = summary["protocol"], summary["runs"]
    out += [
        "## How it was done",
        "",
        *(f"- {line}" for line in prose.how_it_was_done(rules)),
        f"- {runs['tuning diverged']} of {runs['tuning']} tuning runs and {runs['scored diverged']} of "
        f"{runs['scored']} scored runs diverged.",
        f"- {', '.join(f'{name} {value}' for name, value in summary['environment'].items())}.",
        "",
        "## What this cannot show",
        "",
        *(f"- {line}" for line in prose.LIMITS),
    ]
    return "\n".join([*out, ""])


def _table(head: list[str], body: list[list[str]]) -> list[str]:
    rule = [":--", *["--:"] * (len(head) - 1)]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in [head, rule, *body]]


def _overall(summary: dict[str, Any]) -> list[str]:
    if len(summary["optimizers"]) < 2:
        return []
    overall = summary["overall"]
    tuned, default = ({row["optimizer"]: row for row in overall[kind]["rows"]} for kind in ("tuned", "default"))
    body = [
        [
            tuned[name]["title"],
            str(place + 1),
            f"{100 * tuned[name]['chance']:.0f} %",
            f"{_gap(tuned[name]['gap'])} [{_gap(tuned[name]['low'])}, {_gap(tuned[name]['high'])}]",
            f"{100 * default[name]['chance']:.0f} %",
            _gap(default[name]["gap"]),
            f"{overall['profile']['score'][name]:.2f}",
        ]
        for place, group in enumerate(overall["tuned"]["groups"])
        for name in group
    ]
    head = ["optimizer", "tie group", "beats another", "gap left", "beats another, untuned", "gap left, untuned"]
    return ["## All tasks together", "", *_table([*head, "speed score"], body), "", prose.OVERALL_PLAIN, ""]


def _gap(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.3f}"


def _task(summary: dict[str, Any], task: dict[str, Any]) -> list[str]:
    rows = ordered(task)
    out = [f"## {task['name']}: {task['title']}", "", task["summary"], ""]
    out += [*_table(headings(summary, task), [cells(row) for row in rows]), ""]
    for kind, title in (("default", "At default settings:"), ("cosine", "With a cosine schedule:")):
        if kind not in rows[0]:
            continue
        body = [cells(row, kind) for row in rows]
        if kind == "default":
            for line, row in zip(body, rows, strict=True):
                line[1] = rate(summary["optimizers"][row["optimizer"]]["defaults"]["lr"])
        out += [title, "", *_table(headings(summary, task), body), ""]
    return out
