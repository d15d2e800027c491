"""Which optimizers can be compared, what they are called, and which of their hyperparameters are tuned."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import optim

__all__ = ["Contender", "contenders", "find", "optimizer", "others"]


@dataclass(frozen=True)
class Contender:
    """An optimizer as it takes part in a study.

    Parameters
    ----------
    name, title : str
        On the command line, and in tables.
    make : callable
        ``make(params, lr=…, **settings)`` gives the optimizer.
    defaults : mapping
        The settings of the run "as it comes", at least ``lr``.
    second : str, optional
        A hyperparameter in [0, 1) that the full protocol tunes beside the learning rate (momentum, β₁).
    formula : str
        The update, in one line.
    also : mapping
        Further hyperparameters and the values that are tried of each, with every other setting.
    """

    name: str
    title: str
    make: Callable[..., Any]
    defaults: Mapping[str, float] = field(default_factory=lambda: {"lr": 0.01})
    second: str | None = None
    formula: str = ""
    also: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


contenders: dict[str, Contender] = {}


def optimizer(
    name: str, title: str = "", *, lr: float = 0.01, second: str | None = None, formula: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a class or function ``make(params, lr=…)`` as an optimizer to compare.

    Examples
    --------
    >>> from tinygrad_opt import optim
    >>> from tinygrad_opt.study import optimizer
    >>> @optimizer("heavy-ball", lr=0.01, formula="v ← 0.9 v + g ; θ ← θ − η v")
    ... def heavy_ball(params, lr):
    ...     return optim.SGD(params, lr=lr, momentum=0.9)
    >>> from tinygrad_opt.study.contenders import contenders
    >>> contenders.pop("heavy-ball").title
    'heavy-ball'
    """

    def register(make: Callable[..., Any]) -> Callable[..., Any]:
        contenders[name] = Contender(name, title or name, make, {"lr": lr}, second, formula)
        return make

    return register


def _sgd(params: Any, lr: float) -> Any:
    return optim.SGD(params, lr=lr)


def _nesterov(params: Any, lr: float, momentum: float = 0.9) -> Any:
    return optim.SGD(params, lr=lr, momentum=momentum, nesterov=True)


def _adam(params: Any, lr: float, beta1: float = 0.9, eps: float = 1e-8) -> Any:
    return optim.Adam(params, lr=lr, betas=(beta1, 0.999), eps=eps)


def _adam_eps(params: Any, lr: float, eps: float = 1e-8) -> Any:
    return optim.Adam(params, lr=lr * (1 + eps), eps=eps)


def _adamw(params: Any, lr: float, beta1: float = 0.9) -> Any:
    return optim.AdamW(params, lr=lr, betas=(beta1, 0.999))


def _momentum(params: Any, lr: float, beta: float = 0.9) -> Any:
    return optim.Momentum(params, lr=lr, beta=beta)


def _adagrad(params: Any, lr: float) -> Any:
    return optim.Adagrad(params, lr=lr)


def _rmsprop(params: Any, lr: float, momentum: float = 0.0) -> Any:
    return optim.RMSprop(params, lr=lr, momentum=momentum)


def _rule(kind: Any) -> str:
    """The update of an optimizer class in one line, as its rule's docstring says it."""
    return ((getattr(kind, "rule", None) and kind.rule.__doc__) or "").strip().split("\n")[0]


def _lr(kind: Any) -> dict[str, float]:
    """The learning rate that a class comes with; 0.01 where it insists on being given one."""
    given = kind.defaults.get("lr")
    return {"lr": float(given) if isinstance(given, (int, float)) else 0.01}


for _name, _title, _make, _kind, _second, _formula in (
    ("sgd", "SGD", _sgd, optim.SGD, None, "θ ← θ − η·g"),
    ("momentum", "Momentum", _momentum, optim.Momentum, "beta", ""),
    ("nesterov", "Nesterov", _nesterov, optim.SGD, "momentum", "v ← μ·v + g ;  θ ← θ − η·(g + μ·v)"),
    ("adagrad", "AdaGrad", _adagrad, optim.AdaGrad, None, ""),
    ("rmsprop", "RMSProp", _rmsprop, optim.RMSProp, "momentum", ""),
    ("adam", "Adam", _adam, optim.Adam, "beta1", ""),
    ("adamw", "AdamW", _adamw, optim.AdamW, "beta1", ""),
):
    contenders[_name] = Contender(_name, _title, _make, _lr(_kind), _second, _formula or _rule(_kind))

contenders["adam-eps"] = Contender(
    "adam-eps",
    "Adam, ε tuned",
    _adam_eps,
    {"lr": 0.001, "eps": 1e-8},
    None,
    "θ ← θ − η (1 + ε) m̂ / (√v̂ + ε) ;  Adam for ε → 0, Momentum with a bias correction for ε → ∞",
    {"eps": (1e-8, 1e-2, 1e4)},
)


def find(name: str) -> Contender:
    """The contender of that name; any class of ``tinygrad_opt.optim`` takes part under its name in lower case.

    Raises
    ------
    KeyError
        There is none; names the nearest.
    """
    if name in contenders:
        return contenders[name]
    more = others()
    if name in more:
        return more[name]
    names = [*contenders, *more]
    near = difflib.get_close_matches(name, names, 1)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(names)}."
    raise KeyError(f"no optimizer is called '{name}'. {hint}")


def others() -> dict[str, Contender]:
    """Optimizers of the package beyond the registered ones, at the defaults of their class."""
    found = {}
    for title in optim.__all__:
        kind = getattr(optim, title)
        if not inspect.isclass(kind) or not issubclass(kind, optim.Optimizer) or kind is optim.Optimizer:
            continue
        name = title.lower()
        if name not in contenders:
            found[name] = Contender(name, title, kind, _lr(kind), None, _rule(kind))
    return found
