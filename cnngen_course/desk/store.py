"""What a learner did, kept in one SQLite file on this computer: predictions, checked answers, hints, minutes.

The file lies in the learner's desk, the folder ``desk`` beside the lessons, and nothing of it is sent anywhere.
``CNNGEN_DESK`` names another folder, or is ``off``: then nothing is kept, as in the tests and in ``course.py execute``.
"""

import errno
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnngen_course.paths import ROOT

VARIABLE = "CNNGEN_DESK"
OFF = {VARIABLE: "off"}  # the environment in which nothing is kept
FILE = "progress.sqlite3"
PATIENCE = 20.0  # seconds that one kernel waits while another one writes
CREATE = """
create table if not exists predictions (
    lesson text not null, name text not null, answer text not null, moment real not null,
    truth text, verdict text, primary key (lesson, name));
create table if not exists answers (
    lesson text not null, name text not null, status text not null, moment real not null);
create table if not exists hints (
    lesson text not null, name text not null, number integer not null, moment real not null);
create table if not exists minutes (
    lesson text not null, day text not null, seconds real not null, primary key (lesson, day));
create table if not exists places (lesson text primary key, section text not null, moment real not null);
create table if not exists notes (lesson text primary key, words text not null, moment real not null);
"""


class StoreError(RuntimeError):
    """What a learner did cannot be kept or read; the message says why and what to do."""


@dataclass(frozen=True)
class Prediction:
    """One prediction: ``answer`` and ``truth`` are what JSON can hold; ``truth`` and ``verdict`` are None before it.

    ``verdict`` is "right", "near", "wrong", or "told" where there is no right or wrong.
    """

    lesson: str
    name: str
    answer: Any
    truth: Any = None
    verdict: str | None = None


@dataclass(frozen=True)
class Progress:
    """What was done in one lesson.

    Attributes:
        right: names of the exercises that were answered right, at any time.
        tried: names of all exercises that were checked with something else than the stub.
        hints: hints and solutions that were asked for.
        seconds: time at work: pauses of more than some minutes are not counted.
        section: where the learner was last, None before the first cell.
        moment: when that was, in seconds since 1970.
    """

    lesson: str
    right: frozenset[str] = frozenset()
    tried: frozenset[str] = frozenset()
    hints: int = 0
    predictions: tuple[Prediction, ...] = ()
    seconds: float = 0.0
    section: str | None = None
    moment: float = 0.0
    note: str = ""


def find_folder() -> Path | None:
    """Return the learner's desk; None where nothing is to be kept."""
    wanted = os.environ.get(VARIABLE, "")
    return None if wanted == OFF[VARIABLE] else Path(wanted).expanduser() if wanted else ROOT / "desk"


