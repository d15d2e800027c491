"""Every built-in task can be built and learnt, says what it is, and leaks nothing from its test part."""

import numpy as np
import pytest

from tinygrad_opt.data import write_idx
from tinygrad_opt.random import manual_seed
from tinygrad_opt.study.problems import FULL, QUICK
from tinygrad_opt.study.tasks import find, tasks
from tinygrad_opt.study.trial import Trial, run_trial

HERE = [name for name in tasks if name != "mnist"]


@pytest.mark.parametrize("name", HERE)
def test_a_task_says_what_it_is_and_can_be_learnt(name):
    task = tasks[name]
    assert task.summary
    assert task.cost
    record = run_trial(Trial(name, "adam", (("lr", 0.003),), 1, 40, 2))
    assert record.diverged is None
    assert record.validation[-1] < record.validation[0]
    assert record.test_loss is not None
    assert ("accuracy" in task.metrics) == bool(record.accuracy)


def test_quick_and_full_are_tasks():
    assert len(QUICK) == 4
    assert len(FULL) == 8
    assert set(QUICK) | set(FULL) <= set(tasks)


@pytest.mark.parametrize("name", ["sparse", "scales", "spirals", "digits", "moons"])
def test_the_parts_share_no_example(name):
    manual_seed(0)
    problem = find(name).build(np.random.default_rng(0))
    seen = [{row.tobytes() for row in part.take(slice(None))[0].data} for part in problem.parts]
    assert not seen[0] & seen[2]
    assert not seen[0] & seen[1]


def test_the_digits_test_part_is_fixed_and_the_others_change_with_the_seed():
    first, second = (find("digits").build(np.random.default_rng(seed)).parts for seed in (0, 1))
    assert (first[2].take(slice(None))[1].data == second[2].take(slice(None))[1].data).all()
    assert (first[0].take(slice(None))[1].data != second[0].take(slice(None))[1].data).any()


def test_the_quadratic_has_the_condition_number_that_it_says():
    problem = find("quadratic").build(np.random.default_rng(0))
    a = problem.model.a_transposed.T.astype(np.float64)
    eigenvalues = np.linalg.eigvalsh(a.T @ a)
    assert eigenvalues[-1] == pytest.approx(10, rel=1e-4)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(1000, rel=1e-2)


def test_mnist_is_learnt_from_where_its_test_files_alone_are_given(monkeypatch, tmp_path):
    (tmp_path / "mnist").mkdir()
    monkeypatch.setenv("TINYGRAD_OPT_DATA", str(tmp_path))
    labels = np.arange(100, dtype=np.uint8) % 2
    images = np.broadcast_to(np.uint8(200) * labels[:, None, None], (100, 28, 28))
    write_idx(tmp_path / "mnist" / "t10k-images-idx3-ubyte", np.ascontiguousarray(images))
    write_idx(tmp_path / "mnist" / "t10k-labels-idx1-ubyte", labels)
    record = run_trial(Trial("mnist", "adam", (("lr", 0.001),), 0, 20, 1))
    assert record.accuracy[-1] == 1.0


def test_mnist_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("TINYGRAD_OPT_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="t10k-images"):
        find("mnist").build(np.random.default_rng(0))
