"""Painting a laid-out picture with matplotlib: PNG and PDF without any program but Python."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from ..errors import missing_extra
from .layout import Box, Edge, Layout, Text
from .svg import PADDING, ink, line_kinds
from .theme import THEMES, Theme

__all__ = ["paint"]

_FAMILIES = ("Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")
_WIDE = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei")
_MAX_PIXELS = 30_000


def paint(layout: Layout, theme: str, format: str) -> bytes:
    """The picture as PNG (at about 200 dots an inch) or PDF bytes.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.backends.backend_pdf import FigureCanvasPdf
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("matplotlib", "viz", f"Writing a graph as {format.upper()}") from None
    colors = THEMES["dark" if theme == "dark" else "light"]
    width, height = layout.width + 2 * PADDING, layout.height + 2 * PADDING
    figure = Figure(figsize=(width / 72, height / 72), facecolor=colors.background)
    (FigureCanvasPdf if format == "pdf" else FigureCanvasAgg)(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-PADDING, layout.width + PADDING)
    axes.set_ylim(layout.height + PADDING, -PADDING)
    painter = _Painter(figure, axes, colors)
    for cluster in layout.clusters:
        painter.cluster(cluster)
    for edge in layout.edges:
        painter.edge(edge)
    for node in layout.nodes:
        painter.node(node)
    for text in layout.texts:
        painter.text(text, colors.muted)
    dpi = min(200.0, 72 * _MAX_PIXELS / max(width, height))
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        extra: dict[str, Any] = {"pil_kwargs": {"compress_level": 4}}
        if format == "pdf":
            extra = {"metadata": {"CreationDate": None}}  # the same picture is the same file
        figure.savefig(out, format=format, dpi=dpi, facecolor=colors.background, **extra)
    return out.getvalue()


class _Painter:
    """Puts boxes, curves and texts on axes whose unit is a point."""

    def __init__(self, figure: Any, axes: Any, colors: Theme) -> None:
        from matplotlib import font_manager

        installed = {font.name for font in font_manager.fontManager.ttflist}
        self.families = [name for name in (*_FAMILIES, *_WIDE) if name in installed]
        self.axes = axes
        self.colors = colors
        self.renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None

    def box(self, box: Box, radius: float, fill: str, border: str, dashed: bool = False) -> None:
        from matplotlib.patches import FancyBboxPatch

        radius = min(radius, box.width / 2, box.height / 2)
        self.axes.add_patch(
            FancyBboxPatch(
                (box.x - box.width / 2, box.y - box.height / 2),
                box.width,
                box.height,
                boxstyle=f"round,pad=0,rounding_size={radius}",
                facecolor=fill,
                edgecolor=border,
                linewidth=1.0,
                linestyle=(0, (5, 4)) if dashed else "solid",
            )
        )

    def cluster(self, box: Box) -> None:
        repeat = box.attributes.get("class") == "repeat"
        border = self.colors.nodes["module"][1] if repeat else self.colors.cluster[1]
        self.box(box, 9, self.colors.cluster[0], border, repeat)
        for text in box.texts:
            self.text(text, self.colors.text, bold=True)

    def node(self, box: Box) -> None:
        kind = box.attributes.get("class", "computed").split()[-1]
        fill, border = self.colors.nodes.get(kind, self.colors.nodes["computed"])
        metric = box.attributes.get("metric")
        self.box(box, min(box.height / 2, 15) if kind == "operation" else 7, metric or fill, border)
        colors = {"value": self.colors.value, "grad": self.colors.gradient}
        colors |= {"shape": self.colors.muted, "formula": self.colors.muted, "note": self.colors.muted}
        kinds = line_kinds(box)
        for i, text in enumerate(box.texts):
            line = kinds[i] if i < len(kinds) else "note"
            color = ink(metric) if metric else colors.get(line, self.colors.text)
            self.text(text, color, bold=line in ("name", "title"))

    def edge(self, edge: Edge) -> None:
        from matplotlib.patches import PathPatch, Polygon
        from matplotlib.path import Path

        if edge.points:
            codes = [Path.MOVETO] + [Path.CURVE4] * (len(edge.points) - 1)
            style: Any = (0, (4, 3)) if edge.attributes.get("style") == "dashed" else "solid"
            self.axes.add_patch(
                PathPatch(
                    Path(edge.points, codes),
                    facecolor="none",
                    edgecolor=self.colors.line,
                    linewidth=1,
                    linestyle=style,
                )
            )
        if edge.arrow:
            self.axes.add_patch(Polygon(edge.arrow, facecolor=self.colors.line, edgecolor="none"))
        for text in edge.texts:
            self.text(text, self.colors.muted)

    def text(self, text: Text, color: str, bold: bool = False) -> None:
        """A line of text, never wider than the room that was laid out for it."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import TextPath

        font = FontProperties(family=self.families, weight="bold" if bold else "normal", size=text.size)
        content = text.text
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            across = TextPath((0, 0), content.replace("$", r"\$"), prop=font).vertices[:, 0]
        extent = float(np.ptp(across)) if across.size else 0.0  # of the control points: close enough, and quick
        room = text.width * 1.06 + 3
        if extent > room:
            font.set_size(text.size * max(room / extent, 0.5))
        side = {"c": "center", "l": "left", "r": "right"}[text.align]
        self.axes.text(
            text.x,
            text.y,
            content,
            fontproperties=font,
            color=color,
            ha=side,
            va="baseline",
            parse_math=False,
            usetex=False,
        )
