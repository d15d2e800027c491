"""The page holds what it should, and its script does what it should in a real browser."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from tinygrad_opt.study import Plan, Records, collect, quick, run
from tinygrad_opt.study.figures import figures
from tinygrad_opt.study.forms import arms
from tinygrad_opt.study.page import page
from tinygrad_opt.study.publish import publish
from tinygrad_opt.study.summary import summarize


@pytest.fixture(scope="module")
def study():
    rules = quick(steps=20, trials=3, centre=-1.0, final_seeds=2, evaluations=5, cosine=True)
    plan = Plan(("moons", "valley"), ("sgd", "adam"), rules, arms("moons", 20))
    store = Records()
    run(plan, store)
    summary = summarize(plan, *collect(plan, store))
    return summary, figures(summary)


def test_the_answer_comes_first_and_everything_else_follows(study):
    text = page(*study)
    places = [
        text.index(part)
        for part in (
            study[0]["answer"][0],
            "All tasks together" if len(study[0]["overall"]["tasks"]) > 1 else "Overall",
            'id="moons"',
            "With a cosine schedule",
            'id="valley"',
            "What tuning buys",
            "Gradient descent in three forms",
            "Divergences",
            "How it was done",
            "What this cannot show",
        )
    ]
    assert places == sorted(places)
    assert "<link" not in text
    assert not re.search(r'(src|href)="', text)


def test_the_page_is_well_formed(study):
    body = re.search(r"<body>(.*)<script>", page(*study), re.S).group(1)
    ET.fromstring(body)


def test_illustrations_stay_out_of_the_score(study):
    assert study[0]["overall"]["tasks"] == ["moons"]


@pytest.mark.browser
def test_a_hidden_optimizer_is_hidden_everywhere_and_the_pointer_tells_values(study, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs Chromium")
    act = """<script>
    document.querySelector('.legend button[data-series="SGD"]').click();
    const chart = document.querySelector('svg.chart'), box = chart.getBoundingClientRect();
    chart.dispatchEvent(new PointerEvent('pointermove', {clientX: box.left + box.width - 15, clientY: box.top + 9}));
    </script></body>"""
    (tmp_path / "index.html").write_text(page(*study).replace("</body>", act), encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    command = [browser, *flags.split(), "--disable-component-update", "--disable-sync", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "index.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    groups = re.findall(r'<g class="([^"]*)" data-series="(\w+)"', done.stdout)
    assert {name for classes, name in groups if "off" in classes} == {"SGD"}
    assert all("off" in classes for classes, name in groups if name == "SGD")
    tip = re.search(r'<div class="tip".*?</div></div>', done.stdout, re.S).group(0)
    assert "steps: 20" in tip
    last = next(row for row in study[0]["tasks"][0]["rows"] if row["optimizer"] == "adam")["curve"]["median"][-1]
    assert f"Adam  {float(f'{last:.3g}'):g}" in tip
    assert "SGD" not in tip


def test_files_appear_together_or_not_at_all(tmp_path):
    target = tmp_path / "deep" / "report"
    with pytest.raises(FileNotFoundError):
        publish({"a.txt": "1", "b.txt": tmp_path / "missing"}, target)
    assert list((tmp_path / "deep").iterdir()) == []
    publish({"a.txt": "1", "sub/b.txt": "2"}, target)
    assert (target / "sub" / "b.txt").read_text() == "2"
    with pytest.raises(FileExistsError, match="--force"):
        publish({"a.txt": "3"}, target)
    with pytest.raises(FileNotFoundError):
        publish({"a.txt": "3", "b.txt": tmp_path / "missing"}, target, force=True)
    assert (target / "a.txt").read_text() == "1"
    publish({"a.txt": "3"}, target, force=True)
    assert [path.name for path in target.iterdir()] == ["a.txt"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["report"]
