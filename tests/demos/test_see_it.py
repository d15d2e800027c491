"""The demo of pictures runs from a folder of the user's own, without a screen, and writes what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "demos" / "08_see_it.py"


def test_see_it(tmp_path):
    pytest.importorskip("matplotlib")
    assert DEMO.name == "08_see_it.py"
    environment = {**os.environ, "PYTHONPATH": str(DEMO.parents[1]), "MPLBACKEND": "Agg", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, str(DEMO)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = {path.name for path in (tmp_path / "out").iterdir()}
    said = {line.split(":")[0].removeprefix("out/") for line in done.stdout.splitlines() if line.startswith("out/")}
    assert written == said
    assert {"graph.svg", "backprop.html", "race.html", "landscape.svg"} <= written
