"""Recurrent layers RNN, LSTM and GRU: each direction of each layer is one call of a primitive of ``sequence.py``."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import Tensor
from ..errors import ShapeError
from . import init
from .dropout import dropout
from .floats import as_floats
from .module import Module, Parameter
from .recurrent_cells import initial_states
from .sequence import gru_sequence, lstm_sequence, lstm_step, rnn_sequence
from .sizes import check_probability, check_sizes
from .text import check_precision

__all__ = ["GRU", "LSTM", "RNN"]


def _both(b_ih: Any, b_hh: Any, like: Any) -> Any:
    """The sum of PyTorch's two biases; zeros where there are none."""
    return b_ih + b_hh if b_ih is not None else np.zeros(like.shape[0], like.dtype)


class _Recurrent(Module):
    """What the three share: PyTorch's parameter names, several layers, two directions, the shapes of states."""

    gates: int
    states: tuple[str, ...] = ("h_0",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        dtype: DTypeLike | None,
        generator: np.random.Generator | None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, 1, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check_sizes(name, proj_size=proj_size)
        check_probability(name, dropout, "dropout")
        if dropout and num_layers == 1:
            warnings.warn(f"{name}: dropout={dropout} acts between layers, and there is only one.", stacklevel=3)
        if proj_size >= hidden_size:
            raise ValueError(f"{name}: proj_size must be 0 … hidden_size − 1 = {hidden_size - 1}, got {proj_size}.")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        self.proj_size, self._generator = proj_size, generator
        self._suffixes = [[f"_l{k}" + "_reverse" * way for way in range(1 + bidirectional)] for k in range(num_layers)]
        dtype = get_default_dtype() if dtype is None else dtype
        rows, out = self.gates * hidden_size, proj_size or hidden_size
        for k, suffixes in enumerate(self._suffixes):
            for suffix in suffixes:
                width = input_size if k == 0 else out * len(suffixes)
                setattr(self, "weight_ih" + suffix, Parameter(np.empty((rows, width), dtype)))
                setattr(self, "weight_hh" + suffix, Parameter(np.empty((rows, out), dtype)))
                for part in ("bias_ih", "bias_hh"):
                    setattr(self, part + suffix, Parameter(np.empty(rows, dtype)) if bias else None)
                if proj_size:
                    setattr(self, "weight_hr" + suffix, Parameter(np.empty((proj_size, hidden_size), dtype)))
        self.reset_parameters(generator)

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw new initial values: U(−k, k), k = 1/√hidden_size, as in PyTorch."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def _sequence(self, x: Any, states: list[Any], suffix: str) -> tuple[Any, list[Any]]:
        """One direction of one layer: the hidden states (T, B, ·), and the last states."""
        raise NotImplementedError

    def _weights(self, suffix: str) -> tuple[Any, Any, Any, Any]:
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        w_ih, w_hh, b_ih, b_hh = (getattr(self, part + suffix) for part in parts)
        return w_ih, w_hh, b_ih, b_hh

    def _start(self, x: Tensor, given: Any) -> list[Tensor]:
        """The initial states (layers · directions, B, ·), zeros where none are given, after checking all shapes."""
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            order = "B, T" if self.batch_first else "T, B"
            raise ShapeError(
                f"{self.label}: expected x of shape ({order}, {self.input_size}) or (T, {self.input_size}), "
                f"got {x.shape}."
            )
        if not x.shape[1 if self.batch_first and x.ndim == 3 else 0]:
            raise ShapeError(
                f"{self.label}: x of shape {x.shape} is a sequence of length 0; it must have a first step."
            )
        batch = () if x.ndim == 2 else (x.shape[0 if self.batch_first else 1],)
        count = self.num_layers * (1 + self.bidirectional)
        out = self.proj_size or self.hidden_size
        wanted = [(count, *batch, size) for size in (out, self.hidden_size)][: len(self.states)]
        begin = [None] * len(wanted) if given is None else initial_states(self.label, given, self.states, x.dtype)
        states = [
            Tensor(np.zeros(shape, x.dtype)) if state is None else state
            for state, shape in zip(begin, wanted, strict=True)
        ]
        for name, state, shape in zip(self.states, states, wanted, strict=True):
            if state.shape != shape:
                raise ShapeError(f"{self.label}: expected {name} of shape {shape}, got {state.shape}.")
        return states if batch else [state[:, None] for state in states]

    def forward(self, x: Any, hx: Any = None) -> tuple[Tensor, Any]:
        """The hidden states of the last layer at all times, and the last states of all layers."""
        x = as_floats(x, self.weight_ih_l0.dtype)
        states = self._start(x, hx)
        check_precision(self, x, self.weight_ih_l0)
        single = x.ndim == 2
        if single:
            x = x[:, None]
        elif self.batch_first:
            x = np.swapaxes(x, 0, 1)
        ended: list[list[Any]] = [[] for _ in self.states]
        for k, suffixes in enumerate(self._suffixes):
            if k and self.dropout:
                x = dropout(x, self.dropout, self.training, generator=self._generator)
            outputs = []
            for way, suffix in enumerate(suffixes):
                begin = [state[k * len(suffixes) + way] for state in states]
                y, last = self._sequence(x[::-1] if way else x, begin, suffix)
                outputs.append(y[::-1] if way else y)
                for ends, end in zip(ended, last, strict=True):
                    ends.append(end)
            x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=2)
        final = [np.stack(ends) if len(ends) > 1 else ends[0][None] for ends in ended]
        if single:
            return x[:, 0], self._pack([state[:, 0] for state in final])
        return np.swapaxes(x, 0, 1) if self.batch_first else x, self._pack(final)

    def _pack(self, states: list[Any]) -> Any:
        return states[0] if len(states) == 1 else tuple(states)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        for name, value in (usual | {"proj_size": 0}).items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(_Recurrent):
    """An Elman network over a sequence: hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh) (Elman 1990).

    Options, parameters and shapes as :class:`LSTM`'s, with one state and one block of rows; `nonlinearity` is "tanh" or
    "relu".

    Raises
    ------
    ValueError
        An unknown `nonlinearity`; otherwise as :class:`LSTM`.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}.")
        options = bias, batch_first, dropout, bidirectional, 0, dtype, generator
        super().__init__(input_size, hidden_size, num_layers, *options)
        self.nonlinearity = nonlinearity

    def _sequence(self, x: Any, states: list[Any], suffix: str) -> tuple[Any, list[Any]]:
        w_ih, w_hh, b_ih, b_hh = self._weights(suffix)
        bias = _both(b_ih, b_hh, w_ih)
        y = rnn_sequence(x, states[0], w_ih, w_hh, bias, relu=self.nonlinearity == "relu")
        return y, [y[-1]]


class LSTM(_Recurrent):
    """Long short-term memory over a sequence (Hochreiter and Schmidhuber 1997; forget gate, Gers et al. 2000).

    i, f, o = σ(·), g = tanh(·) of W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh;  cₜ = f cₜ₋₁ + i g;  hₜ = o tanh(cₜ)

    Parameters
    ----------
    input_size, hidden_size : int
    num_layers : int
        Layers on top of each other, each reading the hidden states of the one below.
    bias : bool
    batch_first : bool
        x and the output have the batch first, (B, T, ·) instead of (T, B, ·); states are (layers, B, ·) either way.
    dropout : float
        Probability of dropping, between layers, while training.
    bidirectional : bool
        A second set of weights (``_reverse``) reads the sequence backwards; the output has both, side by side.
    proj_size : int
        If not 0, hₜ = W_hr (o tanh(cₜ)) of this size (Sak et al. 2014).
    dtype : dtype, optional
    generator : numpy.random.Generator, optional
        For the initial values, U(−k, k) with k = 1/√hidden_size, and for dropout.

    Attributes
    ----------
    weight_ih_l0 : Parameter, shape (4·hidden_size, input_size)
        Rows in the order i, f, g, o; likewise weight_hh_l0 (4·hidden_size, hidden_size), bias_ih_l0, bias_hh_l0
        (4·hidden_size,), and further layers ``_l1`` …

    Raises
    ------
    ValueError
        `input_size`, `hidden_size` or `num_layers` below 1, `dropout` outside [0, 1], or `proj_size` not below
        `hidden_size`.
    ShapeError
        When called with an x or states whose shapes do not fit, or with a sequence of length 0.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> lstm = tg.nn.LSTM(10, 20, num_layers=2)
    >>> output, (h, c) = lstm(np.ones((5, 3, 10), np.float32))
    >>> output.shape, h.shape, c.shape
    ((5, 3, 20), (2, 3, 20), (2, 3, 20))
    """

    gates = 4
    states = ("h_0", "c_0")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        options = bias, batch_first, dropout, bidirectional, proj_size, dtype, generator
        super().__init__(input_size, hidden_size, num_layers, *options)

    def _sequence(self, x: Any, states: list[Any], suffix: str) -> tuple[Any, list[Any]]:
        w_ih, w_hh, b_ih, b_hh = self._weights(suffix)
        bias = _both(b_ih, b_hh, w_ih)
        if self.proj_size:
            h, c = project_lstm(x, states[0], states[1], w_ih, w_hh, bias, getattr(self, "weight_hr" + suffix))
            return h, [h[-1], c]
        h, c, _ = lstm_sequence(x, *states, w_ih, w_hh, bias)
        return h, [h[-1], c[-1]]


def project_lstm(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, bias: Any, w_hr: Any) -> tuple[Any, Any]:
    """An LSTM whose hidden state is a projection W_hr (o tanh(c)), step by step: all h, and the last c."""
    states = []
    for x_t in x:
        full, c, *_ = lstm_step(x_t @ w_ih.T + h @ w_hh.T + bias, c)
        h = full @ w_hr.T
        states.append(h)
    return np.stack(states), c


class GRU(_Recurrent):
    """Gated recurrent unit over a sequence (Cho et al. 2014, in the form of cuDNN and PyTorch).

    r, z = σ(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh);  n = tanh(W_in xₜ + b_in + r (W_hn hₜ₋₁ + b_hn));
    hₜ = (1 − z) n + z hₜ₋₁

    Options and shapes as :class:`LSTM`'s, with one state and three blocks of rows in the order r, z, n.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        options = bias, batch_first, dropout, bidirectional, 0, dtype, generator
        super().__init__(input_size, hidden_size, num_layers, *options)

    def _sequence(self, x: Any, states: list[Any], suffix: str) -> tuple[Any, list[Any]]:
        w_ih, w_hh, b_ih, b_hh = self._weights(suffix)
        if b_ih is None:
            b_ih = b_hh = np.zeros(w_ih.shape[0], w_ih.dtype)
        h, _ = gru_sequence(x, *states, w_ih, w_hh, b_ih, b_hh)
        return h, [h[-1]]
