"""What is known about optimizers, and whether it came out in a study: said from its records, with the reason if not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from . import contenders
from .plan import Arm, ArmResult, Plan
from .protocol import Protocol
from .scoring import Target, final_accuracy, final_loss, steps_to, test_loss
from .statistics import beats, resample, tie_groups

__all__ = ["checks", "known"]

CONDITION = 1000
"""κ of the task quadratic."""

NEAR_ACCURACY = 0.025
"""Accuracies this near count as close."""

_Results = Mapping[Arm, ArmResult]


@dataclass(frozen=True)
class _Found:
    """A known fact as it stands in a study.

    Attributes
    ----------
    claim, source : str
        What is known, and who says so.
    came_out : bool
    numbers : str
        What the records say.
    why : str
        Where it did not come out, or not everywhere: the reason that the records show.
    """

    claim: str
    source: str
    came_out: bool
    numbers: str
    why: str = ""


def checks(tasks: Sequence[str], optimizers: Sequence[str], rules: Protocol) -> tuple[Arm, ...]:
    """The arms that known facts need beyond the study's own: tuned by learning rate alone, out of every score.

    The quadratic without noise, on which plain descent gets eight times the steps (2,000 at most); and on a network
    Adam with ε tuned beside the learning rate.
    """
    arms: tuple[Arm, ...] = ()
    if "quadratic" in tasks and {"sgd", "momentum"} <= set(optimizers):
        long = max(min(8 * rules.steps, 2000), rules.steps)
        arms += tuple(Arm("quadratic-exact", name, None, long if name == "sgd" else None) for name in _PAIR)
    network = _network(tasks)
    if network and "momentum" in optimizers:
        arms += (Arm(network, "adam-eps"),)
    return arms


_PAIR = ("sgd", "momentum")
_NETWORKS = ("digits", "spirals", "deep-tanh", "digits-cnn")


def _network(tasks: Sequence[str]) -> str | None:
    return next((name for name in _NETWORKS if name in tasks), None)


def known(plan: Plan, results: _Results, targets: Mapping[str, Target]) -> list[dict[str, Any]]:
    """Each fact that the study can speak to: its claim, its source, whether it came out, the numbers, and why not."""
    found = [
        _adagrad_on_sparse(plan, results),
        _momentum_on_quadratic(plan, results, targets),
        _adam_with_epsilon(plan, results),
        *_plain_descent_near_adam(plan, results),
    ]
    return [asdict(fact) for fact in found if fact is not None]


def _title(optimizer: str) -> str:
    return contenders.find(optimizer).title


def _adagrad_on_sparse(plan: Plan, results: _Results) -> _Found | None:
    if "sparse" not in plan.tasks or not {"adagrad", "sgd"} <= set(plan.optimizers):
        return None
    losses = {name: np.array([[test_loss(r) for r in results[Arm("sparse", name)].final]]) for name in plan.optimizers}
    groups = tie_groups(losses, resample(1, losses["adagrad"].shape[1]))
    leads = "adagrad" in groups[0]
    others = {name: float(values.mean()) for name, values in losses.items() if name != "adagrad"}
    best = min(others, key=lambda name: others[name])
    numbers = (
        f"Mean test loss {losses['adagrad'].mean():.3g}; {_title(best)}, the best of the others, {others[best]:.3g}; "
        f"SGD {others['sgd']:.3g}."
    )
    why = ""
    if leads and len(groups[0]) > 1:
        near = ", ".join(_title(name) for name in groups[0] if name != "adagrad")
        numbers += f" {near} cannot be told from it with {losses['adagrad'].shape[1]} seeds."
    if not leads:
        why = f"{_title(groups[0][0])} has the lower loss in most pairs. " + _trouble(results[Arm("sparse", "adagrad")])
    return _Found(
        "AdaGrad leads where most features are rare.",
        "Duchi, Hazan & Singer 2011",
        leads,
        numbers,
        why.strip(),
    )


def _momentum_on_quadratic(plan: Plan, results: _Results, targets: Mapping[str, Target]) -> _Found | None:
    arms = [arm for arm in plan.checks if arm.task == "quadratic-exact"]
    if len(arms) != 2 or any(results[arm].selected is None for arm in arms):
        return None
    plain, momentum = (results[arm].final for arm in arms)
    root = math.sqrt(CONDITION)
    steps = [float(np.median([steps_to(r, 0.01 * r.validation[0]) for r in runs])) for runs in (plain, momentum)]
    ratio, at_least = _ratio(steps, plain[0].trial.steps)
    came_out = math.isfinite(steps[1]) and not at_least and root / 2 <= ratio <= 2 * root
    numbers = f"Without noise, to 1 % of the first loss: {_times(steps, ratio, at_least)}; √κ = {root:.0f}."
    noisy, share = [], 0.0
    for tau in sorted(plan.protocol.targets, reverse=True):
        level = targets["quadratic"].level(tau)
        pair = [float(np.median([steps_to(r, level) for r in results[Arm("quadratic", name)].final])) for name in _PAIR]
        if math.isfinite(pair[1]):
            share, more = _ratio(pair, plan.protocol.steps)
            noisy.append(f"to the {100 * tau:g} % target {_times(pair, share, more)}")
    if noisy:
        numbers += f" With the task’s noise, {'; '.join(noisy)}."
    why = ""
    if not math.isfinite(steps[1]):
        why = f"Momentum had only {momentum[0].trial.steps:,} steps."
    elif not came_out:
        why = (
            f"Plain descent had only {plain[0].trial.steps:,} steps."
            if at_least
            else "Only six learning rates were tried for each; between them lies the best one of the slower."
        )
    elif noisy and share < root / 2:
        why = (
            "With noise, and a target that leaves the flattest directions undone, the lead is smaller: steep "
            "directions are quick for both, and the noise keeps momentum from its largest rates."
        )
    return _Found(
        "On a quadratic with condition number κ, momentum needs about √κ times fewer steps than plain descent.",
        "Polyak 1964",
        came_out,
        numbers,
        why,
    )


def _ratio(steps: Sequence[float], budget: int) -> tuple[float, bool]:
    """How many times as many steps the first took; a lower bound, and True, where it did not arrive in its budget."""
    slow, quick = steps
    return (slow if math.isfinite(slow) else budget) / max(quick, 1.0), not math.isfinite(slow)


def _times(steps: Sequence[float], ratio: float, at_least: bool) -> str:
    if not math.isfinite(steps[1]):
        return "momentum did not arrive"
    if at_least:
        return f"plain descent did not arrive, momentum took {steps[1]:.0f} steps, at least {ratio:.1f} times fewer"
    return f"plain descent {steps[0]:.0f} steps, momentum {steps[1]:.0f}, {ratio:.1f} times fewer"


def _adam_with_epsilon(plan: Plan, results: _Results) -> _Found | None:
    arm = next((arm for arm in plan.checks if arm.optimizer == "adam-eps"), None)
    if arm is None:
        return None
    tuned, momentum = results[arm], results[Arm(arm.task, "momentum")]
    if tuned.selected is None or momentum.selected is None:
        return None
    losses = [np.array([[final_loss(r) for r in result.final]]) for result in (momentum, tuned)]
    share, low, _ = beats(losses[0], losses[1], resample(1, losses[0].shape[1]))
    eps = dict(tuned.selected)["eps"]
    came_out = low <= 0.5
    numbers = (
        f"On {arm.task}, validation loss {losses[1].mean():.3g} with ε = {eps:g}, Momentum {losses[0].mean():.3g}; "
        f"Momentum was lower in {100 * share:.0f} % of the pairs."
    )
    why = ""
    if not came_out:
        seeds = plan.protocol.tuning_seeds
        why = (
            f"ε was selected by {seeds} tuning run{'s' * (seeds > 1)} of each setting, and of three values only. "
            + _trouble(tuned)
        )
    return _Found(
        "Adam with ε tuned is not worse than Momentum, which it contains.",
        "Choi et al. 2019, arXiv 1910.05446",
        came_out,
        numbers,
        why.strip(),
    )


def _plain_descent_near_adam(plan: Plan, results: _Results) -> list[_Found]:
    """For each network with accuracies by itself."""
    if not {"sgd", "adam"} <= set(plan.optimizers):
        return []
    found = []
    for name in [name for name in _NETWORKS if name in plan.tasks]:
        plain, adam = (results[Arm(name, optimizer)] for optimizer in ("sgd", "adam"))
        medians = [float(np.median([final_accuracy(r) for r in result.final])) for result in (plain, adam)]
        near = medians[0] >= medians[1] - NEAR_ACCURACY
        found.append(
            _Found(
                f"On a small network ({name}), plain SGD with a tuned learning rate comes close to Adam.",
                "Wilson et al. 2017, arXiv 1705.08292",
                near,
                f"Median validation accuracy: SGD {100 * medians[0]:.1f} %, Adam {100 * medians[1]:.1f} %.",
                "" if near else _trouble(plain) or _slower(plain, adam),
            )
        )
    return found


def _slower(result: ArmResult, other: ArmResult) -> str:
    """How much of the way down that another took in the same steps was taken; for runs that show no other trouble."""
    falls = [float(np.median([r.validation[0] - r.validation[-1] for r in found.final])) for found in (result, other)]
    return f"No run of it went wrong: it was slower, and took {100 * falls[0] / falls[1]:.0f} % of the way down."


def _trouble(result: ArmResult) -> str:
    """What the records show of an optimizer that does badly: an edge, divergence, seeds apart, or steps too few."""
    said = []
    if result.edge:
        said.append("its best learning rate lies on the edge of what was tried")
    gone = sum(r.diverged is not None for r in result.final)
    if gone:
        said.append(f"{gone} of its {len(result.final)} runs diverged")
    whole = [r for r in result.final if r.diverged is None]
    if whole:
        late = float(np.median([r.validation[(4 * (len(r.validation) - 1)) // 5] for r in whole]))
        last = float(np.median([r.validation[-1] for r in whole]))
        accuracies = [final_accuracy(r) for r in whole]
        if last < 0.95 * late:
            fall = 100 * (1 - last / late)
            said.append(f"its loss still fell by {fall:.0f} % in the last fifth of the steps: more steps would help it")
        elif max(accuracies) - min(accuracies) > 0.1:
            said.append(
                f"its runs end between {100 * min(accuracies):.0f} and {100 * max(accuracies):.0f} %: the learning "
                f"rate that won the tuning is near to where it becomes unstable"
            )
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""
