"""The records of a study, in one SQLite file: each is there whole or not at all, whatever happens to the process."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .trial import Record, Trial

__all__ = ["OtherStudyError", "Records", "code_version"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    trial TEXT PRIMARY KEY, task TEXT NOT NULL, optimizer TEXT NOT NULL, seed INTEGER NOT NULL,
    seconds REAL NOT NULL, version TEXT NOT NULL, result TEXT NOT NULL
);
"""


class OtherStudyError(RuntimeError):
    """The file holds a study under another protocol, or made by other code, than the one to go on with."""


@functools.cache
def code_version() -> str:
    """The package's version and a hash of its source: runs of different code must not be mixed."""
    from .. import __version__

    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.json")]):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


class Records:
    """A study's file: what it is about, and a record for each trial that has finished.

    Parameters
    ----------
    path : path, optional
        Without one, the records are kept in memory.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = path
        self._database = sqlite3.connect(":memory:" if path is None else os.fspath(path))
        try:
            self._database.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise ValueError(f"{path} is not a file of study records: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def about(self, name: str) -> Any:
        """A fact about the study, or None."""
        row = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def note(self, name: str, value: Any) -> None:
        """Write a fact about the study."""
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, json.dumps(value)))

    def claim(self, plan: dict[str, Any]) -> None:
        """Make this file belong to a plan, or check that it does.

        Raises
        ------
        OtherStudyError
            It belongs to another plan, or was made by other code; says what differs.
        """
        facts = {**plan, "code": code_version()}
        before = self.about("plan")
        if before is None:
            self.note("plan", facts)
            return
        facts = json.loads(json.dumps(facts))
        changed = [name for name in {**before, **facts} if before.get(name) != facts.get(name)]
        if changed:
            lines = [f"  {name}: {_short(before.get(name))} → {_short(facts.get(name))}" for name in sorted(changed)]
            raise OtherStudyError(
                "the records were made under other rules or by other code, and the two cannot be mixed:\n"
                + "\n".join(lines)
            )

    def add(self, record: Record) -> None:
        """Write a record; a second one of the same trial is ignored."""
        trial = record.trial
        spent = record.seconds[-1] if record.seconds else 0.0
        with self._database:
            self._database.execute(
                "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)",
                (trial.key, trial.task, trial.optimizer, trial.seed, spent, code_version(), record.as_json()),
            )

    def get(self, trial: Trial) -> Record | None:
        """The record of a trial, or None while it has not run."""
        row = self._database.execute("SELECT result FROM records WHERE trial = ?", (trial.key,)).fetchone()
        return None if row is None else Record.from_json(trial, row[0])

    def missing(self, trials: Iterable[Trial]) -> list[Trial]:
        """Those of the trials that have no record yet, each once, in their order."""
        done = {row[0] for row in self._database.execute("SELECT trial FROM records")}
        return [trial for trial in dict.fromkeys(trials) if trial.key not in done]

    def all(self) -> list[Record]:
        """Every record, in the order of the trials' text."""
        rows = self._database.execute("SELECT trial, result FROM records ORDER BY trial")
        return [Record.from_json(Trial.from_key(key), result) for key, result in rows]

    def __len__(self) -> int:
        return int(self._database.execute("SELECT COUNT(*) FROM records").fetchone()[0])


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"
