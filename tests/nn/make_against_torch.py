"""Freezes PyTorch's numbers for torch_cases.py and torch_corner_cases.py; run by hand, from the top folder."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).parent


def _arrays(tensors: Any, like: Any) -> list[np.ndarray]:
    return [
        np.zeros(tuple(t.shape)) if g is None else g.detach().numpy(force=True)
        for g, t in zip(tensors, like, strict=True)
    ]


def theirs(case: Any, seed: int) -> dict[str, np.ndarray]:
    """Weights, inputs, outputs, gradients, second-order gradients and final buffers of one case in PyTorch."""
    rng = np.random.default_rng(seed)
    module = case.build(torch.nn).double().train(case.train)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(0.7 * rng.standard_normal(tuple(p.shape))))
        for b in module.buffers():
            if b.dtype == torch.float64 and case.name.startswith(
                ("BatchNorm", "InstanceNorm", "spectral", "parametrizations.spectral")
            ):
                b.copy_(torch.tensor(rng.uniform(0.5, 1.5, tuple(b.shape))))
    data = {f"state.{k}": v.detach().numpy().copy() for k, v in module.state_dict().items()}
    inputs = [np.asarray(a) for a in case.inputs(rng)]
    data |= {f"input.{i}": a for i, a in enumerate(inputs)}
    leaves = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in inputs]
    out = module(*leaves)
    names = [f"input.{i}" for i, leaf in enumerate(leaves) if leaf.requires_grad]
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    names += [f"state.{name}" for name, _ in module.named_parameters()]
    wanted += list(module.parameters())
    data["out"] = out.detach().numpy().copy()
    data |= {f"after.{name}": b.numpy().copy() for name, b in module.named_buffers()}
    data["upstream"] = np.asarray(rng.standard_normal(tuple(out.shape)))
    upstream = torch.tensor(data["upstream"])
    first = torch.autograd.grad(out, wanted, upstream, create_graph=case.second, allow_unused=True)
    data |= {f"first.{n}": a for n, a in zip(names, _arrays(first, wanted), strict=True)}
    if case.second:
        data |= {
            f"upstream.{n}": np.asarray(rng.standard_normal(tuple(w.shape))) for n, w in zip(names, wanted, strict=True)
        }
        total = sum(
            (g * torch.tensor(data[f"upstream.{n}"])).sum()
            for n, g in zip(names, first, strict=True)
            if g is not None and g.requires_grad
        )
        second = [None] * len(wanted)
        if isinstance(total, torch.Tensor):
            second = torch.autograd.grad(total, wanted, allow_unused=True)
        data |= {f"second.{n}": a for n, a in zip(names, _arrays(second, wanted), strict=True)}
    return data


if __name__ == "__main__":
    cases = [
        *runpy.run_path(str(HERE / "torch_cases.py"))["CASES"],
        *runpy.run_path(str(HERE / "torch_corner_cases.py"))["CORNERS"],
    ]
    frozen = {f"{c.name}/{k}": v for i, c in enumerate(cases) for k, v in theirs(c, seed=i).items()}
    (HERE / "reference").mkdir(exist_ok=True)
    np.savez_compressed(HERE / "reference" / "against_torch.npz", **frozen)
    print(len(cases), "cases,", len(frozen), "arrays")
