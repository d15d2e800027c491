"""The layers and losses compared with PyTorch: how to build each from either library, and what to call it with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


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


def signs(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Arrays of the given shapes, and 1 or -1 for each element or row of the first."""

    def inputs(rng: np.random.Generator) -> tuple[Any, ...]:
        arrays = [np.asarray(rng.standard_normal(shape)) for shape in shapes[:-1]]
        return (*arrays, rng.choice([-1, 1], shapes[-1]))

    return inputs


def counts(shape: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: (rng.uniform(0.1, 2, shape), 1 + rng.poisson(3, shape).astype(float))


def measured(shape: tuple[int, ...], variances: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: (rng.standard_normal(shape), rng.standard_normal(shape), rng.uniform(0.1, 2, variances))


LABEL_LISTS = np.array([[2, 0, -1, 1], [-1, 0, 1, 2], [3, 2, 1, 0]])


def spoken(*, together: bool = False, short: bool = False) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Scores (T, N, C), targets, input lengths and target lengths, one pair of equal labels among them."""

    def inputs(rng: np.random.Generator) -> tuple[Any, ...]:
        targets, lengths = np.array([[1, 2, 2], [3, 1, 0], [2, 0, 0]]), np.array([3, 2, 1])
        if together:
            targets = np.array([1, 2, 2, 3, 1, 2])
        return 2 * rng.standard_normal((7, 3, 4)), targets, np.array([3 if short else 7, 5, 6]), lengths

    return inputs


def ctc(**options: Any) -> Callable[[Any], Any]:
    """The loss behind a log-softmax: only then PyTorch's gradient is the derivative."""

    def build(library: Any) -> Any:
        class Net(library.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.softmax = library.LogSoftmax(-1)
                self.loss = library.CTCLoss(**options)

            def forward(self, x: Any, *rest: Any) -> Any:
                return self.loss(self.softmax(x), *rest)

        return Net()

    return build


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
    Case("Bilinear", lambda nn: nn.Bilinear(3, 4, 2), floats((5, 3), (5, 4))),
    Case("Bilinear, 3 axes", lambda nn: nn.Bilinear(3, 2, 4, bias=False), floats((2, 3, 3), (2, 3, 2))),
    *[
        Case(f"{kind}Pad{d}d({p})", lambda nn, kind=kind, d=d, p=p: getattr(nn, f"{kind}Pad{d}d")(p), floats(shape))
        for kind in ("Zero", "Reflection", "Replication", "Circular")
        for d, p, shape in (
            *((1, (2, 1), (2, 2, 4)), (1, 1, (2, 3)), (2, (1, 2, 0, 1), (2, 1, 3, 4)), (2, 1, (1, 2, 3))),
            (3, (1, 0, 0, 1, 1, 0), (1, 1, 2, 2, 3)),
        )
        if kind != "Circular" or len(shape) > d + 1  # PyTorch's takes batches only
    ],
    *[
        Case(f"ConstantPad{d}d", lambda nn, d=d: getattr(nn, f"ConstantPad{d}d")(1, 2.5), floats((2, 1) + (2,) * d))
        for d in (1, 2, 3)
    ],
    Case("ZeroPad2d, negative", lambda nn: nn.ZeroPad2d((-1, 2, 1, -1)), floats((1, 1, 3, 3))),
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
    *losses("SoftMarginLoss", signs((4, 3), (4, 3))),
    *losses("HingeEmbeddingLoss", signs((4, 3), (4, 3)), margin=0.7),
    *losses("MarginRankingLoss", signs((5,), (5,), (5,)), margin=0.3),
    *losses("MultiMarginLoss", labelled((4, 3)), second=False),
    *losses("MultiMarginLoss", labelled((4, 3)), second=False, p=2, margin=0.5, weight=W3),
    *losses("MultiMarginLoss", labelled((3,)), second=False),
    *losses("MultiLabelMarginLoss", lambda rng: (rng.standard_normal((3, 4)), LABEL_LISTS), second=False),
    *losses("MultiLabelMarginLoss", lambda rng: (rng.standard_normal(4), LABEL_LISTS[0]), ", one sample", False),
    *losses("MultiLabelSoftMarginLoss", binary((4, 3))),
    *losses("MultiLabelSoftMarginLoss", binary((4, 3)), weight=W3),
    *losses("CosineEmbeddingLoss", signs((4, 3), (4, 3), (4,)), margin=0.2),
    *losses("CosineEmbeddingLoss", signs((3,), (3,), ())),
    *losses("TripletMarginLoss", floats((4, 3), (4, 3), (4, 3))),
    *losses("TripletMarginLoss", floats((4, 3), (4, 3), (4, 3)), margin=2.0, p=3.0, swap=True),
    *losses("TripletMarginWithDistanceLoss", floats((4, 3), (4, 3), (4, 3)), swap=True),
    *losses("PoissonNLLLoss", counts((4, 3))),
    *losses("PoissonNLLLoss", counts((4, 3)), log_input=False, full=True),
    *losses("GaussianNLLLoss", measured((4, 3), (4, 3))),
    *losses("GaussianNLLLoss", measured((4, 3), (4, 1)), ", one variance a row", full=True),
    *losses("GaussianNLLLoss", measured((4, 3), (4,)), ", variances without the last axis"),
    Case("PairwiseDistance", lambda nn: nn.PairwiseDistance(), floats((4, 3), (4, 3))),
    Case("PairwiseDistance(1)", lambda nn: nn.PairwiseDistance(1.0), floats((4, 3), (4, 3))),
    Case("CosineSimilarity", lambda nn: nn.CosineSimilarity(), floats((4, 3), (4, 3))),
    Case("CosineSimilarity(0)", lambda nn: nn.CosineSimilarity(0), floats((4, 3), (4, 3))),
    *[Case(f"CTCLoss:{r}", ctc(reduction=r), spoken(), second=False) for r in ("mean", "sum", "none")],
    Case("CTCLoss, targets end to end", ctc(), spoken(together=True), second=False),
    Case("CTCLoss, too short", ctc(zero_infinity=True), spoken(short=True), second=False),
    Case("KLDivLoss:batchmean", lambda nn: nn.KLDivLoss(reduction="batchmean"), probabilities((4, 3))),
]
