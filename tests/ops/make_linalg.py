"""Writes PyTorch's numbers for test_linalg_points.py: python tests/ops/make_linalg.py"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import torch

here = runpy.run_path(str(Path(__file__).with_name("test_linalg_points.py")))
numbers = {}
for name, (_, theirs, arrays) in here["CASES"].items():
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    out = theirs(torch, *leaves)
    weight = torch.tensor(here["weight"](tuple(out.shape)))
    found = torch.autograd.grad((out * weight).sum(), leaves, allow_unused=True)
    numbers[f"{name}/value"] = out.detach().numpy()
    for i, g in enumerate(found):
        numbers[f"{name}/gradient{i}"] = np.zeros(arrays[i].shape) if g is None else g.numpy()
np.savez_compressed(here["REFERENCE"], **numbers)
