"""Operations and their derivatives, one family a file."""

from .arithmetic import *
from .exponential import *
from .reduction import *
from .shape import *
from .indexing import *
from .linear_algebra import *
