"""The backprop page: its walk equals the engine's pass, its text is harmless, and every control works in a browser."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import viz
from tinygrad_opt.errors import FreedGraphError, GradientError
from tinygrad_opt.viz.mathml import formula_math
from tinygrad_opt.viz.trace import read
from tinygrad_opt.viz.walk import walk, walk_wrongly


def fan_out():
    a = tg.tensor(2.0, requires_grad=True, dtype=np.float64, name="a")
    b = tg.tensor(-3.0, requires_grad=True, dtype=np.float64, name="b")
    y = a * b
    return a, b, np.sin(y) * y + y / 10.0


def network():
    rng = np.random.default_rng(1)
    w = tg.tensor(rng.standard_normal((2, 3)), requires_grad=True, name="w")
    bias = tg.tensor(np.zeros(3), requires_grad=True, name="bias")
    h = np.tanh(rng.standard_normal((4, 2)) @ w + bias)
    return w, bias, (h * h).mean() + (w * w).sum() * 0.01


def data_of(path):
    text = re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL).group(1)
    return json.loads(text)


@pytest.mark.parametrize("make", [fan_out, network])
def test_the_walk_gives_the_engines_gradients(make):
    *leaves, loss = make()
    trace = read([loss])
    found = walk(trace, loss).gradients
    loss.backward()
    for leaf in leaves:
        value = trace.values[id(leaf._node)]
        np.testing.assert_allclose(found[value.key], leaf.grad.data, rtol=1e-14)


def test_the_walk_passes_operations_with_several_outputs():
    x = tg.tensor(np.arange(1.0, 7.0), requires_grad=True)
    first, second, _ = np.split(x, 3)
    loss = (first * second).sum()
    trace = read([loss])
    (gradient,) = (walk(trace, loss).gradients[v.key] for v in trace.values.values() if v.kind == "leaf")
    np.testing.assert_array_equal(gradient, [3.0, 4.0, 1.0, 2.0, 0.0, 0.0])


def test_the_wrong_order_loses_what_comes_late():
    a, _, loss = fan_out()
    trace = read([loss])
    right, wrong = walk(trace, loss), walk_wrongly(trace, loss)
    key = trace.values[id(a._node)].key
    assert len(right.late) == 0
    assert len(wrong.late) > 0
    assert wrong.gradients[key] != right.gradients[key]
    x = tg.tensor(2.0, requires_grad=True)
    chain = np.exp(x * 3.0)
    assert walk_wrongly(read([chain]), chain).late == []


def test_the_page_has_a_step_for_every_operation_each_way(tmp_path):
    a, _, loss = fan_out()
    path = viz.stepper(loss, tmp_path / "new" / "page.html")
    data = data_of(path)
    assert len(data["forward"]) == 1 + 5
    assert len(data["right"]) == 1 + 5 + 1
    shown = data["right"][-1]["grads"][next(v.key for v in read([loss]).values.values() if v.name == "a")]
    loss.backward()
    assert shown == [f"grad {a.grad.item():.4g}"]
    page = path.read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


def test_sums_over_broadcast_axes_are_explained(tmp_path):
    *_, loss = network()
    steps = data_of(viz.stepper(loss, tmp_path / "page.html"))["right"]
    assert any("was repeated to (4, 3)" in step["html"] and "bias" in step["html"] for step in steps)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</script><b>", "q\"u'o & t", "重み %%DATA%%", "a\nb"])
def test_names_are_text_on_the_page(tmp_path, name):
    x = tg.tensor(2.0, requires_grad=True, name=name)
    page = viz.stepper(x * x, tmp_path / "p.html", title=name).read_text(encoding="utf-8")
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<b>" not in re.sub(r"\\u003cb\\u003e", "", page).replace("<b></b>", "")


def test_what_cannot_be_walked_says_why(tmp_path):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GradientError, match="one number"):
        viz.stepper(x * 2.0, tmp_path / "p.html")
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(FreedGraphError, match="before backward"):
        viz.stepper(loss, tmp_path / "p.html")
    for _ in range(401):
        x = x * 1.0
    with pytest.raises(ValueError, match="too many"):
        viz.stepper(x.sum(), tmp_path / "p.html")
    assert list(tmp_path.iterdir()) == []


def test_formulas_become_mathematics():
    assert formula_math("g / (2√x)") == ("<mi>g</mi><mo>/</mo><mo>(</mo><mn>2</mn><msqrt><mi>x</mi></msqrt><mo>)</mo>")
    assert formula_math("aᵇ⁻¹") == "<msup><mi>a</mi><mrow><mi>b</mi><mo>−</mo><mn>1</mn></mrow></msup>"
    assert formula_math("a < b") == "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"


def test_every_formula_of_every_primitive_is_well_formed():
    import xml.etree.ElementTree as ET

    from tinygrad_opt.autograd.registry import primitives

    for primitive in primitives.values():
        rules = [primitive.gradient] if isinstance(primitive.gradient, str) else list(primitive.gradient or [])
        for text in [primitive.formula, *rules]:
            for values in (
                None,
                {"x": np.array(-2.0), "a": np.array([1.0, 2.0]), "b": np.array(0.5), "g": np.array(1.0)},
            ):
                ET.fromstring(f"<math>{formula_math(text or '', values)}</math>")


def test_a_rule_is_written_with_the_operands_own_names(tmp_path):
    p = tg.tensor(2.0, requires_grad=True, dtype=np.float64, name="p")
    q = tg.tensor(-3.0, requires_grad=True, dtype=np.float64, name="q")
    data = data_of(viz.stepper(p * q, tmp_path / "page.html"))
    assert "<mi>p</mi><mo>·</mo><mi>q</mi>" in data["forward"][1]["html"]
    assert "<mi>g</mi><mo>·</mo><mi>q</mi>" in data["right"][1]["html"]


def test_a_share_of_a_gradient_is_not_called_the_gradient(tmp_path):
    x = tg.tensor(3.0, requires_grad=True, dtype=np.float64, name="x")
    data = data_of(viz.stepper(x * x, tmp_path / "page.html"))
    html = data["right"][1]["html"]
    assert html.count("one of 2 shares <i>s</i>") == 2
    assert html.count("<mi>s</mi><mo>=</mo>") == 4
    assert "<mi>∂</mi><mi>x</mi>" not in html  # ∂result/∂x is the sum of both


def test_large_gradients_that_are_summed_are_each_told(tmp_path):
    x = tg.tensor(np.arange(100.0), requires_grad=True, name="x")
    y = x * 2.0
    data = data_of(viz.stepper((np.exp(-y) + np.tanh(y)).sum(), tmp_path / "page.html"))
    html = data["right"][-2]["html"]
    assert "from tanh, (100,)" in html
    assert "the sum g, (100,)" in html


def test_words_in_a_formula_stay_apart():
    assert formula_math("Σ g over the rows").count("<mspace") == 4
