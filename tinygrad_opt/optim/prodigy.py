"""Prodigy: Adam that estimates its learning rate from how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .closure import evaluate
from .groups import table
from .optimizer import Optimizer
from .rule import update_rule
from .state import check_kind

__all__ = ["Prodigy", "prodigy"]


@update_rule(state=("m", "v", "s", "x0"))
def prodigy(p, g, m, v, s, x0, *, rate, beta1, beta2, eps, weight_decay, d, t):  # type: ignore[no-untyped-def]
    """m ← β₁·m + (1−β₁)·d·g ;  v ← β₂·v + (1−β₂)·d²·g² ;  θ ← θ − η·d·(m / (√v + d·ε) + λ·θ)

    s ← √β₂·s + (1−√β₂)·η·d²·g. Then d ← max(d, r/‖s‖₁), where r averages η·d²·⟨g, θ₀ − θ⟩ likewise, over all
    parameters. With bias correction η stands for η·√(1−β₂ᵗ)/(1−β₁ᵗ).
    """
    if t == 1:
        x0 = p
    m = beta1 * m + (1 - beta1) * d * g
    v = beta2 * v + (1 - beta2) * (d * g) * (d * g)
    s = beta2**0.5 * s + (1 - beta2**0.5) * rate * d * d * g
    return p * (1 - rate * d * weight_decay) - rate * d * m / (np.sqrt(v) + d * eps), m, v, s, x0


class Prodigy(Optimizer):
    """Prodigy: an Adam whose rate is d, a lower bound on the distance from the start to the solution.

    Principle: the best constant step is proportional to D = ‖θ₀ − θ*‖. Convexity gives lower bounds on D from
    gradients seen so far; d is the largest of them, it begins tiny and grows to the right size within some tens of
    steps.

    Source: Mishchenko & Defazio 2024 (arXiv 2306.06101), Algorithm 4.

    Strengths: no learning rate to tune: leave lr at 1, and use a cosine schedule. Weaknesses: four arrays of state;
    an early overestimate of d stays. Use it for a first run on a new problem.

    Differences: one d for all groups, from the first group's hyperparameters; no bias correction, as the paper's
    algorithm, unless it is asked for (optax always has it). The ε of a step is multiplied by the d of that step, in
    optax and the authors' code by the next one.

    Parameters
    ----------
    params : iterable
    lr : float
        η, a factor on d; for schedules.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε.
    weight_decay : float
        λ, decoupled.
    d0 : float
        d at first.
    bias_correction : bool
        Multiply η by √(1−β₂ᵗ)/(1−β₁ᵗ).
    """

    rule = prodigy
    defaults = table(lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, d0=1e-6, bias_correction=False)
    ranges = table(d0=(0.0, float("inf"), "()"))

    def __init__(self, params: Any, *args: Any, **hyper: Any) -> None:
        self.d, self.r = 0.0, 0.0
        super().__init__(params, *args, **hyper)
        self.d = self.param_groups[0]["d0"]

    def _values(self, index: int) -> dict[str, Any]:
        values = super()._values(index)
        rate, t = values["lr"], self.steps_taken + 1
        if values["bias_correction"]:
            rate *= (1 - values["beta2"] ** t) ** 0.5 / (1 - values["beta1"] ** t)
        return {**values, "d": self.d, "rate": rate}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step, after which d is estimated anew."""
        loss = evaluate(closure, self)
        values = self._values(0)
        agreement = 0.0
        for p in (p for group in self.param_groups for p in group["params"]):
            before = self.state[p]
            if p.grad is not None and before:
                agreement += float(np.vdot(p.grad.data, before["x0"] - p.data))
        super().step()
        share = values["beta2"] ** 0.5
        self.r = share * self.r + (1 - share) * values["rate"] * self.d**2 * agreement
        size = sum(
            float(np.abs(found["s"]).sum())
            for group in self.param_groups
            for p in group["params"]
            if (found := self.state[p])
        )
        if size > 0:
            self.d = max(self.d, self.r / size)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """As the base's, with "d", "r" and "steps_taken"."""
        return {**super().state_dict(), "d": self.d, "r": self.r, "steps_taken": self.steps_taken}

    def load_state_dict(self, state_dict: Mapping[str, Any], *, hyperparameters: bool = True) -> None:
        """As the base's, with "d", "r" and "steps_taken"."""
        check_kind(self, state_dict)
        absent = [key for key in ("d", "r", "steps_taken") if key not in state_dict]
        if absent:
            raise ValueError(f"load_state_dict: missing for Prodigy: {', '.join(absent)}; nothing was loaded.")
        super().load_state_dict(state_dict, hyperparameters=hyperparameters)
        self.d, self.r = float(state_dict["d"]), float(state_dict["r"])
        self.steps_taken = int(state_dict["steps_taken"])
