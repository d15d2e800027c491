"""Layers and losses against PyTorch: outputs, gradients of two orders and buffers, from its weights loaded by name.

The expected numbers were made by ``make_against_torch.py``, which runs ``torch_cases.py`` and ``torch_corner_cases.py``
with PyTorch.
"""

from __future__ import annotations

import functools
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

HERE = Path(__file__).parent


CASES = [
    *runpy.run_path(str(HERE / "torch_cases.py"))["CASES"],
    *runpy.run_path(str(HERE / "torch_corner_cases.py"))["CORNERS"],
]


@functools.cache
def reference() -> dict[str, np.ndarray]:
    with np.load(HERE / "reference" / "against_torch.npz") as file:
        return dict(file)


def ours(case: Any, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a case with this package, from the weights, inputs and upstream gradients of a reference."""
    module = case.build(nn).double().train(case.train)
    module.load_state_dict({k.removeprefix("state."): v for k, v in given.items() if k.startswith("state.")})
    inputs = [given[f"input.{i}"] for i in range(sum(k.startswith("input.") for k in given))]
    leaves = [tg.Tensor(a, requires_grad=True) if a.dtype.kind == "f" else tg.Tensor(a) for a in inputs]
    out = module(*leaves)
    names = [f"input.{i}" for i, leaf in enumerate(leaves) if leaf.requires_grad]
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    names += [f"state.{name}" for name, _ in module.named_parameters()]
    wanted += list(module.parameters())
    found = {"out": out.data} | {f"after.{name}": b.data for name, b in module.named_buffers()}
    first = tg.autograd.grad(out, wanted, given["upstream"], create_graph=case.second, allow_unused=True)
    found |= {
        f"first.{n}": np.zeros(w.shape) if g is None else g.data for n, w, g in zip(names, wanted, first, strict=True)
    }
    if case.second:
        total = sum(
            (
                (g * given[f"upstream.{n}"]).sum()
                for n, g in zip(names, first, strict=True)
                if g is not None and g.requires_grad
            ),
            start=0.0,
        )
        second = [None] * len(wanted)
        if isinstance(total, tg.Tensor):
            second = tg.autograd.grad(total, wanted, allow_unused=True)
        found |= {
            f"second.{n}": np.zeros(w.shape) if g is None else g.data
            for n, w, g in zip(names, wanted, second, strict=True)
        }
    return found


def compare(case: Any, found: dict[str, np.ndarray], given: dict[str, np.ndarray]) -> None:
    expected = {k: v for k, v in given.items() if k.split(".")[0] in ("out", "after", "first", "second")}
    assert sorted(found) == sorted(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=case.rtol, atol=1e-10, err_msg=key)


@pytest.mark.filterwarnings("ignore:divide by zero")  # where all labels are ignored
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.usefixtures("each_kernel")
def test_against_frozen_torch(case: Any) -> None:
    prefix = f"{case.name}/"
    given = {k.removeprefix(prefix): v for k, v in reference().items() if k.startswith(prefix)}
    compare(case, ours(case, given), given)


@pytest.mark.torch
@pytest.mark.filterwarnings(
    "ignore:reduction. 'mean' divides",
    "ignore:.*weight_norm:FutureWarning",
    "ignore:Using padding='same'",
    "ignore:Initializing zero-element",
    "ignore:divide by zero",
)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_against_live_torch(case: Any) -> None:
    pytest.importorskip("torch")
    script = runpy.run_path(str(HERE / "make_against_torch.py"))
    given = script["theirs"](case, seed=7)
    compare(case, ours(case, given), given)


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
