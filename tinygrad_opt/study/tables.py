"""The tables of a study: for a terminal of 80 columns, as Markdown, and as CSV."""

from __future__ import annotations

import csv
import io
import math
import textwrap
from typing import Any

__all__ = ["as_csv", "as_text", "notes", "number", "percent", "plus_minus", "steps_cell"]

WIDTH = 80


def number(value: float | None, digits: int = 3) -> str:
    """A number with three significant digits; "diverged" when infinite."""
    if value is None or math.isnan(value):
        return "—"
    if math.isinf(value):
        return "diverged"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e4:
        places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
        return f"{value:.{places}f}"
    return f"{value:.{digits - 1}e}".replace("e-0", "e-").replace("e+0", "e")


def rate(value: float) -> str:
    """A learning rate, as short as it can be told from its neighbours on the grid."""
    return f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}".replace("e-0", "e-")


def plus_minus(spread: dict[str, float] | None) -> str:
    """Mean ± half the 95 % interval, both to the same place."""
    if spread is None:
        return "—"
    mean, half = spread["mean"], spread["half"]
    if math.isinf(mean):
        return "diverged"
    if math.isnan(half):
        return number(mean)
    if half == 0 or not 1e-3 <= abs(mean) < 1e4:
        return f"{number(mean)} ± {number(half, 1)}"
    places = min(max(1 - math.floor(math.log10(half)), 0), 4)
    return f"{mean:.{places}f} ± {half:.{places}f}"


def percent(spread: dict[str, float] | None) -> str:
    """A share in per cent, mean ± half the 95 % interval."""
    if spread is None:
        return "—"
    half = "" if math.isnan(spread["half"]) else f" ± {100 * spread['half']:.1f}"
    return f"{100 * spread['mean']:.1f}{half}"


def steps_cell(steps: dict[str, Any]) -> str:
    """Steps to a target: mean ± half the interval, or how many runs got there at all; * where some lost it again."""
    star = "*" if steps["lost"] else ""
    if steps["reached"] == 0:
        return "—"
    if steps["reached"] < steps["of"]:
        return f"{steps['reached']} of {steps['of']}{star}"
    half = "" if math.isnan(steps["half"]) else f" ± {steps['half']:.0f}"
    return f"{steps['mean']:.0f}{half}{star}"


def headings(summary: dict[str, Any], task: dict[str, Any]) -> list[str]:
    """Column headings of a task's table."""
    targets = [f"to {100 * float(tau):g} %" for tau in task["levels"]]
    last = ["val. acc. %", "test acc. %"] if task["rows"][0]["tuned"]["accuracy"] else ["test loss"]
    return ["optimizer", "lr", *targets, "val. loss", *last]


def cells(row: dict[str, Any], kind: str = "tuned") -> list[str]:
    """One optimizer's cells, under :func:`headings`."""
    found = row[kind]
    lr = "—" if row["settings"] is None else rate(row["settings"]["lr"]) + ("!" if row["edge"] else "")
    accuracy = [percent(found["accuracy"]), percent(found["test_accuracy"])]
    last = accuracy if found["accuracy"] else [plus_minus(found["test"])]
    steps = [steps_cell(s) for s in found["steps"].values()]
    return [row["title"], lr, *steps, plus_minus(found["validation"]), *last]


def ordered(task: dict[str, Any]) -> list[dict[str, Any]]:
    """A task's rows, best tie group first."""
    place = [name for group in task["groups"] for name in group]
    return sorted(task["rows"], key=lambda row: place.index(row["optimizer"]))


def _grid(head: list[str], body: list[list[str]]) -> list[str]:
    """Lines of at most 80 columns: narrower gaps if need be, then intervals left out, the last column's first."""
    body = [list(row) for row in body]
    for column in range(len(head), 0, -1):
        if column < len(head):
            for row in body:
                row[column] = row[column].split(" ±")[0]
        widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
        for gap in ("  ", " "):
            if sum(widths) + len(gap) * (len(head) - 1) <= WIDTH:
                return _lines(head, body, widths, gap)
    return _lines(head, body, widths, " ")


def _lines(head: list[str], body: list[list[str]], widths: list[int], gap: str) -> list[str]:
    def line(row: list[str]) -> str:
        first, *rest = row
        return gap.join([first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(rest, widths[1:], strict=True))]).rstrip()

    return [line(head), gap.join("─" * w for w in widths), *map(line, body)]


