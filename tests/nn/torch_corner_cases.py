"""The odd configurations that are compared with PyTorch: combinations of options, ties, empty batches, infinities."""

from __future__ import annotations

import itertools
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_USUAL = runpy.run_path(str(Path(__file__).parent / "torch_cases.py"))
Case, Weights, floats, losses = (_USUAL[name] for name in ("Case", "Weights", "floats", "losses"))
Inputs = Callable[[np.random.Generator], tuple[Any, ...]]


def grid(kind: str, *args: Any, inputs: Inputs, second: bool = True, train: bool = True, **axes: Any) -> list[Any]:
    """A layer with every combination of some options; what is no list is the same in all of them."""
    axes = {key: values if isinstance(values, list) else [values] for key, values in axes.items()}
    cases = []
    for chosen in itertools.product(*axes.values()):
        options = dict(zip(axes, chosen, strict=True))
        shown = ", ".join([*map(str, args), *(f"{key}={value}" for key, value in options.items())])
        shape = "x".join(map(str, np.shape(inputs(np.random.default_rng(0))[0])))
        name = f"{kind}({shown}) [{shape or 'scalar'}{'' if train else ', evaluation'}]"
        cases.append(Case(name, _maker(kind, args, options), inputs, second, train))
    return cases


def _maker(kind: str, args: tuple[Any, ...], options: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda nn: getattr(nn, kind)(*args, **options)


def given(*arrays: Any) -> Inputs:
    """These very arrays."""
    return lambda rng: tuple(np.asarray(array, float) for array in arrays)


def function(call: Callable[..., Any]) -> Callable[[Any], Any]:
    """A module around ``call(functional, *inputs)``."""

    def build(nn: Any) -> Any:
        class Net(nn.Module):  # type: ignore[misc]
            def forward(self, *inputs: Any) -> Any:
                return call(nn.functional, *inputs)

        return Net()

    return build


def labels(x: tuple[int, ...], target: Any) -> Inputs:
    return lambda rng: (rng.standard_normal(x), np.asarray(target))


def newer(how: str, kind: str, *args: Any, **options: Any) -> Callable[[Any], Any]:
    """A layer changed by ``nn.utils.parametrizations``."""

    def build(nn: Any) -> Any:
        import importlib

        change = getattr(importlib.import_module(f"{nn.__name__}.utils.parametrizations"), how)
        return change(getattr(nn, kind)(*args), **options)

    return build


def mixed(rng: np.random.Generator) -> tuple[Any, ...]:
    """Logits of two images, and probabilities for each pixel."""
    return rng.standard_normal((2, 3, 2, 2)), np.moveaxis(rng.dirichlet(np.ones(3), (2, 2, 2)), -1, 1)


def spoken(lengths: list[int], *counts: int) -> Inputs:
    targets = np.array([[1, 2, 2], [3, 1, 4], [2, 1, 1]])
    return lambda rng: (rng.standard_normal((6, 3, 5)), targets, np.array(lengths), np.array(counts))


def hidden(rng: np.random.Generator) -> tuple[Any, ...]:
    """Queries, keys, values and a mask that hides everything from the second query."""
    mask = rng.standard_normal((4, 3))
    mask[1], mask[2, 0] = -np.inf, -np.inf
    return (*(rng.standard_normal(shape) for shape in ((2, 4, 3), (2, 3, 3), (2, 3, 2))), mask)


def ctc(**options: Any) -> Callable[[Any], Any]:
    return function(lambda f, x, *rest: f.ctc_loss(f.log_softmax(x, -1), *rest, **options))


LINE, IMAGE = floats((2, 4, 7)), floats((1, 4, 5, 6))
MODES, TIED = ["zeros", "reflect", "replicate", "circular"], [[0.0, 0.5, 1.0, -0.5]]
W3 = Weights(0.5, 2.0, 1.5)

CORNERS = [
    *grid("Conv1d", 4, 4, 3, inputs=LINE, padding=[2, "same"], padding_mode=MODES, dilation=[1, 2], groups=[1, 2]),
    *grid("Conv1d", 4, 2, 4, inputs=LINE, padding="same", padding_mode=MODES, second=False),
    *grid("Conv2d", 4, 2, (3, 2), inputs=IMAGE, padding="same", dilation=[(1, 2), 2], padding_mode=MODES, second=False),
    *grid("Conv2d", 4, 4, 3, inputs=floats((0, 4, 5, 5)), groups=[1, 4]),
    *grid("ConvTranspose1d", 4, 4, 3, inputs=LINE, stride=[2, 3], padding=[0, 2], output_padding=[0, 1], groups=2),
    *grid("ConvTranspose2d", 4, 2, 2, inputs=IMAGE, dilation=[1, 3], output_padding=[0, (1, 0)], stride=2),
    *grid("MaxPool1d", 3, inputs=LINE, stride=[1, 2, 4], padding=[0, 1], ceil_mode=[False, True], dilation=[1, 2]),
    *grid("AvgPool2d", 3, 2, inputs=IMAGE, padding=[0, 1], ceil_mode=[False, True], count_include_pad=[False, True]),
    *grid("AvgPool2d", (2, 3), inputs=IMAGE, padding=1, ceil_mode=[False, True], divisor_override=[None, 4]),
    *grid(
        "LPPool2d", inputs=floats((2, 4, 4, 4)), norm_type=[1.0, 2.0, np.inf], kernel_size=2, ceil_mode=[False, True]
    ),
    *grid("LPPool2d", 2, 2, inputs=given(np.zeros((1, 1, 2, 2))), second=False),
    *grid("AdaptiveAvgPool2d", inputs=IMAGE, output_size=[(2, 4), (None, 5), 3]),
    *grid("BatchNorm1d", 3, inputs=floats((5, 3)), train=False, affine=[True, False], momentum=[0.1, None]),
    *grid("BatchNorm1d", 3, inputs=floats((0, 3)), train=False),
    *grid("InstanceNorm1d", 3, inputs=floats((2, 3, 4)), track_running_stats=True, momentum=[None, 0.3]),
    *grid("LayerNorm", 4, inputs=given(np.ones((2, 4))), second=False),
    *grid("GroupNorm", 2, 4, inputs=floats((0, 4, 3))),
    *grid("Linear", 3, 2, inputs=floats((2, 0, 3))),
    *grid("Linear", 3, 0, inputs=floats((2, 3))),
    *grid("Softplus", inputs=given([-30.0, 0.0, 2.0, 3.0, 25.0]), beta=[1.0, 2.0], threshold=[20.0, 5.0]),
    *grid("Hardshrink", inputs=given([np.nan, -0.5, 0.5, 0.6]), second=False),
    *grid("Threshold", 0.5, -2.0, inputs=given([np.nan, 0.5, 0.6]), second=False),
    *grid("Hardtanh", inputs=given([-1.0, 1.0, 0.5, np.inf]), second=False),
    *grid("ELU", alpha=[0.0, -1.0, 2.0], inputs=floats((2, 3), scale=2.0)),
    *grid("ConstantPad1d", (1, 2), 3.5, inputs=floats((4,))),
    *grid("Upsample", mode="nearest-exact", scale_factor=[2, 1.5, 0.6], inputs=IMAGE),
    *grid("Upsample", mode=["bilinear", "bicubic"], align_corners=[True, False], size=[(3, 4), (1, 9)], inputs=IMAGE),
    *losses("HuberLoss", given(TIED, np.zeros((1, 4))), ", on the bend", delta=0.5),
    *losses("SmoothL1Loss", given(TIED, np.zeros((1, 4))), ", on the bend", beta=0.5),
    *losses("MSELoss", floats((0, 3), (0, 3))),
    Case("HingeEmbeddingLoss at the margin", lambda nn: nn.HingeEmbeddingLoss(), given([1.0, 1.0], [-1.0, 1.0]), False),
    Case(
        "MarginRankingLoss at a tie",
        lambda nn: nn.MarginRankingLoss(reduction="sum"),
        given([1.0, 2.0], [1.0, 2.0], [1.0, -1.0]),
        False,
    ),
    *losses("CrossEntropyLoss", labels((2, 3), [-100, -100]), ", all ignored", second=False),
    *losses("CrossEntropyLoss", labels((4, 3), [0, 1, 2, 1]), ignore_index=1, label_smoothing=0.3, weight=W3),
    *losses("CrossEntropyLoss", mixed, ", probabilities", label_smoothing=0.2, weight=W3),
    *losses("NLLLoss", labels((4, 3), [0, 1, 2, 1]), ignore_index=1, weight=W3),
    *losses(
        "GaussianNLLLoss", lambda rng: (*floats((4, 3), (4, 3))(rng), rng.uniform(0.1, 2, (1, 3))), ", one a column"
    ),
    Case("CTCLoss of no time steps", ctc(zero_infinity=True), spoken([6, 5, 0], 3, 2, 1), False),
    Case("CTCLoss of nothing at all", ctc(reduction="sum"), spoken([6, 5, 0], 3, 2, 0), False),
    Case("CTCLoss of empty targets", ctc(), spoken([6, 5, 4], 0, 2, 3), False),
    Case(
        "attention that sees nothing",
        function(lambda f, q, k, v, mask: f.scaled_dot_product_attention(q, k, v, mask)),
        hidden,
        False,
    ),
    *[
        Case(
            f"parametrizations.{how} of {kind}{'' if train else ', evaluation'}",
            newer(how, kind, *sizes),
            inputs,
            second,
            train,
        )
        for how, kind, sizes, inputs, second, train in (
            ("weight_norm", "Linear", (3, 2), floats((4, 3)), False, True),
            ("weight_norm", "Conv1d", (4, 2, 2), LINE, False, True),
            ("spectral_norm", "Linear", (3, 2), floats((4, 3)), True, False),
            ("spectral_norm", "Linear", (3, 2), floats((4, 3)), False, True),
        )
    ],
]
