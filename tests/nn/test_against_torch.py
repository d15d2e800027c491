"""Layers and losses against PyTorch: outputs, gradients of two orders and buffers, from its weights loaded by name.

The expected numbers were made by ``make_against_torch.py``, which runs the same table of cases with PyTorch.
"""

from __future__ import annotations

import functools
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

HERE = Path(__file__).parent


class Case(NamedTuple):
    """A layer or loss to build from either library's ``nn``, and what to call it with."""

    name: str
    build: Callable[[Any], Any]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    second: bool = True
    train: bool = True
    rtol: float = 1e-10


def floats(*shapes: tuple[int, ...], scale: float = 1.0) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(np.asarray(rng.standard_normal(shape) * scale) for shape in shapes)


def labelled(shape: tuple[int, ...], ignored: bool = False) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Logits and labels; the classes are on axis 1, or 0 for a single sample."""

    def inputs(rng: np.random.Generator) -> tuple[Any, ...]:
        axis = 1 if len(shape) > 1 else 0
        labels = np.asarray(rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :]))
        if ignored:
            labels.reshape(-1)[1] = -100
        return rng.standard_normal(shape), labels

    return inputs


def probabilities(shape: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: (rng.standard_normal(shape), rng.dirichlet(np.ones(shape[1]), shape[0]))


def binary(shape: tuple[int, ...], squash: bool = False) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    def inputs(rng: np.random.Generator) -> tuple[Any, ...]:
        x = rng.standard_normal(shape)
        return (1 / (1 + np.exp(-x)) if squash else x), rng.integers(0, 2, shape).astype(float)

    return inputs


class Weights:
    """Class weights that either library takes."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def __call__(self, library: Any) -> Any:
        if library.__name__.startswith("torch"):
            import torch

            return torch.tensor(self.values, dtype=torch.float64)
        return np.array(self.values)


def losses(name: str, inputs: Any, note: str = "", second: bool = True, **options: Any) -> list[Case]:
    """A loss with each reduction."""

    def build(reduction: str) -> Callable[[Any], Any]:
        def make(library: Any) -> Any:
            given = {k: v(library) if isinstance(v, Weights) else v for k, v in options.items()}
            return getattr(library, name)(reduction=reduction, **given)

        return make

    text = ",".join(f"{k}={v.values if isinstance(v, Weights) else v}" for k, v in options.items())
    shape = "x".join(map(str, np.shape(inputs(np.random.default_rng(0))[0])))
    return [Case(f"{name}({text})[{shape}{note}]:{r}", build(r), inputs, second) for r in ("mean", "sum", "none")]


def reparametrized(how: str, layer: str, *sizes: int, **options: Any) -> Callable[[Any], Any]:
    def build(library: Any) -> Any:
        if library.__name__.startswith("torch"):
            import torch.nn.utils as utils
        else:
            utils = library.utils
        return getattr(utils, how)(getattr(library, layer)(*sizes), **options)

    return build


W3 = Weights(0.5, 2.0, 1.5)

