"""Writing a laid-out picture as SVG: self-contained, styled by kind, readable by a screen reader."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from .layout import Box, Edge, Layout, Text
from .text import plain_text
from .theme import THEMES, Theme

__all__ = ["PADDING", "line_kinds", "style_rules", "to_svg"]

PADDING = 12
_FAMILY = '"Helvetica Neue", Helvetica, Arial, "Liberation Sans", "Noto Sans", "DejaVu Sans", sans-serif'


def style_rules(theme: Theme, scope: str) -> str:
    """The CSS of one palette, for what a selector selects."""
    rules = [
        f"{scope} text{{font-family:{_FAMILY};fill:{theme.text}}}",
        f"{scope} .edge path{{fill:none;stroke:{theme.line};stroke-width:1.1}}",
        f"{scope} .edge polygon{{fill:{theme.line}}}",
        f"{scope} .dashed path{{stroke-dasharray:4 3}}",
        f"{scope} .cluster rect{{fill:{theme.cluster[0]};stroke:{theme.cluster[1]}}}",
        f"{scope} .repeat rect{{stroke-dasharray:5 4;stroke:{theme.nodes['module'][1]}}}",
        f"{scope} .page{{fill:{theme.background}}}",
        f"{scope} .l-title,{scope} .l-name{{font-weight:600}}",
        f"{scope} .l-shape,{scope} .l-formula,{scope} .l-note,{scope} .edge text{{fill:{theme.muted}}}",
        f"{scope} .l-value{{fill:{theme.value}}}{scope} .l-grad{{fill:{theme.gradient}}}",
    ]
    for kind, (fill, border) in theme.nodes.items():
        rules.append(f"{scope} .{kind} rect{{fill:{fill};stroke:{border};stroke-width:1.2}}")
    return "".join(rules)


def line_kinds(box: Box) -> list[str]:
    """What each line of a node's label is: name, shape, formula, value, grad or note."""
    return str(box.attributes.get("lines", "")).split()


def to_svg(layout: Layout, theme: str = "light", title: str = "", description: str = "") -> str:
    """The picture as SVG text.

    Parameters
    ----------
    theme : str
        "light", "dark", or "auto", which follows the reader's system.
    title, description : str
        For screen readers.
    """
    width, height = layout.width + 2 * PADDING, layout.height + 2 * PADDING
    scope = f".tg-graph.tg-{theme}"  # a notebook may hold pictures of several themes, and their styles reach all of it
    css = style_rules(THEMES["dark" if theme == "dark" else "light"], scope)
    if theme == "auto":
        css += f"@media (prefers-color-scheme:dark){{{style_rules(THEMES['dark'], scope)}}}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tg-graph tg-{theme}" '
        f'width="{width:.0f}pt" height="{height:.0f}pt" '
        f'viewBox="{-PADDING} {-PADDING} {width:.2f} {height:.2f}" role="img" aria-label={_attribute(title)}>',
        f"<desc>{_text(description)}</desc>" if description else "",
        f"<style>{css}</style>",
        f'<rect class="page" x="{-PADDING}" y="{-PADDING}" width="{width:.2f}" height="{height:.2f}"/>',
        *map(_cluster, layout.clusters),
        *map(_edge, layout.edges),
        *map(_node, layout.nodes),
        *(_line(text, "l-note") for text in layout.texts),
        "</svg>\n",
    ]
    return "\n".join(part for part in parts if part)


def _node(box: Box) -> str:
    kind = box.attributes.get("class", "computed")
    round_ = min(box.height / 2, 15) if "operation" in kind.split() else 7
    fill = box.attributes.get("metric")
    style = f' style="fill:{fill}"' if fill else ""
    lines = line_kinds(box)
    texts = "".join(
        _line(text, f"l-{lines[i] if i < len(lines) else 'note'}", fill) for i, text in enumerate(box.texts)
    )
    return (
        f"<g id={_attribute(box.name)} class={_attribute('node ' + kind)}>{_tip(box)}"
        f"{_rect(box, round_, style)}{texts}</g>"
    )


def _cluster(box: Box) -> str:
    kind = "repeat" if box.attributes.get("class") == "repeat" else ""
    texts = "".join(_line(text, "l-title") for text in box.texts)
    return f'<g class="cluster {kind}">{_tip(box)}{_rect(box, 9)}{texts}</g>'


def _edge(edge: Edge) -> str:
    if not edge.points:
        return ""
    start, *rest = [f"{x:.2f},{y:.2f}" for x, y in edge.points]
    curve = f'<path d="M{start}C{" ".join(rest)}"/>'
    head = f'<polygon points="{" ".join(f"{x:.2f},{y:.2f}" for x, y in edge.arrow)}"/>' if edge.arrow else ""
    dashed = " dashed" if edge.attributes.get("style") == "dashed" else ""
    texts = "".join(_line(text, "l-edge") for text in edge.texts)
    ends = f"data-from={_attribute(edge.tail)} data-to={_attribute(edge.head)}"
    return f'<g class="edge{dashed}" {ends}>{curve}{head}{texts}</g>'


def _rect(box: Box, radius: float, style: str = "") -> str:
    return (
        f'<rect x="{box.x - box.width / 2:.2f}" y="{box.y - box.height / 2:.2f}" width="{box.width:.2f}" '
        f'height="{box.height:.2f}" rx="{radius:.1f}"{style}/>'
    )


def _tip(box: Box) -> str:
    tip = box.attributes.get("tooltip", "")
    return f"<title>{_text(plain_text(tip))}</title>" if tip else ""


def _line(text: Text, kind: str, on: str | None = None) -> str:
    anchor = {"c": "middle", "l": "start", "r": "end"}[text.align]
    color = f' style="fill:{ink(on)}"' if on else ""
    return (
        f'<text class={_attribute(kind)} x="{text.x:.2f}" y="{text.y:.2f}" text-anchor="{anchor}" '
        f'font-size="{text.size:g}"{color} xml:space="preserve">{_text(text.text)}</text>'
    )


def ink(color: str) -> str:
    """Black or white: whichever reads better on a colour #rrggbb."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#10151c" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"


def _text(text: str) -> str:
    return escape(text)


def _attribute(text: str) -> str:
    return quoteattr(text)
