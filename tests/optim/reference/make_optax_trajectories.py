"""Freezes optax's trajectories: 300 steps in float64 of every case of optim_optax.

Run by hand where jax and optax are installed: python tests/optim/reference/make_optax_trajectories.py
"""

import sys
from pathlib import Path

import jax
import numpy as np
import optax
import optax.contrib

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from optim_optax import CASES, MATRIX_CASES, WRAPPERS, trajectory  # noqa: E402


def main():
    jax.config.update("jax_enable_x64", True)
    found = {name: trajectory(optax, name) for name in (*CASES, *MATRIX_CASES, *WRAPPERS)}
    assert all(np.isfinite(rows).all() for rows in found.values())
    np.savez_compressed(HERE / "optax_trajectories.npz", optax=np.array(optax.__version__), **found)
    print(len(found), "trajectories")


if __name__ == "__main__":
    main()
