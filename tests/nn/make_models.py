"""Freezes what PyTorch makes of the models of torch_models.py; run by hand, from the top folder."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent


def run(name: str) -> dict[str, np.ndarray]:
    """A model's state in PyTorch's order, what it makes of its inputs, and the gradients of the sum of squares."""
    models = runpy.run_path(str(HERE / "torch_models.py"))
    torch.manual_seed(0)
    net = models["MODELS"][name](torch.nn).double().eval()
    out = net(*map(torch.tensor, models["inputs"](name)))
    gradients = torch.autograd.grad((out**2).sum(), list(net.parameters()))
    record = {f"state/{key}": value.detach().numpy().copy() for key, value in net.state_dict().items()}
    record |= {f"grad/{key}": g.numpy() for (key, _), g in zip(net.named_parameters(), gradients, strict=True)}
    return record | {"out": out.detach().numpy()}


if __name__ == "__main__":
    names = runpy.run_path(str(HERE / "torch_models.py"))["MODELS"]
    arrays = {f"{name}:{key}": value for name in names for key, value in run(name).items()}
    np.savez_compressed(HERE / "reference" / "models.npz", **arrays)
    print(len(arrays), "arrays")
