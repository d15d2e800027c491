"""PyTorch's own operator samples (its OpInfo database), translated to these names: value, gradient, second order.

It needs torch and expecttest. With OPINFO=all in the environment all samples run, in double, single and complex
numbers, and the share that agrees is measured; else the first ones of each operation, in double.
"""

from __future__ import annotations

import itertools
import math
import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

EVERYTHING = os.environ.get("OPINFO") == "all"
FIRST = 10_000 if EVERYTHING else 8
DTYPES = ("float64", "float32", "complex128") if EVERYTHING else ("float64",)

pytest.importorskip("torch")
pytest.importorskip("expecttest")

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

HERE = Path(__file__).parent
TRANSLATED = {
    name: function
    for table in ("torch_names.py", "torch_names_more.py", "torch_names_nn.py")
    for name, function in runpy.run_path(str(HERE / table))["TRANSLATED"].items()
}

UNLIKE = {
    "max.reduction_with_dim": "two outputs, and at ties the gradient goes to one of them; np.max is amax",
    "min.reduction_with_dim": "as max",
}
"""Variants that ask for something else than NumPy's function of that name."""

DIFFERENT: dict[str, tuple[int, str]] = {
    "cumsum": (1, "NumPy makes a vector of a 0-d array"),
    "cumprod": (1, "NumPy makes a vector of a 0-d array"),
    "gather": (1, "an index of no elements and two axes for a vector"),
    "tensordot": (1, "PyTorch pairs an axis of 1 with one of 2"),
    "linalg.vander": (1, "PyTorch makes two axes of a number"),
    "linalg.norm.subgradients_at_zero": (18, "a second derivative at 0: NaN in PyTorch, 0 here"),
    "nn.functional.hardtanh": (1, "an empty range is refused"),
    "nn.functional.hinge_embedding_loss": (1, "a target that is neither 1 nor -1"),
    "nn.functional.ctc_loss": (12, "PyTorch's gradient takes the probabilities for normalized where they are not"),
    "nn.functional.avg_pool2d": (3, "a tuple of one size for two axes"),
    "nn.functional.interpolate.area": (8, "volumes"),
    "nn.functional.multi_margin_loss": (2, "a number for a row of scores"),
    "nn.functional.multilabel_margin_loss": (1, "a number for a row of scores"),
    "nn.functional.batch_norm": (1, "a batch of shape (0,)"),
    "copysign/float32": (2, "rounding"),
    "cov/float32": (1, "rounding"),
    "logcumsumexp/float32": (2, "rounding"),
    "nn.functional.normalize/float32": (1, "rounding"),
    "nn.functional.layer_norm/float32": (1, "rounding"),
    "nn.functional.scaled_dot_product_attention/float32": (10, "rounding"),
    "cholesky/complex128": (6, "PyTorch adds what no Hermitian matrix can feel"),
    "linalg.cholesky/complex128": (6, "PyTorch adds what no Hermitian matrix can feel"),
    "logaddexp/complex128": (9, "refused, as by NumPy"),
    "logcumsumexp/complex128": (4, "refused, as by NumPy"),
}
"""How many samples of a variant differ, at most, and why; they count against the share all the same."""

REAL = {"conv", "linear", "triplet", "pairwise", "rms_norm"}
"""Network functions (by the beginning of their names) whose gradients are those of real numbers."""

Outputs = Callable[[list[Any]], list[Any]]


def without_phases(out: list[Any]) -> list[Any]:
    """Eigenvectors are anybody's up to a sign or a phase."""
    return [out[0], abs(out[1])]


def singular(out: list[Any]) -> list[Any]:
    """Singular vectors as well; and those that full_matrices adds are arbitrary."""
    k = out[1].shape[-1]
    return [abs(out[0][..., :k]), out[1], abs(out[2][..., :k, :])]


PROCESSED: dict[str, Outputs] = {
    "linalg.eigh": without_phases,
    "linalg.eig": without_phases,
    "linalg.svd": singular,
    "median": lambda out: out[:1],
    "nanmedian": lambda out: out[:1],
}
"""What is compared of the outputs, where that is not all of them; the same function serves both."""


def database() -> list[Any]:
    from torch.testing._internal.common_methods_invocations import op_db

    return [op for op in op_db if op.name in TRANSLATED and variant(op) not in UNLIKE]


def variant(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}".rstrip(".")


def to_ours(value: Any, leaves: list[Any]) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        made = tg.Tensor(value.detach().resolve_conj().resolve_neg().numpy(), requires_grad=value.requires_grad)
        if value.requires_grad:
            leaves.append((value, made))
        return made
    if isinstance(value, (list, tuple)):
        return type(value)([to_ours(part, leaves) for part in value])
    if isinstance(value, torch.dtype):
        return np.dtype(str(value).removeprefix("torch."))
    return value


def flat(value: Any) -> list[Any]:
    return [part for item in value for part in flat(item)] if isinstance(value, (tuple, list)) else [value]


def weights(shape: Any) -> np.ndarray:
    return np.cos(1.0 + np.arange(math.prod(shape))).reshape(tuple(shape))


