"""A compiled step does what the step does, to the last bit, or refuses."""

from __future__ import annotations

import copy
import itertools
import threading
import warnings

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn, optim
from tinygrad_opt.autograd.registry import primitives
from tinygrad_opt.nn import functional
from tinygrad_opt.replay import CompileError
from tinygrad_opt.replay.writers import writes


def data(n=8, width=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, width)).astype(np.float32), rng.integers(0, 2, (n, 1)).astype(np.float32)


def net(activation=nn.ReLU, sizes=(3, 5, 1)):
    rng = np.random.default_rng(1)
    layers = []
    for a, b in itertools.pairwise(sizes):
        layers += [activation()] * bool(layers) + [nn.Linear(a, b, generator=rng)]
    return nn.Sequential(*layers)


def step_of(model, optimizer, loss_function=functional.binary_cross_entropy_with_logits):
    def train(x, y):
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return train


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Lion": lambda p: optim.Lion(p, lr=0.01),
    "LAMB": lambda p: optim.LAMB(p, lr=0.01),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.SiLU, nn.Softplus], ids=lambda a: a.__name__)
def test_equal_to_the_step_itself(activation, optimizer):
    model = net(activation)
    twin = copy.deepcopy(model)
    plain = step_of(twin, OPTIMIZERS[optimizer](twin.parameters()))
    compiled = tg.compile(step_of(model, OPTIMIZERS[optimizer](model.parameters())))
    for seed in range(12):
        x, y = data(seed=seed)
        assert compiled(x, y).item() == plain(x, y).item()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        np.testing.assert_array_equal(p.grad.data, q.grad.data)


def convolutional():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 4))


def rounded():
    return nn.Sequential(nn.Flatten(), nn.Linear(40, 7), nn.GELU(), nn.Linear(7, 4))


def attentive():
    class Mix(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 4)

        def forward(self, x):
            q, k, v = np.split(self.qkv(x), 3, axis=-1)
            return self.out(functional.scaled_dot_product_attention(q, k, v).mean(axis=1))

    return Mix()


@pytest.mark.parametrize(
    ("build", "shape"), [(convolutional, (6, 1, 8, 8)), (attentive, (6, 5, 8)), (rounded, (6, 5, 8))]
)
def test_fused_operations_within_rounding(build, shape):
    tg.manual_seed(0)
    model = build()
    twin = copy.deepcopy(model)
    plain = step_of(twin, optim.Adam(twin.parameters()), functional.cross_entropy)
    compiled = tg.compile(step_of(model, optim.Adam(model.parameters()), functional.cross_entropy))
    rng = np.random.default_rng(0)
    for _ in range(6):
        x, y = rng.standard_normal(shape).astype(np.float32), rng.integers(0, 4, len(np.zeros(shape)))
        np.testing.assert_allclose(compiled(x, y).item(), plain(x, y).item(), rtol=1e-5)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-4, atol=1e-5)


def test_fan_out_broadcasting_and_tied_parameters():
    w = nn.Parameter(np.linspace(-1, 1, 4), name="w")
    v = nn.Parameter(np.linspace(-1, 1, 4), name="v")

    def loss_of(w, x):
        h = np.tanh(x * w + w[0])
        return (h * h + np.exp(h) * w.sum()).mean() + (w * w).sum()

    def step(p, optimizer):
        def train(x):
            optimizer.zero_grad()
            loss = loss_of(p, x)
            loss.backward()
            optimizer.step()
            return {"loss": loss, "name": "step"}

        return train

    compiled = tg.compile(step(w, optim.SGD([w], lr=0.01)))
    plain = step(v, optim.SGD([v], lr=0.01))
    for seed in range(5):
        x = np.random.default_rng(seed).standard_normal((3, 4))
        got, wanted = compiled(x), plain(x)
        assert got["name"] == "step"
        np.testing.assert_allclose(got["loss"].item(), wanted["loss"].item(), rtol=1e-14)
    np.testing.assert_allclose(w.data, v.data, rtol=1e-14)


def test_other_shapes_get_plans_of_their_own():
    model = net()
    twin = copy.deepcopy(model)
    compiled = tg.compile(step_of(model, optim.SGD(model.parameters(), lr=0.1)))
    plain = step_of(twin, optim.SGD(twin.parameters(), lr=0.1))
    for n in (8, 3, 8, 3, 5, 8):
        x, y = data(n, seed=n)
        assert compiled(tg.tensor(x), tg.tensor(y)).item() == plain(x, y).item()
    assert len(compiled._plans) == 3


def test_results_are_not_overwritten():
    model = net()
    compiled = tg.compile(step_of(model, optim.SGD(model.parameters(), lr=0.1)))
    losses = [compiled(*data()) for _ in range(5)]
    assert len({loss.item() for loss in losses}) == 5


def test_a_new_learning_rate_holds_at_once():
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    compiled = tg.compile(step_of(model, optimizer))
    compiled(*data())
    compiled(*data())
    optimizer.param_groups[0]["lr"] = 0.0
    before = [p.data.copy() for p in model.parameters()]
    compiled(*data())
    for p, old in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, old)


def test_state_that_is_loaded_or_moved_is_followed():
    model = net()
    twin = copy.deepcopy(model)
    compiled = tg.compile(step_of(model, optim.SGD(model.parameters(), lr=0.1)))
    plain = step_of(twin, optim.SGD(twin.parameters(), lr=0.1))
    saved = {name: array.copy() for name, array in model.state_dict().items()}
    for change in (lambda m: None, lambda m: m.load_state_dict(saved), lambda m: _move(m), lambda m: None):
        change(model)
        change(twin)
        assert compiled(*data()).item() == plain(*data()).item()


def _move(model):
    for p in model.parameters():
        p.data = p.data.copy() * np.float32(0.5)


