"""Primitives: the operations whose gradient is declared, each in one place.

A primitive is a forward function on arrays, one gradient rule for each array argument, the text of its formula, and
sample inputs on which the test suite checks every rule to second order. A rule is called as
``rule(g, out, *inputs, **options)`` and returns the vector-Jacobian product for its argument. It runs on arrays in a
plain backward pass and on Tensors under ``create_graph=True``; summing over broadcast axes is the engine's work.

A rule parameter whose name begins with an underscore is known to the rule only by ``shape``, ``ndim``, ``dtype`` and
``size``: its values need not be kept until the backward pass. ``lambda g, y, _x: g * y`` is exp's.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import GradientError
from .graph import KEEP_SIZE, Lift, Node, Spec, next_number
from .messages import explain_failure
from .modes import mode
from .registry import implementations, operators, primitives
from .tensor import Tensor, as_array, new_tensor


__all__ = ["Primitive", "primitive"]

Rule = Callable[..., Any]
Samples = Callable[[np.random.Generator], Iterable[Any]]


class Primitive:
    """An operation with declared gradients; calling it records a Node when a gradient is wanted.

    Parameters
    ----------
    forward : callable
        Takes ndarrays (and static options), returns an ndarray or a tuple of them.
    name : str, optional
        By default the forward function's name.
    vjp : sequence of callable or None, optional
        One rule for each array argument; None where the argument has no gradient. May be given later by
        decorators: ``@f.vjp(0)``, ``@f.vjp_each`` (any number of array arguments), ``@f.vjp_joint`` (all together).
    arrays : int or None, optional
        How many leading arguments are arrays; those behind are static options. By default a ufunc's inputs, or the
        parameters without a default value (all positional ones for ``*args``).
    formula, gradient : str, optional
        The mathematics as text, e.g. ``"exp(x)"`` and ``"g · exp(x)"``, for pictures.
    samples : callable, optional
        ``samples(rng)`` yields arguments to check the gradients on: a tuple, or a tuple and a dict of options.
    differentiable : bool
        False for functions whose output has no gradient at all, such as comparisons.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        *,
        name: str | None = None,
        vjp: Sequence[Rule | None] = (),
        arrays: int | None = None,
        formula: str | None = None,
        gradient: str | Sequence[str] | None = None,
        samples: Samples | None = None,
        differentiable: bool = True,
    ) -> None:
        self.forward = forward
        self.name = name or forward.__name__
        self.__name__ = self.name
        self.__qualname__ = self.name
        self.__doc__ = forward.__doc__
        self.__module__ = forward.__module__ or __name__
        self.arrays, self.variadic = (arrays, False) if arrays is not None else _count_arrays(forward)
        self.formula = formula or self.name
        self.gradient = gradient
        self.make_samples = samples
        self.differentiable = differentiable
        self.rules: list[Rule | None] = [None] * self.arrays
        self.simple = not self.variadic  # one rule an argument and one output: the pass may call `rules` as they are
        self.each: Rule | None = None
        self.joint: Rule | None = None
        self._unread: dict[int, tuple[tuple[int, ...], bool]] = {}
        for position, rule in enumerate(vjp):
            self.rules[position] = rule

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __str__(self) -> str:
        return self.name

    def vjp(self, position: int) -> Callable[[Rule], Rule]:
        """Declare the gradient rule for one array argument: ``rule(g, out, *inputs, **options)``."""

        def declare(rule: Rule) -> Rule:
            if not 0 <= position < self.arrays:
                raise ValueError(f"{self.name}.vjp({position}): it has array arguments 0 to {self.arrays - 1}")
            self.rules[position] = rule
            self._unread.clear()
            return rule

        return declare

    def vjp_each(self, rule: Rule) -> Rule:
        """Declare one rule for every array argument: ``rule(position, g, out, *inputs, **options)``."""
        self.each = rule
        self.simple = False
        self._unread.clear()
        return rule

    def vjp_joint(self, rule: Rule) -> Rule:
        """Declare one rule for all arguments: ``rule(needed, g, out, *inputs, **options)`` returns a tuple.

        `needed` is a tuple of bool, one for each array argument; entries that are not needed may be None.
        """
        self.joint = rule
        self.simple = False
        self._unread.clear()
        return rule

    def samples(self, rng: np.random.Generator | None = None) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """The sample inputs as (args, kwargs) pairs; empty when none are declared."""
        if self.make_samples is None:
            return []
        rng = rng or np.random.default_rng(0)
        return [
            sample if len(sample) == 2 and isinstance(sample[1], dict) else (sample, {})
            for sample in self.make_samples(rng)
        ]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and len(args) == self.arrays < 3:
            return self.unary(*args) if self.arrays == 1 else self.binary(*args)
        inputs = [arg.data if isinstance(arg, Tensor) else arg for arg in args]
        parents = [arg._node if isinstance(arg, Tensor) else None for arg in args]
        self._convert(inputs, args)
        kwargs = {key: self._static(key, value) for key, value in kwargs.items()}
        return self._run(inputs, parents, kwargs)

    def unary(self, x: Any) -> Any:
        """The quick way for one array and no options."""
        if not isinstance(x, Tensor):
            return self._run([as_array(x)], [None], {})
        return self._run([x.data], [x._node], {})

    def binary(self, a: Any, b: Any) -> Any:
        """The quick way for two arrays and no options: what most operators come to."""
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return self._run([a.data, b.data], [a._node, b._node], {})
        inputs = [a, b]
        parents = [None, None]
        if isinstance(a, Tensor):
            inputs[0] = a.data
            parents[0] = a._node
        elif isinstance(b, Tensor):
            inputs[1] = b.data
            parents[1] = b._node
        self._convert(inputs, (a, b))
        return self._run(inputs, parents, {})

    def _run(self, inputs: list[Any], parents: list[Any], kwargs: dict[str, Any]) -> Any:
        """Compute, and record a node when a gradient is wanted."""
        try:
            out = self.forward(*inputs, **kwargs) if kwargs else self.forward(*inputs)
        except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
            raise explain_failure(self, error, inputs, kwargs) from error
        mask = 0  # which inputs want a gradient, as bits, the first one highest
        for parent in parents:
            mask = mask + mask + (parent is not None)
        if out.__class__ is not np.ndarray:
            if out.__class__ is tuple:
                return self._several(inputs, parents, kwargs, out, mask)
            out = np.asarray(out)
        made = _allocate(Tensor)
        made.data = out
        if mask == 0 or not self.differentiable or not mode.grad_enabled:
            made._node = None
            return made
        try:
            unread, out_unread = self._unread[mask]
        except KeyError:
            unread, out_unread = self._find_unread(mask, parents)
        for position in unread:
            if (array := inputs[position]).__class__ is np.ndarray and array.size > KEEP_SIZE:
                inputs[position] = Spec(array)
        if out_unread and out.size > KEEP_SIZE:
            out = Spec(out)
        made._node = Node(self, inputs, kwargs, out, parents, next_number(), mode.module)
        return made

    def _several(
        self, inputs: list[Any], parents: list[Any], kwargs: dict[str, Any], out: tuple[Any, ...], mask: int
    ) -> tuple[Tensor, ...]:
        """The Tensors of an operation with several outputs; each has a node of its own that picks it."""
        out = tuple([np.asarray(part) for part in out])
        if mask == 0 or not self.differentiable or not mode.grad_enabled:
            return tuple(new_tensor(part, None) for part in out)
        self.simple = False
        for position in self._find_unread(mask, parents)[0]:
            if (array := inputs[position]).__class__ is np.ndarray and array.size > KEEP_SIZE:
                inputs[position] = Spec(array)
        node = Node(self, inputs, kwargs, out, parents, next_number(), mode.module)
        return tuple(new_tensor(part, _pick_node(node, i)) for i, part in enumerate(out))

    def _convert(self, inputs: list[Any], args: tuple[Any, ...]) -> None:
        """Turn what is not an array yet into one, in place; static arguments are only unwrapped.

        Beside an array, a Python number stays one: NumPy's promotion then leaves the array's dtype alone.
        """
        count = len(args) if self.variadic else self.arrays
        beside_array = not self.variadic and any(isinstance(value, np.ndarray) for value in inputs[:count])
        for position, value in enumerate(inputs):
            if position >= count:
                inputs[position] = self._static(f"argument {position}", args[position])
            elif value.__class__ is not np.ndarray and not (beside_array and isinstance(value, _NUMBERS)):
                inputs[position] = as_array(value)

    def _static(self, name: str, value: Any) -> Any:
        """A static option's plain value; a Tensor that needs a gradient there is an error, not a detour."""
        if isinstance(value, Tensor):
            if value._node is not None and mode.grad_enabled:
                raise GradientError(
                    f"{self.name}: no gradient flows through the option {name}, but it was given a Tensor that "
                    f"requires one. Pass {name}.detach() if it is meant to be constant."
                )
            return value.data
        if value.__class__ is tuple or value.__class__ is list:
            return value.__class__([self._static(name, item) for item in value])
        return value

    def _find_unread(self, mask: int, parents: Sequence[Any]) -> tuple[tuple[int, ...], bool]:
        """Which inputs, and whether the output, no rule that a backward pass will run reads; remembered."""
        read = set[int]()
        for position, parent in enumerate(parents):
            if parent is None:
                continue
            rule = self.joint or self.each or (self.rules[position] if position < self.arrays else None)
            if rule is None:
                raise GradientError(
                    f"{self.name} has no gradient with respect to argument {position}, which requires one. "
                    f"Pass it detached if it is meant to be constant."
                )
            read |= _read_positions(rule, 1 if self.joint or self.each else 0, len(parents))
        found = tuple(i for i in range(len(parents)) if i not in read), -1 not in read
        if not self.variadic:
            self._unread[mask] = found
        return found

    def reads(self, node: Node, position: int) -> bool:
        """Whether some rule that this node will run reads the values of the input at `position`."""
        return position not in self._find_unread(-1, node.parents)[0]

    def lift(self, node: Node, lift: Lift) -> tuple[list[Any], Any]:
        """A node's inputs and output as Tensors that stand in the graph where the arrays stood."""
        inputs = [v if p is None else lift(v, p) for v, p in zip(node.inputs, node.parents, strict=True)]
        out = node.output
        if out.__class__ is tuple:
            return inputs, tuple(lift(part, _pick_node(node, i)) for i, part in enumerate(out))
        return inputs, lift(out, node)

    def fill(self, g: Any, out: Any, lift: Lift | None) -> Any:
        """A tuple of gradients for a node with several outputs: zeros for those that received none."""
        if g.__class__ is not list:
            return g
        zeros = [np.zeros(part.shape, part.dtype) for part in out]
        return tuple(
            part if part is not None else (zero if lift is None else lift(zero, None))
            for part, zero in zip(g, zeros, strict=True)
        )

    def bind(self, node: Node, g: Any, out: Any, inputs: Sequence[Any]) -> Sequence[Rule | None]:
        """One rule an argument, from a rule for each or for all of them."""
        if self.each is not None:
            return [functools.partial(self.each, position) for position in range(len(inputs))]
        if self.joint is None:
            return self.rules
        needed = tuple([parent is not None for parent in node.parents])
        found = self.joint(needed, g, out, *inputs, **node.kwargs)
        if len(found) != len(needed):
            raise GradientError(
                f"the joint gradient rule of {self.name} returned {len(found)} gradients for {len(needed)} arguments"
            )
        return [functools.partial(_known, gradient) for gradient in found]


