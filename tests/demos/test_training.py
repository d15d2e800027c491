"""The demos that train on data sets of the user's, in their quick form on what the package brings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMOS = Path(__file__).resolve().parents[2] / "demos"


def run(name, folder, *options):
    environment = {**os.environ, "PYTHONPATH": str(DEMOS.parent), "PYTHONWARNINGS": "error"}
    environment.pop("TINYGRAD_OPT_DATA", None)
    command = [sys.executable, str(DEMOS / name), *options]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("name", "pattern", "best"),
    [
        ("05_cnn_mnist.py", r"test accuracy (9\d\.\d+)% after", None),
        ("06_char_lstm.py", r"validation loss ([\d.]+) nats a character after", 2.7),
        ("07_char_transformer.py", r"validation loss ([\d.]+) nats a character after", 2.7),
    ],
)
def test_quick_training_reaches_what_the_demo_asks_of_itself(name, pattern, best, tmp_path):
    done = run(name, tmp_path, "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(pattern, done.stdout)
    assert found
    assert best is None or 1.0 < float(found[1]) < best


def test_a_demo_that_falls_short_says_so_and_fails(tmp_path):
    done = run("06_char_lstm.py", tmp_path, "--quick", "--steps", "1")
    assert done.returncode
    assert "above what this network reaches: something is wrong" in done.stderr


@pytest.mark.parametrize("name", ["05_cnn_mnist.py", "06_char_lstm.py", "07_char_transformer.py"])
def test_without_data_they_say_what_to_give(name, tmp_path):
    done = run(name, tmp_path)
    assert done.returncode
    assert "--data FOLDER or set TINYGRAD_OPT_DATA" in done.stderr
