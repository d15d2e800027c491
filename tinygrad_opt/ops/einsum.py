"""einsum as matrix products: any expression comes down to diagonals, sums and products of two operands.

NumPy's own einsum loops over elements and is some thirty times slower than BLAS on the usual expressions. Here each
operand is first made plain (no repeated letter, no letter that nobody else has), then operands are contracted two at
a time. The product of two plain operands is closed under differentiation: the gradient of ``ij,jk->ik`` for the first
operand is ``ik,jk->ij``.
"""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from .creation import together
from .matmul import conjugate

__all__ = ["einsum"]


def _contract_samples(rng: np.random.Generator) -> Iterator[Any]:
    extent = {"i": 2, "j": 3, "k": 2, "l": 1, "z": 0}
    for text in (
        "ij,jk->ik",
        "ij,kj->ki",
        "i,i->",
        "i,j->ji",
        ",ij->ij",
        "ij,ij->ji",
        "ij,ij->i",
        "lij,ljk->kil",
        "ijk,kjl->li",
        "iz,zj->ij",
        "zi,zi->z",
    ):
        first, second = text.split("->")[0].split(",")
        yield (
            np.asarray(rng.standard_normal([extent[c] for c in first])),
            np.asarray(rng.standard_normal([extent[c] for c in second])),
            text,
        )


class _Layout(NamedTuple):
    """How a contraction of two plain operands becomes one product; axes by number, letters by position.

    Without summed letters, both operands are transposed by `first` and `second` and multiplied with axes of extent 1
    in the places of letters they lack (`first_axes`, `second_axes`). Else they become stacks of matrices: `batch`,
    `rows`, `summed` and `columns` count the letters of each group, and `out` orders the result.
    """

    summed: int
    first: tuple[int, ...]
    second: tuple[int, ...]
    first_axes: tuple[bool, ...] = ()
    second_axes: tuple[bool, ...] = ()
    batch: int = 0
    rows: int = 0
    out: tuple[int, ...] | None = None


@functools.lru_cache(maxsize=1024)
def _layout(subscripts: str) -> _Layout:
    first, second, out = subscripts.replace("->", ",").split(",")
    if all(c in out for c in first + second):
        return _Layout(
            0,
            tuple(first.index(c) for c in out if c in first),
            tuple(second.index(c) for c in out if c in second),
            tuple(c in first for c in out),
            tuple(c in second for c in out),
        )
    batch = "".join(c for c in first if c in second and c in out)
    summed = "".join(c for c in first if c in second and c not in out)
    rows = "".join(c for c in first if c not in second)
    columns = "".join(c for c in second if c not in first)
    made = batch + rows + columns
    return _Layout(
        len(summed),
        tuple(first.index(c) for c in batch + rows + summed),
        tuple(second.index(c) for c in batch + summed + columns),
        batch=len(batch),
        rows=len(rows),
        out=None if made == out else tuple(made.index(c) for c in out),
    )


def _spread(a: Any, order: tuple[int, ...], has: tuple[bool, ...]) -> Any:
    """a with its axes in order, and axes of extent 1 for the letters that it does not have."""
    extents = iter([a.shape[axis] for axis in order])
    return a.transpose(order).reshape([next(extents) if here else 1 for here in has])


@primitive(name="einsum", arrays=2, samples=_contract_samples, formula="Σ a · b", gradient=["Σ g · b", "Σ g · a"])
def contract(a: Any, b: Any, subscripts: str) -> Any:
    """Two operands by one product of (stacks of) matrices, or by broadcasting where no index is summed."""
    plan = _layout(subscripts)
    if not plan.summed:
        return _spread(a, plan.first, plan.first_axes) * _spread(b, plan.second, plan.second_axes)
    left, right = a.transpose(plan.first), b.transpose(plan.second)
    stack, kept, columns = left.shape[: plan.batch], plan.batch + plan.rows, plan.batch + plan.summed
    extents = left.shape[:kept] + right.shape[columns:]
    inner = math.prod(left.shape[kept:])
    product = np.matmul(
        left.reshape((*stack, math.prod(left.shape[plan.batch : kept]), inner)),
        right.reshape((*stack, inner, math.prod(right.shape[columns:]))),
    ).reshape(extents)
    return product if plan.out is None else product.transpose(plan.out)


