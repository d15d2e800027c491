"""The backprop page in a real browser: every control, the keyboard, narrow and wide screens."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import viz

By = pytest.importorskip("selenium.webdriver.common.by").By
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    a = tg.tensor(2.0, requires_grad=True, dtype=np.float64, name="<img src=x onerror=alert(1)>")
    b = tg.tensor(-3.0, requires_grad=True, dtype=np.float64, name="b")
    y = a * b
    loss = np.sin(y) * y + y / 10.0
    path = viz.stepper(loss, tmp_path_factory.mktemp("pages") / "page.html")
    loss.backward()
    return path, a.grad.item(), b.grad.item()


def where(browser):
    return browser.find_element(By.ID, "where").text


def press(browser, *keys):
    for key in keys:
        browser.find_element(By.TAG_NAME, "body").send_keys(key)


def test_buttons_keys_and_slider_all_walk(open_page, page):
    browser = open_page(page[0])
    assert where(browser) == "forward, 1 of 13"
    browser.find_element(By.ID, "next").click()
    assert where(browser) == "forward, 2 of 13"
    press(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert where(browser) == "forward, 3 of 13"
    browser.find_element(By.ID, "last").click()
    assert where(browser) == "backward, 13 of 13"
    assert not browser.find_element(By.ID, "next").is_enabled()
    browser.find_element(By.ID, "previous").click()
    assert where(browser) == "backward, 12 of 13"
    browser.find_element(By.ID, "first").click()
    assert not browser.find_element(By.ID, "previous").is_enabled()
    slider = browser.find_element(By.ID, "slider")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert where(browser) == "forward, 2 of 13"
    assert slider.get_attribute("value") == "1"
    assert "Step 2 of 13" in slider.get_attribute("aria-valuetext")
    press(browser, Keys.END)
    assert where(browser) == "backward, 13 of 13"
    press(browser, Keys.HOME)
    assert where(browser) == "forward, 1 of 13"


def test_a_link_opens_a_step(open_page, page, browser):
    open_page(page[0])
    browser.get("about:blank")
    browser.get(page[0].as_uri() + "#5")
    assert where(browser) == "forward, 5 of 13"


def test_play_runs_and_pauses(open_page, page):
    browser = open_page(page[0])
    button = browser.find_element(By.ID, "play")
    press(browser, " ")
    assert button.get_attribute("aria-pressed") == "true"
    assert button.text == "Pause"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"


def test_numbers_on_the_page_are_the_engines(open_page, page):
    path, da, db = page
    browser = open_page(path)
    press(browser, Keys.END)
    cells = [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "#panel td")]
    assert cells == [f"{da:.4g}".replace("-", "−"), f"{db:.4g}".replace("-", "−")]
    grads = {text.get_attribute("textContent") for text in browser.find_elements(By.CSS_SELECTOR, ".has-grad .l-grad")}
    assert f"grad {da:.4g}".replace("-", "−") in grads


def test_the_wrong_order_shows_its_wrong_result(open_page, page):
    path, da, _ = page
    browser = open_page(path)
    browser.find_element(By.ID, "wrong").click()
    press(browser, Keys.END)
    text = browser.find_element(By.ID, "panel").text
    assert "too late" in text
    assert text.count("wrong") == 2
    assert f"{da:.4g}".replace("-", "−") in text


def test_values_appear_and_gradients_follow(open_page, page):
    browser = open_page(page[0])
    count = lambda selector: len(browser.find_elements(By.CSS_SELECTOR, selector))
    assert count(".node.value.pending") == 5
    assert count(".has-grad") == 0
    for _ in range(5):
        press(browser, Keys.ARROW_RIGHT)
    assert count(".node.value.pending") == 0
    press(browser, Keys.ARROW_RIGHT)
    assert count(".has-grad") == 1
    press(browser, Keys.END)
    assert count(".has-grad") == 7


@pytest.mark.parametrize("width", [320, 1280, 1920])
def test_nothing_hangs_over_the_edge_and_names_stay_text(open_page, page, width):
    browser = open_page(page[0], width, 900)
    for _ in range(12):
        press(browser, Keys.ARROW_RIGHT)
        over = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
        assert over <= 0
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert "<img src=x" in browser.find_element(By.ID, "panel").text


def test_a_screen_reader_hears_each_step(open_page, page):
    browser = open_page(page[0])
    assert browser.find_element(By.ID, "panel").get_attribute("aria-live") == "polite"
    for button in browser.find_elements(By.TAG_NAME, "button"):
        assert button.get_attribute("aria-label")
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
