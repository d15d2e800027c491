"""Where trials run: in this process, in several, or on a Dask cluster. The results are the same."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

from ..errors import missing_extra
from .trial import Record, Trial, run_trial

__all__ = ["OwnFileError", "load_own", "run_all", "workers"]


class OwnFileError(ValueError):
    """A file of the user's own cannot be run; the message says where and why, in a line."""


def load_own(path: str | os.PathLike[str]) -> None:
    """Run a Python file that registers optimizers and tasks of the user's own.

    Raises
    ------
    FileNotFoundError
    OwnFileError
        The file itself raises.
    """
    file = Path(path).resolve()
    name = f"tinygrad_opt_own_{file.stem}"
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(file):
        return
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"there is no Python file {file}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        what = error.msg if isinstance(error, SyntaxError) else error
        raise OwnFileError(f"{file}, line {line}: {type(error).__name__}: {what}") from error


def _in_worker(trial: Trial, own: Sequence[str]) -> Record:
    for path in own:
        load_own(path)
    try:
        return run_trial(trial)
    except Exception as error:
        settings = ", ".join(f"{name}={value:g}" for name, value in trial.settings)
        error.add_note(f"It was {trial.optimizer} ({settings}) on {trial.task}, seed {trial.seed}.")
        raise


_one_trial = threading.Lock()


def _in_cluster(trial: Trial, own: Sequence[str]) -> Record:
    """As a Dask worker runs it: workers have several threads, and a trial seeds the generator of its whole process."""
    with _one_trial, _one_blas_thread():
        return _in_worker(trial, own)


def workers(wanted: int | None = None) -> int:
    """How many processes to use: as many as wanted, or one for each core."""
    return max(wanted or _cores(), 1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(
    trials: Sequence[Trial], jobs: int = 0, own: Sequence[str] = (), scheduler: str | None = None
) -> Iterator[Record]:
    """Run trials and give each record as it finishes, in no particular order.

    Parameters
    ----------
    trials : sequence of Trial
    jobs : int
        Processes, each with one BLAS thread: with two threads in each they fight for the cores, and sums may be rounded
        otherwise. 0 runs in this process; so does 1 where threadpoolctl can hold it to one thread.
    own : sequence of str
        Files that a worker runs first, see :func:`load_own`.
    scheduler : str, optional
        The address of a Dask scheduler, whose workers then do the work; what a worker that dies had is run elsewhere.
        Workers must be able to import this package and to read `own` under the same paths.
    """
    if scheduler is not None:
        yield from _on_dask(trials, own, scheduler)
    elif jobs > 1 or (jobs == 1 and not _can_limit_blas()):
        yield from _in_processes(trials, jobs, own)
    else:
        with _one_blas_thread():
            for trial in trials:
                yield _in_worker(trial, own)


def _in_processes(trials: Sequence[Trial], jobs: int, own: Sequence[str]) -> Iterator[Record]:
    """By joblib where it is installed; else by the standard library, whose processes import the main script anew.

    Joblib would run a single job in this process.
    """
    if jobs > 1 and importlib.util.find_spec("joblib"):
        import joblib

        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
            yield from parallel(joblib.delayed(_for_parent)(trial, own, os.getpid()) for trial in trials)
        return
    with _for_children(dict.fromkeys(_THREADS, "1")):
        pool = futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin_worker)
        try:
            waiting = [pool.submit(_in_worker, trial, own) for trial in trials]
            for done in futures.as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


# What BLAS libraries read at their start.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def _begin_worker() -> None:
    """Ctrl-C is for the parent to handle; and when the parent is gone, however that came, so is the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _for_parent(trial: Trial, own: Sequence[str], parent: int) -> Record:
    """As a process of joblib's runs it: when the parent is killed, such a one would wait for more to do for minutes."""
    if not any(thread.name == _WATCHER for thread in threading.enumerate()):
        threading.Thread(target=_leave_after, args=(parent,), name=_WATCHER, daemon=True).start()
    return _in_worker(trial, own)


_WATCHER = "tinygrad_opt: is the parent there"


def _leave_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _for_children(variables: dict[str, str]) -> Iterator[None]:
    """Environment variables for processes that are started in this block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _on_dask(trials: Sequence[Trial], own: Sequence[str], scheduler: str) -> Iterator[Record]:
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise missing_extra("distributed", "dask", "running a study on a Dask cluster") from error
    with distributed.Client(scheduler, set_as_default=False) as client:
        running = client.map(_in_cluster, trials, own=tuple(own), pure=False, retries=2)
        for future in distributed.as_completed(running, loop=client.loop):
            yield future.result()
            future.release()


def _can_limit_blas() -> bool:
    return importlib.util.find_spec("threadpoolctl") is not None


def _one_blas_thread() -> Any:
    """One BLAS thread, as in the worker processes, where threadpoolctl can see to it."""
    if not _can_limit_blas():
        return contextlib.nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, "blas")
