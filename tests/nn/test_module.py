"""Modules: how parts are found, named, saved, loaded, frozen, hooked and copied."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.autograd.modes import mode
from tinygrad_opt.errors import StaleValueError


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.scale = nn.Parameter(np.ones(3, np.float32))
        self.register_buffer("seen", tg.tensor(0.0))

    def forward(self, x):
        return self.inner(x) * self.scale


def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), Block(), nn.Linear(3, 1, bias=False))


NAMES = ["0.weight", "0.bias", "1.scale", "1.inner.weight", "1.inner.bias", "2.weight"]


def test_parameters_come_in_definition_order_whatever_the_hash_seed():
    assert [name for name, _ in model().named_parameters()] == NAMES
    code = (
        "from tinygrad_opt import nn\n"
        "net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))\n"
        "print([name for name, _ in net.named_parameters()])"
    )
    folder = str(Path(tg.__file__).parents[1])
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {"['0.weight', '0.bias', '1.weight', '1.bias']\n"}


def test_parameters_bear_their_path_as_name():
    net = model()
    assert [p.name for p in net.parameters()] == NAMES
    outer = nn.Module()
    outer.net = net
    assert [p.name for p in net.parameters()] == ["net." + name for name in NAMES]
    assert net[1].inner.label == "net.1.inner (Linear)"


def test_nodes_know_the_module_that_made_them():
    y = model()(np.ones((4, 2), np.float32))
    assert y._node.module == "2"
    assert y._node.parents[0].module == "1"
    assert y._node.parents[0].parents[0].module == "1.inner"
    assert mode.module == ""


def test_the_module_path_is_restored_after_an_error():
    with pytest.raises(tg.errors.ShapeError, match=r"0 \(Linear\)\(in_features=2\) got x of shape \(4, 5\)"):
        model()(np.ones((4, 5), np.float32))
    assert mode.module == ""


def test_a_shared_parameter_is_listed_once_and_saved_under_both_names():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert net[0].weight.name == "0.weight"
    assert "1.weight" in net.state_dict()
    twin = copy.deepcopy(net)
    assert twin[1].weight is twin[0].weight
    assert twin[0].weight is not net[0].weight


def test_a_shared_module_is_listed_once():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    assert len(list(net.modules())) == 3
    assert len(list(net.children())) == 2
    assert len(list(net.parameters())) == 2
    assert sorted(net.state_dict()) == ["0.bias", "0.weight", "2.bias", "2.weight"]


def test_modules_compare_and_hash_by_identity():
    a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    assert a != b
    assert len({a, b, a}) == 2


def test_a_subclass_may_forget_super_init():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            return self.layer(x)

    net = Forgetful()
    assert len(list(net.parameters())) == 2
    assert net.training
    assert net(np.ones((1, 2), np.float32)).shape == (1, 2)


def test_train_and_eval_reach_every_module():
    net = model().eval()
    assert not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())


def test_freezing():
    net = model()
    net[1].requires_grad_(False)
    (net(np.ones((4, 2), np.float32)) ** 2).sum().backward()
    assert [p.name for p in net.parameters() if p.grad is not None] == ["0.weight", "0.bias", "2.weight"]
    assert "frozen" in repr(net)
    net[1].requires_grad_()
    assert net[1].scale._node.name == "1.scale"


def test_zero_grad():
    net = model()
    net(np.ones((4, 2), np.float32)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all((p.grad.data == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_state_round_trip_keeps_memory_and_dtype():
    one, two = model(), model()
    memory = [p.data for p in two.parameters()]
    state = {k: v.astype(np.float64) for k, v in one.state_dict().items()}
    assert two.load_state_dict(state) == ([], [])
    for p, q, before in zip(one.parameters(), two.parameters(), memory, strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        assert q.data is before
        assert q.dtype == np.float32


def test_a_state_is_a_snapshot():
    net = model()
    state = net.state_dict()
    net[0].weight.write_(np.zeros((3, 2)))
    assert state["0.weight"].any()


def test_a_graph_made_before_loading_refuses_the_new_values():
    net = model()
    loss = (net(np.ones((4, 2), np.float32)) ** 2).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(StaleValueError, match="was changed"):
        loss.backward()


def test_a_state_that_does_not_fit_is_listed_in_full_and_changes_nothing():
    net = model()
    before = net.state_dict()
    state = {k: v + 1 for k, v in before.items()}
    del state["0.bias"], state["1.inner.bias"]
    state["extra"] = np.zeros(1)
    state["2.weight"] = np.zeros((3, 1))
    with pytest.raises(ValueError, match="nothing was loaded") as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert "missing: 0.bias, 1.inner.bias" in text
    assert "unexpected: extra" in text
    assert "'2.weight' is (3, 1), the module's is (1, 3)" in text
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_lenient_load_reports_what_it_left_out_but_never_a_wrong_shape():
    net = model()
    state = net.state_dict()
    del state["0.bias"]
    state["extra"] = np.zeros(1)
    assert net.load_state_dict(state, strict=False) == (["0.bias"], ["extra"])
    with pytest.raises(ValueError, match="another shape"):
        net.load_state_dict({"0.bias": np.zeros(7)}, strict=False)


def test_a_prefix_on_every_name_is_recognised():
    net = model()
    wrapped = {"module." + k: v for k, v in net.state_dict().items()}
    with pytest.raises(ValueError, match=r"strip the prefix.*'module\.'"):
        net.load_state_dict(wrapped)


def test_assignments_that_would_lose_a_parameter_raise():
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match=r"weight is a Parameter and cannot become Tensor.*write_"):
        layer.weight = tg.tensor(np.zeros((2, 2)))
    layer.bias = None
    assert [n for n, _ in layer.named_parameters()] == ["weight"]
    with pytest.raises(TypeError, match="seen is a buffer"):
        Block().seen = 3
    with pytest.raises(ValueError, match="cannot name a part"):
        layer.register_parameter("a.b", nn.Parameter(np.zeros(1)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.register_module("a", 3), TypeError, "Module: 'a' is to be a Module or None, got int"),
        (lambda m: m.register_module("a.b", None), ValueError, "'a.b' cannot name a part"),
        (lambda m: m.register_module(3, nn.ReLU()), TypeError, "name of a part must be a str, got 3"),
        (
            lambda m: m.register_parameter("a", np.ones(3)),
            TypeError,
            r"'a' is to be a Parameter or None, got ndarray. Wrap it: nn.Parameter\(values\)",
        ),
        (lambda m: m.register_parameter("a", tg.tensor([1.0])), TypeError, "got Tensor"),
        (lambda m: m.register_parameter("", None), ValueError, "'' cannot name a part"),
        (lambda m: m.register_buffer(3, np.ones(3)), TypeError, "name of a part must be a str, got 3"),
        (lambda m: m.register_buffer("a", "text"), TypeError, "expected numbers"),
    ],
)
def test_what_cannot_be_registered_is_refused(call, error, message):
    module = nn.Module()
    with pytest.raises(error, match=message):
        call(module)
    assert not hasattr(module, "a")
    assert not module._buffers


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ([1, 2], TypeError, r"load_state_dict: expected a dict .* got list"),
        ({"bias": np.zeros(2), "weight": np.full((2, 2), "x")}, ValueError, "no numbers that NumPy knows: weight"),
        ({"bias": np.zeros(2), "weight": [[1.0], [1.0, 2.0]]}, ValueError, "no numbers that NumPy knows: weight"),
    ],
)
def test_what_is_no_state_is_refused_before_anything_changes(state, error, message):
    layer = nn.Linear(2, 2)
    before = layer.state_dict()
    with pytest.raises(error, match=message):
        layer.load_state_dict(state)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.ones(4), tg.errors.ShapeError, r"write_: values of shape \(4,\) do not fit into a Tensor of shape \(3,\)"),
        (["1", "2", "x"], TypeError, "write_: expected numbers or an array of them, got a list that is none"),
        ([1.0, [2.0]], TypeError, "got a list that is none"),
        (None, TypeError, "got a NoneType"),
    ],
)
def test_values_that_cannot_be_written_are_refused(values, error, message):
    p = nn.Parameter(np.arange(3.0))
    with pytest.raises(error, match=message):
        p.write_(values)
    np.testing.assert_array_equal(p.data, np.arange(3.0))


def test_buffers():
    block = Block()
    block.register_buffer("scratch", np.zeros(2), persistent=False)
    assert [n for n, _ in block.named_buffers()] == ["seen", "scratch"]
    assert "scratch" not in block.state_dict()
    block.seen = block.seen + 1
    assert nn.Sequential(block).state_dict()["0.seen"] == 1
    assert Block().seen.item() == 0


def test_conversion():
    net = model().double()
    assert all(p.dtype == np.float64 for p in net.parameters())
    assert net[1].seen.dtype == np.float64
    assert net(np.ones((1, 2))).dtype == np.float64
    assert net.float()[0].weight.dtype == np.float32


def test_apply_goes_inside_out():
    order = []
    model().apply(lambda m: order.append(type(m).__name__))
    assert order == ["Linear", "Linear", "Block", "Linear", "Sequential"]


def test_repr_counts_parameters_and_folds_equal_layers():
    text = repr(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()))
    assert text.splitlines() == [
        "Sequential(  # 12 parameters",
        "  (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)  # 6 parameters",
        "  (2): ReLU()",
        ")",
    ]


def test_repr_shows_the_options_of_any_module():
    block = Block()
    block.width, block.kind, block.training = 3, "plain", False
    assert repr(block).startswith("Block(width=3, kind='plain'  # 15 parameters")
    assert repr(nn.Dropout(0.25)) == "Dropout(p=0.25)"


def test_deepcopy_is_independent():
    net = model()
    twin = copy.deepcopy(net)
    twin[0].weight.write_(np.zeros((3, 2)))
    assert net[0].weight.data.any()
    assert [p.name for p in twin.parameters()] == NAMES


def test_lookup_by_path():
    net = model()
    assert net.get_submodule("1.inner") is net[1].inner
    assert net.get_parameter("1.scale") is net[1].scale
    with pytest.raises(AttributeError, match="no module at '7'"):
        net.get_submodule("7")


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        nn.Module()(1)


def test_parts_in_a_plain_list_are_warned_of():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self._shown_elsewhere = [nn.Linear(1, 1)]
            self.sizes = [1, 2]
            self.layers = [nn.Linear(1, 1)]

    with pytest.warns(UserWarning, match=r"Net.layers is a plain list of Modules.*Use nn.ModuleList") as caught:
        Net()
    assert caught[0].filename == __file__


def test_data_of_more_digits_than_the_weights_is_warned_of_once_where_the_user_called():
    x = np.zeros((2, 1, 6, 6))
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(32, 3))
    with pytest.warns(
        UserWarning, match=r"0 \(Conv2d\): the weights are float32, the data float64.*x.astype"
    ) as caught:
        net(x)
    assert [w.filename for w in caught] == [__file__]
    for layer, data in ((nn.LSTM(3, 2), np.zeros((2, 1, 3))), (nn.Linear(3, 2), np.zeros((2, 3)))):
        with pytest.warns(UserWarning, match="the weights are float32, the data float64"):
            layer(data)
    attention = nn.MultiheadAttention(4, 2)
    with pytest.warns(UserWarning, match="MultiheadAttention: the weights are float32"):
        attention(np.zeros((2, 1, 4)), np.zeros((2, 1, 4)), np.zeros((2, 1, 4)))
    net.double()(x)
    net.float()(x.astype(np.float32))
    nn.Linear(1, 2)([[1.0]])


def test_modules_pickle():
    net = nn.Sequential(model(), nn.TransformerEncoderLayer(4, 2, 4), nn.LSTM(2, 2), nn.BatchNorm1d(3))
    twin = pickle.loads(pickle.dumps(net))
    assert repr(twin) == repr(net)
    assert twin[1].activation is nn.functional.relu
    for (name, value), (other, copied) in zip(net.state_dict().items(), twin.state_dict().items(), strict=True):
        assert name == other
        np.testing.assert_array_equal(value, copied)
    assert [p.name for p in twin.parameters()] == [p.name for p in net.parameters()]


def test_what_pytorch_has_and_this_has_not_is_explained():
    layer = nn.Linear(2, 2)
    for name in ("to", "cuda", "cpu"):
        with pytest.raises(AttributeError, match=f"Linear has no attribute '{name}': everything runs on the CPU"):
            getattr(layer, name)
    with pytest.raises(AttributeError, match=r"Linear has no attribute 'wieght'\."):
        _ = layer.wieght
    assert not hasattr(layer, "weigth")


def test_buffers_by_path():
    net = nn.Sequential(nn.BatchNorm1d(3))
    assert net.get_buffer("0.running_mean") is net[0].running_mean
    with pytest.raises(AttributeError, match="no buffer '0.mean'"):
        net.get_buffer("0.mean")