def _known(gradient: Any, *_: Any, **__: Any) -> Any:
    return gradient


_allocate = Tensor.__new__
_NUMBERS = (int, float, complex, np.generic)


def _count_arrays(forward: Callable[..., Any]) -> tuple[int, bool]:
    if isinstance(forward, np.ufunc):
        return forward.nin, False
    count = 0
    for parameter in inspect.signature(forward).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return 0, True
        if parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not parameter.empty:
            break
        count += 1
    return count, False


@functools.cache
def _read_positions(rule: Rule, skip: int, count: int) -> frozenset[int]:
    """Positions of the inputs whose values a rule reads; -1 stands for the output."""
    parameters = list(inspect.signature(rule).parameters.values())[skip + 1 :]  # without g
    read = set[int]()
    for position, parameter in enumerate(parameters, start=-1):
        if parameter.kind is parameter.VAR_POSITIONAL:
            if not parameter.name.startswith("_"):
                read.update(range(position, count))
            break
        if parameter.kind is parameter.VAR_KEYWORD or parameter.kind is parameter.KEYWORD_ONLY:
            break
        if not parameter.name.startswith("_"):
            read.add(position)
    return frozenset(read)


def _pick_node(node: Node, index: int) -> Node | None:
    part = node.output[index]
    if part.dtype.kind not in "fc":
        return None
    return Node(pick, [], {"index": index}, part, [node], next_number(), node.module)


