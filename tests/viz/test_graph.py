"""Pictures of graphs: every promise of ``viz.graph`` that a reader relies on."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET

import graphviz
import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import viz
from tinygrad_opt.autograd.modes import mode
from tinygrad_opt.errors import GradientError

SVG = "{http://www.w3.org/2000/svg}"


def edges(picture):
    """(tail, head) of each arrow that is drawn."""
    lines = [line for line in picture.body if "->" in line and 'style="invis"' not in line]
    return [tuple(re.match(r"\s*(\S+) -> (\S+)", line).groups()) for line in lines]


def nodes(picture, kind=""):
    """Labels of the nodes of a kind."""
    found = re.findall(r'\[class="([^"]*)".*? label="((?:[^"\\]|\\.)*)"', picture.source)
    return [label for classes, label in found if not kind or kind in classes.split()]


def texts(picture):
    return [text.text for text in ET.fromstring(picture.svg()).iter(f"{SVG}text")]


def test_is_a_digraph_with_values_and_operations_apart():
    a = tg.tensor(2.0, requires_grad=True, name="a")
    b = tg.tensor(3.0, requires_grad=True, name="b")
    picture = viz.graph(a * b + 1.0)
    assert isinstance(picture, graphviz.Digraph)
    assert len(nodes(picture, "operation")) == 2
    assert len(nodes(picture, "leaf")) == 2
    assert len(nodes(picture, "constant")) == 1
    assert len(nodes(picture, "computed")) == 1
    assert len(nodes(picture, "result")) == 1
    assert len(edges(picture)) == 2 + 1 + 2 + 1


def test_both_edges_of_x_times_x():
    x = tg.tensor(3.0, requires_grad=True, name="x")
    picture = viz.graph(x * x)
    drawn = edges(picture)
    assert len(drawn) == 3
    assert drawn[0] == drawn[1] or drawn[1] == drawn[2]
    assert len(picture.layout().edges) == 3


def test_shapes_dtypes_and_formulas_are_written():
    w = tg.tensor(np.ones((3, 4)), requires_grad=True, name="w")
    assert any("w\\n(3, 4) float64" in label for label in nodes(viz.graph(np.exp(w)), "leaf"))
    assert nodes(viz.graph(w * 2.0), "operation") == ["multiply\\na · b"]


def test_operands_are_marked_where_their_order_matters():
    a = tg.tensor(2.0, requires_grad=True, name="one")
    b = tg.tensor(3.0, requires_grad=True, name="two")
    assert viz.graph(a + b).source.count("headlabel") == 0
    source = viz.graph(a - b).source
    assert 'headlabel=" a "' in source
    assert 'headlabel=" b "' in source
    joined = np.concatenate([a.reshape(1), b.reshape(1), a.reshape(1)])
    assert [f'headlabel=" {i} "' in viz.graph(joined).source for i in (1, 2, 3, 4)] == [True] * 3 + [False]


def test_broadcasting_is_shown():
    x = tg.tensor(np.ones((32, 10)), requires_grad=True)
    bias = tg.tensor(np.ones(10), requires_grad=True)
    assert " (10,) → (32, 10) " in viz.graph(x + bias).source
    assert "→" not in viz.graph(x + x).source


def test_names_come_from_tensors_then_labels_then_local_variables():
    own = tg.tensor(1.0, requires_grad=True, name="own")
    local = tg.tensor(2.0, requires_grad=True)
    other = tg.tensor(3.0, requires_grad=True)
    result = own * local + other
    labels = "|".join(nodes(viz.graph(result, names={"mine": other})))
    assert all(name in labels for name in ("own", "local", "mine", "result"))
    assert "other" not in labels


def test_values_and_gradients_are_the_engines():
    a = tg.tensor(2.0, requires_grad=True, name="a")
    b = tg.tensor(-3.0, requires_grad=True, name="b")
    product = a * b
    labels = nodes(viz.graph(product * a, values=True, grads=True))
    assert "a\\n2\\ngrad −12" in labels  # d(a²b)/da = 2ab
    assert "b\\n−3\\ngrad 4" in labels
    assert "product\\n−6\\ngrad 2" in labels
    assert a.grad is None
    assert b.grad is None
    (product * a).backward()
    assert a.grad.item() == -12.0


def test_gradients_leave_hooks_and_retained_gradients_alone():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    middle = x * 2.0
    middle.retain_grad()
    calls = []
    middle.register_hook(lambda g: calls.append(1))
    loss = middle.sum()
    viz.graph(loss, grads=True)
    assert calls == []
    assert middle.grad is None
    loss.backward()
    assert calls == [1]
    np.testing.assert_array_equal(middle.grad.data, [1.0, 1.0])


def test_gradients_need_one_number():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GradientError, match="one number"):
        viz.graph(x * 2.0, grads=True)


def test_after_backward_the_picture_says_what_was_not_kept():
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.standard_normal((40, 40)), requires_grad=True, name="w")
    loss = np.exp(w * 2.0).sum()
    loss.backward()
    picture = viz.graph(loss, values=True, grads=True)
    assert any("test_graph.py" in note for note in picture.notes)
    assert any("not kept" in label for label in nodes(picture, "computed"))
    assert any(label.startswith("w\\n(40, 40) float64") for label in nodes(picture, "leaf"))


def test_large_arrays_are_summarised_and_bad_numbers_counted():
    data = np.linspace(-1.0, 1.0, 101)
    data[3] = np.nan
    x = tg.tensor(data, requires_grad=True, name="x")
    (label,) = nodes(viz.graph(x * 1.0, values=True), "leaf")
    assert "−1 … 1" in label
    assert "1 NaN" in label


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", 'say "hi" \\ & \\n', "a\nb", "重み", "&lt;b&gt;", "<b>", "x\x00\x1b\ud800"]
)
@pytest.mark.parametrize("format", ["svg", "dot"])
def test_names_of_any_kind_are_text_and_nothing_else(name, format):
    x = tg.tensor(3.0, requires_grad=True, name=name)
    mode.module = name.replace(".", "")
    try:
        y = x * x
    finally:
        mode.module = ""
    picture = viz.graph(y)
    text = picture.pipe(format).decode()
    assert "<script" not in text or format == "dot"
    if format == "svg":
        shown = name.translate({10: "⏎", 0: "␀", 27: "␛", 0xD800: "�"})
        assert texts(picture).count(shown) == 2  # the leaf and the module's box
        assert not list(ET.fromstring(text).iter("script"))


def test_modules_are_nested_boxes_and_collapse_to_a_depth():
    x = tg.tensor(np.ones((2, 3)), requires_grad=True, name="x")
    mode.module = "body.0"
    w = tg.tensor(np.ones((3, 3)), requires_grad=True, name="body.0.weight")
    h = x @ w
    mode.module = "body.1"
    h = np.exp(h)
    mode.module = ""
    loss = h.sum()
    full = viz.graph(loss)
    assert full.source.count("subgraph cluster_") == 3
    assert {"body", "body.0", "body.1"} <= set(texts(full))
    two = viz.graph(loss, depth=2)
    assert two.source.count("subgraph cluster_") == 1
    assert len(nodes(two, "module")) == 2
    assert any("1 parameter, 9 numbers" in label for label in nodes(two, "module"))
    one = viz.graph(loss, depth=1)
    assert [label.split("\\n")[0] for label in nodes(one, "module")] == ["body"]
    assert [label.split("\\n")[0] for label in nodes(viz.graph(loss, depth=0), "module")] == ["everything"]


def test_a_model_with_its_input_names_parameters_and_classes():
    model = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.ReLU(), tg.nn.Linear(8, 2))
    shown = texts(viz.graph(model, tg.tensor(np.ones((5, 4)), dtype=np.float32)))
    assert {"0: Linear", "1: ReLU", "2: Linear", "0.weight", "2.bias"} <= set(shown)


def test_several_results_and_what_is_not_a_tensor():
    x = tg.tensor(2.0, requires_grad=True, name="x")
    picture = viz.graph({"square": x * x, "twice": x + x})
    assert sorted(label.split("\\n")[0] for label in nodes(picture, "result")) == ["square", "twice"]
    assert len(nodes(picture, "leaf")) == 1
    assert len(nodes(viz.graph([x * x, x + x]), "result")) == 2
    with pytest.raises(TypeError, match="expected a Tensor"):
        viz.graph(3.0)
    with pytest.raises(TypeError, match="no Tensor"):
        viz.graph([])
    assert viz.graph(tg.tensor(1.0)).svg()


def test_doubling_sixty_times_is_drawn_at_once():
    x = tg.tensor(1.0, requires_grad=True)
    viz.graph(x + x).svg()  # the first picture starts Graphviz
    for _ in range(60):
        x = x + x
    start = time.process_time()
    picture = viz.graph(x)
    svg = picture.svg()
    assert time.process_time() - start < 1.0
    assert len(edges(picture)) == 180
    assert svg.count('class="edge"') == 180


def test_a_long_chain_folds_into_one_repetition():
    x = tg.tensor(1.0, requires_grad=True)
    for _ in range(5000):
        x = x * 0.9 + 0.5
    start = time.process_time()
    picture = viz.graph(x)
    picture.svg()
    assert time.process_time() - start < 5.0
    assert len(nodes(picture, "operation")) == 2
    assert "2 operations × 5000" in texts(picture)
    assert picture.notes == ["2 operations: 5000 blocks of the same structure, the first one drawn."]


def test_ten_thousand_irregular_operations_fold_into_stretches():
    rng = np.random.default_rng(0)
    values = [tg.tensor(1.0, requires_grad=True)]
    for _ in range(10_000):
        other = values[rng.integers(max(0, len(values) - 30), len(values))]
        values.append(other * 0.1 + values[-1] * 0.5 if rng.random() < 0.5 else np.exp(-other * 0.1))
    start = time.process_time()
    picture = viz.graph(values[-1])
    picture.svg()
    assert time.process_time() - start < 5.0
    assert len(nodes(picture)) < 300
    assert "stretches" in picture.notes[0]


def transformer(blocks=12, width=4):
    def weight(name):
        return tg.tensor(np.full((width, width), 0.01), requires_grad=True, name=name)

    h = tg.tensor(np.ones((2, width)), requires_grad=True, name="tokens")
    for i in range(blocks):
        mode.module = f"blocks.{i}.attention"
        a = np.exp(-h @ weight(f"blocks.{i}.attention.q")) @ weight(f"blocks.{i}.attention.o")
        mode.module = f"blocks.{i}"
        h = h + a
        mode.module = f"blocks.{i}.mlp"
        m = np.exp(-h @ weight(f"blocks.{i}.mlp.weight"))
        mode.module = f"blocks.{i}"
        h = h + m
    mode.module = ""
    return h.sum()


def test_repeated_blocks_are_drawn_once_and_say_how_often():
    loss = transformer()
    picture = viz.graph(loss, repeats=True)
    assert "blocks.0 … blocks.11 × 12" in texts(picture)
    assert len(nodes(picture, "operation")) == 10
    shallow = viz.graph(loss, depth=2, repeats=True)
    assert len(nodes(shallow, "module")) == 1
    assert "blocks.0 … blocks.11 × 12" in texts(shallow)
    assert len(nodes(viz.graph(loss, repeats=False), "operation")) == 9 * 12 + 1


def test_folding_never_makes_a_cycle():
    for limit in (5, 10, 40):
        for depth in (None, 0, 1, 2):
            arrows = edges(viz.graph(transformer(6), depth=depth, limit=limit, repeats=False))
            after = {}
            for tail, head in arrows:
                after.setdefault(tail, set()).add(head)
            done, path = set(), set()

            def visit(node, after=after, done=done, path=path):
                assert node not in path
                if node not in done:
                    path.add(node)
                    for following in after.get(node, ()):
                        visit(following)
                    path.discard(node)
                    done.add(node)

            for node in list(after):
                visit(node)


def test_each_theme_is_drawn_and_auto_follows_the_reader():
    x = tg.tensor(3.0, requires_grad=True)
    light, dark, auto = (viz.graph(x * x, theme=theme).svg() for theme in ("light", "dark", "auto"))
    assert "#ffffff" in light
    assert "#12171f" in dark
    assert "prefers-color-scheme:dark" in auto
    assert "prefers-color-scheme" not in light


def test_modules_collapse_by_themselves_when_there_are_many():
    x = tg.tensor(np.ones(2), requires_grad=True)
    for i in range(50):
        for j in range(i % 7 + 2):  # blocks of different lengths: nothing repeats
            mode.module = f"stage{i % 3}.block{i}.{j}"
            x = np.exp(-x) if (i * j) % 3 else x * 0.5
    mode.module = ""
    picture = viz.graph(x.sum(), limit=60, repeats=False)
    assert "collapsed at depth 2" in picture.notes[0]
    assert len(nodes(picture, "module")) == 50
    stretches = viz.graph(x.sum(), limit=20, repeats=False)
    assert 2 < len(nodes(stretches, "stretch")) <= 11
    assert "stage0.block0.0 … " in nodes(stretches, "stretch")[0]


def test_operations_with_several_outputs_draw_only_those_that_are_used():
    x = tg.tensor(np.diag([2.0, 3.0]), requires_grad=True, name="x")
    q, r = np.linalg.qr(x)
    picture = viz.graph((r * r).sum(), values=True, grads=True)
    drawn = nodes(picture, "computed")
    assert len(nodes(picture, "operation")) == 3
    assert len(drawn) == 2
    assert any(label.startswith("r\\n(2, 2) float64") for label in drawn)
    assert 'taillabel=" 1 "' in picture.source
    both = viz.graph((r * r).sum() + q.sum())
    assert 'taillabel=" 0 "' in both.source
    assert 'taillabel=" 1 "' in both.source


def test_the_way_into_a_module_is_one_edge_past_its_parameters():
    model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Tanh(), tg.nn.Linear(3, 2))
    layout = viz.graph(model, np.ones((4, 2), np.float32)).layout()
    names = {node.name for node in layout.nodes}
    assert not any(name.startswith("via") for name in names)
    assert all({edge.tail, edge.head} <= names for edge in layout.edges)
    assert len(layout.edges) == 3 + 4 + 2 + 1  # three results, four parameters, two values between, one input
    operations = [node for node in layout.nodes if node.attributes["class"] == "operation"]
    assert np.ptp([node.x for node in operations]) < 12  # one under the other
