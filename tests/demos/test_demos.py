"""Every demo runs from a folder of the user's own, without a screen, and says what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMOS = Path(__file__).resolve().parents[2] / "demos"


def run(name, folder, *options):
    environment = {**os.environ, "PYTHONPATH": str(DEMOS.parent), "MPLBACKEND": "Agg", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, str(DEMOS / name), *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_backprop_by_hand(tmp_path):
    text = run("01_backprop_by_hand.py", tmp_path)
    assert text.count("✓") == 7
    assert (tmp_path / "out" / "backprop_by_hand.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_train_digits(tmp_path):
    text = run("02_train_digits.py", tmp_path)
    accuracy = float(re.search(r"test accuracy ([\d.]+)%", text)[1])
    assert accuracy >= 97.0


def test_optimizers_on_a_surface(tmp_path):
    pytest.importorskip("matplotlib")
    text = run("03_optimizers_on_a_surface.py", tmp_path, "--steps", "60")
    assert all(name in text for name in ("SGD", "Momentum", "AdaGrad", "RMSProp", "Adam"))
    assert (tmp_path / "out" / "optimizers_on_a_surface.svg").stat().st_size > 10_000


def test_your_own_layer_and_optimizer(tmp_path):
    text = run("04_your_own_layer_and_optimizer.py", tmp_path)
    assert "right to second order" in text
    assert float(re.findall(r"loss ([\d.]+)", text)[-1]) < 0.1


def test_every_demo_is_tested():
    numbered = {path.name for path in DEMOS.glob("[0-9]*.py")}
    tested = set(re.findall(r"\"(\d\d_\w+\.py)\"", Path(__file__).read_text(encoding="utf-8")))
    others = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        if path.name != Path(__file__).name
        for name in re.findall(r"\"(\d\d_\w+\.py)\"", path.read_text(encoding="utf-8"))
    }
    assert numbered == tested | others