pick = Primitive(lambda: None, name="[i]", arrays=0, formula="output i")
"""Chooses one output of an operation that has several; the engine passes its gradient on by itself."""


def primitive(
    forward: Callable[..., Any] | None = None, *, numpy: Sequence[Any] | Any = (), **options: Any
) -> Any:
    """Declare a primitive, as a call or as a decorator; the arguments are those of :class:`Primitive`.

    A ufunc answers for itself; `numpy` names (further) NumPy functions that the primitive stands for on Tensors.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> @tg.primitive
    ... def squared_relu(x):
    ...     return np.maximum(x, 0) ** 2
    >>> @squared_relu.vjp(0)
    ... def _(g, y, x):
    ...     return g * 2 * np.maximum(x, 0)
    >>> x = tg.tensor([-1.0, 3.0], requires_grad=True)
    >>> squared_relu(x).sum().backward()
    >>> x.grad
    tensor([0., 6.])
    """
    if forward is None:
        return functools.partial(primitive, numpy=numpy, **options)
    made = Primitive(forward, **options)
    primitives[made.name] = made
    stands_for = list(numpy) if isinstance(numpy, (tuple, list)) else [numpy]
    if isinstance(forward, np.ufunc):
        stands_for.append(forward)
    for function in stands_for:
        implementations[function] = made
        operators[function] = {1: made.unary, 2: made.binary}.get(made.arrays, made)
    return made
