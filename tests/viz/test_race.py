"""Races: the paths are those of the optimizers, the parts of a step add up, bad runs end, the page tells the same."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim, viz


def bowl(x, y):
    return 0.5 * (x * x + 10.0 * y * y)


MAKERS = {
    "Momentum": lambda params: optim.Momentum(params, lr=0.1, beta=0.9),
    "Adam": lambda params: optim.Adam(params, lr=0.1),
    "SGD": lambda params: optim.SGD(params, lr=0.1),
}


@pytest.fixture(scope="module")
def result():
    return viz.race(bowl, MAKERS, starts=[(1.0, 1.0), (-1.0, 0.5)], steps=20, noise=0.1, bounds=(-2, 2, -2, 2))


def test_momentum_follows_the_formula_written_out_by_hand(result):
    theta, v = np.array([1.0, 1.0]), np.zeros(2)
    for point in result.runs["Momentum", 0, False].points:
        np.testing.assert_allclose(point, theta, rtol=1e-12, atol=1e-15)
        g = theta * [1.0, 10.0]
        v = 0.9 * v + 0.1 * g
        theta = theta - 0.1 * v


def test_the_parts_of_a_step_are_memory_and_this_gradient(result):
    run = result.runs["Momentum", 0, False]
    here = run.steps - run.memory
    np.testing.assert_allclose(here, -0.1 * 0.1 * run.gradients, atol=1e-14)
    np.testing.assert_array_equal(result.runs["SGD", 0, False].memory, 0.0)


def test_the_terms_of_each_step_are_those_of_the_paper(result):
    run = result.runs["Adam", 0, True]
    assert list(run.terms) == ["m", "v", "m\u0302", "v\u0302"]
    m = v = np.zeros(2)
    for t, g in enumerate(run.gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        right = m, v, m / (1 - 0.9**t), v / (1 - 0.999**t)
        for term, expected in zip(run.terms.values(), right, strict=True):
            np.testing.assert_allclose(term[t - 1], expected, rtol=1e-12)
        np.testing.assert_allclose(
            run.steps[t - 1], -0.1 * right[2] / (np.sqrt(right[3]) + 1e-8), rtol=1e-9, atol=1e-15
        )
    assert "√v̂" in run.formula


@pytest.mark.parametrize("name", list(MAKERS))
def test_looking_at_the_memory_does_not_disturb_the_run(result, name):
    point = tg.tensor([-1.0, 0.5], requires_grad=True, dtype=np.float64)
    optimizer = MAKERS[name]([point])
    for expected in result.runs[name, 1, False].points:
        np.testing.assert_allclose(point.data, expected, rtol=1e-12)
        optimizer.zero_grad()
        bowl(point[0], point[1]).backward()
        optimizer.step()


def test_noise_is_the_same_for_every_optimizer(result):
    first = [
        result.runs[name, 0, True].gradients[0] - result.runs[name, 0, False].gradients[0] for name in result.labels
    ]
    np.testing.assert_allclose(first[0], first[1])
    np.testing.assert_allclose(first[0], first[2])
    assert np.abs(first[0]).max() > 0


def test_a_run_that_diverges_ends_and_leaves_the_others_alone():
    one = viz.race(bowl, {"SGD": lambda p: optim.SGD(p, lr=1.0)}, starts=[(1.0, 1.0), (1.0, 0.0)], steps=60, noise=0.0)
    wild, calm = one.runs["SGD", 0, False], one.runs["SGD", 1, False]
    assert len(wild.points) < 20
    assert np.isfinite(wild.points).all()
    assert len(wild.gradients) == len(wild.memory) == len(wild.points) - 1 == len(wild.losses) - 1
    assert len(calm.points) == 61
    np.testing.assert_allclose(calm.points[-1], [0.0, 0.0], atol=1e-12)


def test_by_default_each_optimizer_is_tuned_and_all_get_nearer():
    result = viz.race("valley", starts=1, steps=40, noise=0.0)
    assert len(result.labels) == 5
    for name, label in result.labels.items():
        assert re.fullmatch(rf"{name}, lr [\d.e-]+", label)
        losses = result.runs[name, 0, False].losses
        assert losses[-1] < losses[0]
    with pytest.raises(ValueError, match="rosenbrock"):
        viz.race("mountain")


def test_pictures_return_the_axes_they_were_given(result):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    for draw in (result.plot, result.plot_losses, result.plot_steps):
        ax = Figure().add_subplot()
        assert draw(ax) is ax
        assert ax.get_legend() is not None
    ax = Figure().add_subplot(projection="3d")
    assert result.plot_surface(ax, noisy=True) is ax


def test_the_page_holds_the_engines_numbers(result, tmp_path):
    path = result.page(tmp_path / "new" / "race.html")
    data = json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL).group(1))
    shown = np.array(data["runs"][1][1][0]["points"])
    np.testing.assert_allclose(shown, result.runs["Adam", 0, True].points, rtol=1e-5, atol=1e-12)


@pytest.mark.browser
class TestPage:
    @pytest.fixture
    def page(self, open_page, result, tmp_path):
        return open_page(result.page(tmp_path / "race.html"))

    def find(self, page, css):
        return page.find_elements("css selector", css)

    def test_every_control_works(self, page):
        where = lambda: self.find(page, "#where")[0].text
        table = lambda: self.find(page, "#terms")[0].text
        assert where() == "after 12 of 20"
        for button, expected in (("first", 0), ("next", 1), ("next", 2), ("previous", 1), ("last", 20)):
            page.find_element("id", button).click()
            assert where() == f"after {expected} of 20"
        body = page.find_element("tag name", "body")
        body.send_keys("\ue011")  # Home
        body.send_keys("\ue014")  # right arrow
        assert where() == "after 1 of 20"
        assert len(self.find(page, "#terms tbody tr")) == 3
        self.find(page, "#toggles input")[1].click()
        assert len(self.find(page, "#terms tbody tr")) == 2
        assert "Adam" not in table()
        before = table()
        page.find_element("id", "noise").click()
        assert table() != before
        page.find_element("id", "start").send_keys("2")
        assert self.find(page, "#terms tbody td")[0].text != before
        page.find_element("id", "all").click()
        page.find_element("id", "play").click()
        assert page.find_element("id", "play").get_attribute("aria-pressed") == "true"
        page.find_element("id", "play").click()
        assert page.find_element("id", "play").get_attribute("aria-pressed") == "false"

    def test_the_table_shows_the_step_in_its_parts(self, page, result):
        page.find_element("id", "first").click()
        page.find_element("id", "next").click()
        cells = [cell.text for cell in self.find(page, "#terms tbody tr:first-child td")]
        run = result.runs["Momentum", 0, False]
        shown = [[float(x) for x in cell.replace("−", "-").strip("()").split(",")] for cell in cells[1:]]
        expected = [run.steps[1], run.steps[1] - run.memory[1], run.memory[1]]
        np.testing.assert_allclose(shown, expected, rtol=6e-3)

    def test_a_card_for_each_optimizer_holds_the_terms_of_its_step(self, page, result):
        page.find_element("id", "first").click()
        page.find_element("id", "next").click()
        cards = self.find(page, ".card")
        assert len(cards) == 3
        rows = [row.text.split() for row in cards[1].find_elements("css selector", "tbody tr")]
        run = result.runs["Adam", 0, False]
        assert [row[0] for row in rows] == ["∇f", "m", "v", "m\u0302", "v\u0302", "Δ"]
        shown = [[float(x.replace("−", "-")) for x in row[1:]] for row in rows]
        terms = [term[1] for term in run.terms.values()]
        np.testing.assert_allclose(shown, [run.gradients[1], *terms, run.steps[1]], rtol=6e-2)
        assert "√v̂" in cards[1].text
        page.find_element("id", "last").click()
        assert self.find(page, ".card") == []

    def test_a_link_opens_a_step_in_three_dimensions(self, page, browser):
        path = page.current_url
        browser.get("about:blank")
        browser.get(path + "#7-3d")
        assert page.find_element("id", "where").text == "after 7 of 20"
        assert page.find_element("id", "solid").is_selected()
        assert page.find_element("id", "turn").is_displayed()

    def test_three_dimensions_turn_by_keys_and_by_hand(self, page):
        from selenium.webdriver import ActionChains

        picture = lambda: page.execute_script("return document.getElementById('surface').toDataURL()")
        surface = page.find_element("id", "surface")
        flat = picture()
        page.find_element("id", "solid").click()
        assert page.find_element("id", "turn").is_displayed()
        solid = picture()
        where = page.find_element("id", "where").text
        surface.send_keys("\ue014")  # right arrow: turns the picture, and takes no step
        turned = picture()
        assert page.find_element("id", "where").text == where
        ActionChains(page).drag_and_drop_by_offset(surface, 60, 20).perform()
        assert len({flat, solid, turned, picture()}) == 4
        page.find_element("id", "solid").click()
        assert picture() == flat

    @pytest.mark.parametrize("width", [320, 1280, 1920])
    def test_nothing_hangs_over_the_edge(self, open_page, result, tmp_path, width):
        page = open_page(result.page(tmp_path / "race.html"), width, 900)
        assert page.execute_script("return document.documentElement.scrollWidth - innerWidth") <= 0
        painted = "return document.getElementById('surface').getContext('2d').getImageData(9, 9, 1, 1).data[3]"
        assert page.execute_script(painted) == 255
