"""Comparing optimizers so that the result can be believed."""

from . import problems as problems
from . import surfaces as surfaces
from .contenders import optimizer
from .plan import Plan
from .protocol import Protocol, full, quick
from .records import Records
from .runner import collect, run
from .tasks import Problem, task

__all__ = ["Plan", "Problem", "Protocol", "Records", "collect", "full", "optimizer", "quick", "run", "task"]
