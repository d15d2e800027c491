"""Operations and their derivatives, one family a file."""

from types import ModuleType as _Module

from . import complex_domain as complex_domain
from . import fourier as fourier
from . import ufunc_methods as ufunc_methods
from .accumulation import *
from .activation import *
from .arithmetic import *
from .comparison import *
from .complex import *
from .creation import *
from .decompositions import *
from .diagonals import *
from .differences import *
from .einsum import *
from .exponential import *
from .histograms import *
from .indexing import *
from .inspection import *
from .joining import *
from .mapping import *
from .matmul import *
from .memory import *
from .namespace import *
from .nan_functions import *
from .norms import *
from .padding import *
from .polynomials import *
from .products import *
from .quantiles import *
from .reduction import *
from .repetition import *
from .rounding import *
from .selection import *
from .sets import *
from .shapes import *
from .signals import *
from .singular_values import *
from .sorting import *
from .special import *
from .splitting import *
from .statistics import *
from .systems import *
from .trigonometric import *

__all__ = [
    name
    for name, value in globals().items()
    if not isinstance(value, _Module) and (not name.startswith("_") or name.startswith("__array_"))
]
