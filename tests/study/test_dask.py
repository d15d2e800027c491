"""The same study on a Dask cluster, one of whose workers is killed in the middle."""

import os
import signal

import pytest

from tinygrad_opt.study import Plan, Records, quick, run

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")  # what Dask warns about is not ours to mend

PLAN = Plan(("moons",), ("sgd", "adam"), quick(steps=60, trials=4, centre=-1.0, final_seeds=3, evaluations=4))


def contents(store):
    return {record.trial: (record.validation, record.test_loss, record.gradients) for record in store.all()}


def test_a_killed_worker_loses_and_doubles_nothing():
    alone = Records()
    run(PLAN, alone)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, host="127.0.0.1") as cluster:
        store, victims, done = Records(), [], []

        def kill_one(count, total, what):
            done.append(count)
            if count == 5:
                with distributed.Client(cluster, set_as_default=False) as client:
                    victims.append(next(iter(client.run(os.getpid).values())))
                os.kill(victims[0], signal.SIGKILL)

        run(PLAN, store, scheduler=cluster.scheduler_address, progress=kill_one)
    assert victims
    assert done == list(range(1, len(alone) + 1))
    assert contents(store) == contents(alone)
