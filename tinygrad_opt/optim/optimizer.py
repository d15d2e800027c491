"""The base of all optimizers: parameter groups, the step, and what a wrong use is told."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..autograd import Tensor
from ..autograd.graph import next_number
from ..autograd.tensor import new_tensor
from . import groups as given
from .advice import Advice, OptimizerWarning, disagreement, no_gradients
from .closure import evaluate
from .each import Each
from .explain import document, explanation, summary, terms
from .flat import Flat
from .groups import table
from .rule import UpdateRule
from .signature import signature_of
from .state import StateMapping, load, regroup, save

__all__ = ["Optimizer"]


class Optimizer:
    """Base class: a subclass names its update rule and the defaults of its hyperparameters, in their order.

    Parameters
    ----------
    params : iterable
        Tensors; or (name, Tensor) pairs, as from ``named_parameters()``; or dicts with "params" and hyperparameters
        of their own, one a group.
    *args, **hyper
        Hyperparameters, by position or by name; all of them live in ``param_groups``, where they may be changed at
        any time.
    error_if_nonfinite : bool
        Raise when a gradient holds a NaN or an infinity, naming the parameter, before anything is updated. Without it
        the step is made, as in PyTorch, and the optimizer warns once. The gradients are then looked at while they are
        used; to look at all of them first takes about an eighth of a step of five million numbers.
    accumulates : bool
        Gradients are summed over several backward passes on purpose: do not warn about it.
    allow_unused : bool
        Parameters without a gradient are expected: do not warn, and step even when there is none at all.

    Raises
    ------
    TypeError, ValueError
        For a misspelt hyperparameter, one out of its range, an empty list, a set, or a Tensor given twice.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> from tinygrad_opt import optim
    >>> @optim.update_rule()
    ... def sign_descent(p, g, *, lr):
    ...     '''θ ← θ − η·sign(g)'''
    ...     return p - lr * np.sign(g)
    >>> class SignDescent(optim.Optimizer):
    ...     rule = sign_descent
    ...     defaults = optim.table(lr=0.1)
    >>> w = tg.tensor([1.0, -1.0], requires_grad=True)
    >>> optimizer = SignDescent([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5, -0.5], requires_grad=True)
    """

    rule: ClassVar[UpdateRule]
    defaults: Mapping[str, Any] = table()
    ranges: ClassVar[Mapping[str, Any]] = table()
    spread: ClassVar[Mapping[str, tuple[str, ...]]] = table(betas=("beta1", "beta2"))
    """Hyperparameters that are tuples → the names of their items in the rule."""
    formula: ClassVar[str] = ""
    """The mathematics, where it is not the rule's own text."""
    backward_in_closure: ClassVar[bool] = True
    """Whether the closure of ``step`` runs the backward pass; else it returns the loss alone."""
    torch_state: ClassVar[Mapping[str, str]] = table()
    """Names of states → names in the state of PyTorch's optimizer."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        document(cls)
        signature = signature_of(cls, Optimizer)
        if signature is not None:
            cls.__signature__ = signature  # type: ignore[attr-defined]

    def __init__(
        self,
        params: Any,
        *args: Any,
        error_if_nonfinite: bool = False,
        accumulates: bool = False,
        allow_unused: bool = False,
        **hyper: Any,
    ) -> None:
        name = type(self).__name__
        groups = given.as_groups(params, name)
        bound = given.bind_arguments(name, {**type(self).defaults}, args, hyper, groups)
        self.defaults: dict[str, Any] = {key: given.plain(value) for key, value in bound.items()}
        self.steps_taken = 0
        self._recorded: dict[int, dict[str, Any]] = {}
        self._keys = tuple(self.defaults)
        self.error_if_nonfinite = error_if_nonfinite
        self.accumulates = accumulates
        self.allow_unused = allow_unused
        self.param_groups: list[dict[str, Any]] = []
        self.state = StateMapping(self)
        self._executors: list[list[Flat | Each]] = []
        self._hyper: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._advice = Advice()
        ready = given.complete(groups, [], self.defaults, name, self._check)
        self.param_groups = ready
        self._executors = [self._make_executors(group) for group in ready]
        self._hyper = [((), {}) for _ in ready]

    # Groups

    def _check(self, values: Mapping[str, Any]) -> None:
        given.check_hyperparameters(type(self).__name__, values, type(self).defaults, self.ranges)

    def _make_executors(self, group: Mapping[str, Any]) -> list[Flat | Each]:
        """One executor for each dtype in a group."""
        if not hasattr(type(self), "rule"):
            return []
        kind = Flat if self.rule.elementwise else Each
        by_dtype: dict[Any, list[int]] = {}
        for position, tensor in enumerate(group["params"]):
            by_dtype.setdefault(tensor.dtype, []).append(position)
        labels = [f"parameter '{name}'" for name in group["param_names"]]
        return [
            kind(self.rule, [group["params"][i] for i in places], [labels[i] for i in places])
            for places in by_dtype.values()
        ]

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add a group of parameters: a dict with "params", and hyperparameters that differ from the defaults."""
        if not isinstance(group, Mapping):
            raise TypeError(f"add_param_group expected a dict with the key 'params', got {type(group).__name__}.")
        ready = given.complete([dict(group)], self.param_groups, self.defaults, type(self).__name__, self._check)
        executors = [self._make_executors(one) for one in ready]
        self.param_groups += ready
        self._executors += executors
        self._hyper += [((), {})] * len(ready)

    def _values(self, index: int) -> dict[str, Any]:
        """A group's hyperparameters as the rule takes them; checked again when one has changed."""
        group = self.param_groups[index]
        try:
            now = tuple(map(group.__getitem__, self._keys))
        except KeyError as error:
            raise KeyError(f"group {index} of {type(self).__name__} has lost its {error}.") from None
        before, values = self._hyper[index]
        if len(group) != len(now) + 2 + ("initial_lr" in group):
            given.check_keys(type(self).__name__, group, self.defaults)
        if now != before:
            flat = {key: given.plain(value) for key, value in zip(self.defaults, now, strict=True)}
            self._check(flat)
            values = given.spread(flat, self.spread)
            self._hyper[index] = (now, values)
        return values

    # The step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, all of them or none.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients anew, and returns the loss.

        Returns
        -------
        Tensor or None
            What the closure returned.

        Raises
        ------
        GradientError
            No gradient in any parameter; or one that is not finite, with ``error_if_nonfinite``. Nothing has changed
            then.

        Warns
        -----
        OptimizerWarning
            Gradients summed over several backward passes, some parameters without a gradient, or a gradient that is
            not finite: each once.
        """
        loss = evaluate(closure, self)
        if self._recorded:
            for p in [p for group in self.param_groups for p in group["params"] if id(p) in self._recorded]:
                self._recorded[id(p)] = terms(self, p) if p.grad is not None else {}
        self._run()
        return loss

    @np.errstate(all="ignore")
    def _run(self) -> None:
        """The step proper. What the user does about overflow must not stop it half-way."""
        some = False
        for index, executors in enumerate(self._executors):
            values = self._values(index)
            if type(self) not in self.rule.fits:
                self.rule.verify(type(self), values)
            strayed = False
            for executor in executors:
                executor.collect()
                strayed = strayed or (executor.moved and executor.strayed())
            if strayed:
                executors = regroup(self, index)
                for executor in executors:
                    executor.collect()
            for executor in executors:
                if executor.leaves:
                    some = True
                if executor.missing and not self.allow_unused:
                    self._advice.unused(self.param_groups)
                if executor.summed is not None:
                    self._advice.summed(executor, self.accumulates)
                executor.prepare(values, self.error_if_nonfinite)
        if not some and not self.allow_unused:
            raise no_gradients(self.param_groups)
        self.steps_taken += 1
        number = next_number()
        suspected = False
        for executors in self._executors:
            for executor in executors:
                executor.commit()
                suspected = suspected or executor.suspected
                for leaf in executor.leaves:
                    leaf.written = number
        if suspected and not self.error_if_nonfinite:
            self._advice.not_finite(self.param_groups)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with ``set_to_none=False`` they become zeros (arrays you hold stay as they are)."""
        for group in self.param_groups:
            for p in group["params"]:
                leaf = p._node
                if leaf is not None and leaf.grad is not None:
                    leaf.grad = None if set_to_none else new_tensor(np.zeros(p.shape, p.dtype), None)
                    leaf.passes = 0

    def check(self, model: Any) -> None:
        """Compare with a model, by its ``named_parameters()``; warn about what one has and the other has not.

        Warns
        -----
        OptimizerWarning
            Names parameters that have left the model, and trainable ones that the optimizer does not have.
        """
        message = disagreement(self.param_groups, dict(model.named_parameters()))
        if message:
            warnings.warn(message, OptimizerWarning, stacklevel=2)

    # To learn from

    def explain(self) -> None:
        """Print the rule as mathematics with the present hyperparameters, and for one number with them filled in."""
        print(explanation(self))

    def record(self, *params: Tensor) -> None:
        """From now on keep the terms of each step for these parameters (for all, when none are named)."""
        chosen = params or [p for group in self.param_groups for p in group["params"]]
        self._recorded.update({id(p): {} for p in chosen})

    def trace(self, p: Tensor) -> dict[str, Any]:
        """Each term of a step for one parameter: gradient, moments, corrections, Δ, under the rule's own names.

        Of the last step when :meth:`record` was called before it; else of the step that would be taken now.

        Examples
        --------
        >>> import tinygrad_opt as tg
        >>> w = tg.tensor([2.0], requires_grad=True)
        >>> optimizer = tg.optim.Momentum([w], lr=0.1, beta=0.5)
        >>> (w * w).sum().backward()
        >>> {name: float(np.squeeze(value)) for name, value in optimizer.trace(w).items()}
        {'gradient': 4.0, 'v': 2.0, 'Δ': -0.200..., 't': 1.0}
        """
        return self._recorded.get(id(p)) or terms(self, p)

    # State

    def state_dict(self) -> dict[str, Any]:
        """Copies of the state of every parameter and of the groups' hyperparameters.

        Returns
        -------
        dict
            "state": position → {"step", state name: ndarray}; "param_groups": the groups, with positions under
            "params" and names under "param_names".
        """
        return save(self)

    def load_state_dict(self, state_dict: Mapping[str, Any], *, hyperparameters: bool = True) -> None:
        """Continue from a saved state. What does not fit is reported in full before anything changes.

        Parameters
        ----------
        state_dict : mapping
            From :meth:`state_dict`. Parameters are matched by name where both sides have names, else by position.
        hyperparameters : bool
            Restore the saved hyperparameters too; False keeps those of this optimizer.

        Raises
        ------
        ValueError
            Lists missing, unexpected and mis-shaped entries.

        Warns
        -----
        OptimizerWarning
            When the restored learning rate is another than the present one.
        """
        changed = load(self, state_dict, hyperparameters)
        if changed:
            warnings.warn(
                f"load_state_dict restored {'; '.join(changed)}. To keep the present values, pass "
                f"hyperparameters=False.",
                OptimizerWarning,
                stacklevel=2,
            )

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_executors", "_hyper", "state", "_recorded")
        kept = {key: value for key, value in self.__dict__.items() if key not in left_out}
        return {**kept, "saved": save(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.pop("saved")
        self.__dict__.update(state)
        self.state = StateMapping(self)
        self._recorded = {}
        self._hyper = [((), {}) for _ in self.param_groups]
        self._executors = [self._make_executors(group) for group in self.param_groups]
        load(self, saved, hyperparameters=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> Optimizer:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        new.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return new

    def __repr__(self) -> str:
        return summary(self)
