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
    ("name", "options", "pattern", "best"),
    [
        ("05_cnn_mnist.py", ["--epochs", "2"], r"test accuracy [\d.]+%.*?loss ([\d.]+)", 0.9),
        ("06_char_lstm.py", ["--steps", "100"], r"validation loss ([\d.]+)", 2.8),
        ("07_char_transformer.py", ["--steps", "120"], r"validation loss ([\d.]+)", 2.8),
    ],
)
def test_quick_training(name, options, pattern, best, tmp_path):
    done = run(name, tmp_path, "--quick", *options)
    assert done.returncode == 0 or "something is wrong" in done.stderr, done.stdout + done.stderr
    assert float(re.search(pattern, done.stdout, re.DOTALL)[1]) < best


@pytest.mark.parametrize("name", ["05_cnn_mnist.py", "06_char_lstm.py", "07_char_transformer.py"])
def test_without_data_they_say_what_to_give(name, tmp_path):
    done = run(name, tmp_path)
    assert done.returncode
    assert "--data FOLDER or set TINYGRAD_OPT_DATA" in done.stderr
