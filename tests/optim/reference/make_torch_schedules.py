"""Freezes PyTorch's learning rates and momenta of two groups over 100 epochs. Run by hand where torch is installed."""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from optim_schedules import EPOCHS, PLATEAUS, SCHEDULES, measurement  # noqa: E402


def optimizer():
    a, b = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    return torch.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.02}], lr=0.05, momentum=0.9)


def values(o):
    return [[g["lr"], g["momentum"]] for g in o.param_groups]


def main():
    warnings.simplefilter("ignore")
    frozen = {}
    for name, make in SCHEDULES.items():
        o = optimizer()
        schedule = make(torch.optim.lr_scheduler, o)
        rows = [values(o)]
        for _ in range(EPOCHS):
            o.step()
            schedule.step()
            rows.append(values(o))
        frozen[name] = np.array(rows)
    for number, options in enumerate(PLATEAUS):
        o = optimizer()
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(o, **options)
        rows = []
        for t in range(EPOCHS):
            schedule.step(measurement(t))
            rows.append(values(o))
        frozen[f"plateau {number}"] = np.array(rows)
    np.savez_compressed(HERE / "torch_schedules.npz", **frozen)
    print(len(frozen), "schedules")


if __name__ == "__main__":
    main()
