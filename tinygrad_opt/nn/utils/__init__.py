"""What one does to the parameters of a model: clip their gradients, flatten them, reparametrize them."""

from . import parametrizations, parametrize
from .clip import clip_grad_norm_, clip_grad_norm_per_group_, clip_grad_value_, get_total_norm
from .normed import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from .vector import parameters_to_vector, vector_to_parameters