def refusal(build):
    """What compiling says of a step; the parameters are as they were."""
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = [p.data.copy() for p in model.parameters()]
    step = tg.compile(build(model, optimizer))
    with pytest.raises(CompileError) as caught:
        step(*data())
    for p, old in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, old)
    return str(caught.value)


def test_reading_a_value_is_refused():
    def build(model, optimizer):
        def train(x, y):
            optimizer.zero_grad()
            loss = functional.mse_loss(model(x), y)
            if loss.item() > 0.5:
                loss.backward()
            return loss

        return train

    assert "reads a Tensor's value (item)" in refusal(build)


def test_branching_on_a_tensor_is_refused():
    def build(model, optimizer):
        def train(x, y):
            loss = functional.mse_loss(model(x), y)
            return loss if loss > 0 else -loss

        return train

    assert "reads a Tensor's value (bool)" in refusal(build)


def test_dropout_is_refused():
    def build(model, optimizer):
        return step_of(nn.Sequential(model, nn.Dropout(0.5)), optimizer)

    assert "does something else each time" in refusal(build)


def test_running_statistics_are_refused():
    def build(model, optimizer):
        return step_of(nn.Sequential(model, nn.BatchNorm1d(1)), optimizer)

    assert "compile:" in refusal(build)


def test_a_schedule_in_the_step_is_refused():
    def build(model, optimizer):
        schedule = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        inner = step_of(model, optimizer)

        def train(x, y):
            loss = inner(x, y)
            schedule.step()
            return loss

        return train

    message = refusal(build)
    assert "a replay did not do what the step did" in message
    assert "lr is" in message


def test_clipping_is_refused():
    def build(model, optimizer):
        def train(x, y):
            optimizer.zero_grad()
            loss = functional.mse_loss(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            optimizer.step()
            return loss

        return train

    assert "compile:" in refusal(build)


def test_a_gradient_from_before_is_refused():
    def build(model, optimizer):
        functional.mse_loss(model(data()[0]), data()[1]).backward()

        def train(x, y):
            loss = functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return train

    assert "Call zero_grad() first" in refusal(build)


def test_a_counter_is_refused():
    def build(model, optimizer):
        count = itertools.count(1)

        def train(x, y):
            optimizer.zero_grad()
            loss = functional.mse_loss(model(x), y) * (1.0 / next(count))
            loss.backward()
            optimizer.step()
            return loss

        return train

    assert "'multiply', took something else than before" in refusal(build)


def test_numpy_on_the_side_is_refused():
    def build(model, optimizer):
        def train(x, y):
            optimizer.zero_grad()
            weight = np.abs(y).astype(np.float32) + np.float32(1)
            loss = (functional.mse_loss(model(x), y, reduction="none") * weight).mean()
            loss.backward()
            optimizer.step()
            return loss

        return train

    assert "took something else than before" in refusal(build)


def test_gradient_hooks_are_refused():
    def build(model, optimizer):
        def train(x, y):
            optimizer.zero_grad()
            h = model(x)
            h.register_hook(lambda g: g * 2)
            loss = functional.mse_loss(h, y)
            loss.backward()
            optimizer.step()
            return loss

        return train

    assert "has a gradient hook" in refusal(build)


def test_other_threads_work_on_while_one_records():
    model = net()
    compiled = tg.compile(step_of(model, optim.SGD(model.parameters(), lr=0.1)))
    stop, failures = threading.Event(), []

    def work():
        while not stop.is_set():
            x = tg.tensor([1.0, 2.0], requires_grad=True)
            (x * x).sum().backward()
            if x.grad.tolist() != [2.0, 4.0]:
                failures.append(x.grad)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for n in range(1, 15):
            compiled(*data(n))
    finally:
        stop.set()
        thread.join()
    assert not failures


def test_plan_tells_what_is_done():
    model = net(nn.Tanh)
    compiled = tg.compile(step_of(model, optim.SGD(model.parameters(), lr=0.1)))
    with pytest.raises(CompileError, match="before the step was called"):
        compiled.plan()
    compiled(*data())
    text = str(compiled.plan())
    assert "linear" in text
    assert "tanh" in text
    assert "SGD" in text
    assert "operations:" in text.splitlines()[0]
    source = compiled.plan().graph().source
    assert source.count("->") >= 10
    assert "tanh" in source


WRITTEN = [
    ("linear", lambda r: (r(4, 3), r(2, 3), r(2)), (4, 2)),
    ("matmul", lambda r: (r(4, 3), r(3, 2)), (4, 2)),
    ("matmul", lambda r: (r(2, 4, 3), r(3, 2)), (2, 4, 2)),
    ("relu", lambda r: (r(4, 3),), (4, 3)),
    ("keep", lambda r: (r(4, 3), r(4, 3) > 0), (4, 3)),
    ("keep", lambda r: (r(4, 3), True), (4, 3)),
    ("multiply", lambda r: (r(4, 3), 0.3), (4, 3)),
    ("maximum", lambda r: (r(4, 3), r(4, 3)), (4, 3)),
    ("matmul", lambda r: (r(3), r(3, 2)), (2,)),
    ("matmul", lambda r: (r(3), r(3)), ()),
]


@pytest.mark.parametrize(("name", "arguments", "shape"), WRITTEN, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_writing_is_the_forward_function(name, arguments, shape, dtype):
    rng = np.random.default_rng(0)
    op = primitives[name]
    inputs = arguments(lambda *shape: rng.standard_normal(shape).astype(dtype))
    out = np.empty(shape, dtype)
    calls = writes(name, op.forward, inputs, {}, out)
    assert calls
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function, values in calls:
            function(*values)
    np.testing.assert_array_equal(out, op.forward(*inputs))
