"""Pictures beyond the plain one: colours by a number, several passes, and computations that raised."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import viz
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.viz.metric import Metric
from tinygrad_opt.viz.trace import read


def chain():
    x = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True, name="x")
    return x, (x * 1e-3).sum()


def test_colour_by_gradient_writes_the_number_and_a_legend():
    x, loss = chain()
    picture = viz.graph(loss, color="gradient")
    assert re.search(r'label="x\\n\(4,\) float32\\n0.001"', picture.source)
    assert picture.notes[0] == (
        "Colour: root mean square of the gradient, from 0.001 (light) to 1 (dark), on a logarithmic scale."
    )
    colors = dict(re.findall(r"(\w+) \[class.*?metric=\"(#\w+)\"", picture.source))
    assert colors["leaf0"] == "#f3f7fc"
    assert "#0b2f66" in colors.values()
    assert x.grad is None


def test_colour_by_any_function_and_a_wrong_name():
    _, loss = chain()
    picture = viz.graph(loss, color=lambda value: value.size if value.shape else None)
    assert "from 4 (light) to 4 (dark)" in picture.notes[0]
    with pytest.raises(ValueError, match="gradient, ratio, dead, memory"):
        viz.graph(loss, color="gradients")


def test_dead_share_ratio_and_memory_are_what_they_say():
    x = tg.tensor(np.array([[1.0, -1.0, -2.0], [2.0, 3.0, -1.0]]), requires_grad=True)
    trace = read([tg.nn.functional.relu(x)])
    dead = Metric("dead", trace.values.values())
    assert list(dead.found.values()) == [1 / 3]  # only the last unit is 0 for both examples
    memory = Metric("memory", trace.values.values())
    assert set(memory.found.values()) == {48.0}
    weight = tg.tensor([3.0, 4.0], requires_grad=True, name="w")
    picture = viz.graph((weight * 10.0).sum(), color="ratio")
    assert f"{np.sqrt(200) / 5:.3g}" in picture.source


def test_a_nan_is_marked_in_red():
    x = tg.tensor([1.0], requires_grad=True)
    with np.errstate(invalid="ignore"):
        y = np.log(x - 2.0)
    metric = Metric(lambda value: float(value.array.sum()), read([y]).values.values())
    assert "#d03b2f" in {metric.color(key) for key in metric.found}


def test_forward_backward_and_double_backward_in_boxes():
    x = tg.tensor(2.0, requires_grad=True, name="x")
    loss = np.sin(x * x)
    first = tg.autograd.grad(loss, x, create_graph=True)
    second = tg.autograd.grad(first, x, create_graph=True)
    picture = viz.graph([loss, first, second], stages=True, values=True)
    boxes = [box.texts[0].text for box in picture.layout().clusters]
    assert sorted(boxes) == ["backward", "double backward", "forward"]
    exact = 2 * np.cos(4.0) - 16 * np.sin(4.0)
    assert f"{second.item():.4g}" == f"{exact:.4g}"
    assert f"second\\n{exact:.4g}" in picture.source
    named = viz.graph({"sin x²": loss, "its slope": first}, stages=True)
    assert sorted(box.texts[0].text for box in named.layout().clusters) == ["its slope", "sin x²"]


def test_the_graph_up_to_the_operation_that_raised():
    w = tg.tensor(np.ones((4, 3)), requires_grad=True)
    h = np.exp(np.ones((5, 4)) @ w)
    with pytest.raises(ShapeError) as caught:
        h @ w
    picture = viz.graph(caught.value)
    (label,) = re.findall(r'class="error".*? label="((?:[^"\\]|\\.)*)"', picture.source)
    assert label.startswith("matmul\\n")
    assert "(5, 3) @ (4, 3)" in label.replace("\\n", " ")
    assert '"w\\n(4, 3) float64"' in picture.source
    assert '"h\\n(5, 3) float64"' in picture.source
    assert len(re.findall(r"-> op", "\n".join(line for line in picture.body if "invis" not in line))) == 5


def test_a_failing_operation_of_one_array_keeps_what_led_to_it():
    w = tg.tensor(np.ones((2, 3)), requires_grad=True)
    h = np.exp(w)
    with pytest.raises(Exception, match="square") as caught:
        np.linalg.inv(h)
    source = viz.graph(caught.value).source
    assert 'class="error"' in source
    assert '"w\\n(2, 3) float64"' in source


def test_an_error_of_the_users_own_draws_what_was_computed():
    def step():
        x = tg.tensor(2.0, requires_grad=True)
        y = x * x
        raise KeyError(y.shape)

    with pytest.raises(KeyError) as caught:
        step()
    assert "y\\nscalar" in viz.graph(caught.value).source
    with pytest.raises(TypeError, match="traceback"):
        viz.graph(ValueError("nothing behind it"))


def test_of_a_layers_own_complaint_only_what_reached_it_is_drawn():
    other = tg.tensor(1.0, requires_grad=True) * 2.0  # no part of the failure
    model = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.Linear(5, 2))
    with pytest.raises(ShapeError) as caught:
        model(np.ones((2, 3), np.float32))
    picture = viz.graph(caught.value)
    assert other.shape == ()
    assert "multiply" not in picture.source
    assert "linear" in picture.source
    assert any("must be 5" in note for note in picture.notes)


def test_a_folded_result_keeps_its_own_number():
    x = tg.tensor(1.0, requires_grad=True, dtype=np.float64)
    for _ in range(200):
        x = x * 0.9 + 0.5
    result = re.findall(r'class="value result".*? label="((?:[^"\\]|\\.)*)"', viz.graph(x, values=True).source)
    assert result == ["x\\n5"]  # the fixed point, not the value after the one block that is drawn


def test_a_module_that_runs_twice_is_two_boxes():
    class Twice(tg.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.act = tg.nn.Linear(3, 3), tg.nn.Tanh()

        def forward(self, x):
            return self.act(self.fc(self.act(x)) * 2.0)

    picture = viz.graph(Twice(), np.ones((2, 3), np.float32))
    titles = [box.texts[0].text for box in picture.layout().clusters]
    assert sorted(titles) == ["act: Tanh", "fc: Linear"]  # the first tanh is of a constant and records nothing
    x = tg.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    titles = [box.texts[0].text for box in viz.graph(Twice(), x).layout().clusters]
    assert sorted(titles) == ["act: Tanh", "act: Tanh", "fc: Linear"]


def test_a_transformer_folds_to_one_layer():
    layer = tg.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    model = tg.nn.TransformerEncoder(layer, 4)
    x = np.ones((2, 3, 8), np.float32)
    picture = viz.graph(model, x, repeats=True)
    titles = {box.texts[0].text for box in picture.layout().clusters}
    assert "layers.0 … layers.3 × 4" in titles
    assert "self_attn: MultiheadAttention" in titles
    shallow = viz.graph(model, x, depth=2, repeats=True)
    assert shallow.source.count('class="module"') == 1


def test_source_lines_on_hover():
    x = tg.tensor(3.0, requires_grad=True)
    with tg.autograd.note_lines():
        y = x * x
        inside = tg.viz.graph(y).source
    assert "made at test_graph_more.py:" in inside
    assert "y = x * x" in inside
    assert "made at" not in tg.viz.graph(y).source
