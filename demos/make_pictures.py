"""Make the pictures of the README anew, with the project itself.

python demos/make_pictures.py [--out FOLDER]        (default: demos/pictures)

The pictures of the two pages are taken by Chromium; where it is not installed they stay as they are.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=HERE / "pictures")
out = parser.parse_args().out.resolve()
out.mkdir(parents=True, exist_ok=True)


def run(*command):
    """Run Python in the scratch folder and stop if it fails."""
    subprocess.run([sys.executable, *map(str, command)], check=True, cwd=scratch)


def photograph(page, step, target):
    """A picture of a page at one of its steps."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print(f"{target}: not made, Chromium is not installed")
        return
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,760")
    taken = (f"--screenshot={target}", f"{page.as_uri()}#{step}")
    subprocess.run([browser, *flags, *taken], check=True, capture_output=True, cwd=scratch)
    rounded = Image.open(target).convert("RGB").point(lambda shade: round(shade / 3) * 3)  # smaller, and looks the same
    rounded.save(target, optimize=True)
    print(target)


with tempfile.TemporaryDirectory() as folder:
    scratch = Path(folder)
    run(HERE / "01_backprop_by_hand.py", "--out", scratch)
    run(HERE / "08_see_it.py", "--out", scratch)
    run("-m", "tinygrad_opt", "compare", "--task", "digits", "--no-forms", "--out", scratch / "report")
    for source, name in (
        (scratch / "backprop_by_hand.svg", "backprop_by_hand.svg"),
        (scratch / "transformer.svg", "transformer.svg"),
        (scratch / "health.svg", "health.svg"),
        (scratch / "landscape.svg", "landscape.svg"),
        (scratch / "report" / "figures" / "digits-curves.svg", "comparison.svg"),
    ):
        shutil.copyfile(source, out / name)
        print(out / name)
    photograph(scratch / "backprop.html", 12, out / "stepper.png")
    photograph(scratch / "race.html", "24-3d", out / "race.png")
