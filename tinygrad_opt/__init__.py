"""tinygrad_opt: reverse-mode autodiff and optimizers, to read, to see and to train with.

>>> import tinygrad_opt as tg
>>> x = tg.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import importlib as _importlib
from typing import Any as _Any

from . import autograd as autograd
from . import ops as ops
from .autograd import *
from .kernels import kernels as kernels
from .memory import keep_memory as keep_memory
from .ops import *
from .random import *

__version__ = "0.1.0"

_LAZY = ("data", "fft", "func", "linalg", "nn", "optim", "study", "viz")


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        return _importlib.import_module(f"{__name__}.{name}")
    if name == "compile":
        return _importlib.import_module(f"{__name__}.replay").compile
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "compile"})
