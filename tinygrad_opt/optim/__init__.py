"""Optimizers: one algorithm a file, each formula written once and run in several ways."""

from .adagrad import AdaGrad, Adagrad
from .adam import Adam
from .advice import OptimizerWarning
from .functional import Functional, unroll
from .groups import REQUIRED, table
from .momentum import Momentum
from .optimizer import Optimizer
from .rmsprop import RMSProp, RMSprop
from .rule import UpdateRule, update_rule
from .sgd import SGD

__all__ = [
    "REQUIRED",
    "SGD",
    "AdaGrad",
    "Adagrad",
    "Adam",
    "Functional",
    "Momentum",
    "Optimizer",
    "OptimizerWarning",
    "RMSProp",
    "RMSprop",
    "UpdateRule",
    "table",
    "unroll",
    "update_rule",
]
