"""Whole models take PyTorch's weights by name, and give theirs back; and they train where Numba is absent."""

from __future__ import annotations

import functools
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

HERE = Path(__file__).parent
MADE = runpy.run_path(str(HERE / "torch_models.py"))
MODELS, inputs = MADE["MODELS"], MADE["inputs"]


@functools.cache
def frozen() -> dict[str, np.ndarray]:
    with np.load(HERE / "reference" / "models.npz") as file:
        return dict(file)


def part(name, kind):
    prefix = f"{name}:{kind}/"
    return {key.removeprefix(prefix): value for key, value in frozen().items() if key.startswith(prefix)}


@pytest.mark.usefixtures("each_kernel")
@pytest.mark.parametrize("name", MODELS)
def test_weights_from_pytorch_give_its_outputs_and_gradients(name):
    net = MODELS[name](nn).double().eval()
    state = part(name, "state")
    assert list(net.state_dict()) == list(state)
    net.load_state_dict(state)
    out = net(*map(tg.tensor, inputs(name)))
    np.testing.assert_allclose(out.data, frozen()[f"{name}:out"], rtol=1e-10, atol=1e-12)
    (out**2).sum().backward()
    expected = part(name, "grad")
    assert [key for key, _ in net.named_parameters()] == list(expected)
    for key, parameter in net.named_parameters():
        np.testing.assert_allclose(parameter.grad.data, expected[key], rtol=1e-9, atol=1e-11, err_msg=key)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("name", MODELS)
def test_pytorch_takes_our_weights(name):
    torch = pytest.importorskip("torch")
    ours, theirs = MODELS[name](nn).double().eval(), MODELS[name](torch.nn).double().eval()
    theirs.load_state_dict({key: torch.tensor(value) for key, value in ours.state_dict().items()})
    with torch.no_grad():
        expected = theirs(*map(torch.tensor, inputs(name))).numpy()
    np.testing.assert_allclose(ours(*map(tg.tensor, inputs(name))).data, expected, rtol=1e-10, atol=1e-12)


def test_models_train_where_numba_is_absent():
    code = f"""
import runpy, sys
sys.modules["numba"] = None
import numpy as np, tinygrad_opt as tg
from tinygrad_opt import nn, optim
made = runpy.run_path({str(HERE / "torch_models.py")!r})
for name, build in made["MODELS"].items():
    net = build(nn).double()
    data = [np.repeat(array, 64, axis=0) for array in made["inputs"](name)]  # past the sizes that would be compiled
    optimizer, losses = optim.Adam(net.parameters(), lr=0.01), []
    for step in range(3):
        optimizer.zero_grad()
        loss = (net(*map(tg.tensor, data)) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[2] < losses[0], (name, losses)

assert sys.modules["numba"] is None
print("trained")
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(tg.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    environment.pop("TINYGRAD_OPT_KERNELS", None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "trained", done.stderr
