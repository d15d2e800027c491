"""matplotlib on first use, and the few settings that all our plots share."""

from __future__ import annotations

from typing import Any

from ..errors import missing_extra
from .text import clean

__all__ = ["COLORS", "axes_or_new", "plain", "pyplot", "tidy"]

COLORS = ("#1f6fb4", "#d9642c", "#2e9b63", "#b23a78", "#7559c2", "#8a6d1f", "#3f9fb3", "#5a6472")
"""Told apart with every common kind of colour vision, in this order."""


def pyplot(purpose: str) -> Any:
    """matplotlib.pyplot.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise missing_extra("matplotlib", "viz", purpose) from None
    return plt


def plain(text: Any) -> str:
    """User text as matplotlib shows it unchanged: no dollar begins a formula, no first underscore hides it.

    >>> print(plain("$x_1$"))
    \\$x_1\\$
    """
    line = clean(text, 120).replace("$", r"\$")
    return "\u200b" + line if line.startswith("_") else line


def axes_or_new(ax: Any, size: tuple[float, float] = (6.4, 4.4)) -> Any:
    """The axes given, or those of a new figure."""
    if ax is not None:
        return ax
    return pyplot("Plotting").figure(figsize=size, layout="constrained").add_subplot()


def tidy(ax: Any, legend: bool = True) -> Any:
    """A light grid, no box, a legend when there is something to tell apart; returns the axes."""
    ax.grid(visible=True, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if legend and len(ax.get_legend_handles_labels()[1]) > 1:
        ax.legend(fontsize=8, framealpha=0.9)
    return ax
