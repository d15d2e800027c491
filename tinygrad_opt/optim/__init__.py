"""Optimizers: one algorithm a file, each formula written once and run in several ways."""

from . import lr_scheduler
from .accumulation import Accumulate
from .adabelief import AdaBelief
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import AdaGrad, Adagrad
from .adahessian import AdaHessian
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .advice import OptimizerWarning
from .amsgrad import AMSGrad
from .asgd import ASGD
from .averaging import EMA, SWA
from .functional import Functional, unroll
from .gradient_descent import GradientDescent
from .groups import REQUIRED, table
from .interchange import from_torch, pack_state, to_torch, unpack_state
from .lamb import LAMB
from .lars import LARS
from .lbfgs import LBFGS
from .lion import Lion
from .lookahead import Lookahead
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam
from .nesterov import Nesterov
from .novograd import NovoGrad
from .optimizer import Optimizer
from .prodigy import Prodigy
from .race import Path, race
from .radam import RAdam
from .rmsprop import RMSProp, RMSprop
from .rprop import Rprop
from .rule import UpdateRule, update_rule
from .sam import SAM
from .schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from .sgd import SGD
from .shampoo import Shampoo
from .signsgd import SignSGD
from .soap import SOAP
from .sparse_adam import SparseAdam
from .wrapper import AGC, GradientCentralization, GradientNoise, Wrapper
from .yogi import Yogi

__all__ = [
    "AGC",
    "ASGD",
    "EMA",
    "LAMB",
    "LARS",
    "LBFGS",
    "REQUIRED",
    "SAM",
    "SGD",
    "SOAP",
    "SWA",
    "AMSGrad",
    "Accumulate",
    "AdaBelief",
    "AdaGrad",
    "AdaHessian",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Functional",
    "GradientCentralization",
    "GradientDescent",
    "GradientNoise",
    "Lion",
    "Lookahead",
    "Momentum",
    "Muon",
    "NAdam",
    "Nesterov",
    "NovoGrad",
    "Optimizer",
    "OptimizerWarning",
    "Path",
    "Prodigy",
    "RAdam",
    "RMSProp",
    "RMSprop",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "Shampoo",
    "SignSGD",
    "SparseAdam",
    "UpdateRule",
    "Wrapper",
    "Yogi",
    "from_torch",
    "lr_scheduler",
    "pack_state",
    "race",
    "table",
    "to_torch",
    "unpack_state",
    "unroll",
    "update_rule",
]
