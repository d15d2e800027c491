"""The report's page: HTML that needs no other file, section by section."""

from __future__ import annotations

import html
import math
from pathlib import Path
from typing import Any

from . import prose, tables
from .answer import listed
from .charts import COLOURS, STYLE, Chart, svg, swatch
from .figures import FORM_SLOTS, slots

__all__ = ["page"]

_HERE = Path(__file__).resolve().parent
_text = html.escape
_GROUP = ' class="group"'


def page(summary: dict[str, Any], charts: dict[str, Chart]) -> str:
    """The whole page.

    Parameters
    ----------
    summary : dict
        From :func:`summarize`.
    charts : dict
        From :func:`figures`.
    """
    style = COLOURS + STYLE + (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    body = [
        _opening(summary),
        _overall(summary),
        _legend(summary),
        *(_task(summary, task, charts) for task in summary["tasks"]),
        _tuning(charts),
        _forms(summary, charts),
        _known(summary),
        _divergences(summary),
        _protocol(summary),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Optimizers compared</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body><main>{''.join(body)}</main><script>{script}</script></body></html>\n"
    )


def _opening(summary: dict[str, Any]) -> str:
    rules, runs, count = summary["protocol"], summary["runs"], len(summary["tasks"])
    titles = ", ".join(about["title"] for about in summary["optimizers"].values())
    lead = (
        f"{titles} · {count} task{'s' * (count > 1)} · {rules['steps']:,} steps · {rules['final_seeds']} seeds · "
        f"{runs['tuning'] + runs['scored']:,} runs"
    )
    first, *rest = map(_text, summary["answer"])
    sentences = f"<p><strong>{first}</strong></p>" + "".join(f"<p>{sentence}</p>" for sentence in rest)
    return f'<h1>Optimizers compared</h1><p class="lead">{_text(lead)}</p><section class="answer">{sentences}</section>'


def _table(head: list[str], body: list[list[str]], groups: list[list[str]] | None = None) -> str:
    """A table whose cells are HTML already; a thick line follows each tie group but the last."""
    ends, at = set(), -1
    for group in (groups or [])[:-1]:
        at += len(group)
        ends.add(at)
    rows = [
        f"<tr{_GROUP if i in ends else ''}>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for i, row in enumerate(body)
    ]
    heads = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _details(title: str, content: str) -> str:
    return f"<details><summary>{_text(title)}</summary>{content}</details>"


def _charts(charts: dict[str, Chart], *names: str) -> str:
    figures = []
    for name in names:
        chart = charts[name]
        drawn = svg(chart).replace("<svg ", f'<svg data-x="{_text(chart.x_label.split(" (")[0])}" ', 1)
        figures.append(f"<figure><figcaption>{_text(chart.title)}</figcaption>{drawn}</figure>")
    return f'<div class="charts">{"".join(figures)}</div>'


def _legend(summary: dict[str, Any]) -> str:
    slot = slots(summary)
    buttons = "".join(
        f'<button type="button" aria-pressed="true" data-series="{_text(about["title"])}">{swatch(slot[name])}'
        f"{_text(about['title'])}</button>"
        for name, about in summary["optimizers"].items()
    )
    return f'<nav class="legend" aria-label="Optimizers: press to hide or show">{buttons}</nav>'


def _name(summary: dict[str, Any], optimizer: str) -> str:
    return swatch(slots(summary)[optimizer]) + _text(summary["optimizers"][optimizer]["title"])


def _overall(summary: dict[str, Any]) -> str:
    overall = summary["overall"]
    if len(summary["optimizers"]) < 2:
        return ""
    default = {row["optimizer"]: row for row in overall["default"]["rows"]}
    tuned = {row["optimizer"]: row for row in overall["tuned"]["rows"]}
    groups = overall["tuned"]["groups"]
    body = [
        [
            _name(summary, name),
            f"{100 * tuned[name]['chance']:.0f} %",
            f"{_gap(tuned[name]['gap'])} [{_gap(tuned[name]['low'])}, {_gap(tuned[name]['high'])}]",
            f"{100 * default[name]['chance']:.0f} %",
            _gap(default[name]["gap"]),
            f"{overall['profile']['score'][name]:.2f}",
        ]
        for group in groups
        for name in group
    ]
    head = ["optimizer", "beats another", "gap left", "beats another, untuned", "gap left, untuned", "speed score"]
    title = "All tasks together" if len(overall["tasks"]) > 1 else "Overall"
    return f'<h2>{title}</h2>{_table(head, body, groups)}<p class="note">{_text(prose.OVERALL)}</p>' + _versus(summary)


def _gap(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.3f}"


def _versus(summary: dict[str, Any]) -> str:
    """Everyone against everyone: the chance that the row beats the column."""
    rows = {row["optimizer"]: row["versus"] for row in summary["overall"]["tuned"]["rows"]}

    def cell(a: str, b: str) -> str:
        if a == b:
            return "·"
        share, low, high = rows[a][b]
        text = f"{100 * share:.0f} %"
        return f"<strong>{text}</strong>" if low > 0.5 or high < 0.5 else text

    head = ["beats", *(summary["optimizers"][name]["title"] for name in rows)]
    body = [[_name(summary, a), *(cell(a, b) for b in rows)] for a in rows]
    note = "How often the row’s test loss is below the column’s; bold: the 95 % interval leaves out one half."
    return _details("Everyone against everyone", f'{_table(head, body)}<p class="note">{note}</p>')


def _task(summary: dict[str, Any], task: dict[str, Any], charts: dict[str, Chart]) -> str:
    rows = tables.ordered(task)
    head = tables.headings(summary, task)
    with_test = head if head[-1] == "test loss" else [*head, "test loss"]

    def lines(kind: str) -> list[list[str]]:
        out = []
        for row in rows:
            cells = tables.cells(row, kind)[1:]
            if kind == "default":
                cells[0] = tables.rate(summary["optimizers"][row["optimizer"]]["defaults"]["lr"])
            if len(with_test) > len(head):
                cells.append(tables.plus_minus(row[kind]["test"]))
            out.append([_name(summary, row["optimizer"]), *map(_text, cells)])
        return out

    more = [_details("At default settings", _table(with_test, lines("default")))]
    if "cosine" in rows[0]:
        more.append(_details("With a cosine schedule", _table(with_test, lines("cosine"))))
    cost = [
        [
            _name(summary, row["optimizer"]),
            _text(", ".join(f"{k} = {v:.3g}" for k, v in (row["settings"] or {}).items()) or "all diverged"),
            f"{row['basin']:.1f}",
            tables.number(row["tuned"]["milliseconds"], 2),
            f"{row['tuned']['gradients']:.0f}",
        ]
        for row in rows
    ]
    costs = ["optimizer", "selected", "good learning rates, decades", "ms a step", "gradient evaluations"]
    more.append(_details("Selected settings, width of the basin, cost of a step", _table(costs, cost)))
    name = task["name"]
    return (
        f'<h2 id="{_text(name)}">{_text(name)}: {_text(task["title"])}</h2><p class="lead">{_text(task["summary"])}</p>'
        + _charts(charts, f"{name}-curves", f"{name}-sensitivity")
        + f'<p class="note">{_text(prose.CURVES)}</p>'
        + _table(with_test, lines("tuned"), task["groups"])
        + "".join(more)
    )


def _tuning(charts: dict[str, Chart]) -> str:
    lead = (
        "What is left of the gap, on average over the tasks, when only some of the settings are tried, drawn "
        "at random. An optimizer whose line starts low needs little tuning."
    )
    names = ["budget", *(["profile"] if "profile" in charts else [])]
    note = f'<p class="note">{_text(prose.PROFILES)}</p>' if "profile" in charts else ""
    return f'<h2>What tuning buys</h2><p class="lead">{lead}</p>{_charts(charts, *names)}{note}'


def _forms(summary: dict[str, Any], charts: dict[str, Chart]) -> str:
    if not summary["forms"]:
        return ""
    head, body = tables.form_table(summary)
    lead = (
        f"Plain gradient descent on {summary['forms'][0]['task']}, its learning rate tuned for each form: all "
        f"examples a step (batch), a few (mini-batch), or one (stochastic). Which is quickest depends on what "
        f"is counted."
    )
    lines = [[swatch(FORM_SLOTS.get(row[0], 0)) + _text(row[0]), *map(_text, row[1:])] for row in body]
    return (
        f'<h2>Gradient descent in three forms</h2><p class="lead">{_text(lead)}</p>'
        + _charts(charts, *(f"forms-{axis}" for axis in ("epochs", "steps", "seconds")))
        + _table(head, lines)
        + f'<p class="note">{_text(prose.FORMS)}</p>'
    )


def _known(summary: dict[str, Any]) -> str:
    if not summary["known"]:
        return ""
    items = [
        f'<dt class="{"yes" if fact["came_out"] else "no"}"><b>{"Came out" if fact["came_out"] else "Did not"}</b> '
        f"{_text(fact['claim'])} <i>{_text(fact['source'])}</i></dt><dd>{_text(fact['numbers'])}"
        + (f"<br>{_text(fact['why'])}" if fact["why"] else "")
        + "</dd>"
        for fact in summary["known"]
    ]
    return (
        f'<h2>What is known, and whether it came out here</h2><p class="lead">{_text(prose.KNOWN)}</p>'
        f'<dl class="known">{"".join(items)}</dl>'
    )


def _divergences(summary: dict[str, Any]) -> str:
    runs, seeds = summary["runs"], summary["protocol"]["final_seeds"]
    bad = [
        f"<li>{_text(row['title'])} on {_text(task['name'])}, {kind}: {row[kind]['diverged']} of {seeds}</li>"
        for task in summary["tasks"]
        for row in task["rows"]
        for kind in ("tuned", "default", "cosine")
        if kind in row and row[kind]["diverged"]
    ]
    text = (
        f"{runs['tuning diverged']} of {runs['tuning']} tuning runs and {runs['scored diverged']} of "
        f"{runs['scored']} scored runs diverged."
    )
    return f"<h2>Divergences</h2><p>{text}</p>" + (f"<ul>{''.join(bad)}</ul>" if bad else "")


def _protocol(summary: dict[str, Any]) -> str:
    rules = summary["protocol"]
    optimizers = [
        [
            _name(summary, name),
            f"<code>{_text(about['formula'] or '—')}</code>",
            _text(", ".join(f"{k} = {v:g}" for k, v in about["defaults"].items())),
        ]
        for name, about in summary["optimizers"].items()
    ]
    levels = [f"{100 * tau:g} % target" for tau in rules["targets"]]
    targets = [
        [
            _text(task["name"]),
            tables.number(task["target"]["start"]),
            tables.number(task["target"]["best"]),
            _text(task["target"]["by"]),
            *(tables.number(value) for value in task["levels"].values()),
            _text("frozen" if task["target"]["source"] == "frozen" else "this study"),
        ]
        for task in summary["tasks"]
    ]
    within: dict[str, list[str]] = {}
    for task in summary["tasks"]:
        if task["target"]["source"] != "frozen":
            within.setdefault(task["target"]["source"], []).append(task["name"])
    own = "".join(
        f'<p class="note">{_text(f"Fixed in this study: {listed(names)}; {why}.")}</p>' for why, names in within.items()
    )
    machine = ", ".join(f"{_text(k)} {_text(v)}" for k, v in summary["environment"].items())
    return (
        f"<h2>How it was done</h2>{_list(prose.how_it_was_done(rules))}"
        + _table(["task", "first loss L₀", "best baseline L*", "by", *levels, "from"], targets)
        + own
        + _table(["optimizer", "update", "default"], optimizers)
        + f'<p class="note">{machine}</p><h2>What this cannot show</h2>{_list(prose.LIMITS)}'
    )


def _list(lines: Any) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>"
