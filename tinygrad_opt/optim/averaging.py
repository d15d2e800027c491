"""Averages of the weights along the path: exponential (EMA) or equal (SWA)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..autograd.overwrite import overwrite
from .groups import many

__all__ = ["EMA", "SWA"]


class _Average:
    def __init__(self, params: Iterable[Tensor]) -> None:
        if not isinstance(params, Iterable):
            raise TypeError(
                f"{type(self).__name__} expected Tensors, got {type(params).__name__}; pass model.parameters()."
            )
        self._params = list(params)
        if not self._params:
            raise ValueError(f"{type(self).__name__} got no parameters.")
        if not all(isinstance(p, Tensor) for p in self._params):
            raise TypeError(f"{type(self).__name__} expected Tensors; pass model.parameters().")
        self.count = 0
        self.values = [p.data.copy() for p in self._params]

    def weight(self) -> float:
        """The weight of the next point in the average."""
        raise NotImplementedError

    def update(self) -> None:
        """Take the present parameters into the average; call it after ``optimizer.step()``."""
        w = self.weight()
        self.values = [v + v.dtype.type(w) * (p.data - v) for v, p in zip(self.values, self._params, strict=True)]
        self.count += 1

    def _write(self, values: list[Any]) -> None:
        for p, value in zip(self._params, values, strict=True):
            overwrite(p, value)

    @contextlib.contextmanager
    def swapped(self) -> Iterator[None]:
        """Inside this block the parameters have their averages, e.g. for validation; afterwards their own values."""
        before = [p.data.copy() for p in self._params]
        self._write(self.values)
        try:
            yield
        finally:
            self._write(before)

    def copy_to_parameters(self) -> None:
        """Put the averages into the parameters for good. Statistics of batch norm have to be computed anew then."""
        self._write(self.values)

    def __repr__(self) -> str:
        line = (type(self).__doc__ or "").partition("\n")[0]
        own = ", ".join(f"{key}={value!r}" for key, value in vars(self).items() if isinstance(value, (int, float)))
        return f"{type(self).__name__}({own}) of {many(self._params, 'parameter')}: {line}"

    def state_dict(self) -> dict[str, Any]:
        """The averages and their count."""
        return {"count": self.count, "values": [value.copy() for value in self.values]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore them; raises ValueError when shapes differ, before anything changes."""
        if not isinstance(state_dict, Mapping) or not {"count", "values"} <= set(state_dict):
            got = sorted(map(str, state_dict)) if isinstance(state_dict, Mapping) else type(state_dict).__name__
            raise ValueError(f"load_state_dict: {type(self).__name__} expected 'count' and 'values', got {got}.")
        values = [np.array(value) for value in state_dict["values"]]
        if [v.shape for v in values] != [v.shape for v in self.values]:
            raise ValueError("load_state_dict: these averages belong to parameters of other shapes.")
        self.count, self.values = state_dict["count"], values


class EMA(_Average):
    """Exponential moving average of the weights: a ← d·a + (1−d)·θ.

    Source: Polyak & Juditsky 1992 for the idea; the warm-up min(d, (1+t)/(10+t)) as is customary, so that early
    weights do not linger.

    Strengths: the average is nearer to the minimum than any point of a noisy path; no change to training. Weaknesses:
    a copy of the weights; it lags by about 1/(1−d) steps. Use it for validation and for the model that is kept.

    Parameters
    ----------
    params : iterable of Tensor
    decay : float
        d.
    warmup : bool

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([0.0], requires_grad=True)
    >>> ema = tg.optim.EMA([w], decay=0.5)
    >>> w.data[...] = 1.0
    >>> ema.update()
    >>> with ema.swapped():
    ...     print(w.data)
    [0.5]
    """

    def __init__(self, params: Iterable[Tensor], decay: float = 0.999, warmup: bool = False) -> None:
        super().__init__(params)
        if not 0 <= decay <= 1:
            raise ValueError(f"EMA: decay must lie in [0, 1], got {decay}.")
        self.decay, self.warmup = decay, warmup

    def weight(self) -> float:
        return 1 - (min(self.decay, (1 + self.count) / (10 + self.count)) if self.warmup else self.decay)


class SWA(_Average):
    """Stochastic weight averaging: the plain mean of the points at which ``update()`` was called.

    Source: Izmailov et al. 2018 (arXiv 1803.05407), Algorithm 1. Call it once an epoch, in the last quarter of
    training, with a constant or cyclic rate.

    Strengths: flatter minima and better test error for free. Weaknesses: batch norm's statistics have to be computed
    anew for the average; early points spoil it. Use it at the end of a long training.

    Parameters
    ----------
    params : iterable of Tensor
    """

    def weight(self) -> float:
        return 1 / (self.count + 1)
