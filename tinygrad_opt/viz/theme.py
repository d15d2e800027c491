"""Colours and type of the pictures, light and dark; kinds of nodes are told apart by shape and border as well."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["FONT", "THEMES", "Theme"]

FONT = "Helvetica,Arial,sans-serif"
"""What Graphviz lays out with; its built-in metrics know it, so pictures are the same on every machine."""


@dataclass(frozen=True)
class Theme:
    """One palette: for each kind of node (fill, border), and the colours of texts and lines."""

    background: str
    text: str
    muted: str
    line: str
    value: str
    gradient: str
    cluster: tuple[str, str]
    nodes: dict[str, tuple[str, str]] = field(default_factory=dict)


THEMES = {
    "light": Theme(
        background="#ffffff",
        text="#17212f",
        muted="#5d6b7e",
        line="#8593a6",
        value="#1f5fa8",
        gradient="#b3402a",
        cluster=("#f6f8fb", "#cfd8e3"),
        nodes={
            "leaf": ("#fff4d9", "#d39b2a"),
            "constant": ("#f1f3f6", "#b4bfcc"),
            "computed": ("#ffffff", "#c3cdd9"),
            "result": ("#e2f5e9", "#37975a"),
            "operation": ("#e6effc", "#5585cf"),
            "module": ("#ece9fb", "#7a6bd0"),
            "stretch": ("#eceff3", "#7c8a9c"),
            "error": ("#fde8e6", "#c8372d"),
        },
    ),
    "dark": Theme(
        background="#12171f",
        text="#e8edf4",
        muted="#9eacbd",
        line="#6f7f93",
        value="#8fc1ff",
        gradient="#ff9a84",
        cluster=("#19202a", "#364252"),
        nodes={
            "leaf": ("#3a2f16", "#d8a640"),
            "constant": ("#222a35", "#566577"),
            "computed": ("#1a212b", "#4a586a"),
            "result": ("#173322", "#4fb377"),
            "operation": ("#1c2c45", "#6f9fe6"),
            "module": ("#2a2547", "#9a8cf0"),
            "stretch": ("#252d38", "#8493a6"),
            "error": ("#42201d", "#f07167"),
        },
    ),
}
