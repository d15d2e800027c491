"""detect_anomaly names the first operation that makes a NaN or an infinity, and the line it stands on."""

import re
import threading

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.autograd import AnomalyError, detect_anomaly
from tinygrad_opt.autograd.registry import primitives


@pytest.fixture
def x():
    return tg.tensor([0.0, 1.0], requires_grad=True)


def test_forward(x):
    message = r"'log' at test_anomaly\.py:\d+ `np\.log\(x\)` gave inf; .*min = 0.*log_softmax"
    with pytest.raises(AnomalyError, match=message), detect_anomaly():
        np.log(x)
    with pytest.raises(AnomalyError, match=r"'divide'.*gave inf.*divisor is 0"), detect_anomaly():
        1 / x
    with pytest.raises(AnomalyError, match=r"'exp'.*max = 1000.*Subtract the maximum"), detect_anomaly():
        np.exp(x * 1000)
    with pytest.raises(AnomalyError, match=r"'subtract'.*gave NaN"), detect_anomaly():
        tg.tensor(np.inf) - np.inf  # infinities came in, but the NaN is new


def test_backward_names_the_forward_line(x):
    def train():
        y = np.where(x > 0, np.sqrt(x), 0.0)
        y.sum().backward()

    message = r"'sqrt' at test_anomaly\.py:\d+ `y = np\.where.*is NaN.*forward value finite.*where\(\) behind"
    with pytest.raises(AnomalyError, match=message), detect_anomaly():
        train()
    assert x.grad is None
    z = np.sqrt(x).sum()
    with pytest.raises(AnomalyError, match="a line run outside of detect_anomaly"), detect_anomaly():
        z.backward()


def test_arrays_that_were_not_kept_are_told_by_shape():
    y = np.exp(tg.tensor(np.full((80, 80), 700.0), requires_grad=True) * 1)
    message = r"is inf; .* shape \(80, 80\), whose values were not kept"
    with pytest.raises(AnomalyError, match=message), detect_anomaly():
        y.backward(np.full((80, 80), 1e10))


def test_the_module_is_named():
    class Bad(nn.Module):
        def forward(self, x):
            return np.log(x - x)

    model = nn.Sequential(nn.Linear(2, 2), Bad())
    with pytest.raises(AnomalyError, match=re.escape("(in 1) gave inf")), detect_anomaly():
        model(tg.tensor([[1.0, 2.0]]))


def test_what_is_handed_in_is_no_anomaly(x):
    with detect_anomaly():
        masked = np.where(x > 0, x, -np.inf)
        assert np.exp(masked).tolist()[0] == 0
        np.sum(np.exp(masked)).backward()
    assert x.grad.tolist() == [0.0, pytest.approx(np.e, rel=1e-6)]


def test_nothing_is_left_behind(x):
    log = primitives["log"].forward
    with pytest.raises(AnomalyError), detect_anomaly(), detect_anomaly():
        np.log(x)
    assert primitives["log"].forward is log
    with np.errstate(divide="ignore"):
        assert np.log(x).tolist()[0] == -np.inf


def test_only_this_thread_is_watched(x):
    seen = []

    def other():
        with np.errstate(divide="ignore"):
            seen.append(np.log(x).tolist()[0])

    with detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen == [-np.inf]
