"""The rules as numbers: the grid, its edges, the disjoint seeds."""

import numpy as np
import pytest

from tinygrad_opt.study import Protocol, full, quick


def rates(protocol, **kwargs):
    return [s["lr"] for s in protocol.settings(**kwargs)]


def test_the_quick_grid_is_half_decades():
    assert rates(quick()) == [0.001, 0.003162, 0.01, 0.03162, 0.1, 0.3162]
    assert quick().settings("beta1") == quick().settings()  # on the grid only the learning rate is tuned


def test_widening_adds_a_decade_and_keeps_what_was_tried():
    wide = rates(quick(), wider=(1, 2))
    assert wide[:2] == [0.0001, 0.0003162]
    assert wide[-4:] == [1.0, 3.162, 10.0, 31.62]
    assert set(rates(quick())) <= set(wide)


@pytest.mark.parametrize(("lr", "side"), [(0.001, -1), (0.3162, 1), (0.1, 0), (0.003162, 0)])
def test_edges_of_the_grid(lr, side):
    assert quick().edge(lr) == side


def test_an_edge_moves_with_the_grid():
    assert quick().edge(0.3162, (0, 1)) == 0
    assert quick().edge(3.162, (0, 1)) == 1


def test_seeds_of_tuning_targets_and_scores_are_disjoint():
    for protocol in (quick(), full(), Protocol(tuning_seeds=50, final_seeds=100, seed=7)):
        groups = [protocol.tuning(), protocol.targets_from(), protocol.final()]
        assert len(set().union(*groups)) == sum(map(len, groups))


def test_the_full_settings_fill_the_space_evenly():
    settings = full().settings("beta1")
    assert len(settings) == 20
    exponents = np.log10([s["lr"] for s in settings])
    assert exponents.min() >= -4
    assert exponents.max() <= 0
    counts, _ = np.histogram(exponents, 4, (-4, 0))
    assert counts.tolist() == [5, 5, 5, 5]
    betas = np.array([s["beta1"] for s in settings])
    assert betas.min() >= 0
    assert betas.max() < 0.99
    third, _ = np.histogram(np.log10(1 - betas), 3, (-2, 0))
    assert third.max() - third.min() <= 1
    assert all(set(s) == {"lr"} for s in full().settings())


def test_widening_the_full_range_keeps_what_was_tried():
    base, wide = rates(full()), rates(full(), wider=(0, 1))
    assert wide[:20] == base
    assert all(1 <= lr <= 10 for lr in wide[20:])
    assert len(wide) == 25


@pytest.mark.parametrize("name", ["steps", "trials", "final_seeds"])
def test_numbers_must_be_positive(name):
    with pytest.raises(ValueError, match=name):
        quick(**{name: 0})
