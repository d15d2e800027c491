"""Data sets and the order in which a model meets them."""

from .bundled import auto_mpg, breast_cancer, digits, shakespeare
from .cifar import cifar10
from .dataset import Dataset, Subset, TensorDataset, random_split
from .idx import fashion_mnist, mnist, read_idx, write_idx
from .loader import DataLoader
from .text import CharacterText, read_text
from .toys import spirals, two_moons, xor

__all__ = [
    "CharacterText",
    "DataLoader",
    "Dataset",
    "Subset",
    "TensorDataset",
    "auto_mpg",
    "breast_cancer",
    "cifar10",
    "digits",
    "fashion_mnist",
    "mnist",
    "random_split",
    "read_idx",
    "read_text",
    "shakespeare",
    "spirals",
    "two_moons",
    "write_idx",
    "xor",
]
