"""The command line as a user meets it: in any folder, interrupted, misspelt, and with files of their own."""

import json
import multiprocessing
import os
import random
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tinygrad_opt
from tinygrad_opt.__main__ import main

ROOT = Path(tinygrad_opt.__file__).resolve().parent.parent
SMALL = [
    "--tasks",
    "moons",
    "--optimizers",
    "sgd,adam",
    "--steps",
    "20",
    "--budget",
    "3",
    "--seeds",
    "2",
    "--jobs",
    "1",
]

OWN = """
import numpy as np
from tinygrad_opt import data, nn, optim
from tinygrad_opt.study import Problem, optimizer, task

@optimizer("heavy-ball", lr=0.01, formula="v ← 0.9 v + g ; θ ← θ − η v")
def heavy_ball(params, lr):
    return optim.SGD(params, lr=lr, momentum=0.9)

@task("parity", "the parity of two signs")
def parity(rng):
    parts = data.random_split(data.xor(120, generator=rng), [60, 30, 30], rng)
    return Problem(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)), nn.functional.cross_entropy, parts)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder, and registries that are put back."""
    from tinygrad_opt.study.contenders import contenders
    from tinygrad_opt.study.tasks import tasks

    before = {**tasks}, {**contenders}
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    signal.signal(signal.SIGTERM, handler)
    for registry, kept in zip((tasks, contenders), before, strict=True):
        registry.clear()
        registry.update(kept)


def records(path):
    """Trials and results of a study's file, without the seconds."""
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT trial, result FROM records ORDER BY trial").fetchall()
    database.close()
    return {key: {k: v for k, v in json.loads(result).items() if k != "seconds"} for key, result in rows}


def test_a_comparison_prints_tables_and_writes_a_report(folder, capsys):
    assert main(["compare", *SMALL]) == 0
    out, err = capsys.readouterr()
    assert "moons: network on two moons" in out
    assert re.search(r"^Adam +[\d.]+!? ", out, re.M)
    assert "Gradient descent in three forms (moons)" in out
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert re.search(r"(tuning|final runs): \d+ of \d+ runs, about \d+ s left", err)
    report = folder / "report"
    assert sorted(path.name for path in folder.iterdir()) == ["report"]
    found = json.loads((report / "results.json").read_text("utf-8"))
    assert [row["optimizer"] for row in found["tasks"][0]["rows"]] == ["sgd", "adam"]
    page = (report / "index.html").read_text("utf-8")
    assert found["answer"][0] in page
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", page.split("What this cannot show")[0])
    assert (report / "results.csv").read_text("utf-8").count("\n") == 1 + 2 * 2 + 3
    markdown = (report / "results.md").read_text("utf-8")
    assert all(sentence in markdown for sentence in found["answer"])
    assert markdown.split("\n## ")[-1].startswith("What this cannot show")
    assert (report / "figures" / "moons-curves.svg").read_text("utf-8").startswith("<svg")


def test_an_earlier_report_is_not_overwritten_without_being_told(folder, capsys):
    (folder / "mine").mkdir()
    (folder / "mine" / "precious").write_text("1")
    assert main(["compare", *SMALL, "--out", "mine"]) == 2
    assert "--force" in capsys.readouterr().err
    assert (folder / "mine" / "precious").exists()
    assert main(["compare", *SMALL, "--no-forms", "--out", "mine", "--force"]) == 0
    assert not (folder / "mine" / "precious").exists()
    assert (folder / "mine" / "index.html").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["mine"]


