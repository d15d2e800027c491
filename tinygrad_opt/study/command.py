"""The command line of studies: compare, report, tasks, optimizers."""

from __future__ import annotations

import argparse
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any, NoReturn

from . import contenders, tasks
from .execute import OwnFileError, load_own, workers
from .forms import arms as forms_of
from .known import checks
from .plan import Arm, Plan
from .problems import FULL, QUICK
from .progress import Progress
from .protocol import Protocol, full, quick
from .records import OtherStudyError, Records
from .report import write_report
from .runner import collect, run
from .summary import environment, summarize
from .tables import as_text

__all__ = ["add_commands"]

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
INTERRUPTED = 130


class UsageError(ValueError):
    """A command line that cannot be carried out; said in one line, exit code 2."""


def add_commands(commands: Any) -> None:
    """Add the study's commands to an argparse subparsers object."""
    compare = commands.add_parser(
        "compare",
        help="compare optimizers on several tasks",
        description="Compare optimizers: each is tuned on each task, then run with several seeds; prints tables and "
        "writes a report.",
    )
    size = compare.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="6 learning rates, 5 seeds, 250 steps (the default)")
    size.add_argument("--full", action="store_true", help="8 tasks, 20 settings, 10 seeds, 1,000 steps")
    compare.add_argument("--tasks", "--task", metavar="A,B", help="which tasks; see the command tasks")
    compare.add_argument("--optimizers", metavar="A,B", help="which optimizers; see the command optimizers")
    compare.add_argument("--budget", type=int, metavar="N", help="settings tried for each optimizer on each task")
    compare.add_argument("--seeds", type=int, metavar="N", help="seeds of the final runs")
    compare.add_argument("--steps", type=int, metavar="N", help="optimizer steps of a run")
    compare.add_argument("--seed", type=int, default=0, metavar="N", help="added to every seed (default: 0)")
    compare.add_argument("--no-forms", action="store_true", help="leave out batch, mini-batch and stochastic descent")
    compare.add_argument("--no-checks", action="store_true", help="leave out the runs that only check known facts")
    compare.add_argument("--own", action="append", default=[], metavar="FILE.py", help="your optimizers and tasks")
    compare.add_argument("--jobs", type=int, metavar="N", help="processes (default: one for each core)")
    compare.add_argument("--backend", choices=("local", "dask"), default="local", help="where runs are done")
    compare.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, with --backend dask")
    compare.add_argument("--out", metavar="DIR", help="the report's folder (default: a new one, report…)")
    compare.add_argument("--resume", action="store_true", help="go on with an interrupted study")
    compare.add_argument("--force", action="store_true", help="replace an earlier report or unfinished study")
    compare.set_defaults(run=_guarded(_compare))

    report = commands.add_parser("report", help="write the report of a study's records again")
    report.add_argument("records", metavar="DB", help="study.sqlite in a report's folder")
    report.add_argument("--out", metavar="DIR", required=True)
    report.add_argument("--force", action="store_true", help="replace what is there")
    report.set_defaults(run=_guarded(_report))

    for name, show in (("tasks", _tasks), ("optimizers", _optimizers)):
        listing = commands.add_parser(name, help=f"list the {name} that can be compared")
        listing.add_argument("--own", action="append", default=[], metavar="FILE.py", help="with yours")
        listing.set_defaults(run=_guarded(show))


def _guarded(command: Any) -> Any:
    """A wrong use is said in a line, without a traceback."""

    def guarded(arguments: argparse.Namespace) -> int:
        try:
            return int(command(arguments) or 0)
        except (UsageError, OwnFileError, FileNotFoundError, FileExistsError, OtherStudyError) as error:
            print(f"tinygrad_opt: {error}", file=sys.stderr)
            return 2

    return guarded


def _split(text: str, find: Any) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("an empty list of names.")
    for name in names:
        try:
            find(name)
        except KeyError as error:
            raise UsageError(error.args[0]) from None
    return tuple(dict.fromkeys(names))


def _rules(arguments: argparse.Namespace) -> Protocol:
    changes = {
        "trials": arguments.budget,
        "final_seeds": arguments.seeds,
        "steps": arguments.steps,
        "seed": arguments.seed,
    }
    if arguments.seed < 0:
        raise UsageError(f"--seed must not be negative, got {arguments.seed}.")
    changes = {name: value for name, value in changes.items() if value is not None}
    if arguments.steps is not None:
        changes["evaluations"] = max(min(50, arguments.steps), 1)
    try:
        return (full if arguments.full else quick)(**changes)
    except ValueError as error:
        raise UsageError(str(error).replace("Protocol: ", "")) from None


