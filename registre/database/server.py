"""The embedded PostgreSQL of one home, as the processes that use it see it.

Invariant: while an `EmbeddedServer` is started, its process holds the shared lock on `users.lock`, and the server runs
as long as somebody holds it. Every lock is the kernel's, so it goes with its process however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg

from registre.database.cluster import ROLE, Folders
from registre.database.keeper import FAST_STOP_SECONDS, START_SECONDS
from registre.errors import ConfigurationError, DatabaseUnavailable

CLOSE_SECONDS = 3.0
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class ServerAddress:
    """Where a running embedded server is; `keeper_pid` is its parent's."""

    host: str
    port: int
    password: str
    keeper_pid: int

    @property
    def dsn(self) -> str:
        """Holds the password: for the driver, never for a message or a command line."""
        return f"postgresql://{ROLE}:{self.password}@{self.host}:{self.port}/{ROLE}"

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.dsn, connect_timeout=5) as connection:
                connection.execute("select 1")
        except psycopg.Error:
            return False
        return True


def read_address(home: Path) -> ServerAddress | None:
    """What the running server's keeper wrote down, unproved; None when no server was left or it is another user's."""
    try:
        kept = json.loads(Folders(home).connection.read_text(encoding="utf-8"))
        return ServerAddress(kept["host"], int(kept["port"]), kept["password"], int(kept["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


class EmbeddedServer:
    """Makes sure the embedded PostgreSQL of `home` runs while this process holds it.

    A context manager; `start` and `close` may be called in any order and number, from one thread at a time.
    A child made by `os.fork` alone shares the hold. `binaries` names the folder of postgres and initdb.
    """

    def __init__(self, home: Path, *, binaries: Path | None = None) -> None:
        self.home = home.expanduser().resolve()
        self._folders = Folders(self.home)
        self._binaries = binaries
        self._hold: int | None = None
        self._keeper_pid: int | None = None
        self.address: ServerAddress | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> str:
        """The DSN of a server that has just answered, created and started if it must be.

        Called again it proves the server anew, and starts another if that one is gone: the port stays if it can.
        Raises ConfigurationError or DatabaseUnavailable, and then holds nothing.
        """
        try:
            self._make_folders()
            with self._starting_alone():
                until = time.monotonic() + START_SECONDS + FAST_STOP_SECONDS
                self._take_hold(until)
                self.address = self._find_or_start(until)
        except BaseException as error:
            self.close()
            if isinstance(error, PermissionError):
                raise ConfigurationError(
                    f"{error.filename or self._folders.root} belongs to another user: "
                    "run as that user or set REGISTRE_HOME."
                ) from None
            if isinstance(error, OSError):
                raise ConfigurationError(
                    f"The home {self.home} of the embedded PostgreSQL cannot be used: {error.strerror or error}."
                ) from None
            raise
        return self.address.dsn

    def close(self) -> None:
        """Let go. The last user also waits, for at most 3 s, until the server and its keeper are gone."""
        self.address = None
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None
            until = time.monotonic() + CLOSE_SECONDS
            while self._ending() and time.monotonic() < until:
                time.sleep(POLL_SECONDS)
        self._reap(time.monotonic() + 0.5 if not self._keeper_lives() else 0)

    # ---- holding

    def _make_folders(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self._folders.root, self._folders.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def _starting_alone(self) -> Iterator[None]:
        descriptor = os.open(self._folders.start_lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + START_SECONDS + FAST_STOP_SECONDS
            while not try_lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > until:
                    raise DatabaseUnavailable("Another command has been starting the embedded PostgreSQL for too long.")
                time.sleep(POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def _take_hold(self, until: float) -> None:
        """Share `users.lock`; a keeper that is stopping has it for itself, and we wait for its end."""
        if self._hold is None:
            self._hold = os.open(self._folders.users_lock, os.O_RDWR | os.O_CREAT, 0o600)
        while not try_lock(self._hold, fcntl.LOCK_SH):
            if time.monotonic() > until:
                raise DatabaseUnavailable("The embedded PostgreSQL is stopping and does not come to its end.")
            time.sleep(POLL_SECONDS)

    def _find_or_start(self, until: float) -> ServerAddress:
        while time.monotonic() < until:
            if not self._keeper_lives():
                self._start_keeper(until)
            address = read_address(self.home)
            if address is not None and address.answers():
                return address
            time.sleep(POLL_SECONDS)  # another's keeper is starting the server, or starting it again
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL of {self.home} does not answer (its log is in {self._folders.logs})."
        )

    # ---- the keeper

    def _keeper_lives(self) -> bool:
        return not lockable(self._folders.keeper_lock, fcntl.LOCK_SH)

    def _ending(self) -> bool:
        """Whether the keeper is about to end or ending: it lives, and no other process holds the server."""
        if not self._keeper_lives():
            return False
        # shared refused = the keeper has it for itself already; both granted = nobody holds it, and the keeper will
        return lockable(self._folders.users_lock, fcntl.LOCK_EX) or not lockable(
            self._folders.users_lock, fcntl.LOCK_SH
        )

    def _start_keeper(self, until: float) -> None:
        """Start a keeper and return when it says that the server is ready, or that another keeper is there after all.

        Its own sentence becomes the error.
        """
        self._reap(0)
        heard, said = os.pipe()
        try:
            command = [sys.executable, "-P", "-m", "registre.database.keeper", str(self.home)]
            if self._binaries is not None:
                command.append(str(self._binaries.expanduser().absolute()))
            paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
            # not subprocess: its object would complain when this process ends before the keeper, as it often does
            self._keeper_pid = os.posix_spawn(
                sys.executable,
                command,
                {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, said, 1),
                    (
                        os.POSIX_SPAWN_OPEN,
                        2,
                        str(self._folders.logs / "keeper.log"),
                        os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                        0o600,
                    ),
                ],
                setsigmask=[],
                setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE],
            )
            os.close(said)
            said = -1
            text = read_to_the_end(heard, until)
        finally:
            os.close(heard)
            if said >= 0:
                os.close(said)
        try:
            report = json.loads(text)
        except ValueError:
            raise DatabaseUnavailable(
                f"The embedded PostgreSQL could not be started (see keeper.log in {self._folders.logs})."
            ) from None
        if "error" in report:
            self._reap(time.monotonic() + 2)
            kind = ConfigurationError if report["error"] == "configuration" else DatabaseUnavailable
            raise kind(report["message"])

    def _reap(self, until: float) -> None:
        """Collect the keeper's exit if it was our child, so that it is no zombie of ours."""
        while self._keeper_pid is not None:
            try:
                ended, _ = os.waitpid(self._keeper_pid, os.WNOHANG)
            except ChildProcessError:
                ended = self._keeper_pid
            if ended:
                self._keeper_pid = None
            elif time.monotonic() > until:
                return
            else:
                time.sleep(POLL_SECONDS)


def try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lockable(path: Path, kind: int) -> bool:
    """Whether the lock would be granted now; it is not kept. A file that cannot be opened counts as free."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return True
    try:
        return try_lock(descriptor, kind)
    finally:
        os.close(descriptor)


def read_to_the_end(descriptor: int, until: float) -> str:
    pieces: list[bytes] = []
    while select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
        if not (piece := os.read(descriptor, 65536)):
            break
        pieces.append(piece)
    return b"".join(pieces).decode("utf-8", "replace")
