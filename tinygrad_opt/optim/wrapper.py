"""Optimizers around an optimizer: the base, and those that only change the gradients it is given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..autograd.tensor import new_tensor
from ..random import get_generator
from .closure import evaluate
from .optimizer import Optimizer

__all__ = ["AGC", "GradientCentralization", "GradientNoise", "Wrapper"]

Array = np.ndarray[Any, Any]


class Wrapper:
    """Stands for an optimizer and adds something to its step; groups, state and zero_grad are the inner one's.

    Parameters
    ----------
    optimizer : Optimizer or Wrapper
    """

    def __init__(self, optimizer: Optimizer | Wrapper) -> None:
        if not isinstance(optimizer, (Optimizer, Wrapper)):
            raise TypeError(f"{type(self).__name__} expected an optimizer, got {type(optimizer).__name__}.")
        self.optimizer = optimizer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "optimizer":
            raise AttributeError(name)
        return getattr(self.optimizer, name)

    @property
    def error_if_nonfinite(self) -> bool:
        """Whether the inner optimizer raises when a gradient holds a NaN or an infinity; may be set."""
        return self.optimizer.error_if_nonfinite

    @error_if_nonfinite.setter
    def error_if_nonfinite(self, raises: bool) -> None:
        self.optimizer.error_if_nonfinite = raises

    def params(self) -> Iterator[Tensor]:
        """All parameters, in the order of the groups."""
        for group in self.optimizer.param_groups:
            yield from group["params"]

    def explain(self) -> None:
        """Print what this wrapper adds, with its present settings, then what is inside."""
        line = (type(self).__doc__ or "").partition("\n")[0]
        print(f"{type(self).__name__}: {line}")
        for key, value in vars(self).items():
            if isinstance(value, (int, float)):
                print(f"  {key} = {value!r}")
        print("\nAround:\n")
        self.optimizer.explain()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """The inner optimizer's step."""
        return self.optimizer.step(closure)

    def state_dict(self) -> dict[str, Any]:
        """The inner optimizer's state under "optimizer", and this one's own beside it."""
        return {"optimizer": self.optimizer.state_dict(), **self.own_state()}

    def load_state_dict(self, state_dict: Mapping[str, Any], **options: Any) -> None:
        """Restore both; raises ValueError with what does not fit, before anything changes."""
        name, own = type(self).__name__, self.own_state()
        given = set(state_dict) if isinstance(state_dict, Mapping) else set()
        problems = [f"missing: {key}" for key in ("optimizer", *own) if key not in given]
        problems += [f"unexpected: {key}" for key in sorted(given - {"optimizer", *own})]
        if not problems:
            problems = self.misfits({key: state_dict[key] for key in own})
        if problems:
            raise ValueError(
                f"load_state_dict: the state does not fit this {name}, and nothing was loaded.\n  "
                + "\n  ".join(problems)
            )
        self.optimizer.load_state_dict(state_dict["optimizer"], **options)
        self.load_own_state({key: state_dict[key] for key in own})

    def misfits(self, state: Mapping[str, Any]) -> list[str]:
        """What in a wrapper's own state does not fit; the base compares lists of arrays with the parameters."""
        shapes = [p.shape for p in self.params()]
        return [
            f"{key} holds arrays of shapes {[np.shape(array) for array in value]}, the parameters have {shapes}"
            for key, value in state.items()
            if isinstance(value, list) and any(a is not None and np.shape(a) != s for a, s in _pairs(value, shapes))
        ]

    def own_state(self) -> dict[str, Any]:
        """What the wrapper itself remembers."""
        return {}

    def load_own_state(self, state: Mapping[str, Any]) -> None:
        """Restore what the wrapper itself remembers."""

    def __repr__(self) -> str:
        own = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if isinstance(v, (int, float)))
        return f"{type(self).__name__}({own}) around\n{self.optimizer!r}"


