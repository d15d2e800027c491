"""What the README shows works: its example runs, its set-up commands are the ones that are tested, its files exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert float(re.search(r"loss ([\d.]+)", capsys.readouterr().out)[1]) < 0.2


def test_there_are_two_set_up_commands():
    blocks = dict(re.findall(r"<!-- (\w+) -->\n```bash\n(.*?)\n```\n<!-- end -->", README, re.DOTALL))
    assert sorted(blocks) == ["compare", "tests"]
    assert all("\n" not in command for command in blocks.values())


def test_what_it_links_to_exists():
    linked = re.findall(r"\]\(([^)#:]+)\)", README)
    named = re.findall(r"`((?:demos|tests|tinygrad_opt)/[\w./]+)`", README)
    for target in linked + named:
        assert (ROOT / target).exists(), target