@contract.vjp(0)
def _(g: Any, y: Any, _a: Any, b: Any, subscripts: str) -> Any:
    first, second, out = subscripts.replace("->", ",").split(",")
    return _contract(g, conjugate(b), f"{out},{second}->{first}")


@contract.vjp(1)
def _(g: Any, y: Any, a: Any, _b: Any, subscripts: str) -> Any:
    first, second, out = subscripts.replace("->", ",").split(",")
    return _contract(conjugate(a), g, f"{first},{out}->{second}")


def _contract(a: Any, b: Any, subscripts: str) -> Any:
    tensors = isinstance(a, Tensor) or isinstance(b, Tensor)
    return contract(a, b, subscripts) if tensors else contract.forward(a, b, subscripts)


def _spell(subscripts: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[str], str]:
    """Letters of each operand and of the result, with every ellipsis spelt out."""
    left, arrow, out = subscripts.partition("->")
    terms = left.split(",")
    letters = set(subscripts) - set(".,->")
    if len(terms) != len(shapes):
        raise ValueError(f"einsum({subscripts!r}): {len(terms)} terms for {len(shapes)} operands.")
    if not all(c.isalpha() for c in letters):
        raise ValueError(f"einsum({subscripts!r}): expected letters, commas, '...' and one '->'.")
    free = [c for c in string.ascii_letters if c not in letters]
    widest = 0
    for position, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        extra = len(shape) - len(term.replace("...", ""))
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(f"einsum({subscripts!r}): operand {position} has shape {shape}, its term is {term!r}.")
        widest = max(widest, extra if "..." in term else 0)
        terms[position] = term.replace("...", "".join(free[:extra][::-1]))
    dots = "".join(free[:widest][::-1])
    if not arrow:
        joined = "".join(terms)
        out = "..." + "".join(sorted(c for c in letters if joined.count(c) == 1))
    if unknown := set(out) - set(".") - set("".join(terms)):
        raise ValueError(f"einsum({subscripts!r}): the result names {sorted(unknown)}, which no operand has.")
    out = out.replace("...", dots)
    if len(set(out)) < len(out):
        raise ValueError(f"einsum({subscripts!r}): the result names a letter twice.")
    return terms, out


def _interleaved(operands: Sequence[Any]) -> tuple[str, list[Tensor]]:
    """``einsum(a, [0, 1], b, [1, 2], [0, 2])`` in letters."""

    def spell(numbers: Sequence[Any]) -> str:
        return "".join("..." if n is Ellipsis else string.ascii_letters[n] for n in numbers)

    pairs = len(operands) // 2
    left = ",".join(spell(operands[2 * i + 1]) for i in range(pairs))
    tensors = together(*[operands[2 * i] for i in range(pairs)])
    return left + ("->" + spell(operands[-1]) if len(operands) % 2 else ""), tensors


class _Plain(NamedTuple):
    """What makes one operand plain: axes to take diagonals of, axes of extent 1 to drop, axes to sum; in this order."""

    diagonals: tuple[tuple[int, int], ...]
    dropped: tuple[int, ...]
    summed: tuple[int, ...]

    def apply(self, a: Any) -> Any:
        """The operand made plain."""
        for i, j in self.diagonals:
            a = np.diagonal(a, 0, i, j)
        if self.dropped:
            a = a.reshape([n for axis, n in enumerate(a.shape) if axis not in self.dropped])
        return np.sum(a, axis=self.summed) if self.summed else a


