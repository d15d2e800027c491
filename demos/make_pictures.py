"""Make the pictures of the README anew, with the project itself.

python demos/make_pictures.py [--out FOLDER]        (default: demos/pictures)
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=HERE / "pictures")
out = parser.parse_args().out.resolve()
out.mkdir(parents=True, exist_ok=True)


def run(*command):
    """Run Python in the scratch folder and stop if it fails."""
    subprocess.run([sys.executable, *map(str, command)], check=True, cwd=scratch)


with tempfile.TemporaryDirectory() as folder:
    scratch = Path(folder)
    run(HERE / "01_backprop_by_hand.py", "--out", scratch)
    run("-m", "tinygrad_opt", "compare", "--task", "digits", "--no-forms", "--out", scratch / "report")
    for source, name in (
        (scratch / "backprop_by_hand.svg", "backprop_by_hand.svg"),
        (scratch / "report" / "figures" / "digits-curves.svg", "comparison.svg"),
    ):
        shutil.copyfile(source, out / name)
        print(out / name)
