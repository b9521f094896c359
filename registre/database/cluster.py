"""The folders and the data of the embedded PostgreSQL of one home: made, mended and protected before it is served.

Invariant: `postgres/data` is a complete cluster or absent, and only the account that PostgreSQL runs as can read it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from registre.database.binaries import Binaries, choose_binaries, reachable
from registre.database.children import Account, choose_account, run
from registre.errors import ConfigurationError, DatabaseUnavailable, RegistreError

ROLE = "registre"
STALE_SECONDS = 8.0  # some machines reap a killed process only after 1-2 s, and its files count as held until then


@dataclass(frozen=True)
class Folders:
    """Where the embedded server of one home keeps its files."""

    home: Path

    @property
    def root(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def connection(self) -> Path:
        return self.root / "connection.json"

    @property
    def port(self) -> Path:
        return self.root / "port"

    @property
    def password(self) -> Path:
        return self.root / "password"

    @property
    def users_lock(self) -> Path:
        return self.root / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.root / "keeper.lock"


@dataclass(frozen=True)
class Cluster:
    """The data of one home, the programs that serve it and the account they run as, None for our own.

    Its methods are for the process that holds `keeper.lock`, while it runs no server on the data.
    """

    folders: Folders
    binaries: Binaries
    account: Account | None

    def create(self, password: str) -> None:
        """initdb and the database in a folder of another name, renamed when complete: a crash leaves no half of it."""
        fresh = self.folders.root / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        lines: list[str] = []
        for locale in ("C.UTF-8", "C"):
            fresh.mkdir(mode=0o700)
            handed = fresh.with_name("password.new")
            write_private(handed, password)
            if self.account is not None:
                os.chown(fresh, self.account.uid, self.account.gid)
                os.chown(handed, self.account.uid, self.account.gid)
            command: list[str | Path] = [
                self.binaries.folder / "initdb",
                *("-D", fresh, "-U", ROLE, "-E", "UTF8", f"--locale={locale}"),
                *("--auth=scram-sha-256", f"--pwfile={handed}", "--data-checksums"),
            ]
            code, lines = run(command, self.account, fresh)
            handed.unlink()
            if code == 0:
                break
            shutil.rmtree(fresh)
        else:
            raise self.refused("could not be created", lines)
        self._execute(fresh, f"CREATE DATABASE {ROLE};", otherwise="could not be created")
        fresh.rename(self.folders.data)
        descriptor = os.open(self.folders.root, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def change_password(self, password: str) -> None:
        self.end_leftovers()
        command = f"ALTER ROLE {ROLE} PASSWORD '{password}';"
        self._execute(self.folders.data, command, otherwise="could not be given a new password")

    def end_leftovers(self) -> None:
        """End every postgres that still works in the data without a keeper, and remove the lock file it left.

        The lock file alone proves nothing: after a restart of the machine or container its number may be another
        program's, and PostgreSQL would then refuse to start for ever.
        """
        lock_file = self.folders.data / "postmaster.pid"
        if not lock_file.exists():
            return
        began = time.monotonic()
        while alive := list(processes_in(self.folders.data)):
            hard = time.monotonic() > began + STALE_SECONDS
            for process in alive:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGKILL if hard else signal.SIGQUIT)
            psutil.wait_procs(alive, timeout=0.5)
            if time.monotonic() > began + 2 * STALE_SECONDS:
                raise DatabaseUnavailable(f"An earlier PostgreSQL still holds {self.folders.data} and does not end.")
        lock_file.unlink(missing_ok=True)

    def refused(self, what: str, lines: Sequence[str]) -> RegistreError:
        """The error that says what the embedded PostgreSQL could not do, by the lines that it left."""
        if any("No space left on device" in line for line in lines):
            return ConfigurationError(f"The disk of {self.folders.root} is full, so the embedded PostgreSQL {what}.")
        return DatabaseUnavailable(
            f"The embedded PostgreSQL {what}: {reason(lines)} (its log is in {self.folders.logs})."
        )

    def _execute(self, data: Path, command: str, *, otherwise: str) -> None:
        """One SQL command in single-user mode, which ends with 0 even when the command failed."""
        program: list[str | Path] = [self.binaries.folder / "postgres", "--single", "-D", data, "postgres"]
        code, lines = run(program, self.account, data, command.encode() + b"\n")
        if code or any(re.search(r"\b(?:ERROR|FATAL|PANIC):", line) for line in lines):
            raise self.refused(otherwise, lines)


def ready_cluster(folders: Folders, setting: Path | None) -> tuple[Cluster, str]:
    """The home's cluster, created if it must be, and the password of its role.

    For the process that holds `keeper.lock`. `setting` names the folder of PostgreSQL's programs.
    Raises ConfigurationError or DatabaseUnavailable, and OSError for a home that cannot be written.
    """
    account = choose_account(folders.data)
    if account is not None:
        open_the_way(folders, account)
    major = mend_data(folders.data, account)
    binaries = reachable(choose_binaries(setting, os.environ, major), folders.root, account)
    cluster = Cluster(folders, binaries, account)
    kept = read_password(folders.password)
    password = kept or secrets.token_hex(24)
    if major is None:
        cluster.create(password)
    elif kept is None:
        cluster.change_password(password)
    if kept is None:
        write_private(folders.password, password + "\n")  # last: what is written is the role's, wherever we are killed
    return cluster, password


def open_the_way(folders: Folders, account: Account) -> None:
    """Let the account through our own folders; those above the home are not ours to change."""
    for folder in (folders.home, folders.root):
        if not account.may_enter(folder):
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
    if closed := account.first_closed(folders.root):
        raise ConfigurationError(
            f"The embedded PostgreSQL runs as the user {account.name}, who may not enter {closed}: "
            "set REGISTRE_HOME to a folder outside it, for example /var/lib/registre."
        )


def mend_data(data: Path, account: Account | None) -> int | None:
    """The major version of the data, or None when there is none yet; data that root copied gets its owner back."""
    if not data.exists():
        return None
    owner = data.stat().st_uid
    if account is None and owner != os.geteuid():
        raise ConfigurationError(f"{data} belongs to another user: run as that user or set REGISTRE_HOME.")
    if account is not None and owner == 0:
        for each in [data, *data.rglob("*")]:
            os.chown(each, account.uid, account.gid, follow_symlinks=False)
    data.chmod(0o700)
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        raise ConfigurationError(f"{data} is not a folder of PostgreSQL data: move it away.") from None


def read_password(path: Path) -> str | None:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip() or None
    return None


def write_private(path: Path, text: str) -> None:
    """Replace a 0600 file in one step, so that no reader sees half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def processes_in(data: Path) -> Iterator[psutil.Process]:
    """PostgreSQL's processes work in their data folder; a zombie has no folder any more and is not counted."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(data) and "postgres" in process.name():
                yield process


def reason(lines: Sequence[str]) -> str:
    """What PostgreSQL itself said went wrong, from its last lines."""
    for line in reversed(lines):
        if found := re.search(r"(?:FATAL|PANIC|ERROR|error):\s+(.*)", line):
            return found[1].strip().rstrip(".")
    return lines[-1].strip().rstrip(".") if lines else "it said nothing"