def test_without_a_name_each_report_gets_a_new_one(folder):
    for _ in range(2):
        assert main(["compare", *SMALL, "--no-forms"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["report", "report-2"]


def test_the_report_can_be_written_again_from_the_records(folder):
    main(["compare", *SMALL, "--no-forms"])
    assert main(["report", "report/study.sqlite", "--out", "again"]) == 0
    for name in ("index.html", "results.json", "results.csv", "results.md"):
        assert (folder / "again" / name).read_bytes() == (folder / "report" / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tasks", "digit"], "Did you mean 'digits'?"),
        (["--optimizers", "adm"], "Did you mean 'adam'?"),
        (["--optimizers", ","], "empty"),
        (["--budget", "0"], "trials must be at least 1"),
        (["--seed", "-1"], "--seed"),
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--resume"], "no unfinished study"),
        (["--own", "nowhere.py"], "nowhere.py"),
        (["--backend", "dask"], "--scheduler"),
    ],
)
def test_a_wrong_use_is_said_in_a_line_with_exit_code_2(folder, capsys, arguments, message):
    assert main(["compare", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert list(folder.iterdir()) == []


def test_ones_own_optimizers_and_tasks_take_part(folder, capsys):
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    arguments = ["--own", "own.py", "--tasks", "parity", "--optimizers", "heavy-ball,sgd", "--steps", "20"]
    assert main(["compare", *arguments, "--budget", "3", "--seeds", "2", "--no-forms"]) == 0
    out = capsys.readouterr().out
    assert "parity: the parity of two signs" in out
    assert "heavy-ball" in out
    assert "v ← 0.9 v + g" in (folder / "report" / "index.html").read_text("utf-8")


FAULTY = """
@optimizer("faulty", lr=0.01)
def faulty(params, lr):
    if lr == 0.01:
        raise RuntimeError("no such luck")
    return optim.SGD(params, lr)
"""


def test_a_run_that_fails_is_told_and_what_had_finished_is_kept(folder, capsys):
    (folder / "own.py").write_text(OWN + FAULTY, encoding="utf-8")  # tuning tries other rates than its default
    assert main(["compare", *SMALL, "--own", "own.py", "--optimizers", "sgd,faulty", "--no-forms"]) == 1
    err = capsys.readouterr().err
    assert "RuntimeError: no such luck" in err
    assert "It was faulty (lr=0.01) on moons" in err
    assert len(records(folder / "report.unfinished.sqlite")) >= 2 * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", "own.py, line 1: SyntaxError: invalid syntax"),
        ("import math\n\nmath.sqrt(-1)\n", "own.py, line 3: ValueError: "),
        ("x = 1\n", "own.py adds no optimizer and no task"),
    ],
)
def test_a_faulty_file_of_ones_own_is_said_in_a_line(folder, capsys, text, message):
    (folder / "own.py").write_text(text, encoding="utf-8")
    assert main(["compare", *SMALL, "--own", "own.py"]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert {path.name for path in folder.iterdir()} <= {"own.py", "__pycache__"}


def test_lists_of_tasks_and_optimizers(folder, capsys):
    assert main(["tasks"]) == 0
    assert "quadratic: noisy ill-conditioned quadratic" in capsys.readouterr().out
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    assert main(["optimizers", "--own", "own.py"]) == 0
    out = capsys.readouterr().out
    assert "v ← β·v + (1−β)·g" in out
    assert "heavy-ball" in out


def start(folder, *arguments):
    command = [sys.executable, "-m", "tinygrad_opt", "compare", *SMALL, "--no-forms", "--out", "r", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_ctrl_c,
    )


def _hear_ctrl_c():
    """A test run that was started in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_records(folder, running, count):
    """Until a running study has written so many records, or has ended."""
    path = folder / "r.unfinished.sqlite"
    while running():
        try:
            database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            try:
                if database.execute("SELECT COUNT(*) FROM records").fetchone()[0] >= count:
                    return
            finally:
                database.close()
        except sqlite3.OperationalError:
            pass
        time.sleep(0.005)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    process = start(folder)
    process.communicate(timeout=300)
    return records(folder / "r" / "study.sqlite")


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path, undisturbed):
    process = start(tmp_path, "--steps", "400")
    wait_for_records(tmp_path, lambda: process.poll() is None, 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "--resume" in err
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.unfinished.sqlite"]
    again = start(tmp_path, "--steps", "400")
    assert "go on with --resume" in again.communicate(timeout=300)[1]
    assert again.returncode == 2
    other = start(tmp_path, "--resume", "--steps", "401")
    assert "other rules" in other.communicate(timeout=300)[1]
    assert other.returncode == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that start in no time")
def test_killed_at_twenty_random_moments_and_resumed_the_study_is_the_same(tmp_path, undisturbed):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tinygrad_opt.study.command"])
    moments, arguments = random.Random(0), ["compare", *SMALL, "--no-forms", "--out", str(tmp_path / "r")]

    def begin():
        more = ["--resume"] if (tmp_path / "r.unfinished.sqlite").exists() else []
        process = context.Process(target=main, args=([*arguments, *more],))
        process.start()
        return process

    process = begin()
    for i in range(20):
        wait_for_records(tmp_path, process.is_alive, i * (len(undisturbed) - 1) // 20)
        time.sleep(moments.uniform(0, 0.03))
        process.kill()
        process.join()
        if (tmp_path / "r").exists():
            break
        process = begin()
    process.join()
    assert i >= 10, "killed less than ten times"
    assert records(tmp_path / "r" / "study.sqlite") == undisturbed


def is_running(pid):
    """Whether a process is there, and not only its entry in the table."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads who is whose child from /proc")
def test_the_workers_of_a_killed_study_leave_too(tmp_path):
    process = start(tmp_path, "--jobs", "2", "--steps", "400")
    wait_for_records(tmp_path, lambda: process.poll() is None, 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate()
    assert len(children) >= 2
    end = time.monotonic() + 60
    while any(map(is_running, children)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(is_running, children))


def test_a_reader_that_has_seen_enough_is_no_error():
    command = f"{shlex.quote(sys.executable)} -m tinygrad_opt optimizers | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sgd: SGD")
