"""Operations and their derivatives, one family a file."""

from .accumulation import *
from .activation import *
from .arithmetic import *
from .comparison import *
from .complex import *
from .creation import *
from .decompositions import *
from .einsum import *
from .exponential import *
from .indexing import *
from .joining import *
from .matmul import *
from .nan_functions import *
from .norms import *
from .products import *
from .quantiles import *
from .reduction import *
from .rounding import *
from .selection import *
from .shape import *
from .sorting import *
from .special import *
from .statistics import *
from .systems import *
from .trigonometric import *
