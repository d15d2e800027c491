"""What the report says in words: the rules that were followed, what the columns mean, what the study cannot show."""

from __future__ import annotations

from typing import Any

__all__ = ["CURVES", "FORMS", "KNOWN", "LIMITS", "OVERALL", "OVERALL_PLAIN", "PROFILES", "how_it_was_done"]

OVERALL_PLAIN = (
    "“Beats another”: how often an optimizer’s test loss is below another’s in a pair of runs with the same task and "
    "seed, averaged over the others. “Gap left”: the interquartile mean of the share of the way from the first "
    "validation loss to that of the best tuned baseline that was left at the end, with its 95 % interval (10,000 "
    "paired bootstrap resamples); 0 is as good as that baseline at its best moment. “Untuned”: at default settings. "
    "“Speed score”: the mean height of the performance profile up to four times the steps of the quickest; 1 is "
    "always the quickest."
)

OVERALL = f"A thick line ends a group within which nobody can be told from the first. {OVERALL_PLAIN}"

CURVES = (
    "Over the steps: median of the seeds and their middle half; dotted lines are the targets. By learning rate: the "
    "tuning runs; × is a run that diverged."
)

FORMS = (
    "“batch”: examples a step. “steps”: how many were taken. Then the steps (each a gradient evaluation), the "
    "epochs and the seconds until the first target was reached. All axes are logarithmic."
)

KNOWN = (
    "A study that contradicted theory or well-tried experience would have to explain itself. Runs that only serve "
    "these checks stay out of every score."
)

PROFILES = (
    "In a profile the order of those behind the leader can change when the leader is taken out (Gould & Scott 2016)."
)

LIMITS = (
    "Small tasks and short runs: what leads after this many steps need not lead after a hundred times as "
    "many, nor on large models.",
    "One or two hyperparameters were tuned: an optimizer with more of them (ε, β₂, weight decay) may gain "
    "from those too.",
    "The range of learning rates tried is part of the result (Choi et al. 2019, arXiv 1910.05446).",
    "A few seeds: a difference that is not seen here may exist. “Cannot be told apart” does not mean equal.",
    "Seconds hold for this machine and this implementation; steps and gradient evaluations travel further.",
)


def _tried(rules: dict[str, Any]) -> str:
    if rules["trials"] <= 10:
        low = rules["centre"] - (rules["trials"] - 1) / 4
        high = low + (rules["trials"] - 1) / 2
        return (
            f"{rules['trials']} learning rates, {10**low:.2g} to {10**high:.2g} in half decades, the same for everyone"
        )
    low, high = rules["centre"] - 2, rules["centre"] + 2
    return (
        f"{rules['trials']} quasi-random settings: learning rates from {10**low:.2g} to {10**high:.2g}, evenly "
        f"in their logarithm, and momentum or β₁ from 0 to 0.99, evenly in the logarithm of 1 − β, where there "
        f"is one"
    )


def how_it_was_done(rules: dict[str, Any]) -> list[str]:
    """The protocol, a sentence or two for each rule."""
    schedule = (
        "constant learning rate, and a second time under a cosine schedule"
        if rules["cosine"]
        else ("constant learning rate")
    )
    return [
        "For one seed, all optimizers start from the same weights and see the same batches; split, weights and order "
        "change with the seed.",
        f"Tuning: {_tried(rules)}; seeds for each: {rules['tuning_seeds']}. When the best lies on the edge, "
        f"the range grows by a decade, at most {rules['extensions']} times; after that it is marked “!”.",
        "The settings with the lowest validation loss after the last step are selected; of those within 5 % of it, and "
        "within 1 % of the way down to it, the smallest learning rate. The test set is only reported.",
        f"Final runs: {rules['final_seeds']} other seeds, {rules['steps']:,} steps, {schedule}.",
        "Targets lie at L* + τ (L₀ − L*). L₀ is the median validation loss at the start, L* the median best "
        "validation loss of the strongest baseline, its learning rate tuned on the quick study’s grid, over ten seeds "
        "that no study scores. They come frozen with the package, for each built-in task and 250 or 1,000 steps; where "
        "there is none, the study fixes its own in the same way before its final runs. A target is reached at the "
        "first evaluation at or below it; “*” marks runs that end above it again.",
        "A step is one gradient evaluation; a line search takes several.",
        f"A loss that is not a number, or {rules['divergence']:g} times the first one, ends a run. It scores ∞ "
        f"and stays in.",
        "± is half a 95 % interval over seeds (Student’s t); brackets are 95 % bootstrap intervals. They are "
        "not corrected for the number of comparisons.",
        "Seconds are those of training steps, on one core for each run, evaluation left out.",
    ]
