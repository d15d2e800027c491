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


def a_list() -> nn.ModuleList:
    return nn.ModuleList([nn.Linear(1, 1)])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Sequential(nn.ReLU())[3], IndexError, "Sequential: there is no entry 3; it has 1"),
        (lambda: a_list()[-2], IndexError, "ModuleList: there is no entry -2; it has 1"),
        (lambda: a_list()["0"], TypeError, "entries are numbered; expected an int or a slice, got '0'"),
        (lambda: a_list().__setitem__(1, nn.ReLU()), IndexError, "there is no entry 1"),
        (lambda: a_list().__setitem__(slice(1), nn.ReLU()), TypeError, "expected an int, got slice"),
        (lambda: a_list().__delitem__(1), IndexError, "there is no entry 1"),
        (lambda: nn.ModuleList(nn.ReLU()), TypeError, r"ModuleList: expected a list of entries, got ReLU; .*brackets"),
        (lambda: nn.ModuleDict([nn.ReLU()]), TypeError, r"ModuleDict: expected names.*\{'name': entry\}.* got list"),
        (lambda: nn.ModuleDict({3: nn.ReLU()}), TypeError, "name of a part must be a str, got 3"),
        (lambda: nn.ModuleDict({"a": nn.ReLU()})["b"], KeyError, "ModuleDict: there is no entry 'b'; it has: a"),
        (lambda: nn.ModuleDict().pop("b"), KeyError, "no entry 'b'; it has: none"),
        (lambda: nn.ParameterList([np.ones(1)])[1], IndexError, "ParameterList: there is no entry 1; it has 1"),
        (lambda: nn.ParameterList(nn.Parameter(np.ones(2))), TypeError, "expected a list of entries, got Parameter"),
        (lambda: nn.ParameterDict([np.ones(3)]), TypeError, "ParameterDict: expected names.* got list"),
        (lambda: nn.ParameterDict()["b"], KeyError, "ParameterDict: there is no entry 'b'"),
    ],
)
def test_wrong_entries_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_all_entries_are_put_in_or_none():
    modules, chosen, values = a_list(), nn.ModuleDict({"a": nn.ReLU()}), nn.ParameterList()
    with pytest.raises(TypeError, match="entry '2' must be a Module, got int"):
        modules.extend([nn.ReLU(), 3])
    with pytest.raises(TypeError, match="entry 'c' must be a Module"):
        chosen.update({"b": nn.ReLU(), "c": 3})
    with pytest.raises(TypeError, match="expected numbers"):
        values.extend([np.ones(2), "x"])
    assert (len(modules), list(chosen), len(values)) == (1, ["a"], 0)


def test_entries_as_pytorch_takes_them():
    assert list(nn.ParameterDict([("a", np.ones(2)), ("b", np.ones(3))]).keys()) == ["a", "b"]
    for empty in (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict):
        assert len(empty(None)) == 0


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
