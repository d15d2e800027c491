"""model.summary: rows, totals, and no trace left behind."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_opt import nn


def model() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Sequential(nn.ReLU(), nn.Flatten()), nn.Linear(64, 10)
    )


def test_rows_and_totals():
    net = model()
    net[0].requires_grad_(False)
    found = net.summary((2, 1, 4, 4))
    assert [(r.path, r.kind, r.shape, r.parameters, r.depth) for r in found.rows] == [
        ("", "Sequential", "(2, 10)", 698, 0),
        ("0", "Conv2d", "(2, 4, 4, 4)", 40, 1),
        ("1", "BatchNorm2d", "(2, 4, 4, 4)", 8, 1),
        ("2", "Sequential", "(2, 64)", 0, 1),
        ("2.0", "ReLU", "(2, 4, 4, 4)", 0, 2),
        ("2.1", "Flatten", "(2, 64)", 0, 2),
        ("3", "Linear", "(2, 10)", 650, 1),
    ]
    assert found.parameters == 698
    assert found.trained == 658
    assert found.output_memory == 4 * (4 * 128 + 20)
    assert "698 parameters, 40 of them frozen" in str(found)


def test_it_leaves_no_trace():
    net = model()
    net[1].eval()
    before = net.state_dict()
    net.summary(np.ones((2, 1, 4, 4), np.float32))
    assert all((before[k] == v).all() for k, v in net.state_dict().items())
    assert [m.training for m in net] == [True, False, True, True]
    assert net[0]._hooks is None
    with pytest.raises(ValueError, match="Conv2d"):
        net.summary((2, 3, 4, 4))
    assert net.training
    assert net[0]._hooks is None


def test_layers_in_lists_are_named_from_the_module_that_calls_them():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 1, 4), 2)
    rows = encoder.summary((3, 2, 4)).rows
    assert [row.name for row in rows if row.depth < 2] == ["model", "layers.0", "layers.1"]
    assert {row.name for row in rows if row.depth == 3} == {"out_proj"}