def compare(found: Any, expected: Any, what: str, rtol: float) -> None:
    found = found.data if isinstance(found, tg.Tensor) else np.asarray(found)
    expected = expected.detach().resolve_conj().resolve_neg().numpy()
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, PyTorch's {expected.shape}"
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-2 * rtol, err_msg=what, equal_nan=True)


def agree(op: Any, sample: Any) -> None:
    import torch

    leaves: list[Any] = []
    ours_args = [to_ours(arg, leaves) for arg in (sample.input, *sample.args)]
    ours_kwargs = {key: to_ours(value, leaves) for key, value in sample.kwargs.items()}
    rtol = 1e-7 if all(o.dtype != np.float32 for _, o in leaves) else 1e-3  # a few samples mix in float32
    theirs = flat(op.op(sample.input, *sample.args, **sample.kwargs))
    with np.errstate(all="ignore"):
        ours = flat(TRANSLATED[op.name](*ours_args, **ours_kwargs))
        if (process := PROCESSED.get(op.name)) is not None:
            ours, theirs = process(ours), process(theirs)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            compare(a, b, "value", rtol)
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if b.requires_grad]
        if not leaves or not pairs:
            return
        first = torch.autograd.grad(
            [b for _, b in pairs],
            [t for t, _ in leaves],
            [torch.as_tensor(weights(b.shape)).to(b.dtype) for _, b in pairs],
            create_graph=True,
            allow_unused=True,
        )
        mine = tg.autograd.grad(
            [a for a, _ in pairs],
            [o for _, o in leaves],
            [weights(a.shape) for a, _ in pairs],
            create_graph=True,
            allow_unused=True,
        )
        zero = torch.zeros(())
        for (t, _), a, b in zip(leaves, mine, first, strict=True):
            compare(
                np.zeros(t.shape) if a is None else a, torch.zeros_like(t) if b is None else b + zero, "gradient", rtol
            )
        live = [(a, b) for a, b in zip(mine, first, strict=True) if a is not None and b is not None]
        live = [(a, b) for a, b in live if b.requires_grad and a.requires_grad]
        if not live or not op.supports_gradgrad:
            return
        second = torch.autograd.grad(
            [b for _, b in live],
            [t for t, _ in leaves],
            [torch.as_tensor(weights(b.shape)).to(b.dtype) for _, b in live],
            allow_unused=True,
        )
        mine = tg.autograd.grad(
            [a for a, _ in live],
            [o for _, o in leaves],
            [weights(a.shape) for a, _ in live],
            allow_unused=True,
        )
        for (t, _), a, b in zip(leaves, mine, second, strict=True):
            wanted = torch.zeros_like(t) if b is None else b + zero
            compare(np.zeros(t.shape) if a is None else a, wanted, "second-order gradient", rtol)


def disagreements(op: Any, dtype: str) -> tuple[int, list[str]]:
    """How many samples there are, and what is wrong with those that differ."""
    import torch

    torch.manual_seed(0)
    count, wrong = 0, []
    samples = op.sample_inputs("cpu", getattr(torch, dtype), requires_grad=op.supports_autograd)
    for sample in itertools.islice(samples, FIRST):
        count += 1
        try:
            agree(op, sample)
        except pytest.skip.Exception:
            count -= 1
        except Exception as error:
            if isinstance(error, RuntimeError) and "is not implemented" in str(error):
                count -= 1  # PyTorch itself has no such derivative
                continue
            wrong.append(f"{sample.summary()}: {type(error).__name__}: {error}")
    return count, wrong


TALLY = {dtype: [0, 0, 0] for dtype in DTYPES}
"""Operations, samples and disagreements so far."""


@pytest.mark.parametrize("op", database(), ids=variant)
@pytest.mark.parametrize("dtype", DTYPES)
def test_samples(op: Any, dtype: str) -> None:
    import torch

    if getattr(torch, dtype) not in op.supported_dtypes("cpu"):
        pytest.skip(f"no {dtype}")
    if dtype == "float32" and not op.supports_autograd:
        pytest.skip("as in float64")
    if dtype == "complex128" and op.name.split(".")[-1].startswith(tuple(REAL)):
        pytest.skip("for real numbers")
    count, wrong = disagreements(op, dtype)
    for place, more in enumerate((1, count, len(wrong))):
        TALLY[dtype][place] += more
    allowed = max((DIFFERENT[key][0] for key in (variant(op), f"{variant(op)}/{dtype}") if key in DIFFERENT), default=0)
    assert len(wrong) <= allowed, f"{len(wrong)} of {count} samples differ:\n" + "\n".join(wrong[:3])


@pytest.mark.parametrize("dtype", DTYPES)
def test_share(dtype: str) -> None:
    """At least 98 % of the samples agree; it has something to say only when the tests above have run."""
    operations, samples, wrong = TALLY[dtype]
    if operations < 150:
        pytest.skip("only a part of the operations was run")
    print(f"{dtype}: {wrong} of {samples} samples of {operations} operations differ")
    assert wrong <= 0.02 * samples
