"""Record a training step once and run it again without a graph: ``tg.compile``."""

from __future__ import annotations

from .compiled import CompiledStep as CompiledStep
from .compiled import compile as compile  # noqa: A004  PyTorch's name
from .plan import Plan as Plan
from .record import CompileError as CompileError

__all__ = ["CompileError", "CompiledStep", "Plan", "compile"]
