"""The surfaces have their published minima where they say."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.study.surfaces import surfaces
from tinygrad_opt.study.tasks import tasks

LOWEST = {"rosenbrock": 0, "beale": 0, "himmelblau": 0, "saddle": -1, "rastrigin": 0, "valley": 0}


@pytest.mark.parametrize("name", surfaces)
def test_minima(name):
    surface = surfaces[name]
    for point in surface.minima:
        p = tg.tensor(np.array(point), requires_grad=True)
        value = surface.function(p[0], p[1])
        value.backward()
        assert value.item() == pytest.approx(LOWEST[name], abs=1e-9)
        np.testing.assert_allclose(p.grad.data, 0, atol=2e-4)
        around = [surface.function(point[0] + a, point[1] + b) for a in (-1e-3, 0, 1e-3) for b in (-1e-3, 0, 1e-3)]
        assert min(around) >= value.item() - 1e-9


@pytest.mark.parametrize("name", surfaces)
def test_surfaces_illustrate_and_are_not_scored(name):
    assert not tasks[name].scored
    assert surfaces[name].formula in tasks[name].summary
