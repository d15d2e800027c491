"""Progress is plain lines where there is no terminal, and never more often than one can read."""

import io

from tinygrad_opt.study.progress import Progress


def test_lines_are_few_and_the_last_one_is_complete():
    stream = io.StringIO()
    progress = Progress(stream)
    for done in range(1, 101):
        progress(done, 100, "tuning")
    progress.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "tuning: 1 of 100 runs"
    assert lines[-1] == "tuning: 100 of 100 runs, about 0 s left"
    assert len(lines) <= 4


def test_the_time_left_is_in_proportion_to_what_is_left(monkeypatch):
    clock = iter([0.0, *(10.0 * i for i in range(1, 100))])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = Progress(stream)
    for done in range(51, 61):  # resumed: fifty were there
        progress(done, 100, "final runs")
    assert stream.getvalue().splitlines()[-1] == "final runs: 60 of 100 runs, about 7 min left"
