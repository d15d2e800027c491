"""Makes tinygrad_opt/study/targets.json: the targets of the built-in tasks, frozen. Run by hand when a task changes.

    PYTHONPATH=. python tests/study/make_targets.py [--jobs N] [TASK …]

For each task and each length of run (quick and full): the learning rate of each baseline is tuned on the grid of the
quick study, and the one with the lowest validation loss is run with ten seeds that no study uses for its scores.
L₀ is the median of the first validation losses, L* that of each run's best. Only the tasks that are named are made
anew; without names, all of them.
"""

import argparse
import json
import math
import sys
from pathlib import Path

from tinygrad_opt.study import Plan, Records, full, quick
from tinygrad_opt.study.execute import run_all, workers
from tinygrad_opt.study.problems import FULL, QUICK
from tinygrad_opt.study.runner import BASELINES, strongest_baseline, tune
from tinygrad_opt.study.scoring import set_target
from tinygrad_opt.study.targets import fingerprint
from tinygrad_opt.study.tasks import tasks

FILE = Path(__file__).resolve().parents[2] / "tinygrad_opt" / "study" / "targets.json"
ABOUT = (
    "L0 (start) and L* (best) of each task by steps of a run: medians over ten seeds of the strongest baseline (by), "
    "its learning rate (lr) tuned on the quick study's grid. Made by tests/study/make_targets.py."
)


def target(task: str, steps: int, jobs: int) -> dict[str, object]:
    """A task's target for runs of so many steps."""
    plan = Plan((task,), BASELINES, quick(steps=steps, final_seeds=10))
    store = Records()
    while (found := tune(plan, store))[0]:
        for record in run_all(found[0], jobs):
            store.add(record)
    results = found[1]
    arm = strongest_baseline(plan.arms(), results)
    settings = dict(results[arm].selected or ())
    records = list(run_all([arm.trial(settings, seed, plan.protocol) for seed in plan.protocol.targets_from()], jobs))
    goal = set_target({arm.optimizer: records})
    start, best = (float(f"{value:.5g}") for value in (goal.start, goal.best))
    assert math.isfinite(best)
    return {"start": start, "best": best, "by": goal.by, **settings}


def main() -> None:
    """Make the file, task by task, writing it after each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=list(dict.fromkeys([*QUICK, *FULL])))
    parser.add_argument("--jobs", type=int)
    arguments = parser.parse_args()
    made = json.loads(FILE.read_text("utf-8"))["tasks"]
    for name in arguments.tasks:
        lengths = [rules.steps for rules, members in ((quick(), QUICK), (full(), FULL)) if name in members]
        made[name] = {
            "fingerprint": fingerprint(name),
            "steps": {str(steps): target(name, steps, workers(arguments.jobs)) for steps in lengths},
        }
        print(name, made[name], file=sys.stderr)
        ordered = {name: made[name] for name in tasks if name in made}
        FILE.write_text(json.dumps({"about": ABOUT, "tasks": ordered}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
