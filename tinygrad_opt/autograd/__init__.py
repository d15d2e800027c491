"""The engine: Tensors, the recorded graph, the backward pass. It knows no operation and no layer."""

from .anomaly import AnomalyError, detect_anomaly
from .checkpoint import checkpoint
from .dtypes import get_default_dtype, set_default_dtype
from .grad import backward as backward
from .grad import grad as grad
from .gradcheck import gradcheck, gradgradcheck
from .leaks import LeakMeter, LeakWarning, live_nodes
from .lines import note_lines
from .modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .primitive import Primitive, primitive
from .registry import implements
from .tensor import Tensor, as_tensor, from_numpy, tensor

__all__ = [
    "AnomalyError",
    "LeakMeter",
    "LeakWarning",
    "Primitive",
    "Tensor",
    "as_tensor",
    "checkpoint",
    "detect_anomaly",
    "enable_grad",
    "from_numpy",
    "get_default_dtype",
    "gradcheck",
    "gradgradcheck",
    "implements",
    "is_grad_enabled",
    "live_nodes",
    "no_grad",
    "note_lines",
    "primitive",
    "set_default_dtype",
    "set_grad_enabled",
    "tensor",
]
