"""Gradients of complex matrices and numbers, of every operation that takes them, against differences of both parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
import tinygrad_opt.nn
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.autograd.registry import primitives


def hermitian(z: Any) -> Any:
    return z @ np.conjugate(np.swapaxes(z, -1, -2)) + 2 * np.eye(z.shape[-1])


def without_phases(decomposition: Any) -> tuple[Any, ...]:
    return decomposition[0], np.abs(decomposition[1])


def svd(z: Any) -> tuple[Any, ...]:
    u, s, vh = np.linalg.svd(z, full_matrices=False)
    return np.abs(u), s, np.abs(vh), u[..., :, :1] * vh[..., :1, :]  # in a product, the shared phase drops out


SQUARE = ((3, 3), (2, 2, 2))
ANY = (*SQUARE, (4, 2), (2, 3))
CALLS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "cholesky": (lambda z: np.linalg.cholesky(hermitian(z)), SQUARE),
    "eigh": (lambda z: without_phases(np.linalg.eigh(hermitian(z))), SQUARE),
    "eig": (lambda z: without_phases(np.linalg.eig(z)), SQUARE),
    "slogdet": (lambda z: tuple(np.linalg.slogdet(z)), SQUARE),
    "det": (np.linalg.det, SQUARE),
    "inv": (np.linalg.inv, SQUARE),
    "qr": (lambda z: tuple(np.linalg.qr(z)), ANY),
    "svd": (svd, ANY),
    "svdvals": (np.linalg.svdvals, ANY),
    "pinv": (np.linalg.pinv, ANY),
    "nuclear norm": (lambda z: np.linalg.norm(z, "nuc"), ((3, 3),)),
    "spectral norm": (lambda z: np.linalg.norm(z, 2), ((3, 3),)),
    "cond": (np.linalg.cond, ((3, 3),)),
    **{f"{p}-norm": (lambda z, p=p: np.linalg.vector_norm(z, ord=p), ((4,),)) for p in (1, 2, 3, 0.5, np.inf, -np.inf)},
}


@pytest.mark.parametrize("name", CALLS)
def test_both_derivatives(name: str) -> None:
    function, shapes = CALLS[name]
    rng = np.random.default_rng(0)
    for shape in shapes:
        parts = [rng.standard_normal(shape), rng.standard_normal(shape)]
        assert gradcheck(lambda re, im: function(re + 1j * im), parts, order=2, readonly_upstream=True)


PHASES = {"eig", "eigh", "svd"}
"""Where the samples' outputs turn with an arbitrary phase; the test above looks at what does not."""

SLOW = {"expm", "getitem", "setitem"}
OPERATIONS = sorted(
    name for name, op in primitives.items() if op.__module__.startswith("tinygrad_opt.") and op.differentiable
)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in {*PHASES, *SLOW, "cholesky"}])
@pytest.mark.filterwarnings("ignore")
def test_complex_numbers_are_right_or_refused(name: str) -> None:
    """On its samples with an imaginary part, an operation raises, or both of its derivatives are right."""
    op = primitives[name]
    rng = np.random.default_rng(1)
    for args, kwargs in op.samples():
        count = len(args) if op.variadic else op.arrays
        places = [i for i, a in enumerate(args[:count]) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        real = [args[i] for i in places]
        imaginary = [0.3 * rng.standard_normal(part.shape) for part in real]

        def run(*parts: Any, args: Any = args, kwargs: Any = kwargs, places: Any = places) -> Any:
            values = list(args)
            for j, i in enumerate(places):
                values[i] = parts[j] + 1j * parts[len(places) + j]
            return op(*values, **kwargs)

        leaves = [tg.Tensor(part, requires_grad=True) for part in real + imaginary]
        try:
            out = run(*leaves)
            for part in out if isinstance(out, tuple) else (out,):
                if part.requires_grad:
                    part.backward(np.ones(part.shape), create_graph=True)
        except TypeError:
            continue
        if leaves:
            assert gradcheck(run, real + imaginary, order=2)


@pytest.mark.parametrize("function", [tg.erf, tg.erfc, tg.erfinv])
def test_what_knows_no_complex_numbers_says_so(function: Any) -> None:
    with pytest.raises(TypeError, match="for real numbers only, got complex64"):
        function(tg.tensor([0.5 + 1j]))


def test_a_singular_matrix_has_an_infinite_slope() -> None:
    a = tg.tensor(np.array([[1.0, 2.0], [2.0, 4.0]]), requires_grad=True)
    sign, log = np.linalg.slogdet(a)
    assert (sign.item(), log.item()) == (0.0, -np.inf)
    log.backward()
    assert np.all(np.isinf(a.grad.data))
