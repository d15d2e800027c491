"""The report: one page that needs nothing else, the answer first; and the same as Markdown, CSV, JSON and SVG."""

from __future__ import annotations

import html
import json
import math
from pathlib import Path
from typing import Any

from . import tables
from .charts import COLOURS, STYLE, Chart, standalone, svg, swatch
from .figures import figures, slots
from .publish import publish

__all__ = ["page", "write_report"]

_HERE = Path(__file__).resolve().parent
_ESCAPE = html.escape


def write_report(summary: dict[str, Any], folder: Path, *, force: bool = False, records: Path | None = None) -> Path:
    """Write ``index.html``, ``results.json``, ``results.csv``, ``results.md`` and ``figures/*.svg`` into a folder, in one go.

    Parameters
    ----------
    summary : dict
        From :func:`summarize`.
    folder : Path
    force : bool
        Replace a report that is there.
    records : Path, optional
        The study's file, to be kept beside the report.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    FileExistsError
        The folder is there, and not `force`.
    """
    charts = figures(summary)
    files: dict[str, str | Path] = {
        "index.html": page(summary, charts),
        "results.json": json.dumps(_plain(summary), indent=1, ensure_ascii=False) + "\n",
        "results.csv": tables.as_csv(summary),
        "results.md": tables.as_markdown(summary),
        **{f"figures/{name}.svg": standalone(chart) for name, chart in charts.items()},
    }
    if records is not None:
        files["study.sqlite"] = records
    publish(files, folder, force=force)
    return folder / "index.html"


