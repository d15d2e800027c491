"""Optimizer state in other forms: flat arrays for npz and safetensors files, and PyTorch's state dicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .lbfgs import LBFGS
from .optimizer import Optimizer
from .wrapper import Wrapper

__all__ = ["from_torch", "pack_state", "to_torch", "unpack_state"]

_SWITCHES = ("foreach", "fused", "capturable", "differentiable")


def pack_state(state_dict: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """A state dict as a flat dict of arrays, which ``np.savez`` and safetensors can hold without pickling.

    Arrays keep their place in the name (``state/0/m``); everything else goes as JSON text into one array of bytes.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.Adam([w])
    >>> w.grad = tg.tensor([1.0])
    >>> optimizer.step()
    >>> arrays = tg.optim.pack_state(optimizer.state_dict())
    >>> sorted(arrays)
    ['json', 'state/0/m', 'state/0/v']
    >>> optimizer.load_state_dict(tg.optim.unpack_state(arrays))
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}

    def strip(value: Any, path: str) -> Any:
        if isinstance(value, np.ndarray):
            arrays[path] = value
            return {"array": path}
        if isinstance(value, Mapping):
            return {"dict": [[key, strip(item, f"{path}/{key}" if path else str(key))] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return {type(value).__name__: [strip(item, f"{path}/{i}") for i, item in enumerate(value)]}
        return value.item() if isinstance(value, np.generic) else value

    text = json.dumps(strip(state_dict, ""))
    return {"json": np.frombuffer(text.encode(), np.uint8).copy(), **arrays}


def unpack_state(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The state dict that :func:`pack_state` was given."""

    def build(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        if kind == "array":
            return np.array(arrays[content])
        if kind == "dict":
            return {key: build(item) for key, item in content}
        items = [build(item) for item in content]
        return tuple(items) if kind == "tuple" else items

    if "json" not in arrays:
        raise ValueError("unpack_state: there is no entry 'json'; these arrays do not come from pack_state.")
    state: dict[str, Any] = build(json.loads(bytes(np.asarray(arrays["json"])).decode()))
    return state


def from_torch(optimizer: Optimizer, state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The state dict of PyTorch's optimizer of the same name, as one for ``optimizer.load_state_dict``.

    Needs no PyTorch by itself. Hyperparameters that only we have keep their values; PyTorch's switches are dropped.

    Raises
    ------
    TypeError
        For what is no optimizer of this package, such as a wrapper around one.
    ValueError
        When a state has a name that this optimizer does not know, or other groups.
    """
    name = _name_of(optimizer, "from_torch")
    if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
        raise ValueError("from_torch: expected what the state_dict() of PyTorch's optimizer gives.")
    if len(state_dict["param_groups"]) != len(optimizer.param_groups):
        raise ValueError(
            f"from_torch: {len(state_dict['param_groups'])} groups were saved, this {name} has "
            f"{len(optimizer.param_groups)}."
        )
    if isinstance(optimizer, LBFGS):
        return {"state": _lbfgs_from_torch(state_dict["state"]), "param_groups": _groups(optimizer, state_dict)}
    ours = {theirs: our for our, theirs in type(optimizer).torch_state.items()}
    clock = optimizer.rule.first_clock()
    state = {}
    for index, entry in state_dict["state"].items():
        converted: dict[str, Any] = {"step": 1, **clock}
        for key, value in entry.items():
            if value is None:
                continue
            array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
            if key == "step" or key in clock:
                converted[key] = int(array) if key == "step" else float(array)
            elif key in ours:
                converted[ours[key]] = array
            else:
                raise ValueError(f"from_torch: {name} has no state for '{key}'; it knows {', '.join(ours) or 'none'}.")
        if "next_eta" in clock:
            converted["next_eta"] = converted["eta"]
        state[int(index)] = converted
    return {"state": state, "param_groups": _groups(optimizer, state_dict)}


def _name_of(optimizer: Any, caller: str) -> str:
    """The class's name; raises TypeError for what is no optimizer of this package."""
    name = type(optimizer).__name__
    if not isinstance(optimizer, Optimizer):
        inside = " Give it the optimizer inside: wrapper.optimizer." if isinstance(optimizer, Wrapper) else ""
        raise TypeError(f"{caller}: the first argument is an optimizer of this package, got {name}.{inside}")
    return name


def _groups(optimizer: Optimizer, state_dict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """PyTorch's groups without its switches, and with what only we have."""
    groups = []
    for own, group in zip(optimizer.param_groups, state_dict["param_groups"], strict=True):
        known = {key: value for key, value in group.items() if key not in _SWITCHES}
        kept = {key: own[key] for key in optimizer.defaults if key not in known}
        known = {
            key: value for key, value in known.items() if key in optimizer.defaults or key in ("params", "initial_lr")
        }
        groups.append({**kept, **known, "param_names": list(own["param_names"])})
    return groups


def _lbfgs_from_torch(state: Mapping[Any, Any]) -> dict[int, Any]:
    entry: Mapping[str, Any] = next(iter(state.values()), {})
    if not entry.get("n_iter"):
        return {}
    array = {key: np.asarray(entry[key].detach().cpu()) for key in ("d", "prev_flat_grad")}
    pairs = {key: np.array([np.asarray(one.detach().cpu()) for one in entry[key]]) for key in ("old_stps", "old_dirs")}
    n = array["d"].size
    return {
        0: {
            "n_iter": entry["n_iter"],
            "func_evals": entry["func_evals"],
            "t": float(entry["t"]),
            "gamma": array["d"].dtype.type(float(entry["H_diag"])),
            "gradient": array["prev_flat_grad"],
            "d": array["d"],
            "steps": pairs["old_stps"].reshape(-1, n),
            "changes": pairs["old_dirs"].reshape(-1, n),
        }
    }


def _lbfgs_to_torch(torch: Any, entry: Mapping[str, Any]) -> dict[str, Any]:
    steps, changes = ([torch.as_tensor(row) for row in entry[key]] for key in ("steps", "changes"))
    return {
        "n_iter": entry["n_iter"],
        "func_evals": entry["func_evals"],
        "t": entry["t"],
        "d": torch.as_tensor(entry["d"]),
        "prev_flat_grad": torch.as_tensor(entry["gradient"]),
        "prev_loss": None,  # PyTorch sets it before it reads it
        "old_stps": steps,
        "old_dirs": changes,
        "ro": [1.0 / y.dot(s) for s, y in zip(steps, changes, strict=True)],
        "H_diag": float(entry.get("gamma", 1.0)),
    }


def to_torch(optimizer: Optimizer) -> dict[str, Any]:
    """This optimizer's state as one for ``load_state_dict`` of PyTorch's optimizer of the same name.

    Raises
    ------
    ImportError
        When PyTorch is not installed.
    ValueError
        When PyTorch has no such optimizer.
    """
    try:
        import torch
    except ImportError:
        raise ImportError("to_torch needs PyTorch, since it returns tensors: pip install torch") from None
    cls = type(optimizer)
    if not hasattr(torch.optim, _name_of(optimizer, "to_torch")):
        raise ValueError(f"to_torch: PyTorch has no optimizer {cls.__name__}.")
    saved = optimizer.state_dict()
    defaults = getattr(torch.optim, cls.__name__)([torch.zeros(1, 1, requires_grad=True)]).param_groups[0]
    state = {}
    for index, entry in saved["state"].items():
        if isinstance(optimizer, LBFGS):
            state[index] = _lbfgs_to_torch(torch, entry)
            continue
        converted = {}
        for key, value in entry.items():
            if key in cls.torch_state:
                converted[cls.torch_state[key]] = torch.as_tensor(value)
            elif key != "next_eta" and not (key == "step" and cls.__name__ == "SGD"):
                converted[key] = torch.tensor(float(value), dtype=torch.get_default_dtype())
        if "next_eta" in entry:
            converted["eta"] = torch.tensor(entry["next_eta"])
        state[index] = converted
    groups = []
    for group in saved["param_groups"]:
        known = {key: value for key, value in group.items() if key in defaults}
        if "max_eval" in known and known["max_eval"] is None:  # PyTorch works it out when an optimizer is made
            known["max_eval"] = known["max_iter"] * 5 // 4
        groups.append({**{key: value for key, value in defaults.items() if key != "params"}, **known})
    return {"state": state, "param_groups": groups}
