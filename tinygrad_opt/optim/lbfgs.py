"""L-BFGS: a quasi-Newton method that remembers a few steps instead of a matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..autograd import enable_grad
from ..autograd.graph import next_number
from ..errors import GradientError
from .groups import table
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer
from .state import check_kind

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS: go along −H·∇J, where H is the inverse Hessian as the last steps show it.

    Principle: the change of the gradient over a step tells the curvature along it. From the last m pairs s = Δθ, y =
    Δ∇J the two-loop recursion multiplies by an approximate inverse Hessian in 4mn operations, without forming it.

    Equation: θ ← θ + t·d, d = −H∇J; H from BFGS updates of γI, γ = sᵀy/yᵀy; t = η, or from a line search.

    Source: Nocedal 1980 (doi:10.2307/2006193); Liu & Nocedal 1989 (doi:10.1007/BF01589116); Nocedal & Wright 2006,
    Algorithm 7.4; line search: ibid., Algorithms 3.5 and 3.6.

    Strengths: superlinear on smooth, deterministic problems; hardly any tuning with the line search.
    Weaknesses: needs the same function at every evaluation, so full batches and no dropout; many evaluations a step;
    2m vectors of memory. Use it for small, smooth full-batch problems.

    Differences: as ``torch.optim.LBFGS``; one group only. A closure whose loss is not finite at the start raises, and
    the line search never ends at a point that is worse than the start.

    Parameters
    ----------
    params : iterable
    lr : float
        The step length, with the line search the first one to try.
    max_iter : int
        Iterations a step.
    max_eval : int, optional
        Evaluations a step, by default 5/4 of `max_iter`. The line search ends with them, and stays where it was when it
        has found nothing better: with it, let `max_iter` be 4 or more.
    tolerance_grad : float
        Stop when no element of the gradient is larger.
    tolerance_change : float
        Stop when neither loss nor parameters change by more.
    history_size : int
        m.
    line_search_fn : {None, "strong_wolfe"}

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> x = tg.tensor([-1.2, 1.0], requires_grad=True, dtype="float64")
    >>> optimizer = tg.optim.LBFGS([x], max_iter=60, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> x.data.round(3).tolist()
    [1.0, 1.0]
    """

    formula = "θ ← θ + t·d, d = −H·∇J, H⁻¹ ≈ ∇²J from the last m pairs of Δθ and Δ∇J ; t = η, or from a line search"
    defaults = table(
        lr=1.0,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    )
    ranges = table(max_iter=(1, float("inf"), "[)"), history_size=(1, float("inf"), "[)"))

    def __init__(self, params: Any, *args: Any, **hyper: Any) -> None:
        super().__init__(params, *args, **hyper)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS takes one group of parameters: its step length and its history are common to all.")
        self._memory: dict[str, Any] = {"n_iter": 0, "func_evals": 0, "t": 0.0}
        self._pairs: list[tuple[Any, Any, Any]] = []

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Raises: the history belongs to the parameters it began with."""
        raise ValueError("LBFGS takes one group of parameters.")

    def _check(self, values: Mapping[str, Any]) -> None:
        super()._check(values)
        if values["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn is None or 'strong_wolfe', got {values['line_search_fn']!r}.")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to `max_iter` iterations; `closure` clears the gradients, computes the loss, runs backward, returns it.

        Returns
        -------
        Tensor
            The loss before the step.

        Raises
        ------
        TypeError
            Without a closure, or with what one returned.
        GradientError
            When the loss or its gradient is not finite at the start; nothing has changed then.
        """
        if not callable(closure):
            raise TypeError(
                f"LBFGS.step needs a closure, since it evaluates the loss several times: def closure(): "
                f"optimizer.zero_grad(); loss = …; loss.backward(); return loss. Got {type(closure).__name__}."
            )
        group = self._values(0)
        first, here = self._first(closure)
        x, memory, pairs = self._position(), dict(self._memory), list(self._pairs)
        try:
            evaluations = 1 + self._iterate(closure, here, group)
        except BaseException:
            self._place(x)
            self._memory, self._pairs = memory, pairs
            raise
        self._memory["func_evals"] += evaluations
        self.steps_taken += 1
        return first

    def _iterate(self, closure: Callable[[], Any], start: Point, group: Mapping[str, Any]) -> int:
        """Iterate from a point until a reason to stop; returns the number of evaluations."""
        memory, loss, gradient = self._memory, start.loss, start.gradient
        most = group["max_eval"] if group["max_eval"] is not None else group["max_iter"] * 5 // 4
        evaluations = 0
        if np.abs(gradient).max(initial=0.0) <= group["tolerance_grad"]:
            return evaluations
        for iteration in range(1, group["max_iter"] + 1):
            d = self._direction(gradient, group["history_size"])
            t = group["lr"] * (min(1.0, 1.0 / np.abs(gradient).sum().item()) if memory["n_iter"] == 1 else 1.0)
            memory.update(gradient=gradient, d=d, t=t)
            slope = float(gradient.dot(d))
            if slope > -group["tolerance_change"]:
                break
            last, before = iteration == group["max_iter"], loss
            if group["line_search_fn"] is None:
                self._move(d * d.dtype.type(t))
                if not last:
                    loss, gradient = self._evaluate(closure)
                    evaluations += 1
            else:
                here = Point(0.0, loss, gradient, slope)
                found, count = self._search(closure, here, t, d, most - 1 - evaluations)
                loss, gradient, t = found.loss, found.gradient, found.t
                evaluations += count
            memory["t"] = t
            if last or 1 + evaluations >= most or np.abs(gradient).max() <= group["tolerance_grad"]:
                break
            if np.abs(d * t).max() <= group["tolerance_change"] or abs(loss - before) < group["tolerance_change"]:
                break
        return evaluations

    # Moving and evaluating

    def _first(self, closure: Callable[[], Any]) -> tuple[Any, Point]:
        with enable_grad():
            first = closure()
        loss, gradient = float(getattr(first, "data", first)), self._gradient()
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            raise GradientError(f"LBFGS.step: the loss is {loss} and its gradient not finite; nothing was updated.")
        return first, Point(0.0, loss, gradient, 0.0)

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[float, Any]:
        with enable_grad():
            loss = closure()
        return float(getattr(loss, "data", loss)), self._gradient()

    def _gradient(self) -> Any:
        """The gradients of all parameters end to end; zeros where there is none."""
        parts, some = [], False
        for p in self.param_groups[0]["params"]:
            grad = p.grad
            some = some or grad is not None
            parts.append(np.zeros(p.size, p.dtype) if grad is None else grad.data.reshape(-1).astype(p.dtype))
        if not some:
            raise GradientError("LBFGS.step: the closure left no gradient in any parameter; does it call backward()?")
        passes = max(getattr(p._node, "passes", 0) for p in self.param_groups[0]["params"])
        if passes > 1 and not self.accumulates:
            self._advice.say(
                "summed",
                f"LBFGS.step: the closure left gradients summed over {passes} backward() calls. Call "
                f"optimizer.zero_grad() at its beginning; or, if the sum is meant, pass accumulates=True.",
            )
        return np.concatenate(parts)

    def _position(self) -> Any:
        return np.concatenate([p.data.reshape(-1) for p in self.param_groups[0]["params"]])

    def _place(self, x: Any) -> None:
        """Write a vector into the parameters, as new arrays."""
        start, number = 0, next_number()
        for p in self.param_groups[0]["params"]:
            p.data = x[start : start + p.size].reshape(p.shape).astype(p.dtype)
            start += p.size
            if p._node is not None:
                p._node.written = number

    def _move(self, by: Any) -> None:
        self._place(self._position() + by)

    def _search(self, closure: Callable[[], Any], start: Point, t: float, d: Any, most: int) -> tuple[Point, int]:
        x = self._position()

        def evaluate(t: float) -> Point:
            self._place(x + d * d.dtype.type(t))
            loss, gradient = self._evaluate(closure)
            return Point(t, loss, gradient, float(gradient.dot(d)))

        found, count = strong_wolfe(evaluate, start, t, float(np.abs(d).max()), most)
        self._place(x + d * d.dtype.type(found.t))
        if not found.loss <= start.loss:
            self._place(x)
            found = start
            self._advice.say("stuck", "LBFGS.step: no step along this direction lowered the loss.")
        return found, count

    # The approximate inverse Hessian

    def _direction(self, gradient: Any, history: int) -> Any:
        """−H·gradient by the two-loop recursion, after taking the last step into the history."""
        memory = self._memory
        memory["n_iter"] += 1
        if memory["n_iter"] == 1:
            return -gradient
        y, s = gradient - memory["gradient"], memory["d"] * gradient.dtype.type(memory["t"])
        if y.dot(s) > 1e-10:
            self._pairs.append((s, y, 1 / y.dot(s)))
            del self._pairs[:-history]
            memory["gamma"] = y.dot(s) / y.dot(y)
        q, alphas = -gradient, []
        for s, y, rho in reversed(self._pairs):
            alphas.append(s.dot(q) * rho)
            q = q - alphas[-1] * y
        d = q * memory.get("gamma", gradient.dtype.type(1))
        for (s, y, rho), alpha in zip(self._pairs, reversed(alphas), strict=True):
            d = d + s * (alpha - y.dot(d) * rho)
        return d

    # State

    def state_dict(self) -> dict[str, Any]:
        """The group and the common history, under the first position as in PyTorch."""
        saved = super().state_dict()
        entry = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in self._memory.items()}
        if self._memory["n_iter"]:
            n = self._position().size
            dtype = entry["d"].dtype
            entry["steps"] = np.array([s for s, _, _ in self._pairs], dtype).reshape(-1, n)
            entry["changes"] = np.array([y for _, y, _ in self._pairs], dtype).reshape(-1, n)
            saved["state"][0] = entry
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any], *, hyperparameters: bool = True) -> None:
        """Continue from a saved state; raises ValueError with what does not fit, before anything changes."""
        check_kind(self, state_dict)
        start = {"n_iter": 0, "func_evals": 0, "t": 0.0}
        entry = dict(state_dict["state"].get(0, state_dict["state"].get("0", start)))
        vectors, n = ("gradient", "d", "steps", "changes"), self._position().size
        needed = (*start, *vectors) if entry.get("n_iter") else (*start,)
        problems = [f"missing: {name}" for name in needed if name not in entry]
        problems += [f"unexpected: {name}" for name in entry if name not in (*start, *vectors, "gamma")]
        problems += [
            f"{name} has {np.shape(entry[name])[-1]} elements, the parameters {n}"
            for name in vectors
            if name in entry and np.shape(entry[name])[-1] != n
        ]
        if problems:
            raise ValueError("load_state_dict: the state does not fit this LBFGS:\n  " + "\n  ".join(problems))
        super().load_state_dict({**state_dict, "state": {}}, hyperparameters=hyperparameters)
        steps, changes = np.array(entry.pop("steps", [])), np.array(entry.pop("changes", []))
        self._pairs = [(s, y, 1 / y.dot(s)) for s, y in zip(steps, changes, strict=True)]
        self._memory = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in entry.items()}