def _plain(value: Any) -> Any:
    """JSON knows no infinity: null stands for it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def page(summary: dict[str, Any], charts: dict[str, Chart]) -> str:
    """The whole page."""
    rules, runs = summary["protocol"], summary["runs"]
    titles = [about["title"] for about in summary["optimizers"].values()]
    style = COLOURS + STYLE + (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    first, *rest = summary["answer"]
    count = len(summary["tasks"])
    lead = (
        f"{_ESCAPE(', '.join(titles))} · {count} {'task' if count == 1 else 'tasks'} · {rules['steps']:,} steps · "
        f"{rules['final_seeds']} seeds · {runs['tuning'] + runs['scored']:,} runs"
    )
    body = [
        "<h1>Optimizers compared</h1>",
        f'<p class="lead">{lead}</p>',
        f'<section class="answer"><p><strong>{_ESCAPE(first)}</strong></p>',
        *(f"<p>{_ESCAPE(sentence)}</p>" for sentence in rest),
        "</section>",
        _overall(summary),
        _legend(summary),
        *(_task(summary, task, charts) for task in summary["tasks"]),
        _tuning(summary, charts),
        _forms(summary, charts),
        _divergences(summary),
        _protocol(summary),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Optimizers compared</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body><main>{''.join(body)}</main><script>{script}</script></body></html>\n"
    )


def _table(head: list[str], body: list[list[str]], *, rule_after: set[int] | None = None) -> str:
    """A table whose cells are HTML already."""
    rows = [
        f"<tr{' class=group' if i in (rule_after or ()) else ''}>"
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for i, row in enumerate(body)
    ]
    heads = "".join(f"<th>{cell}</th>" for cell in head)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _figure(charts: dict[str, Chart], name: str) -> str:
    chart = charts[name]
    drawn = svg(chart).replace("<svg ", f'<svg data-x="{_ESCAPE(chart.x_label.split(" (")[0])}" ', 1)
    return f"<figure><figcaption>{_ESCAPE(chart.title)}</figcaption>{drawn}</figure>"


def _legend(summary: dict[str, Any]) -> str:
    slot = slots(summary)
    buttons = "".join(
        f'<button type="button" aria-pressed="true" data-series="{_ESCAPE(about["title"])}">{swatch(slot[name])}'
        f"{_ESCAPE(about['title'])}</button>"
        for name, about in summary["optimizers"].items()
    )
    return f'<nav class="legend" aria-label="Optimizers: press to hide or show">{buttons}</nav>'


def _name(summary: dict[str, Any], optimizer: str) -> str:
    return swatch(slots(summary)[optimizer]) + _ESCAPE(summary["optimizers"][optimizer]["title"])


def _ends(groups: list[list[str]]) -> set[int]:
    """Positions of the last rows of tie groups, the very last excepted."""
    ends, at = set(), -1
    for group in groups[:-1]:
        at += len(group)
        ends.add(at)
    return ends


def _overall(summary: dict[str, Any]) -> str:
    overall = summary["overall"]
    if len(summary["optimizers"]) < 2:
        return ""
    default = {row["optimizer"]: row for row in overall["default"]["rows"]}
    tuned = {row["optimizer"]: row for row in overall["tuned"]["rows"]}
    order = [name for group in overall["tuned"]["groups"] for name in group]
    body = [
        [
            _name(summary, name),
            f"{100 * tuned[name]['chance']:.0f} %",
            f"{_gap(tuned[name]['gap'])} [{_gap(tuned[name]['low'])}, {_gap(tuned[name]['high'])}]",
            f"{100 * default[name]['chance']:.0f} %",
            _gap(default[name]["gap"]),
            f"{overall['profile']['score'][name]:.2f}",
        ]
        for name in order
    ]
    head = ["optimizer", "beats another", "gap left", "beats another, untuned", "gap left, untuned", "speed score"]
    return (
        "<h2>All tasks together</h2>"
        + _table(head, body, rule_after=_ends(overall["tuned"]["groups"]))
        + '<p class="note">A thick line ends a group within which the first cannot be told from the others. “Beats another”: '
        "how often an optimizer’s test loss is below another’s in a pair of runs with the same task and seed. “Gap left”: "
        "interquartile mean of the share of the way from the first validation loss to the best tuned baseline’s that was left at "
        "the end, with its 95 % interval (10,000 paired bootstrap resamples); 0 is as good as that baseline at its best moment. "
        "“Untuned”: at default settings. “Speed score”: area under the performance profile up to 4 times the steps of the quickest; "
        "1 is always the quickest.</p>"
    )


def _gap(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.3f}"


def _task(summary: dict[str, Any], task: dict[str, Any], charts: dict[str, Chart]) -> str:
    rows = tables.ordered(task)
    head = [*tables.headings(summary, task), "test loss"]
    head = [h for i, h in enumerate(head) if h not in head[:i]]
    tuned, default = [], []
    for row in rows:
        for kind, out in (("tuned", tuned), ("default", default)):
            cells = tables.cells(row, kind)[1:]
            if kind == "default":
                cells[0] = tables.rate(summary["optimizers"][row["optimizer"]]["defaults"]["lr"])
            if row[kind]["accuracy"]:
                cells.append(tables.plus_minus(row[kind]["test"]))
            out.append([_name(summary, row["optimizer"]), *map(_ESCAPE, cells)])
    extra = [
        [
            _name(summary, row["optimizer"]),
            _ESCAPE(", ".join(f"{k} = {v:.3g}" for k, v in (row["settings"] or {}).items()) or "all diverged"),
            f"{row['basin']:.1f}",
            tables.number(row["tuned"]["milliseconds"], 2),
            f"{row['tuned']['gradients']:.0f}",
        ]
        for row in rows
    ]
    cosine = ""
    if rows and "cosine" in rows[0]:
        lines = [[_name(summary, r["optimizer"]), *map(_ESCAPE, tables.cells(r, "cosine")[1:])] for r in rows]
        cosine = (
            "<details><summary>With a cosine schedule</summary>"
            + _table(tables.headings(summary, task), lines)
            + "</details>"
        )
    return (
        f'<h2 id="{_ESCAPE(task["name"])}">{_ESCAPE(task["name"])}: {_ESCAPE(task["title"])}</h2>'
        f'<p class="lead">{_ESCAPE(task["summary"])}</p>'
        + '<div class="charts">'
        + _figure(charts, f"{task['name']}-curves")
        + _figure(charts, f"{task['name']}-sensitivity")
        + "</div>"
        + _table(head, tuned, rule_after=_ends(task["groups"]))
        + "<details><summary>At default settings</summary>"
        + _table(head, default)
        + "</details>"
        + cosine
        + "<details><summary>Selected settings, width of the basin, cost of a step</summary>"
        + _table(["optimizer", "selected", "good learning rates (decades)", "ms a step", "gradient evaluations"], extra)
        + "</details>"
    )


def _tuning(summary: dict[str, Any], charts: dict[str, Chart]) -> str:
    out = [
        "<h2>What tuning buys, and how soon targets are reached</h2>",
        '<p class="lead">Left: the gap that is left on average when only some of the settings are tried, drawn at random. '
        "An optimizer whose line starts low needs little tuning.</p>"
        if "profile" in charts
        else '<p class="lead">The gap that is left on average when only some of the settings are tried, drawn at random.</p>',
        '<div class="charts">',
        _figure(charts, "budget"),
        _figure(charts, "profile") if "profile" in charts else "",
        "</div>",
    ]
    if "profile" in charts:
        out.append(
            '<p class="note">In a profile the order of those behind the leader can change when the leader is taken out '
            "(Gould &amp; Scott 2016).</p>"
        )
    return "".join(out)


def _forms(summary: dict[str, Any], charts: dict[str, Chart]) -> str:
    if not summary["forms"]:
        return ""
    head, body = tables.form_table(summary)
    return (
        "<h2>Gradient descent in three forms</h2>"
        f'<p class="lead">Plain gradient descent on {_ESCAPE(summary["forms"][0]["task"])}, its learning rate tuned for each form: '
        "all examples a step (batch), a few (mini-batch), or one (stochastic). Which one is quickest depends on what is counted.</p>"
        '<div class="charts">'
        + "".join(_figure(charts, f"forms-{axis}") for axis in ("epochs", "steps", "seconds"))
        + "</div>"
        + _table(head, [list(map(_ESCAPE, row)) for row in body])
    )


def _divergences(summary: dict[str, Any]) -> str:
    runs = summary["runs"]
    bad = [
        f"<li>{_ESCAPE(row['title'])} on {_ESCAPE(task['name'])}, {kind}: {row[kind]['diverged']} of {summary['protocol']['final_seeds']}</li>"
        for task in summary["tasks"]
        for row in task["rows"]
        for kind in ("tuned", "default", "cosine")
        if kind in row and row[kind]["diverged"]
    ]
    text = f"{runs['tuning diverged']} of {runs['tuning']} tuning runs and {runs['scored diverged']} of {runs['scored']} scored runs diverged."
    return f"<h2>Divergences</h2><p>{text}</p>" + (f"<ul>{''.join(bad)}</ul>" if bad else "")


def _protocol(summary: dict[str, Any]) -> str:
    rules = summary["protocol"]
    optimizers = _table(
        ["optimizer", "update", "default"],
        [
            [
                _name(summary, name),
                f"<code>{_ESCAPE(about['formula'] or '—')}</code>",
                _ESCAPE(", ".join(f"{k} = {v:g}" for k, v in about["defaults"].items())),
            ]
            for name, about in summary["optimizers"].items()
        ],
    )
    targets = _table(
        [
            "task",
            "first loss L₀",
            "best tuned baseline L*",
            "by",
            *(f"{100 * tau:g} % target" for tau in rules["targets"]),
        ],
        [
            [
                _ESCAPE(t["name"]),
                tables.number(t["target"]["start"]),
                tables.number(t["target"]["best"]),
                _ESCAPE(t["target"]["by"]),
                *(tables.number(v) for v in t["levels"].values()),
            ]
            for t in summary["tasks"]
        ],
    )
    environment = ", ".join(f"{_ESCAPE(k)} {_ESCAPE(v)}" for k, v in summary["environment"].items())
    return (
        "<h2>How it was done</h2><ul>"
        + "".join(f"<li>{line}</li>" for line in _rules(rules))
        + f"</ul>{targets}{optimizers}<p class='note'>{environment}</p>"
        + "<h2>What this cannot show</h2><ul>"
        + "".join(f"<li>{line}</li>" for line in _LIMITS)
        + "</ul>"
    )


def _rules(rules: dict[str, Any]) -> list[str]:
    if rules["trials"] <= 10:
        low = rules["centre"] - (rules["trials"] - 1) / 4
        tried = (
            f"{rules['trials']} learning rates, 10<sup>{low:g}</sup> to 10<sup>{low + (rules['trials'] - 1) / 2:g}</sup> in half "
            "decades, the same for all optimizers"
        )
    else:
        tried = (
            f"{rules['trials']} quasi-random settings: learning rates log-uniform over 10<sup>{rules['centre'] - 2:g}</sup> to "
            f"10<sup>{rules['centre'] + 2:g}</sup>, and momentum or β₁ where it exists"
        )
    return [
        "For one seed, all optimizers start from the same weights and see the same batches; split, weights and order change "
        "with the seed.",
        f"Tuning: {tried}; {rules['tuning_seeds']} seed each. When the best lies on the edge, the range grows by a decade, at "
        f"most {rules['extensions']} times; after that it is marked “!”.",
        "The settings with the lowest validation loss after the last step are selected; the test set is only reported.",
        f"Final runs: {rules['final_seeds']} other seeds, {rules['steps']:,} steps, constant learning rate.",
        "Targets lie at L* + τ (L₀ − L*): L* is the median best validation loss of the strongest tuned baseline over seeds of its "
        "own. They are fixed before the final runs. A target counts as reached at the first evaluation at or below it; runs that "
        "end above it again are marked “*”.",
        f"A loss that is not a number, or {rules['divergence']:g} times the first one, ends a run; it scores ∞ and stays in.",
        "± is half a 95 % interval over seeds (Student’s t); brackets are 95 % bootstrap intervals. Intervals are not "
        "corrected for the number of comparisons.",
        "Seconds are those of training steps on one core each, evaluation left out.",
    ]


_LIMITS = (
    "Small tasks and short runs: what leads after this many steps need not lead after a hundred times as many, nor on large models.",
    "Tuning one or two hyperparameters: an optimizer with more of them (ε, β₂, weight decay) may gain from tuning those too.",
    "The choice of learning rates tried is part of the result (Choi et al. 2019, arXiv 1910.05446).",
    "A few seeds: a difference that is not seen here may exist. Cannot be told apart does not mean equal.",
    "Seconds hold for this machine and this implementation; steps and gradient evaluations travel further.",
)
