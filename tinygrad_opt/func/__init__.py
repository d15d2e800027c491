"""Derivatives of functions: grad, vjp, jvp, jacobian, hessian, hvp, which compose, and functional_call.

Each takes a function of Tensors and differentiates it with respect to its arguments, which may be nested tuples,
lists and dicts of Tensors. The arguments are given to the function as Tensors of their own, so a Tensor that the
function holds from outside counts as constant, and calls within calls do not mix. What flows in from outside
(a model's parameters, an outer ``grad``'s argument) stays connected: ``grad(grad(f))`` is the second derivative.
"""

from .calls import functional_call, vmap
from .jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from .transforms import grad, jvp, value_and_grad, vjp

__all__ = [
    "functional_call",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "value_and_grad",
    "vjp",
    "vmap",
]
