"""Line charts as SVG, written by hand: readable on light and dark, without any plotting package."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["COLOURS", "STYLE", "Chart", "Series", "standalone", "svg", "swatch"]

WIDTH, HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 46


@dataclass
class Series:
    """One line.

    Parameters
    ----------
    name : str
        The series' key across all charts of a page: hiding it hides it everywhere.
    x, y : sequence of float
        Points with an infinite y are marked at the upper edge as diverged.
    low, high : sequence of float, optional
        A band round the line.
    slot : int
        Which colour and dash pattern.
    dots : bool
        Mark each point.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    slot: int = 0
    dots: bool = False


@dataclass
class Chart:
    """Lines on two axes.

    Parameters
    ----------
    title : str
        What the chart shows, for those who cannot see it.
    x_label, y_label : str
    series : list of Series
    log_x, log_y : bool
    rules : list of (float, str)
        Horizontal lines with a label.
    y_range : tuple of float, optional
        Instead of the range of the points.
    x_ticks : sequence of float, optional
        Instead of round numbers.
    """

    title: str
    x_label: str
    y_label: str
    series: list[Series]
    log_x: bool = False
    log_y: bool = False
    rules: list[tuple[float, str]] = field(default_factory=list)
    y_range: tuple[float, float] | None = None
    x_ticks: Sequence[float] = ()


class _Axis:
    """From values to pixels, with ticks at round numbers."""

    def __init__(self, values: Sequence[float], log: bool, start: float, stop: float, pad: float) -> None:
        good = [v for v in values if math.isfinite(v) and (v > 0 or not log)] or [1.0, 10.0]
        low, high = self._place(min(good), log), self._place(max(good), log)
        if high - low < 1e-9:
            low, high = low - 0.5, high + 0.5
        margin = pad * (high - low)
        self.log, self.low, self.high = log, low - margin, high + margin
        self.start, self.stop = start, stop

    @staticmethod
    def _place(value: float, log: bool) -> float:
        return math.log10(value) if log else value

    def __call__(self, value: float) -> float:
        if self.log and value <= 0:
            return self.start
        share = (self._place(value, self.log) - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        if not self.log:
            return _round_ticks(self.low, self.high)
        span = self.high - self.low
        if span < 0.5:
            return _round_ticks(10**self.low, 10**self.high)
        factors = (1, 2, 5) if span < 1.6 else (1, 3) if span < 2.6 else (1,)
        every = max(1, math.ceil(span / 6))
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        values = [f * 10.0**d for d in decades if d % every == 0 for f in factors]
        return [v for v in values if self.low - 1e-9 <= math.log10(v) <= self.high + 1e-9]


def _round_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _text(value: float) -> str:
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:,.6g}"
    exponent = math.floor(math.log10(abs(value)))
    digit = value / 10**exponent
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if abs(digit - 1) < 1e-6 else f"{digit:.2g}·10{raised}"


