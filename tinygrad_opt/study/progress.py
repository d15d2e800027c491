"""How far a long job is, and how long it will still take."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import Any, TextIO

__all__ = ["Progress"]


class Progress:
    """Call it with (done, total, what): a bar by tqdm where there is one and a terminal, plain lines otherwise."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.started = time.monotonic()
        self.first = -1
        self.shown = 0.0
        self.bar: Any = None

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show the state, unless it was shown a moment ago."""
        if self.first < 0:
            self.first = done - 1
            if self.stream.isatty() and importlib.util.find_spec("tqdm"):
                import tqdm

                self.bar = tqdm.tqdm(total=total, initial=self.first, unit="run", file=self.stream, ncols=80)
        if self.bar is not None:
            self.bar.total = total
            self.bar.set_description(what, refresh=False)
            self.bar.update(done - self.bar.n)
            return
        now = time.monotonic()
        tty = self.stream.isatty()
        if now - self.shown < (0.2 if tty else 5.0) and done < total:
            return
        self.shown = now
        line = f"{what}: {done} of {total} runs"
        if done - self.first >= 8:  # the first ones tell little: processes are starting
            left = (now - self.started) / (done - self.first) * (total - done)
            line += f", about {_duration(left)} left"
        self.stream.write(f"\r{line:<79}" if tty else line + "\n")
        self.stream.flush()

    def close(self) -> None:
        """End the bar or the line."""
        if self.bar is not None:
            self.bar.close()
        elif self.first >= 0 and self.stream.isatty():
            self.stream.write("\n")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
