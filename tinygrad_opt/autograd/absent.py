"""What to write instead of an attribute that a Tensor does not have: PyTorch's habits, and an ndarray's memory."""

from __future__ import annotations

from .registry import implementations, primitives

__all__ = ["explain_absence"]

_INSTEAD = {
    "view": "t.reshape(shape), or t.astype(dtype)",
    "view_as": "t.reshape(other.shape)",
    "reshape_as": "t.reshape(other.shape)",
    "expand": "np.broadcast_to(t, shape)",
    "expand_as": "np.broadcast_to(t, other.shape)",
    "permute": "t.transpose(axes)",
    "unsqueeze": "np.expand_dims(t, axis), or t[:, None]",
    "t": "t.T",
    "H": "t.conj().mT",
    "mH": "t.conj().mT",
    "dim": "t.ndim",
    "numel": "t.size",
    "nelement": "t.size",
    "element_size": "t.itemsize",
    "stride": "t.data.strides",
    "contiguous": "t itself: memory layout does not matter here",
    "pow": "t ** p",
    "mm": "t @ other",
    "bmm": "t @ other",
    "mv": "t @ other",
    "sub": "t - other",
    "mul": "t * other",
    "div": "t / other",
    "add_": "t += other",
    "sub_": "t -= other",
    "mul_": "t *= other",
    "div_": "t /= other",
    "zero_": "t.fill(0)",
    "fill_": "t.fill(value)",
    "copy_": "t[...] = other",
    "clamp": "t.clip(low, high)",
    "masked_fill_": "t[mask] = value",
    "detach_": "t = t.detach()",
    "cpu": "t itself: everything is on the CPU",
    "cuda": "t itself: everything is on the CPU",
    "to": "t.astype(dtype); everything is on the CPU",
    "type": "t.astype(dtype)",
    "double": "t.astype(np.float64)",
    "float": "t.astype(np.float32)",
    "half": "t.astype(np.float16)",
    "long": "t.astype(np.int64)",
    "int": "t.astype(np.int32)",
    "bool": "t.astype(bool)",
    "resize": "np.resize(t, shape)",
    "flat": "t.ravel() to read; t.put(places, values) to write",
    "grad_fn": "t.is_leaf; tg.viz.graph(t) shows what made it",
}
_MEMORY = frozenset(
    "base byteswap ctypes dump dumps flags getfield setfield setflags strides tobytes tofile".split()  # noqa: SIM905
)


def explain_absence(name: str) -> str:
    """The message of the AttributeError for an attribute that a Tensor does not have."""
    if name in _INSTEAD:
        return f"a Tensor has no '{name}'; write {_INSTEAD[name]}."
    if name in _MEMORY:
        return f"a Tensor has no '{name}', which is about an array's memory; write t.data.{name}."
    if not name.startswith("_"):
        for function in implementations:
            if getattr(function, "__name__", None) == name:
                return f"a Tensor has no method '{name}', as an ndarray has none; write np.{name}(t) or tg.{name}(t)."
        if name in primitives:
            return f"a Tensor has no method '{name}'; write tg.{name}(t)."
    return f"a Tensor has no attribute '{name}'"
