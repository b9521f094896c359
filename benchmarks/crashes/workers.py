"""Worker processes, forked from a server that has everything imported: a start costs no second of imports.

Invariant: a worker is signalled by its own pid only, and none is left when `end` returns.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from registre.site.processes import is_alive, is_driver
from tests.faults import worker

_PRELOADED = (
    "tests.faults.worker",
    *(
        "registre.delivery",
        "registre.site.registry",
        "registre.site.chromium",
    ),  # what a worker imports where it is used
    *(
        "benchmarks.crashes.report",
        "benchmarks.queue.systems",
        "pytest",
    ),  # of the main modules, imported again by each child
)
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(_PRELOADED))


class Worker:
    """`tests.faults.worker` at work for one home, until its point or until `finish`."""

    def __init__(self, point: str, where: str, settings: Mapping[str, str], log: Path) -> None:
        """`settings` is the whole environment of the process; what it says goes to `log`."""
        theirs, self._until = _context.Pipe(duplex=False)
        self._process = _context.Process(
            target=_live, args=(point, where, dict(settings), str(log), theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self.log = log

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        """None while it lives; -9 when it was killed."""
        return self._process.exitcode

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._process.join()

    def kill_one(self, what: str) -> bool:
        """kill -9 of its Chromium, one of its renderers or its driver; False when there is none now."""
        for process in self.below():
            if _is_a(process, what):
                with suppress(psutil.Error):
                    process.kill()
                    return True
        return False

    def below(self) -> list[psutil.Process]:
        """What it started and is still below it."""
        with suppress(psutil.Error):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    def finish(self, seconds: float) -> int | None:
        """Let it drain; its exit code, None when it did not end in time."""
        self._until.close()
        self._process.join(seconds)
        return self._process.exitcode

    def end(self) -> None:
        if self.code is None:
            self.kill()
        self._until.close()
        self._process.close()


def _is_a(process: psutil.Process, what: str) -> bool:
    if not is_alive(process):
        return False
    if what == "driver":
        return is_driver(process)
    with suppress(psutil.Error):
        command = " ".join(process.cmdline())
        if what == "renderer":
            return "--type=renderer" in command
        return "--headless" in command and "--type=" not in command
    return False


def _live(point: str, where: str, settings: dict[str, str], log: str, until: Connection) -> None:
    """In the forked process: become the worker."""
    os.environ.clear()
    os.environ.update(settings)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)

    def wait() -> None:
        with suppress(EOFError):
            until.recv_bytes()

    worker.main(point, where, wait)