def as_text(summary: dict[str, Any]) -> str:
    """The whole result for a terminal: at most 80 columns."""
    rules = summary["protocol"]
    out: list[str] = []
    for task in summary["tasks"]:
        out += ["", f"{task['name']}: {task['title']}"]
        out += _grid(headings(summary, task), [cells(row) for row in ordered(task)])
    if summary["forms"]:
        out += ["", f"Gradient descent in three forms ({summary['forms'][0]['task']})", *_grid(*form_table(summary))]
    out += ["", *textwrap.wrap(notes(rules), WIDTH), ""]
    for sentence in summary["answer"]:
        out += textwrap.wrap(sentence, WIDTH)
    return "\n".join(out).lstrip("\n")


def form_table(summary: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Batch, mini-batch and stochastic: headings and rows."""
    tau = str(summary["protocol"]["targets"][0])
    share = f"{100 * float(tau):g} %"
    head = ["form", "batch", "lr", "steps", f"to {share}", "epochs", "seconds", "ms/step", "val. loss"]
    rows = []
    for form in summary["forms"]:
        found = form["steps"]
        epochs = found[tau]["mean"] * form["batch_size"] / form["examples"]
        seconds = found[tau]["mean"] * form["milliseconds"] / 1000
        rows.append(
            [
                form["name"],
                str(form["batch_size"]),
                "—" if form["settings"] is None else rate(form["settings"]["lr"]),
                f"{form['budget']:,}",
                steps_cell(found[tau]),
                number(epochs, 2) if math.isfinite(epochs) else "—",
                number(seconds, 2) if math.isfinite(seconds) else "—",
                number(form["milliseconds"], 2),
                plus_minus(form["validation"]),
            ]
        )
    return head, rows


def notes(rules: dict[str, Any]) -> str:
    """What the signs in the tables mean."""
    shares = " and ".join(f"{100 * tau:g} %" for tau in rules["targets"])
    return (
        f"Steps until the validation loss has closed all but {shares} of the gap between its start and the "
        f"best tuned baseline; mean ± half a 95 % interval over {rules['final_seeds']} seeds. '2 of 5': only "
        f"so many runs got there; —: none; *: some lost it again; !: best learning rate on the edge of what "
        f"was tried."
    )


def as_csv(summary: dict[str, Any]) -> str:
    """One line for each task, optimizer and kind of settings (tuned, default, cosine); then the forms of descent."""
    file = io.StringIO()
    taus = [str(tau) for tau in summary["protocol"]["targets"]]
    names = ["validation", "test", "accuracy", "test_accuracy"]
    parts = ["mean", "half", "iqm", "low", "high"]
    head = ["task", "optimizer", "settings", "lr", "edge", *(f"{n}_{p}" for n in names for p in parts)]
    head += [f"steps_to_{tau}_{p}" for tau in taus for p in ("median", "mean", "half", "reached", "lost", "of")]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*head, "diverged", "milliseconds_a_step", "basin_decades"])
    for task in summary["tasks"]:
        for row in task["rows"]:
            for kind in ("tuned", "default", "cosine"):
                if kind not in row:
                    continue
                found = row[kind]
                settings = summary["optimizers"][row["optimizer"]]["defaults"] if kind == "default" else row["settings"]
                line = [task["name"], row["optimizer"], kind, (settings or {}).get("lr", ""), int(row["edge"])]
                line += [found[n][p] if found[n] else "" for n in names for p in parts]
                line += [
                    found["steps"][tau][p] for tau in taus for p in ("median", "mean", "half", "reached", "lost", "of")
                ]
                writer.writerow([*line, found["diverged"], found["milliseconds"], row["basin"]])
    for form in summary["forms"]:
        line = [form["task"], "sgd", form["name"], (form["settings"] or {}).get("lr", ""), int(form["edge"])]
        line += [form[n][p] if form[n] else "" for n in names for p in parts]
        line += [form["steps"][tau][p] for tau in taus for p in ("median", "mean", "half", "reached", "lost", "of")]
        writer.writerow([*line, form["diverged"], form["milliseconds"], ""])
    return file.getvalue()