CASES = [
    Case("Linear", lambda nn: nn.Linear(3, 2), floats((4, 3))),
    Case("Linear without bias", lambda nn: nn.Linear(3, 2, bias=False), floats((4, 3))),
    Case("Linear on a vector", lambda nn: nn.Linear(3, 2), floats((3,))),
    Case("Linear on 3 axes", lambda nn: nn.Linear(3, 2), floats((2, 4, 3))),
    Case("Flatten", lambda nn: nn.Flatten(), floats((2, 3, 2, 2))),
    Case("Flatten(0, 1)", lambda nn: nn.Flatten(0, 1), floats((2, 3, 2))),
    Case("Unflatten", lambda nn: nn.Unflatten(1, (2, 3)), floats((2, 6))),
    Case("Identity", lambda nn: nn.Identity(4), floats((2, 3))),
    Case(
        "mlp",
        lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Sequential(nn.Linear(4, 2), nn.GELU())),
        floats((5, 3)),
    ),
    *[
        Case(name, lambda nn, name=name: getattr(nn, name)(), floats((3, 4), scale=2.0))
        for name in (
            *("ReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "Mish", "Softplus", "LogSigmoid", "Softsign", "Tanhshrink"),
        )
    ],
    Case(
        "Hardsigmoid", lambda nn: nn.Hardsigmoid(), floats((3, 4), scale=3.0), second=False, rtol=1e-7
    ),  # its 1/6 is float32
    *[
        Case(name, lambda nn, name=name: getattr(nn, name)(), floats((3, 4), scale=3.0))
        for name in (
            *("LeakyReLU", "ELU", "CELU", "SELU", "ReLU6", "Hardtanh", "Hardswish", "Hardshrink"),
            *("Softshrink", "PReLU"),
        )
    ],
    Case("LeakyReLU(0.3)", lambda nn: nn.LeakyReLU(0.3), floats((3, 4))),
    Case("PReLU(4)", lambda nn: nn.PReLU(4), floats((3, 4, 2))),
    Case("RReLU in evaluation", lambda nn: nn.RReLU(), floats((3, 4)), train=False),
    Case("ELU(0.5)", lambda nn: nn.ELU(0.5), floats((3, 4))),
    Case("CELU(0.5)", lambda nn: nn.CELU(0.5), floats((3, 4))),
    Case("Hardtanh(-0.5, 2)", lambda nn: nn.Hardtanh(-0.5, 2.0), floats((3, 4))),
    Case("Threshold", lambda nn: nn.Threshold(0.1, 20.0), floats((3, 4))),
    *[
        Case(f"{name}({axis})", lambda nn, name=name, axis=axis: getattr(nn, name)(axis), floats((2, 4, 6)))
        for name in ("Softmax", "LogSoftmax", "Softmin", "GLU")
        for axis in (1, -1, 0)
    ],
    Case("Softmax2d", lambda nn: nn.Softmax2d(), floats((2, 3, 2, 2))),
    *[
        Case(
            f"BatchNorm{d}[{note}]",
            lambda nn, d=d, o=o: getattr(nn, f"BatchNorm{d}")(3, **o),
            floats(shape),
            train=train,
        )
        for d, shape in (("1d", (5, 3)), ("1d", (4, 3, 2)), ("2d", (3, 3, 2, 2)), ("3d", (2, 3, 2, 1, 2)))
        for note, o, train in (
            (f"{shape}, training", {}, True),
            (f"{shape}, evaluation", {}, False),
        )
    ],
    Case("BatchNorm1d, cumulative", lambda nn: nn.BatchNorm1d(3, momentum=None), floats((5, 3))),
    Case("BatchNorm1d, plain", lambda nn: nn.BatchNorm1d(3, 0.1, affine=False), floats((5, 3))),
    Case(
        "BatchNorm1d, no statistics",
        lambda nn: nn.BatchNorm1d(3, track_running_stats=False),
        floats((5, 3)),
        train=False,
    ),
    Case("InstanceNorm1d", lambda nn: nn.InstanceNorm1d(3), floats((2, 3, 4))),
    Case("InstanceNorm1d, one sample", lambda nn: nn.InstanceNorm1d(3), floats((3, 4))),
    Case("InstanceNorm2d", lambda nn: nn.InstanceNorm2d(3, affine=True), floats((2, 3, 2, 2))),
    Case("InstanceNorm2d, tracked", lambda nn: nn.InstanceNorm2d(3, track_running_stats=True), floats((2, 3, 2, 2))),
    Case(
        "InstanceNorm2d, evaluation",
        lambda nn: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        floats((2, 3, 2, 2)),
        train=False,
    ),
    Case("LayerNorm", lambda nn: nn.LayerNorm(4), floats((2, 3, 4))),
    Case("LayerNorm, two axes", lambda nn: nn.LayerNorm((3, 4)), floats((2, 3, 4))),
    Case("LayerNorm, no bias", lambda nn: nn.LayerNorm(4, bias=False), floats((3, 4))),
    Case("LayerNorm, plain", lambda nn: nn.LayerNorm(4, eps=0.1, elementwise_affine=False), floats((3, 4))),
    Case("RMSNorm", lambda nn: nn.RMSNorm(4), floats((2, 3, 4))),
    Case("RMSNorm, plain", lambda nn: nn.RMSNorm((3, 4), eps=0.1, elementwise_affine=False), floats((2, 3, 4))),
    Case("GroupNorm", lambda nn: nn.GroupNorm(2, 4), floats((2, 4, 3))),
    Case("GroupNorm, plain", lambda nn: nn.GroupNorm(4, 4, affine=False), floats((2, 4, 2, 2))),
    Case("GroupNorm, one group", lambda nn: nn.GroupNorm(1, 4), floats((3, 4))),
    Case("LocalResponseNorm", lambda nn: nn.LocalResponseNorm(3, alpha=0.5, k=2.0), floats((2, 5, 3))),
    Case("LocalResponseNorm, even", lambda nn: nn.LocalResponseNorm(4, 0.5), floats((2, 5, 2, 2))),
    # PyTorch's fused weight norm fails its own gradgradcheck for axis 0, so its second order is no reference
    Case("weight_norm", reparametrized("weight_norm", "Linear", 3, 2), floats((4, 3)), second=False),
    Case(
        "weight_norm of a convolution",
        reparametrized("weight_norm", "Conv1d", 2, 3, 2),
        floats((2, 2, 4)),
        second=False,
    ),
    Case("weight_norm(dim=None)", reparametrized("weight_norm", "Linear", 3, 2, dim=None), floats((4, 3))),
    Case("spectral_norm", reparametrized("spectral_norm", "Linear", 3, 2), floats((4, 3))),
    Case("spectral_norm in evaluation", reparametrized("spectral_norm", "Linear", 3, 2), floats((4, 3)), train=False),
    Case("GELU(tanh)", lambda nn: nn.GELU("tanh"), floats((3, 4), scale=2.0)),
    Case("Softplus(2.5)", lambda nn: nn.Softplus(2.5), floats((3, 4))),
    Case("Dropout in evaluation", lambda nn: nn.Dropout(0.3), floats((3, 4)), train=False),
    Case("Dropout(0)", lambda nn: nn.Dropout(0.0), floats((3, 4))),
    *losses("MSELoss", floats((4, 3), (4, 3))),
    *losses("MSELoss", floats((), ())),
    *losses("L1Loss", floats((4, 3), (4, 3))),
    *losses("HuberLoss", floats((4, 3), (4, 3))),
    *losses("HuberLoss", floats((4, 3), (4, 3)), delta=0.4),
    *losses("SmoothL1Loss", floats((4, 3), (4, 3)), beta=0.5),
    *losses("CrossEntropyLoss", labelled((4, 3))),
    *losses("CrossEntropyLoss", labelled((3,))),
    *losses("CrossEntropyLoss", labelled((2, 3, 4))),
    *losses("CrossEntropyLoss", labelled((2, 3, 2, 2), ignored=True), weight=W3, label_smoothing=0.2),
    *losses("CrossEntropyLoss", labelled((4, 3), ignored=True), ", one ignored"),
    *losses("CrossEntropyLoss", labelled((4, 3)), ignore_index=1),
    *losses("CrossEntropyLoss", labelled((4, 3)), weight=W3),
    *losses("CrossEntropyLoss", labelled((4, 3)), label_smoothing=0.1),
    *losses("CrossEntropyLoss", probabilities((4, 3)), ", probabilities"),
    *losses("CrossEntropyLoss", probabilities((4, 3)), weight=W3, label_smoothing=0.1),
    *losses("NLLLoss", labelled((4, 3), ignored=True), weight=W3),
    *losses("NLLLoss", labelled((2, 3, 4))),
    *losses("BCEWithLogitsLoss", binary((4, 3))),
    *losses("BCEWithLogitsLoss", binary((4, 3)), weight=W3, pos_weight=Weights(2.0, 0.5, 3.0)),
    *losses("BCELoss", binary((4, 3), squash=True)),
    *losses("BCELoss", binary((4, 3), squash=True), weight=W3),
    *losses("KLDivLoss", probabilities((4, 3))),
    *losses("KLDivLoss", floats((4, 3), (4, 3)), log_target=True),
    Case("KLDivLoss:batchmean", lambda nn: nn.KLDivLoss(reduction="batchmean"), probabilities((4, 3))),
]


@functools.cache
def reference() -> dict[str, np.ndarray]:
    with np.load(HERE / "reference" / "against_torch.npz") as file:
        return dict(file)


def ours(case: Case, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
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


def compare(case: Case, found: dict[str, np.ndarray], given: dict[str, np.ndarray]) -> None:
    expected = {k: v for k, v in given.items() if k.split(".")[0] in ("out", "after", "first", "second")}
    assert sorted(found) == sorted(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=case.rtol, atol=1e-10, err_msg=key)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_against_frozen_torch(case: Case) -> None:
    prefix = f"{case.name}/"
    given = {k.removeprefix(prefix): v for k, v in reference().items() if k.startswith(prefix)}
    compare(case, ours(case, given), given)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides", "ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_against_live_torch(case: Case) -> None:
    pytest.importorskip("torch")
    script = runpy.run_path(str(HERE / "make_against_torch.py"))
    given = script["theirs"](case, seed=7)
    compare(case, ours(case, given), given)


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
