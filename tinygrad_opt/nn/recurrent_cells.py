"""One step of a recurrent layer as a layer of its own: RNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from . import init
from .floats import as_floats
from .linear import linear
from .module import Module, Parameter
from .sequence import gru_step, lstm_step
from .sizes import check_sizes

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


def initial_states(label: str, given: Any, names: tuple[str, ...], dtype: Any) -> list[Tensor | None]:
    """What a caller gave as the initial state, as a Tensor for each of `names`; an LSTM's is a pair, the others' not.

    None, for zeros, stays None; integers become `dtype`.

    Raises
    ------
    ShapeError
        A state by itself where a pair is needed, or several where one is.
    """
    several = isinstance(given, (tuple, list)) and any(hasattr(part, "shape") for part in given)
    if len(names) == 1 and not several:
        return [as_floats(given, dtype)]
    if len(names) == 1 or not isinstance(given, (tuple, list)) or len(given) != len(names):
        wanted = f"the pair ({', '.join(names)})" if len(names) > 1 else f"one array, {names[0]},"
        got = f"{len(given)} of them" if isinstance(given, (tuple, list)) else f"an array of shape {np.shape(given)}"
        raise ShapeError(f"{label}: expected {wanted} as the initial state, got {got}.")
    return [None if part is None else as_floats(part, dtype) for part in given]


class _Cell(Module):
    """The parameters, PyTorch's names and shapes, and the checks."""

    gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        dtype: DTypeLike | None,
        generator: np.random.Generator | None,
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        dtype = get_default_dtype() if dtype is None else dtype
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        self.bias_ih = Parameter(np.empty(rows, dtype)) if bias else None
        self.bias_hh = Parameter(np.empty(rows, dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw new initial values: U(−k, k), k = 1/√hidden_size, as in PyTorch."""
        bound = 1.0 / math.sqrt(self.hidden_size or 1)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def _start(self, x: Any, state: Any, name: str) -> tuple[Tensor, Tensor]:
        """x and one state, which is zeros when it is None, after checking their shapes."""
        x = as_floats(x, self.weight_ih.dtype)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{self.label}: expected x of shape (B, {self.input_size}) or ({self.input_size},), got {x.shape}."
            )
        wanted = (*x.shape[:-1], self.hidden_size)
        state = None if state is None else initial_states(self.label, state, (name,), x.dtype)[0]
        state = Tensor(np.zeros(wanted, x.dtype)) if state is None else state
        if state.shape != wanted:
            raise ShapeError(f"{self.label}: expected {name} of shape {wanted}, got {state.shape}.")
        return x, state

    def _arguments(self, x: Tensor, h: Tensor) -> tuple[Any, Any]:
        """What the input and the hidden state say to the gates."""
        return linear(x, self.weight_ih, self.bias_ih), linear(h, self.weight_hh, self.bias_hh)

    def extra_repr(self) -> str:
        """The sizes."""
        text = f"{self.input_size}, {self.hidden_size}" + (", bias=False" if self.bias_ih is None else "")
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity!r}"


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu for tanh (Elman 1990).

    Shapes: x (B, input_size) or (input_size,), h (B, hidden_size), zeros by default → h'.
    Parameters: weight_ih (hidden_size, input_size), weight_hh, bias_ih, bias_hh.

    Raises
    ------
    ValueError
        An unknown `nonlinearity`, or a size that is none.
    ShapeError
        When called with an x or a state whose shape does not fit.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}.")
        super().__init__(input_size, hidden_size, bias, dtype, generator)
        self.nonlinearity = nonlinearity

    def forward(self, x: Any, hx: Any = None) -> Tensor:
        """The next hidden state."""
        a, u = self._arguments(*self._start(x, hx, "hx"))
        return np.tanh(a + u) if self.nonlinearity == "tanh" else np.maximum(a + u, 0)  # type: ignore[no-any-return]


class LSTMCell(_Cell):
    """One step of an :class:`LSTM`: (h', c') from x and (h, c), both zeros by default.

    Parameters: weight_ih (4·hidden_size, input_size), rows in the order i, f, g, o; weight_hh, bias_ih, bias_hh.

    Raises
    ------
    ValueError
        A size that is none.
    ShapeError
        When called with an x or states whose shapes do not fit.
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype, generator)

    def forward(self, x: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        """The next hidden state and cell state."""
        h, c = (None, None) if hx is None else initial_states(self.label, hx, ("h", "c"), self.weight_hh.dtype)
        x, h = self._start(x, h, "h")
        _, c = self._start(x, c, "c")
        a, u = self._arguments(x, h)
        h, c, *_ = lstm_step(a + u, c)
        return h, c


class GRUCell(_Cell):
    """One step of a :class:`GRU`: h' from x and h, zeros by default.

    Parameters: weight_ih (3·hidden_size, input_size), rows in the order r, z, n; weight_hh, bias_ih, bias_hh.

    Raises
    ------
    ValueError
        A size that is none.
    ShapeError
        When called with an x or a state whose shape does not fit.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype, generator)

    def forward(self, x: Any, hx: Any = None) -> Tensor:
        """The next hidden state."""
        x, h = self._start(x, hx, "hx")
        a, u = self._arguments(x, h)
        return gru_step(a, u, h)[0]  # type: ignore[no-any-return]
