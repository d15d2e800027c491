"""Layers with PyTorch's weights give PyTorch's outputs and gradients of first and second order."""

import pathlib
import runpy

import numpy as np
import pytest

import tinygrad_opt as tg

FOLDER = pathlib.Path(__file__).parent / "reference"
MADE = runpy.run_path(str(FOLDER / "make_layers.py"))
CASES, arrange, flatten = MADE["CASES"], MADE["arrange"], MADE["flatten"]


@pytest.fixture(scope="module")
def frozen():
    with np.load(FOLDER / "layers.npz") as file:
        arrays = dict(file)
    records = {}
    for name, array in arrays.items():
        case, part = name.split(":")
        records.setdefault(case, {})[part] = array
    return records


def part_of(record, kind):
    return {name.removeprefix(kind): value for name, value in record.items() if name.startswith(kind)}


def assert_close(ours, theirs, what):
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10, err_msg=what)


def check(one, record):
    layer = getattr(tg.nn, one["layer"])(*one["args"], **one["kwargs"]).double().train(one["train"])
    layer.load_state_dict(part_of(record, "state/"))
    inputs = [tg.tensor(a, requires_grad=a.dtype.kind == "f") for a in part_of(record, "input/").values()]
    outputs = flatten(layer(*arrange(one["inputs"], inputs), **one["call"]))
    expected = list(part_of(record, "output/").values())
    assert len(outputs) == len(expected)
    for i, (ours, theirs) in enumerate(zip(outputs, expected, strict=True)):
        assert ours.shape == theirs.shape
        assert_close(ours.data, theirs, f"output {i}")
    wrt = {f"input/{i}": t for i, t in enumerate(inputs) if t.requires_grad}
    wrt |= {f"state/{name}": parameter for name, parameter in layer.named_parameters()}
    up = part_of(record, "up/").values()

    def loss(outputs):
        pairs = zip(outputs, up, strict=True)
        return sum(((out + out**2 / 2) * u).sum() for out, u in pairs if out.requires_grad)

    plain = tg.autograd.grad(loss(outputs), list(wrt.values()), allow_unused=True)
    for name, gradient in zip(wrt, plain, strict=True):
        theirs = record.get(f"grad/{name}")
        assert (gradient is None) == (theirs is None), name
        if gradient is not None:
            assert_close(gradient.data, theirs, f"gradient of {name}")
    if not one["second"]:
        return
    outputs = flatten(layer(*arrange(one["inputs"], inputs), **one["call"]))
    first = tg.autograd.grad(loss(outputs), list(wrt.values()), create_graph=True, allow_unused=True)
    for name, gradient in zip(wrt, first, strict=True):
        if gradient is not None:
            assert_close(gradient.data, record[f"grad/{name}"], f"recorded gradient of {name}")
    total = sum(
        (gradient * record[f"direction/{name}"]).sum()
        for name, gradient in zip(wrt, first, strict=True)
        if gradient is not None
    )
    second = tg.autograd.grad(total, list(wrt.values()), allow_unused=True)
    for name, gradient in zip(wrt, second, strict=True):
        ours = np.zeros(wrt[name].shape) if gradient is None else gradient.data
        assert_close(ours, record[f"second/{name}"], f"second-order gradient of {name}")


@pytest.mark.usefixtures("each_kernel")
@pytest.mark.parametrize("name", CASES)
def test_frozen(name, frozen):
    check(CASES[name], frozen[name])


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("name", CASES)
def test_live(name):
    pytest.importorskip("torch")
    check(CASES[name], MADE["run_torch"](CASES[name], 1))


def test_every_case_is_frozen(frozen):
    assert set(frozen) == set(CASES)