class Store:
    """The file of one learner. Any number of kernels may write to it; each entry is there wholly or not at all."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / FILE

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._is_damaged():
                self._set_aside()
            with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as connection, connection:
                connection.executescript(CREATE)
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreError(explain(error, self.path)) from error

    def _is_damaged(self) -> bool:
        if not self.path.exists():
            return False
        with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as connection:
            try:
                return connection.execute("pragma quick_check(1)").fetchone() != ("ok",)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                    raise
                return True

    def _set_aside(self) -> None:
        """Move a damaged file out of the way, so that a new one is begun."""
        names = (f"{self.path.stem}_damaged_{number}{self.path.suffix}" for number in range(1, 1000))
        kept = next(path for name in names if not (path := self.path.with_name(name)).exists())
        self.path.rename(kept)
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)  # a part of the damaged one
        print(f"{self.path.name} was damaged. It is now {kept.name}, and a new one is begun.", file=sys.stderr)

    def predict(self, lesson: str, name: str, answer: Any) -> None:
        """Keep a prediction; a later one takes its place until the truth is told, then the first stays."""
        with self._open() as connection:
            connection.execute(
                "insert into predictions (lesson, name, answer, moment) values (?, ?, ?, ?) on conflict do update "
                "set answer = excluded.answer, moment = excluded.moment where truth is null",
                (lesson, name, json.dumps(answer, ensure_ascii=False), time.time()),
            )

    def reveal(self, lesson: str, name: str, truth: Any, verdict: str) -> None:
        """Keep what came out beside a prediction; without one there is nothing to keep."""
        with self._open() as connection:
            connection.execute(
                "update predictions set truth = ?, verdict = ? where lesson = ? and name = ?",
                (json.dumps(truth, ensure_ascii=False), verdict, lesson, name),
            )

    def load_predictions(self, lesson: str) -> dict[str, Prediction]:
        """Return a lesson's predictions by name, in the order in which they were made."""
        with self._open() as connection:
            rows = connection.execute(
                "select name, answer, truth, verdict from predictions where lesson = ? order by rowid", (lesson,)
            ).fetchall()
        return {
            name: Prediction(lesson, name, json.loads(answer), None if truth is None else json.loads(truth), verdict)
            for name, answer, truth, verdict in rows
        }

    def answer(self, lesson: str, name: str, status: str) -> None:
        """Keep that an exercise was checked, and with which status."""
        with self._open() as connection:
            connection.execute("insert into answers values (?, ?, ?, ?)", (lesson, name, status, time.time()))

    def hint(self, lesson: str, name: str, number: int) -> None:
        """Keep that a hint was asked for; number 4 is the solution."""
        with self._open() as connection:
            connection.execute("insert into hints values (?, ?, ?, ?)", (lesson, name, number, time.time()))

    def work(self, lesson: str, seconds: float, section: str | None = None) -> None:
        """Add to the time at work in a lesson, and keep the section where the learner is."""
        with self._open() as connection:
            connection.execute(
                "insert into minutes values (?, ?, ?) on conflict do update set seconds = seconds + excluded.seconds",
                (lesson, time.strftime("%Y-%m-%d"), seconds),
            )
            if section is not None:
                connection.execute("insert or replace into places values (?, ?, ?)", (lesson, section, time.time()))

    def note(self, lesson: str, words: str) -> None:
        """Keep what a learner writes when looking back at a lesson; new words take the place of the old."""
        with self._open() as connection:
            connection.execute("insert or replace into notes values (?, ?, ?)", (lesson, words, time.time()))

    def load(self) -> dict[str, Progress]:
        """Return what was done, by lesson."""
        tables = ("predictions", "answers", "hints", "minutes", "places", "notes")
        with self._open() as connection:
            query = " union ".join(f"select lesson from {table}" for table in tables)
            lessons = sorted(name for (name,) in connection.execute(query))
            answers = connection.execute("select lesson, name, status from answers").fetchall()
            hints = dict(connection.execute("select lesson, count(*) from hints group by lesson").fetchall())
            seconds = dict(connection.execute("select lesson, sum(seconds) from minutes group by lesson").fetchall())
            places = {name: place for name, *place in connection.execute("select * from places")}
            notes = dict(connection.execute("select lesson, words from notes").fetchall())
        return {
            lesson: Progress(
                lesson,
                frozenset(name for where, name, status in answers if where == lesson and status == "right"),
                frozenset(name for where, name, status in answers if where == lesson and status != "not started"),
                hints.get(lesson, 0),
                tuple(self.load_predictions(lesson).values()),
                seconds.get(lesson, 0.0),
                places[lesson][0] if lesson in places else None,
                places[lesson][1] if lesson in places else 0.0,
                notes.get(lesson, ""),
            )
            for lesson in lessons
        }

    def list_files(self) -> list[Path]:
        """Return the file, and damaged ones that were moved aside."""
        return sorted(self.path.parent.glob(f"{self.path.stem}*{self.path.suffix}*"))

    def delete(self) -> None:
        """Delete the file, and damaged ones that were moved aside: all that was kept.

        Raises:
            StoreError: the folder cannot be written to.
        """
        try:
            for path in self.list_files():
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(explain(error, self.path)) from error


_told: set[str] = set()


def tell_once(error: StoreError) -> str:
    """Say, unless it was said before, that something could not be kept; return the sentence."""
    told = f"What you do is kept only until the kernel stops: {error}"
    if told not in _told:
        print(told, file=sys.stderr)
        _told.add(told)
    return told


def explain(error: Exception, path: Path) -> str:
    """Say in a sentence what a failure of SQLite or of the disk means, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what SQLite adds to it
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"others have been writing to {path.name} for {PATIENCE:.0f} seconds. Try again."
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full."
    return f"{path.parent} cannot be written to ({error}). {VARIABLE} can name another folder."
