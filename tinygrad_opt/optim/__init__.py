"""Optimizers: one algorithm a file, each formula written once and run in several ways."""

from . import lr_scheduler
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import AdaGrad, Adagrad
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .advice import OptimizerWarning
from .asgd import ASGD
from .functional import Functional, unroll
from .groups import REQUIRED, table
from .lbfgs import LBFGS
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSProp, RMSprop
from .rprop import Rprop
from .rule import UpdateRule, update_rule
from .sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "REQUIRED",
    "SGD",
    "AdaGrad",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Functional",
    "Momentum",
    "Muon",
    "NAdam",
    "Optimizer",
    "OptimizerWarning",
    "RAdam",
    "RMSProp",
    "RMSprop",
    "Rprop",
    "UpdateRule",
    "lr_scheduler",
    "table",
    "unroll",
    "update_rule",
]
