"""The backward pass: order, accumulation, freeing, depth, memory, threads."""

import gc
import re
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd.graph import KEEP_SIZE, Spec, ancestors, run_backward, sum_to_shape
from tinygrad_opt.errors import FreedGraphError, GradientError, ShapeError, StaleValueError


def leaf(value, **options):
    return tg.tensor(np.asarray(value, dtype=float), requires_grad=True, **options)


def test_both_edges_of_a_product_with_itself():
    x = leaf(3.0)
    (x * x).backward()
    assert x.grad.item() == 6.0


def test_a_value_used_many_times_gets_the_sum():
    x = leaf(2.0)
    y = x * 3
    (y * y + y + x * y).backward()  # 9x² + 3x + 3x²
    assert x.grad.item() == 24 * 2 + 3


def test_shared_subgraphs_take_linear_time():
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_a_node_waits_for_the_longest_way_to_it():
    x = leaf(2.0)
    y = x * x
    long_way = y
    for _ in range(5):
        long_way = long_way * 1.0
    (long_way * y).backward()  # x⁴
    assert x.grad.item() == 4 * 2.0**3


def test_gradients_accumulate_over_passes():
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    assert first.tolist() == [2.0, 2.0], "a gradient that someone holds must not change"
    assert x._node.passes == 2


def test_gradients_of_two_leaves_do_not_share_memory():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    upstream = np.ones(2)
    (x + y).backward(upstream)
    x.grad.data[0] = 100.0
    assert y.grad.tolist() == [1.0, 1.0]
    assert upstream.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("ways", [2, 3, 4])
def test_accumulation_never_writes_into_a_borrowed_gradient(ways):
    x = leaf([1.0, 2.0])
    y = x * 1.0
    total = y
    for _ in range(ways):
        total = total + y
    upstream = np.array([1.0, 10.0])
    upstream.flags.writeable = False
    total.backward(upstream)
    assert x.grad.tolist() == [ways + 1.0, 10.0 * (ways + 1)]


def test_depth_of_100_000():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    del y  # tearing the graph down must not recurse either


def test_second_pass_over_a_freed_graph_says_where_it_was_used():
    x = leaf(2.0)
    y = x * x
    y.backward()
    with pytest.raises(FreedGraphError, match=r"already used at test_graph.py:\d+.*retain_graph=True"):
        y.backward()
    assert x.grad.item() == 4.0


def test_retain_graph_allows_a_second_pass():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0


def test_a_shared_trunk_is_freed_for_the_second_loss():
    x = leaf(2.0)
    trunk = x * x
    (trunk * 2).backward()
    with pytest.raises(FreedGraphError):
        (trunk * 3).backward()


def test_a_failing_rule_changes_no_gradient():
    @tg.primitive(name="fails_in_backward_only")
    def fails(x):
        return x * 1

    @fails.vjp(0)
    def _(g, y, x):
        raise RuntimeError("no")

    x, w = leaf(1.0), leaf(2.0)
    loss = w * 3 + fails(x)
    with pytest.raises(RuntimeError, match="no"):
        loss.backward()
    assert x.grad is None
    assert w.grad is None
    from tinygrad_opt.autograd.registry import primitives

    del primitives["fails_in_backward_only"]


def test_values_changed_after_use_are_noticed():
    from tinygrad_opt.autograd.graph import next_number

    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0], name="w")
    loss = (x * w).sum()
    w.data *= 2
    w._node.written = next_number()
    with pytest.raises(StaleValueError, match="'w' was changed by an optimizer step after 'multiply'"):
        loss.backward()
    assert x.grad is None


def test_a_changed_value_that_no_rule_reads_is_harmless():
    from tinygrad_opt.autograd.graph import next_number

    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    loss = (x + w).sum()
    w._node.written = next_number()
    loss.backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_large_arrays_that_no_rule_reads_are_not_kept():
    x = leaf(np.ones(KEEP_SIZE + 1))
    made = (x + 1.0)._node
    assert isinstance(made.output, Spec)
    assert isinstance(made.inputs[0], Spec)
    assert made.inputs[0].shape == x.shape
    square = (x * x)._node
    assert square.inputs[0] is x.data