@functools.lru_cache(maxsize=1024)
def _plan(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[list[str], str, list[_Plain | None]]:
    """The terms once every operand is plain, the result's letters, and how to make each operand plain."""
    terms, out = _spell(subscripts, shapes)
    extent: dict[str, int] = {}
    diagonals: list[list[tuple[int, int]]] = [[] for _ in terms]
    for position, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        for letter, n in zip(term, shape, strict=True):
            if extent.setdefault(letter, n) != n and n != 1:
                if extent[letter] != 1:
                    raise ShapeError(
                        f"einsum({subscripts!r}): index {letter!r} is {extent[letter]} in one place and {n} in operand "
                        f"{position} of shape {shape}."
                    )
                extent[letter] = n
    ones: list[set[str]] = [
        {c for c, n in zip(term, shape, strict=True) if n == 1 != extent[c]}
        for term, shape in zip(terms, shapes, strict=True)
    ]
    for position, term in enumerate(terms):
        for letter in dict.fromkeys(term):
            while term.count(letter) > 1:
                i = term.index(letter)
                j = term.index(letter, i + 1)
                if len({n for c, n in zip(terms[position], shapes[position], strict=True) if c == letter}) > 1:
                    raise ShapeError(
                        f"einsum({subscripts!r}): index {letter!r} is repeated in operand {position}, but its extents "
                        f"in shape {shapes[position]} differ."
                    )
                diagonals[position].append((i, j))
                term = term[:i] + term[i + 1 : j] + term[j + 1 :] + letter
        terms[position] = term
    dropped = [tuple(i for i, c in enumerate(term) if c in single) for term, single in zip(terms, ones, strict=True)]
    terms = ["".join(c for c in term if c not in single) for term, single in zip(terms, ones, strict=True)]
    steps: list[_Plain | None] = []
    for position, term in enumerate(terms):
        others = out + "".join(terms[:position] + terms[position + 1 :])
        step = _Plain(
            tuple(diagonals[position]), dropped[position], tuple(i for i, c in enumerate(term) if c not in others)
        )
        terms[position] = "".join(c for c in term if c in others)
        steps.append(step if any(step) else None)
    return terms, out, steps


def _order(terms: list[str], out: str, tensors: list[Any], optimize: Any) -> list[tuple[int, ...]]:
    """Which operands to contract in turn, as NumPy's path finder names them."""
    if len(terms) <= 2 or optimize is False:
        return [(0, 1)] * (len(terms) - 1)
    if isinstance(optimize, (list, tuple)) and optimize and optimize[0] == "einsum_path":
        return [tuple(step) for step in optimize[1:]]
    return _path(f"{','.join(terms)}->{out}", tuple(t.shape for t in tensors), optimize)


@functools.lru_cache(maxsize=1024)
def _path(expression: str, shapes: tuple[tuple[int, ...], ...], optimize: Any) -> list[tuple[int, ...]]:
    return np.einsum_path(expression, *[np.broadcast_to(0.0, shape) for shape in shapes], optimize=optimize)[0][1:]


@implements(np.einsum)
def einsum(*operands: Any, optimize: Any = "greedy") -> Tensor:
    """Sums of products over named axes (Einstein's convention), any NumPy expression.

    Parameters
    ----------
    *operands
        ``einsum("ij,jk->ik", a, b)``, or ``einsum(a, [0, 1], b, [1, 2], [0, 2])``. Repeated letters take a diagonal,
        "..." stands for any axes (broadcast), without "->" the letters that occur once are kept, sorted.
    optimize : {"greedy", "optimal", True, False} or path
        How to order more than two operands, as for :func:`numpy.einsum`; False goes from left to right.

    Raises
    ------
    ShapeError
        An index with two extents, or a term that does not fit its operand.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> a = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tg.einsum("ii->", a), tg.einsum("ij,j->i", a, tg.tensor([1.0, -1.0]))
    (tensor(5.), tensor([-1., -1.]))
    """
    if operands and isinstance(operands[0], str):
        subscripts, tensors = operands[0].replace(" ", ""), together(*operands[1:])
    else:
        subscripts, tensors = _interleaved(operands)
    made_plain, out, steps = _plan(subscripts, tuple([t.shape for t in tensors]))
    terms = list(made_plain)
    tensors = [t if step is None else step.apply(t) for t, step in zip(tensors, steps, strict=True)]
    for step in _order(terms, out, tensors, optimize):
        taken = [(terms.pop(i), tensors.pop(i)) for i in sorted(step, reverse=True)]
        while len(taken) > 1:
            (first, a), (second, b) = taken.pop(), taken.pop()
            kept = out + "".join(terms) + "".join(term for term, _ in taken)
            made = "".join(dict.fromkeys(c for c in first + second if c in kept))
            if not terms and not taken:
                made = out
            taken.append((made, contract(a, b, f"{first},{second}->{made}")))
        terms.append(taken[0][0])
        tensors.append(taken[0][1])
    (term,), (result,) = terms, tensors
    return result if term == out else result.transpose([term.index(c) for c in out])