def svg(chart: Chart) -> str:
    """The chart as an ``<svg>`` element; colours come from the page's style sheet."""
    xs = [x for s in chart.series for x in s.x]
    ys = [*chart.y_range] if chart.y_range else [v for s in chart.series for v in (*s.y, *s.low, *s.high)]
    ys += [value for value, _ in chart.rules]
    x = _Axis(xs, chart.log_x, _LEFT, WIDTH - _RIGHT, 0.0 if not chart.log_x else 0.02)
    y = _Axis(ys, chart.log_y, HEIGHT - _BOTTOM, _TOP, 0.04)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(chart.title)}" '
        f'xmlns="http://www.w3.org/2000/svg">',
        *_axes(chart, x, y),
    ]
    edge = WIDTH - _RIGHT
    for value, _ in chart.rules:
        parts.append(f'<line class="rule" x1="{_LEFT}" x2="{edge}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
    parts += [_series(s, x, y, chart) for s in chart.series]
    for value, label in chart.rules:
        place = f'x="{edge - 2}" y="{y(value) - 4:.1f}" text-anchor="end"'
        parts.append(f'<text class="rule-label" {place}>{html.escape(label)}</text>')
    parts.append(f'<line class="cursor" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" x1="0" x2="0" visibility="hidden"/></svg>')
    return "".join(parts)


def _axes(chart: Chart, x: _Axis, y: _Axis) -> list[str]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    out = []
    for value in y.ticks():
        at = y(value)
        out.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        out.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_text(value)}</text>')
    for value in chart.x_ticks or x.ticks():
        at = x(value)
        anchor = "end" if at > right - 14 else "middle"
        out.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        out.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="{anchor}">{_text(value)}</text>')
    middle = (_TOP + bottom) / 2
    out.append(f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>')
    out.append(
        f'<text class="label" x="{(_LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{chart.x_label}</text>'
    )
    out.append(
        f'<text class="label" text-anchor="middle" transform="translate(13 {middle}) rotate(-90)">'
        f"{chart.y_label}</text>"
    )
    return out


def _series(s: Series, x: _Axis, y: _Axis, chart: Chart) -> str:
    points = [(x(a), y(b), a, b) for a, b in zip(s.x, s.y, strict=True) if math.isfinite(b)]
    if chart.log_x:
        points = [p for p in points if p[2] > 0]
    data = ";".join(f"{px:.1f},{py:.1f},{_text(_three(a))},{_three(b):g}" for px, py, a, b in points)
    out = [f'<g class="series s{s.slot}" data-series="{html.escape(s.name)}" data-points="{html.escape(data)}">']
    if s.low and s.high:
        band = [
            (x(a), y(lo), y(min(hi, 1e300)))
            for a, lo, hi in zip(s.x, s.low, s.high, strict=True)
            if math.isfinite(lo) and (a > 0 or not chart.log_x)
        ]
        upper = " ".join(f"{px:.1f},{hi:.1f}" for px, _, hi in band)
        lower = " ".join(f"{px:.1f},{lo:.1f}" for px, lo, _ in reversed(band))
        out.append(f'<polygon class="band" points="{upper} {lower}"/>')
    if points:
        out.append(f'<polyline points="{" ".join(f"{px:.1f},{py:.1f}" for px, py, *_ in points)}"/>')
    if s.dots:
        out += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3"/>' for px, py, *_ in points]
    for a, b in zip(s.x, s.y, strict=True):
        if not math.isfinite(b):
            px = x(a)
            mark = f'<path class="cross" d="M{px - 4:.1f} {_TOP}l8 8m0 -8l-8 8">'
            out.append(f"{mark}<title>{html.escape(s.name)} diverged</title></path>")
    return "".join([*out, "</g>"])


def _three(value: float) -> float:
    return float(f"{value:.3g}")


STYLE = """
.chart { font: 12px system-ui, sans-serif; }
.chart text { fill: var(--muted); } .chart .label { fill: var(--ink); }
.chart .grid { stroke: var(--grid); } .chart .axis { stroke: var(--muted); fill: none; }
.chart .rule { stroke: var(--muted); stroke-dasharray: 2 3; }
.chart .rule-label { font-size: 11px; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.chart .cursor { stroke: var(--muted); }
.series polyline { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.series .band { fill: var(--c); opacity: .13; } .series circle { fill: var(--c); }
.series .cross { stroke: var(--c); stroke-width: 1.8; fill: none; }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); } .s4 { --c: var(--c4); }
.s5 { --c: var(--c5); } .s6 { --c: var(--c6); } .s7 { --c: var(--c7); }
.s5 polyline, .s6 polyline, .s7 polyline { stroke-dasharray: 6 3; }
"""

COLOURS = """
:root { color-scheme: light dark; --paper: #fdfdfc; --card: #ffffff; --ink: #1c1e21; --muted: #5d646d; --grid: #e7e8ea;
  --edge: #dcdee1; --accent: #3a5bbf; --c0: #6b7280; --c1: #2f62c9; --c2: #d9480f; --c3: #2b8a3e; --c4: #a61e8f;
  --c5: #b7791f; --c6: #0b7285; --c7: #c92a2a; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --card: #1e2125; --ink: #e8eaed; --muted: #a3a9b2;
  --grid: #2c3036; --edge: #363b42; --accent: #9db4ff; --c0: #b0b7c1; --c1: #7ea6ff; --c2: #ff9466; --c3: #6fcf83;
  --c4: #ea8bd8; --c5: #e6b964; --c6: #62c9da; --c7: #ff8a8a; } }
"""


def standalone(chart: Chart) -> str:
    """The chart as an SVG file of its own, with a legend below."""
    style = f"<style>{COLOURS}{STYLE} svg {{ background: var(--paper); }}</style>"
    legend, rows = _legend(chart.series)
    height = HEIGHT + 20 * rows + 4
    drawn = svg(chart).replace(f"0 0 {WIDTH} {HEIGHT}", f"0 0 {WIDTH} {height}", 1).removesuffix("</svg>")
    head, rest = drawn.split(">", 1)
    title = f"<title>{html.escape(chart.title)}</title>"
    return f'{head} width="{2 * WIDTH}" height="{2 * height}">{title}{style}{rest}{legend}</svg>\n'


def _legend(series: Sequence[Series]) -> tuple[str, int]:
    """Names beside strokes of their colours, in as many rows as it takes."""
    parts, x, row = [], _LEFT, 0
    for s in series:
        width = 40 + 8 * len(s.name)
        if x + width > WIDTH and x > _LEFT:
            x, row = _LEFT, row + 1
        y = HEIGHT + 10 + 20 * row
        stroke = f'<g class="series s{s.slot}"><polyline points="{x},{y - 4} {x + 20},{y - 4}"/></g>'
        parts.append(f'{stroke}<text class="label" x="{x + 25}" y="{y}">{html.escape(s.name)}</text>')
        x += width
    return "".join(parts), row + 1


def swatch(slot: int) -> str:
    """A short stroke in a series' colour, for legends."""
    return (
        f'<svg class="swatch series s{slot}" viewBox="0 0 26 8" aria-hidden="true"><polyline points="0,4 26,4"/></svg>'
    )
