"""einsum as matrix products: any expression comes down to diagonals, sums and products of two operands.

NumPy's own einsum loops over elements and is some thirty times slower than BLAS on the usual expressions. Here each
operand is first made plain (no repeated letter, no letter that nobody else has), then operands are contracted two at
a time. The product of two plain operands is closed under differentiation: the gradient of ``ij,jk->ik`` for the first
operand is ``ik,jk->ij``.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
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


def _arrange(a: Any, letters: str, order: str) -> Any:
    """a with its axes in the given order; a letter it does not have becomes an axis of extent 1."""
    a = a.transpose([letters.index(c) for c in order if c in letters])
    extents = iter(a.shape)
    return a.reshape([next(extents) if c in letters else 1 for c in order])


def _group(a: Any, letters: str, groups: tuple[str, str, str]) -> tuple[Any, list[int]]:
    """a as a stack of matrices: one axis for each letter of the first group, one for each other group; all extents."""
    a = a.transpose([letters.index(c) for c in "".join(groups)])
    batch, rows = len(groups[0]), len(groups[0]) + len(groups[1])
    extents = list(a.shape)
    row, column = int(np.prod(extents[batch:rows])), int(np.prod(extents[rows:]))
    return a.reshape([*extents[:batch], row, column]), extents


@primitive(name="einsum", arrays=2, samples=_contract_samples, formula="Σ a · b", gradient=["Σ g · b", "Σ g · a"])
def contract(a: Any, b: Any, subscripts: str) -> Any:
    """Two operands by one product of (stacks of) matrices, or by broadcasting where no index is summed."""
    first, second, out = subscripts.replace("->", ",").split(",")
    if all(c in out for c in first + second):
        return _arrange(a, first, out) * _arrange(b, second, out)
    batch = "".join(c for c in first if c in second and c in out)
    summed = "".join(c for c in first if c in second and c not in out)
    rows = "".join(c for c in first if c not in second)
    columns = "".join(c for c in second if c not in first)
    left, left_extents = _group(a, first, (batch, rows, summed))
    right, right_extents = _group(b, second, (batch, summed, columns))
    extents = left_extents[: len(batch + rows)] + right_extents[len(batch + summed) :]
    product = np.matmul(left, right).reshape(extents)
    made = batch + rows + columns
    return product.transpose([made.index(c) for c in out])


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


def _parse(operands: Sequence[Any]) -> tuple[list[str], str, list[Tensor]]:
    """Letters of each operand and of the result, with every ellipsis spelt out."""
    if operands and isinstance(operands[0], str):
        subscripts, tensors = operands[0].replace(" ", ""), [as_tensor(v) for v in operands[1:]]
    else:
        subscripts, tensors = _interleaved(operands)
    left, arrow, out = subscripts.partition("->")
    terms = left.split(",")
    letters = set(subscripts) - set(".,->")
    if len(terms) != len(tensors):
        raise ValueError(f"einsum({subscripts!r}): {len(terms)} terms for {len(tensors)} operands.")
    if not all(c.isalpha() for c in letters):
        raise ValueError(f"einsum({subscripts!r}): expected letters, commas, '...' and one '->'.")
    free = [c for c in string.ascii_letters if c not in letters]
    widest = 0
    for position, (term, tensor) in enumerate(zip(terms, tensors, strict=True)):
        extra = tensor.ndim - len(term.replace("...", ""))
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(
                f"einsum({subscripts!r}): operand {position} has shape {tensor.shape}, its term is {term!r}."
            )
        widest = max(widest, extra if "..." in term else 0)
        terms[position] = term.replace("...", "".join(free[:extra][::-1]))
    dots = "".join(free[:widest][::-1])
    if not arrow:
        joined = "".join(terms)
        out = "..." + "".join(sorted(c for c in letters if joined.count(c) == 1))
    elif "..." not in out:
        dots = ""
    if unknown := set(out) - set(".") - set("".join(terms)):
        raise ValueError(f"einsum({subscripts!r}): the result names {sorted(unknown)}, which no operand has.")
    out = out.replace("...", dots)
    if len(set(out)) < len(out):
        raise ValueError(f"einsum({subscripts!r}): the result names a letter twice.")
    return terms, out, tensors


def _interleaved(operands: Sequence[Any]) -> tuple[str, list[Tensor]]:
    """``einsum(a, [0, 1], b, [1, 2], [0, 2])`` in letters."""

    def spell(numbers: Sequence[Any]) -> str:
        return "".join("..." if n is Ellipsis else string.ascii_letters[n] for n in numbers)

    pairs = len(operands) // 2
    left = ",".join(spell(operands[2 * i + 1]) for i in range(pairs))
    tensors = [as_tensor(operands[2 * i]) for i in range(pairs)]
    return left + ("->" + spell(operands[-1]) if len(operands) % 2 else ""), tensors


def _diagonal(a: Any, i: int, j: int) -> Any:
    """The elements of a at equal places of axes i and j, along a new last axis."""
    if a.shape[i] != a.shape[j]:
        raise ShapeError(f"einsum: a repeated index is {a.shape[i]} and {a.shape[j]} in shape {a.shape}.")
    places = np.arange(a.shape[i])
    return a.transpose([k for k in range(a.ndim) if k not in (i, j)] + [i, j])[..., places, places]


def _plain(terms: list[str], out: str, tensors: list[Any]) -> None:
    """In place: take diagonals of repeated letters, drop broadcast axes, sum letters that only one operand has."""
    extent: dict[str, int] = {}
    for position, term in enumerate(terms):
        for letter in dict.fromkeys(term):
            while term.count(letter) > 1:
                i = term.index(letter)
                j = term.index(letter, i + 1)
                tensors[position] = _diagonal(tensors[position], i, j)
                term = term[:i] + term[i + 1 : j] + term[j + 1 :] + letter
        terms[position] = term
        for letter, n in zip(term, tensors[position].shape, strict=True):
            if extent.setdefault(letter, n) != n and n != 1:
                if extent[letter] != 1:
                    raise ShapeError(
                        f"einsum: index {letter!r} is {extent[letter]} in one operand and {n} in operand {position} "
                        f"of shape {tensors[position].shape}."
                    )
                extent[letter] = n
    for position, term in enumerate(terms):
        shape = tensors[position].shape
        single = [i for i, c in enumerate(term) if shape[i] == 1 != extent[c]]
        if single:
            tensors[position] = tensors[position].reshape([n for i, n in enumerate(shape) if i not in single])
            terms[position] = "".join(c for i, c in enumerate(term) if i not in single)
    for position, term in enumerate(terms):
        others = out + "".join(terms[:position] + terms[position + 1 :])
        alone = tuple(i for i, c in enumerate(term) if c not in others)
        if alone:
            tensors[position] = np.sum(tensors[position], axis=alone)
            terms[position] = "".join(c for c in term if c in others)


def _order(terms: list[str], out: str, tensors: list[Any], optimize: Any) -> list[tuple[int, ...]]:
    """Which operands to contract in turn, as NumPy's path finder names them."""
    if len(terms) <= 2 or optimize is False:
        return [(0, 1)] * (len(terms) - 1)
    if isinstance(optimize, (list, tuple)) and optimize and optimize[0] == "einsum_path":
        return [tuple(step) for step in optimize[1:]]
    expression = f"{','.join(terms)}->{out}"
    return np.einsum_path(expression, *[t.data for t in tensors], optimize=optimize)[0][1:]


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
    terms, out, tensors = _parse(operands)
    _plain(terms, out, tensors)
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
