"""The usual plots: what they show is what they were given, and they draw where they are told."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn, viz
from tinygrad_opt.errors import ShapeError

figure = pytest.importorskip("matplotlib.figure")


@pytest.fixture
def ax():
    return figure.Figure().add_subplot()


def test_learning_curves_draw_the_mean_and_a_95_percent_interval(ax):
    runs = np.array([[4.0, 2.0], [2.0, 1.0], [3.0, 3.0]])
    assert viz.learning_curves({"Adam": runs, "SGD": [5.0, 4.0]}, ax=ax) is ax
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [3.0, 2.0])
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    half = 1.959963985 * 1.0 / np.sqrt(3)
    assert band.max() == pytest.approx(3.0 + half)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Adam", "SGD"]
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize("columns", [1, 2])
def test_decision_boundary_lies_where_the_model_changes_its_mind(ax, columns):
    x = np.array([[-1.0, 0.0], [1.0, 0.0], [-1.0, 1.0], [1.0, 1.0]])

    def predict(points):
        score = 50 * tg.tensor(points)[:, :1]
        return score if columns == 1 else np.concatenate([-score, score], axis=1)

    assert viz.decision_boundary(predict, x, [0, 1, 0, 1], ax=ax) is ax
    colors = ax.images[0].get_array()
    left, right = colors[0, 0], colors[0, -1]
    assert left[2] > left[0]  # blue for class 0
    assert right[0] > right[2]  # orange for class 1
    with pytest.raises(ShapeError, match="two features"):
        viz.decision_boundary(predict, np.ones((4, 3)), [0, 1, 0, 1], ax=ax)


def test_confusion_matrix_counts(ax):
    assert viz.confusion_matrix([0, 0, 1, 2, 2], [0, 1, 1, 2, 0], labels=["cat", "dog", "emu"], ax=ax) is ax
    shown = {(t.get_position()[1], t.get_position()[0]): t.get_text() for t in ax.texts}
    assert shown == {(0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 2): "1", (2, 0): "1"}
    assert ax.get_title() == "60.0% right"
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog", "emu"]
    with pytest.raises(ShapeError, match="argmax"):
        viz.confusion_matrix([0, 1], [[0.1, 0.9], [0.3, 0.7]], ax=ax)


def test_images_are_tiled_with_zero_in_the_middle(ax):
    tiles = np.arange(24.0).reshape(6, 2, 2) - 10
    assert viz.images(tiles, columns=3, ax=ax) is ax
    sheet = ax.images[0].get_array()
    assert sheet.shape == (5, 8)
    np.testing.assert_array_equal(sheet[3:5, 6:8], tiles[5])
    assert ax.images[0].get_clim() == (-13.0, 13.0)


@pytest.mark.parametrize("shape", [(4, 9), (4, 3, 5, 5), (4, 5, 5, 3), (4, 8, 3, 3)])
def test_images_of_every_layout(ax, shape):
    assert viz.images(np.random.default_rng(0).random(shape), ax=ax) is ax


def test_images_that_are_none_say_why(ax):
    with pytest.raises(ShapeError, match="no squares"):
        viz.images(np.ones((4, 7)), ax=ax)
    with pytest.raises(ShapeError, match="expected"):
        viz.images(np.ones(7), ax=ax)


def test_histograms_of_weights_and_gradients(ax):
    model = nn.Linear(20, 10)
    assert viz.histograms(model, ax=ax) is ax
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["weight", "bias"]
    assert ax.patches[0].get_data().values.sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="backward"):
        viz.histograms(model, grads=True, ax=ax)
    model(np.ones((2, 20), np.float32)).sum().backward()
    assert viz.histograms(model, grads=True, ax=ax).get_xlabel() == "gradient"


def test_schedules_of_functions_and_lists(ax):
    assert viz.schedule({"cosine": lambda step: 1 + np.cos(step), "list": [1.0, 2.0]}, steps=3, ax=ax) is ax
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 1 + np.cos([0, 1, 2]))
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [1.0, 2.0])
    with pytest.raises(ValueError, match="how many steps"):
        viz.schedule(lambda step: 0.1, ax=ax)


def test_attention_averages_heads_and_names_tokens(ax):
    weights = np.stack([np.eye(3), np.ones((3, 3)) / 3])
    assert viz.attention(weights, queries=["a", "$b$", "c"], ax=ax) is ax
    np.testing.assert_allclose(ax.images[0].get_array(), weights.mean(axis=0))
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", r"\$b\$", "c"]
    with pytest.raises(ShapeError, match="queries, keys"):
        viz.attention([1.0], ax=ax)


def test_without_axes_a_figure_is_made():
    import matplotlib

    before = matplotlib.get_backend()
    matplotlib.use("Agg")
    try:
        ax = viz.schedule([1.0, 0.5])
        assert ax.figure.axes == [ax]
        matplotlib.pyplot.close(ax.figure)
    finally:
        matplotlib.use(before)


def test_activations_are_those_of_the_layers(ax):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    x = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    ax = viz.histograms(model, x, bins=20, ax=ax)
    outlines = {patch.get_label(): patch.get_data() for patch in ax.patches}
    assert list(outlines) == ["0", "1"]
    out = model(x).data
    edges = outlines["1"].edges
    np.testing.assert_allclose(outlines["1"].values, np.histogram(out, edges)[0] / out.size)
    with pytest.raises(ValueError, match=r"viz\.flow"):
        viz.histograms(model, x, grads=True)


@pytest.mark.parametrize("name", ["$a_b$", "_first", r"$\nonsense{$", "<script>alert(1)</script>", 'a\nb & "c"'])
def test_names_of_any_kind_stay_text(name, ax):
    ax = viz.learning_curves({name: [1.0, 0.5], "other": [1.0, 0.7]}, ax=ax)
    assert len(ax.get_legend().get_texts()) == 2
    with pytest.importorskip("matplotlib").rc_context({"svg.fonttype": "none"}):
        out = io.StringIO()
        ax.figure.savefig(out, format="svg")
    texts = [text.strip("\u200b") for text in ElementTree.fromstring(out.getvalue()).itertext()]
    assert name.replace("\n", "⏎") in [text.strip() for text in texts]
