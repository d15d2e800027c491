"""Containers: what they hold is found, named and numbered."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from tinygrad_opt import nn


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


def test_sequential_with_names_of_its_own():
    net = nn.Sequential({"first": nn.Linear(2, 3), "act": nn.ReLU()})
    assert names(net) == ["first.weight", "first.bias"]
    assert net(np.ones((1, 2), np.float32)).shape == (1, 3)


def test_sequential_is_edited_like_a_list():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    net.append(nn.Linear(3, 1)).insert(1, nn.Tanh())
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "ReLU", "Linear"]
    assert names(net)[-1] == "3.bias"
    assert net[3].bias.name == "3.bias"
    del net[1]
    assert names(net)[-1] == "2.bias"
    assert net[2].bias.name == "2.bias"
    net[-1] = nn.Linear(3, 5, bias=False)
    assert len(net) == 3
    assert net[:2](np.ones((1, 2), np.float32)).shape == (1, 3)


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match=r"entry '1' must be a Module, got type.*nn.ReLU\(\) with parentheses"):
        nn.Sequential(nn.Linear(1, 1), nn.ReLU)
    net = nn.Sequential(nn.Linear(1, 1))
    with pytest.raises(TypeError, match="must be a Module"):
        net.insert(0, np.tanh)
    assert len(net) == 1


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(2, 2, bias=False) for _ in range(2))
        self.heads = nn.ModuleDict({"b": nn.Linear(2, 1), "a": nn.Linear(2, 1)})
        self.scales = nn.ParameterList([np.ones(1), np.ones(2)])
        self.offsets = nn.ParameterDict({"x": np.zeros(1)})


EXPECTED = [
    *("blocks.0.weight", "blocks.1.weight", "heads.b.weight", "heads.b.bias", "heads.a.weight", "heads.a.bias"),
    *("scales.0", "scales.1", "offsets.x"),
]


def test_lists_and_dictionaries_in_a_module():
    net = Net()
    assert names(net) == EXPECTED
    assert [p.name for p in net.parameters()] == EXPECTED
    assert names(copy.deepcopy(net)) == EXPECTED
    assert net.heads["a"].label == "heads.a (Linear)"
    net.heads["c"] = nn.ReLU()
    assert list(net.heads) == ["b", "a", "c"]
    assert "c" in net.heads
    net.heads.pop("c")
    assert len(net.heads) == 2
    assert list(net.offsets.keys()) == ["x"]
    assert net.scales[1].shape == (2,)
    twin = Net()
    assert twin.load_state_dict(net.state_dict()) == ([], [])


def test_a_module_list_is_not_called():
    with pytest.raises(NotImplementedError, match=r"blocks \(ModuleList\) cannot be called: loop over it"):
        Net().blocks(1)
