"""The flight recorder: how a host's fleet stood, moment by moment, in a small file that begins anew when it is full.

Invariant: two files at most, each bounded; a line that was cut by a crash is skipped by whoever reads. No secret is among what is
recorded, since nothing is recorded but what is named here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from registre.errors import ConfigurationError

log = logging.getLogger(__name__)

MOST_BYTES = 16_000_000
"""Of one file. Twenty sessions at work take some 4 250 bytes every two seconds, 7.7 MB an hour, so that two files are the last
two to four hours of it; twenty that idle 0.23 MB an hour, the last days."""
QUIET = timedelta(seconds=30)
"""How often it is said again that nothing changed."""
NOW, BEFORE = "flight.jsonl", "flight.1.jsonl"


class BrowserMoment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One session. `state` is its browser's word, or 'silent'; `began` is when it was first seen with this order."""

    username: str
    state: str
    order: str | None = None
    source: str = ""
    number: str = ""
    step: str | None = None
    began: datetime | None = None
    idle_since: datetime | None = None
    jobs_done: int = 0


class Moment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One host. The counts are of the whole queue; all of them None while the database was away."""

    at: datetime
    host: str
    version: str
    browsers: tuple[BrowserMoment, ...] = ()
    waiting: int | None = None
    active: int | None = None
    completed: int | None = None
    failed: int | None = None
    waiting_because: str | None = None

    def says_the_same_as(self, other: Moment) -> bool:
        return msgspec.structs.replace(self, at=other.at) == other


class FlightRecorder:
    """Writes. Used by one thread; a disk that refuses costs the record and nothing else."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._last: Moment | None = None
        self._complained = False

    def write(self, moment: Moment) -> bool:
        """False for one that says nothing new, and when the disk refused."""
        last = self._last
        if last is not None and moment.says_the_same_as(last) and moment.at - last.at < QUIET:
            return False
        line = msgspec.json.encode(moment) + b"\n"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._folder / NOW
            if file.exists() and file.stat().st_size + len(line) > self._most_bytes:
                file.replace(self._folder / BEFORE)
            with file.open("ab", buffering=0) as out:
                out.write(line)
        except OSError as error:
            if not self._complained:
                log.warning("the flight recorder cannot write in %s: %s", self._folder, error.strerror)
            self._complained = True
            return False
        self._last, self._complained = moment, False
        return True


def read(folder: Path) -> list[Moment]:
    """Everything that is recorded, oldest first. ConfigurationError when nothing is, or it cannot be read."""
    found = list(_lines(folder))
    if not found:
        raise ConfigurationError(f"Nothing is recorded in {folder}; a worker of this home writes it while it runs.")
    return sorted(found, key=lambda moment: moment.at)


def _lines(folder: Path) -> Iterator[Moment]:
    for name in (BEFORE, NOW):
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigurationError(f"{folder / name} cannot be read: {error.strerror}.") from None
        for line in content.splitlines():
            with suppress(msgspec.DecodeError, msgspec.ValidationError):
                yield msgspec.json.decode(line, type=Moment)