def _pairs(arrays: list[Any], shapes: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Arrays with the shapes they should have; None, which fits no array, where one list is the shorter."""
    return itertools.zip_longest(arrays, shapes) if arrays else iter(())


def generator_state(generator: np.random.Generator | None) -> Any:
    """What a generator of one's own needs to go on; None where the library's common one is used."""
    return None if generator is None else generator.bit_generator.state


def restore_generator(generator: np.random.Generator | None, state: Any) -> None:
    """The inverse of :func:`generator_state`."""
    if generator is not None and state is not None:
        generator.bit_generator.state = state


class _Transformed(Wrapper):
    """A step on changed gradients; ``p.grad`` itself stays as it was."""

    def transform(self, p: Array, g: Array) -> Array:
        """The gradient that the inner optimizer is to see."""
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = evaluate(closure, self)
        before: list[tuple[Any, Any, int]] = []
        try:
            for p in self.params():
                leaf: Any = p._node
                if leaf is not None and leaf.grad is not None:
                    changed = new_tensor(self.transform(p.data, leaf.grad.data), None)
                    before.append((leaf, leaf.grad, leaf.passes))
                    leaf.grad = changed
            self.optimizer.step()
        finally:
            for leaf, gradient, passes in before:
                leaf.grad, leaf.passes = gradient, passes
        return loss


class GradientCentralization(_Transformed):
    """Take the mean over all axes but the first out of the gradients of matrices and kernels.

    Principle: the weights into each unit then keep their sum, so that learning does not shift the mean of what a unit
    gets, and gradients are smaller and smoother.

    Source: Yong et al. 2020 (arXiv 2004.01461), equation 1.

    Strengths: one line, no state, no hyperparameter. Weaknesses: helps little beside batch norm; a last layer whose
    sum matters is constrained. Use it for convolutional networks without other normalization of the weights.
    """

    def transform(self, p: Array, g: Array) -> Array:
        return g if g.ndim < 2 else g - g.mean(axis=tuple(range(1, g.ndim)), keepdims=True)


class GradientNoise(_Transformed):
    """Add Gaussian noise of variance η/(1+t)^γ to the gradients.

    Principle: noise helps out of poor starts and saddles; as it fades, the end is that of the inner optimizer.

    Source: Neelakantan et al. 2015 (arXiv 1511.06807), equation 1.

    Strengths: very deep networks from poor initial values. Weaknesses: with a good start and small batches, whose
    gradients are noisy anyway, it only slows. Use it where training hangs at the beginning.

    Parameters
    ----------
    optimizer : Optimizer
    eta : float
        Variance at first.
    gamma : float
        How fast it falls.
    generator : numpy.random.Generator, optional
    """

    def __init__(
        self,
        optimizer: Optimizer | Wrapper,
        eta: float = 0.3,
        gamma: float = 0.55,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__(optimizer)
        if not (eta >= 0 and gamma >= 0):
            raise ValueError(f"GradientNoise: eta and gamma must be at least 0, got eta={eta}, gamma={gamma}.")
        get_generator(generator)  # raises when it is none
        self.eta, self.gamma, self.t = eta, gamma, 0
        self._generator = generator

    def transform(self, p: Array, g: Array) -> Array:
        generator = get_generator(self._generator)
        noise = generator.normal(0.0, (self.eta / (1 + self.t) ** self.gamma) ** 0.5, g.shape)
        noisy: Array = g + np.asarray(noise, g.dtype)
        return noisy

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = super().step(closure)
        self.t += 1
        return loss

    def own_state(self) -> dict[str, Any]:
        return {"t": self.t, "generator": generator_state(self._generator)}

    def load_own_state(self, state: Mapping[str, Any]) -> None:
        self.t = state["t"]
        restore_generator(self._generator, state["generator"])


class AGC(_Transformed):
    """Adaptive gradient clipping: a unit's gradient is at most a share of the norm of its weights.

    g ← g · min(1, λ·max(‖w‖, ε)/‖g‖), the norms taken over all axes but the first of matrices and kernels.

    Source: Brock et al. 2021 (arXiv 2102.06171), equation 3. The paper leaves the last layer out: give it to another
    optimizer, or to none of these wrappers.

    Strengths: trains deep nets without batch norm; the bound follows the weights, layer by layer. Weaknesses: one more
    number to tune, smaller for larger batches. Use it where single batches upset the training.

    Parameters
    ----------
    optimizer : Optimizer
    clipping : float
        λ.
    eps : float
        ε.
    """

    def __init__(self, optimizer: Optimizer | Wrapper, clipping: float = 0.01, eps: float = 1e-3) -> None:
        super().__init__(optimizer)
        if not (clipping > 0 and eps >= 0):
            raise ValueError(f"AGC: clipping must be positive and eps at least 0, got {clipping} and {eps}.")
        self.clipping, self.eps = clipping, eps

    def transform(self, p: Array, g: Array) -> Array:
        axes = tuple(range(1, g.ndim)) if g.ndim > 1 else None
        size = np.sqrt(np.sum(g * g, axis=axes, keepdims=True))
        most = self.clipping * np.maximum(np.sqrt(np.sum(p * p, axis=axes, keepdims=True)), self.eps)
        clipped: Array = np.where(size > most, g * (most / np.maximum(size, 1e-6)), g)
        return clipped
