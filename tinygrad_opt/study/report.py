"""The report: a page with the answer first, and the same as Markdown, CSV, JSON and SVG, written all or nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from . import tables
from .charts import standalone
from .figures import figures
from .markdown import as_markdown
from .page import page
from .publish import publish

__all__ = ["write_report"]


def write_report(summary: dict[str, Any], folder: Path, *, force: bool = False, records: Path | None = None) -> Path:
    """Write index.html, results.json, results.csv, results.md and figures/*.svg into a folder, in one go.

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
        "results.md": as_markdown(summary),
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