def _plan(arguments: argparse.Namespace) -> Plan:
    known = {*tasks.tasks}, {*contenders.contenders}
    own = [str(Path(path).resolve()) for path in arguments.own]
    for path in own:
        before = len(tasks.tasks) + len(contenders.contenders)
        load_own(path)
        if len(tasks.tasks) + len(contenders.contenders) == before:
            raise UsageError(f"{path} adds no optimizer and no task: put @optimizer(NAME) or @task(NAME) above yours.")
    added = [name for name in tasks.tasks if name not in known[0]]
    joined = [name for name in contenders.contenders if name not in known[1]]
    rules = _rules(arguments)
    names = (*(FULL if arguments.full else QUICK), *added)
    chosen = _split(arguments.tasks, tasks.find) if arguments.tasks else names
    optimizers = _split(arguments.optimizers, contenders.find) if arguments.optimizers else (*OPTIMIZERS, *joined)
    forms: tuple[Arm, ...] = ()
    with_batches = [name for name in chosen if tasks.find(name).batch_size is not None]
    if with_batches and not arguments.no_forms:
        usual = [name for name in ("digits", "spirals") if name in with_batches]
        forms = forms_of((usual or with_batches)[0], rules.steps)
    further = () if arguments.no_checks else checks(chosen, optimizers, rules)
    return Plan(chosen, optimizers, rules, forms, further, tuple(own))


def _places(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """Where the report goes, and where the records are while the study is not finished."""

    def unfinished(folder: Path) -> Path:
        return folder.with_name(folder.name + ".unfinished.sqlite")

    if arguments.out is not None:
        folder = Path(arguments.out).absolute()
    else:
        n = 1
        while True:
            folder = Path.cwd() / ("report" if n == 1 else f"report-{n}")
            waiting = unfinished(folder).exists() and not folder.exists()
            if waiting if arguments.resume else not folder.exists() and not unfinished(folder).exists():
                break
            n += 1
            if arguments.resume and n > 1000:
                raise UsageError("there is no unfinished study here; name its report with --out.")
    records = unfinished(folder)
    if folder.exists() and not arguments.force:
        raise UsageError(f"{folder} is there already: choose another place with --out, or replace it with --force.")
    if arguments.resume and not records.exists():
        raise UsageError(f"there is no unfinished study {records}.")
    if records.exists() and not arguments.resume:
        if not arguments.force:
            raise UsageError(f"{records} holds an unfinished study: go on with --resume, or start afresh with --force.")
        records.unlink()
    return folder, records


def _compare(arguments: argparse.Namespace) -> int:
    if (arguments.backend == "dask") != (arguments.scheduler is not None):
        raise UsageError("--backend dask and --scheduler ADDRESS go together.")
    plan = _plan(arguments)
    folder, path = _places(arguments)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if arguments.jobs is not None and arguments.jobs < 1:
        raise UsageError(f"--jobs must be at least 1, got {arguments.jobs}.")
    jobs = workers(arguments.jobs)
    names = (contenders.find(name).title for name in plan.optimizers)
    say = f"Comparing {', '.join(names)} on {', '.join(plan.tasks)}; {jobs} process{'es' if jobs > 1 else ''}."
    print("\n".join(textwrap.wrap(say, 80)), file=sys.stderr)
    progress = Progress()
    signal.signal(signal.SIGTERM, _terminated)
    try:
        records = Records(path)
        try:
            records.note("environment", environment())
            run(plan, records, jobs=jobs, scheduler=arguments.scheduler, progress=progress)
            progress.close()
            summary = summarize(plan, *collect(plan, records), records.about("environment"))
        finally:
            records.close()
        page = write_report(summary, folder, force=arguments.force, records=path)
        path.unlink()
    except KeyboardInterrupt:
        progress.close()
        print(f"\nStopped. What has run is in {path}.\nGo on with the same command and --resume.", file=sys.stderr)
        return INTERRUPTED
    except OtherStudyError:
        raise
    except Exception as error:
        progress.close()
        said = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        print(f"\nA run failed: {said}\nWhat had finished is in {path}.", file=sys.stderr)
        return 1
    print(as_text(summary))
    print(f"\nReport: {page}")
    return 0


def _terminated(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def _report(arguments: argparse.Namespace) -> int:
    path = Path(arguments.records)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    try:
        records = Records(path)
    except ValueError as error:
        raise UsageError(str(error)) from None
    facts = records.about("plan")
    if facts is None:
        raise UsageError(f"{path} holds no study.")
    plan = Plan.from_facts(facts)
    for own in plan.own:
        load_own(own)
    try:
        summary = summarize(plan, *collect(plan, records), records.about("environment"))
    except ValueError as error:
        print(f"tinygrad_opt: {error}", file=sys.stderr)
        return 1
    page = write_report(summary, Path(arguments.out).absolute(), force=arguments.force, records=path)
    print(as_text(summary))
    print(f"\nReport: {page}")
    return 0


def _tasks(arguments: argparse.Namespace) -> None:
    for path in arguments.own:
        load_own(path)
    for task in tasks.tasks.values():
        print(f"{task.name}: {task.title}" + ("" if task.scored else " (illustration, not scored)"))
        print("\n".join(textwrap.wrap(task.summary, 76, initial_indent="    ", subsequent_indent="    ")))
        said = f"Measured: {task.metrics}." + (f" Cost: {task.cost}." if task.cost else "")
        print("\n".join(textwrap.wrap(said, 76, initial_indent="    ", subsequent_indent="    ")))


def _optimizers(arguments: argparse.Namespace) -> None:
    for path in arguments.own:
        load_own(path)
    for name, contender in {**contenders.contenders, **contenders.others()}.items():
        defaults = ", ".join(f"{k}={v:g}" for k, v in contender.defaults.items())
        print(f"{name}: {contender.title} ({defaults})")
        if contender.formula:
            print("\n".join(textwrap.wrap(contender.formula, 76, initial_indent="    ", subsequent_indent="    ")))