def test_small_arrays_are_kept_for_pictures():
    x = leaf(np.ones(3))
    made = (x + 1.0)._node
    assert made.output.tolist() == [2.0, 2.0, 2.0]


def test_freeing_keeps_small_values_and_the_shape_of_large_ones():
    x = leaf(np.ones(KEEP_SIZE + 1))
    y = x * x
    y.sum().backward()
    assert y._node.freed
    assert y._node.output.shape == (KEEP_SIZE + 1,)
    assert isinstance(y._node.output, Spec)


def test_no_cycles_so_nothing_waits_for_the_collector():
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        w = tg.tensor(np.full((4, 4), 0.1), requires_grad=True)
        x = np.ones((8, 4))
        sizes = []
        for step in range(10_001):
            w.grad = None
            ((x @ w).sum() ** 2).backward()
            if step in (100, 10_000):
                sizes.append(tracemalloc.get_traced_memory()[0])
        assert sizes[1] - sizes[0] < 20_000
        assert gc.collect() < 100
    finally:
        tracemalloc.stop()
        gc.enable()


def test_ancestors_come_latest_first():
    x = leaf(1.0)
    a = x * 2
    b = a + x
    c = np.exp(b)
    assert [node.primitive.name for node in ancestors([c._node])] == ["exp", "add", "multiply"]


def test_visit_sees_every_node_with_its_gradient():
    x = leaf(3.0)
    y = x * x * 2
    seen = []
    run_backward([(y._node, np.ones(()))], visit=lambda node, g: seen.append((node.primitive.name, float(g))))
    assert seen == [("multiply", 1.0), ("multiply", 2.0)]
    assert x.grad is None


@pytest.mark.parametrize(
    ("big", "small"),
    [
        ((2, 3), (3,)),
        ((2, 3), (2, 1)),
        ((2, 3), ()),
        ((4, 2, 3), (2, 1)),
        ((2, 3), (2, 3)),
        ((0, 3), (1, 3)),
        ((0,), ()),
    ],
)
def test_sum_to_shape_is_the_adjoint_of_broadcasting(big, small):
    rng = np.random.default_rng(0)
    g, x = rng.standard_normal(big), rng.standard_normal(small)
    summed = sum_to_shape(g, small)
    assert summed.shape == small
    np.testing.assert_allclose((np.broadcast_to(x, big) * g).sum(), (x * summed).sum())


def test_sum_to_shape_refuses_what_does_not_broadcast():
    with pytest.raises(ShapeError, match=re.escape("(2, 3) cannot be summed to an operand of shape (2,)")):
        sum_to_shape(np.ones((2, 3)), (2,))


def test_graphs_in_several_threads_at_once():
    w = leaf(np.arange(4.0))
    shared = w * w
    results, errors = [], []

    def work(factor):
        try:
            for _ in range(200):
                x = leaf(np.full(4, factor))
                (x * x * factor).sum().backward()
                g = tg.autograd.grad((shared * factor).sum(), w, retain_graph=True)
                results.append((factor, x.grad.data[0], g.data[3]))
        except Exception as error:
            errors.append(error)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(float(i + 1),)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert not errors
    assert len(results) == 800
    assert all(x == 2 * f * f and g == 6 * f for f, x, g in results)


def test_no_path_explains_itself():
    with pytest.raises(GradientError, match="no path to any Tensor that requires a gradient.*will not help"):
        tg.tensor(1.0).backward()
    x = leaf(1.0)
    with tg.no_grad():
        y = x * 2
        with pytest.raises(GradientError, match="recording is off here"):
            y.backward()


def test_non_scalar_says_what_to_do():
    with pytest.raises(
        GradientError, match=re.escape("this has shape (32,). Use .mean() or .sum(), or pass a gradient")
    ):
        leaf(np.ones(32)).backward()


def test_gradient_of_the_wrong_shape():
    with pytest.raises(ShapeError, match=re.escape("the gradient has shape (2,), the Tensor it belongs to (3,)")):
        leaf(np.ones(3)).backward(np.ones(2))
