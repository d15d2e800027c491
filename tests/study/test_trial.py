"""A run is determined by its trial, paired across optimizers, and ended when it diverges."""

import dataclasses
import math
import zlib

import numpy as np
import pytest

from tinygrad_opt import data, nn, optim
from tinygrad_opt.errors import GradientError
from tinygrad_opt.study import Problem, optimizer, task
from tinygrad_opt.study.trial import Record, Trial, run_trial


def trial(name="moons", opt="sgd", lr=0.1, seed=3, steps=20, **more):
    return Trial(name, opt, (("lr", lr),), seed, steps, more.pop("evaluations", 4), **more)


def without_seconds(record):
    return dataclasses.replace(record, seconds=[])


def test_a_trial_repeats_exactly():
    assert without_seconds(run_trial(trial())) == without_seconds(run_trial(trial()))


def test_runs_of_one_seed_are_a_pair_and_of_two_are_not():
    sgd, adam = run_trial(trial()), run_trial(trial(opt="adam"))
    assert sgd.validation[0] == adam.validation[0]
    assert sgd.train[0] == adam.train[0]
    assert sgd.validation[1:] != adam.validation[1:]
    other = run_trial(trial(seed=4))
    assert other.validation[0] != sgd.validation[0]


def test_every_optimizer_meets_the_same_batches(registries):
    seen = []

    @task("watched", batch_size=5)
    def watched(rng):
        x = np.arange(20.0)[:, None]

        def loss(outputs, y):
            seen.append(y.data.ravel().tolist())
            return (outputs * outputs).mean()

        whole = data.TensorDataset(x.astype(np.float32), x)
        return Problem(nn.Linear(1, 1), loss, (whole, whole, whole))

    batches = []
    for opt in ("sgd", "adam"):
        seen.clear()
        run_trial(trial("watched", opt, lr=1e-4, evaluations=1, steps=9))
        batches.append([batch for batch in seen if len(batch) == 5])
    assert batches[0] == batches[1]
    # The first batch is also evaluated once, for the first loss; four batches are an epoch.
    epoch = sorted(example for batch in batches[0][1:5] for example in batch)
    assert epoch == list(range(20))


def test_the_curve_is_that_of_gradient_descent_written_out():
    found = run_trial(trial("quadratic", lr=0.05, steps=6, evaluations=6, batch_size=0))
    stream = np.random.SeedSequence([3, zlib.crc32(b"quadratic")])
    rng = np.random.default_rng(stream.spawn(3)[1])
    eigenvalues = np.geomspace(0.01, 10, 50)
    turn, _ = np.linalg.qr(rng.standard_normal((50, 50)))
    noise = 0.1 * rng.standard_normal((2000, 50))
    theta = turn @ (rng.choice([-1.0, 1.0], 50) / np.sqrt(eigenvalues))
    hessian = turn @ np.diag(eigenvalues) @ turn.T
    expected = []
    for _ in range(7):
        expected.append(0.5 * theta @ hessian @ theta)
        theta = theta - 0.05 * hessian @ (theta - noise.mean(axis=0))
    np.testing.assert_allclose(found.validation, expected, rtol=1e-4)
    assert found.steps == list(range(7))


def test_divergence_ends_the_run():
    record = run_trial(trial("quadratic", lr=10.0, steps=100))
    assert 1 < record.diverged < 20
    assert record.test_loss is None
    assert all(math.isfinite(v) for v in record.validation)


def test_a_gradient_that_is_not_a_number_ends_the_run(registries):
    @task("root", batch_size=None)
    def root(rng):
        """√w with w at 0: the loss is finite, its gradient is not."""
        model = nn.Linear(1, 1, bias=False)
        model.weight.data[:] = 0
        once = data.TensorDataset(np.ones((1, 1), np.float32))
        return Problem(model, lambda outputs: np.sqrt(outputs).sum(), (once, once, once))

    record = run_trial(trial("root"))
    assert record.diverged == 1


def test_gradient_evaluations_are_what_is_counted_those_of_a_closure_too(registries):
    assert run_trial(trial(steps=20)).gradients == 20
    calls = []

    class Thrice(optim.SGD):
        def step(self, closure=None):
            calls.append(1)
            closure()
            closure()
            return super().step(closure)

    optimizer("thrice")(Thrice)
    record = run_trial(trial(opt="thrice", steps=20, evaluations=10))
    assert len(calls) == 7
    assert record.gradients == 21
    # Stops at 2, 4, …, 20 are met by the first step at or beyond them, and the count is the true one.
    assert record.steps == [0, 3, 6, 6, 9, 12, 12, 15, 18, 18, 21]


def test_an_optimizer_that_ignores_the_closure_is_refused(registries):
    class Deaf(optim.SGD):
        def step(self, closure=None):
            return 0.0

    optimizer("deaf")(Deaf)
    with pytest.raises(TypeError, match="Deaf.step"):
        run_trial(trial(opt="deaf"))


def test_a_model_without_gradients_is_an_error_and_not_a_divergence(registries):
    @task("cut")
    def cut(rng):
        whole = data.TensorDataset(np.ones((4, 1), np.float32))
        return Problem(nn.Linear(1, 1), lambda outputs: outputs.detach().sum(), (whole, whole, whole))

    with pytest.raises(GradientError):
        run_trial(trial("cut"))


@pytest.mark.parametrize("name", ["lbfgs", "schedulefreesgd"])
def test_optimizers_of_other_kinds_take_part(name):
    record = run_trial(trial(opt=name, lr=0.5, steps=60))
    assert record.validation[-1] < 0.7 * record.validation[0]


def test_a_cosine_schedule_falls_from_the_rate_to_nearly_zero(registries):
    rates = []

    class Watched(optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    optimizer("watched")(Watched)
    run_trial(trial(opt="watched", lr=0.2, steps=4, cosine=True))
    expected = [0.2, 0.1 * (1 + math.sqrt(0.5)), 0.1, 0.1 * (1 - math.sqrt(0.5))]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_batch_size_can_be_all_or_one():
    whole = run_trial(trial(steps=1, batch_size=0))
    assert whole.examples == 300
    one = run_trial(trial(steps=5, batch_size=1))
    assert one.gradients == 5


def test_a_record_survives_text():
    record = run_trial(trial())
    assert Record.from_json(Trial.from_key(record.trial.key), record.as_json()) == record


def test_parts_must_be_three_and_not_empty():
    empty = data.TensorDataset(np.zeros((0, 2)))
    with pytest.raises(ValueError, match="training, validation, test"):
        Problem(None, None, (empty, empty))


def test_a_task_that_gives_no_problem_is_refused(registries):
    task("three")(lambda rng: 3)
    with pytest.raises(TypeError, match="task 'three' must return a Problem"):
        run_trial(trial("three"))


def test_a_gradient_that_is_no_number_ends_the_run_without_a_warning(registries):
    @task("steep")
    def steep(rng):
        whole = data.TensorDataset(np.zeros((4, 1), np.float32))
        return Problem(nn.Linear(1, 1, bias=False), lambda outputs: np.sqrt(outputs).sum(), (whole, whole, whole))

    assert run_trial(trial("steep")).diverged == 1


def test_a_task_that_begins_with_no_number_is_refused(registries):
    @task("broken")
    def broken(rng):
        whole = data.TensorDataset(np.full((4, 1), np.inf, np.float32))
        return Problem(nn.Linear(1, 1), lambda outputs: (outputs - outputs).sum(), (whole, whole, whole))

    with pytest.raises(ValueError, match="'broken': the loss at the initial weights"):
        run_trial(trial("broken"))
