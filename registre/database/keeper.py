"""The keeper: the small process that is the parent of one embedded PostgreSQL, from its start to its end.

Invariant: PostgreSQL runs only as the keeper's own child, and the keeper only while some process holds `users.lock`.
The keeper waits for the exclusive lock on that file, so the last user's end, even by kill -9, stops the server;
the kernel's parent-death signal stops the server when it is the keeper that is killed. It imports little: psutil.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from registre.database.children import spawn
from registre.database.cluster import STALE_SECONDS, Cluster, Folders, ready_cluster, write_private
from registre.errors import ConfigurationError, DatabaseUnavailable, RegistreError

START_SECONDS = 120.0  # a recovery after a crash replays the journal first
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


class Keeper:
    """Runs one postgres and ends it.

    Owns: the child, its log, the connection file while the server answers; `main` holds `keeper.lock` around it.
    """

    def __init__(self, cluster: Cluster, password: str) -> None:
        self.cluster, self.folders, self.password = cluster, cluster.folders, password
        self.end_wanted = False
        self.last_lines: deque[str] = deque(maxlen=60)
        self.port: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._selector = selectors.DefaultSelector()
        self._partial = b""
        self._log = RotatingFileHandler(
            self.folders.logs / "postgres.log", maxBytes=4_000_000, backupCount=2, encoding="utf-8"
        )
        wake_read, self._wake_write = os.pipe()
        for descriptor in (wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        self._selector.register(wake_read, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.want_end())

    def want_end(self) -> None:
        """From a signal or a thread: `start` gives up and `keep` returns, soon."""
        self.end_wanted = True
        with contextlib.suppress(BlockingIOError):  # full: it is awake already
            os.write(self._wake_write, b"e")

    def wait_for_the_last_user(self, descriptor: int) -> None:
        """In a thread: the exclusive lock comes when nobody uses the server; it is then held until we have ended."""
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self.want_end()

    def start(self, preferred_port: int | None) -> None:
        """Start postgres and return when it accepts connections; DatabaseUnavailable or ConfigurationError if not."""
        give_up_at = time.monotonic() + STALE_SECONDS
        while True:
            self.cluster.end_leftovers()
            self.port = free_port(preferred_port)
            self.last_lines.clear()
            self._launch(self.port)
            if self._became_ready():
                return
            said = "\n".join(self.last_lines)
            if "could not bind" in said or "could not create any TCP/IP sockets" in said:
                preferred_port = None
            elif not ("still in use" in said or "already exists" in said):
                raise self.cluster.refused("could not start", list(self.last_lines))
            if self.end_wanted or time.monotonic() > give_up_at:
                raise self.cluster.refused("could not start", list(self.last_lines))
            self._pump(0.2)

    def publish(self) -> None:
        """Tell later commands where the server is."""
        address = {"host": "127.0.0.1", "port": self.port, "password": self.password, "pid": os.getpid()}
        write_private(self.folders.connection, json.dumps(address))

    def keep(self) -> None:
        """Return when nobody uses the server any more or we were asked to stop; start it again if it dies before."""
        restarts: deque[float] = deque(maxlen=RESTARTS_PER_MINUTE)
        while not self.end_wanted:
            if self._child is None or self._child.poll() is None:
                self._pump(None)
                continue
            self.write_log("the server ended by itself: starting it again")
            if len(restarts) == RESTARTS_PER_MINUTE and time.monotonic() - restarts[0] < 60:
                raise self.cluster.refused("ends again and again", list(self.last_lines))
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
            [self.cluster.binaries.folder / "postgres", "-D", self.folders.data, *settings],
            self.cluster.account,
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
            if self.end_wanted:
                raise DatabaseUnavailable("The embedded PostgreSQL was told to stop while it was starting.")
            if self._says_ready(self._child.pid):
                return True
            if time.monotonic() > until:
                raise self.cluster.refused(f"was not ready after {START_SECONDS:.0f} s", list(self.last_lines))
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
        return int(folders.port.read_text(encoding="ascii"))
    return None


def bring_up(folders: Folders, setting: Path | None) -> Keeper:
    keeper = Keeper(*ready_cluster(folders, setting))
    try:
        keeper.start(previous_port(folders))
        write_private(folders.port, f"{keeper.port}\n")
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


def sentence(error: RegistreError | OSError) -> str:
    return error.message if isinstance(error, RegistreError) else f"The embedded PostgreSQL could not start: {error}."


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
    except (RegistreError, OSError) as error:
        configured = isinstance(error, ConfigurationError | PermissionError)
        answer({"error": "configuration" if configured else "unavailable", "message": sentence(error)})
        return 78 if configured else 75
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
