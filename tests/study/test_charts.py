"""Charts are well-formed SVG whose points lie where their values say."""

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from tinygrad_opt.study.charts import Chart, Series, standalone, svg

NS = "{http://www.w3.org/2000/svg}"


def parsed(chart):
    return ET.fromstring(svg(chart))


def points(root):
    return [
        [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
        for line in root.iter(NS + "polyline")
    ]


def test_equal_steps_in_the_value_are_equal_steps_on_paper():
    (line,) = points(parsed(Chart("t", "x", "y", [Series("a", [0, 1, 2], [3, 2, 1])])))
    (x0, y0), (x1, y1), (x2, y2) = line
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y1 - y0 == pytest.approx(y2 - y1)
    assert y2 > y0  # lower values lie lower: further from the top


def test_equal_factors_are_equal_steps_on_logarithmic_paper():
    chart = Chart("t", "x", "y", [Series("a", [1, 10, 100], [1e-3, 1e-2, 1e-1])], log_x=True, log_y=True)
    (line,) = points(parsed(chart))
    (x0, y0), (x1, y1), (x2, y2) = line
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.11)
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.11)


def test_a_diverged_point_is_a_cross_and_not_part_of_the_line():
    root = parsed(Chart("t", "x", "y", [Series("a", [1, 2, 3], [1, 2, math.inf])]))
    assert [len(line) for line in points(root)] == [2]
    assert len([path for path in root.iter(NS + "path") if path.get("class") == "cross"]) == 1


@pytest.mark.parametrize(
    ("x", "y"),
    [([], []), ([1], [5]), ([0, 0], [1, 1]), ([1, 2], [math.inf, math.inf]), ([0, 10], [1e-12, 1e12])],
)
@pytest.mark.parametrize("log", [False, True])
def test_odd_data_gives_a_chart_all_the_same(x, y, log):
    text = svg(Chart("t", "x", "y", [Series("a", x, y)], log_x=log, log_y=log))
    ET.fromstring(text)
    assert "nan" not in text.lower()


def test_names_are_escaped_and_the_file_stands_alone():
    text = standalone(Chart("a < b", "x", "y", [Series('<script>"', [0, 1], [0, 1], [0, 0], [1, 1])]))
    root = ET.fromstring(text)
    assert root.find(NS + "title").text == "a < b"
    assert root.find(NS + "style") is not None
    assert '<script>"' in [label.text for label in root.iter(NS + "text")]  # the legend
    assert "<script>" not in text


def test_a_legend_stays_within_its_file():
    series = [Series(f"optimizer number {i}", [0, 1], [0, 1], slot=i) for i in range(8)]
    root = ET.fromstring(standalone(Chart("t", "x", "y", series)))
    _, _, width, height = map(float, root.get("viewBox").split())
    labels = [label for label in root.iter(NS + "text") if (label.text or "").startswith("optimizer number")]
    assert len(labels) == 8
    assert all(float(label.get("y")) < height for label in labels)
    assert all(float(label.get("x")) + 6 * len(label.text) < width for label in labels)


def test_ticks_are_round_and_labels_do_not_collide():
    root = parsed(Chart("t", "x", "y", [Series("a", [0, 250], [0.03, 37])], log_y=True))
    labels = [t for t in root.iter(NS + "text") if t.get("class") is None]
    heights = [float(t.get("y")) for t in labels if t.get("text-anchor") == "end" and float(t.get("x")) < 60]
    assert len(heights) >= 3
    gaps = [a - b for a, b in pairwise(heights)]
    assert min(gaps) > 13
