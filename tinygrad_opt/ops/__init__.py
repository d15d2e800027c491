"""Operations and their derivatives, one family a file."""

from .activation import *
from .arithmetic import *
from .comparison import *
from .creation import *
from .einsum import *
from .exponential import *
from .indexing import *
from .joining import *
from .linear_algebra import *
from .reduction import *
from .rounding import *
from .shape import *
from .special import *
from .statistics import *
from .trigonometric import *
