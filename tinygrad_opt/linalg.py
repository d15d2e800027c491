"""What ``np.linalg`` holds, differentiable; ``expm`` besides."""

import numpy as np
from numpy.linalg import LinAlgError

from .autograd.registry import implementations
from .ops.decompositions import cholesky, eig, eigh, eigvals, eigvalsh, qr
from .ops.matmul import matmul
from .ops.norms import matrix_norm, norm, vector_norm
from .ops.products import linalg_cross as cross
from .ops.products import linalg_trace as trace
from .ops.products import matrix_power, multi_dot, outer, tensordot, vecdot
from .ops.shapes import matrix_transpose
from .ops.singular_values import svd, svdvals
from .ops.systems import cond, det, expm, inv, lstsq, matrix_rank, pinv, slogdet, solve, tensorinv, tensorsolve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]

diagonal = implementations[np.linalg.diagonal]
