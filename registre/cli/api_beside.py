"""The API that `registre up` keeps beside its worker, in a process of its own: neither slows the other.

Invariant: one that ends is started again, later each time, unless its configuration must be mended; it ends with us, even if we
are killed: its stdin closes. What the worker does never depends on it.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from registre.retry import backoff

log = logging.getLogger(__name__)

CONFIGURATION = 78
STOP_SECONDS = 10.0
HEALTHY_SECONDS = 60.0
"""One that lived so long starts again as soon as the first time."""
AGAIN = timedelta(seconds=1)
AGAIN_AT_MOST = timedelta(minutes=2)
COMMAND = (sys.executable, "-m", "registre.cli", "api", "--stop-with-stdin")


class ApiBeside:
    """A context: the API is up from when it is entered, as far as it can be, until it is left."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._child: subprocess.Popen[str] | None = None
        self._stopping = Event()
        self._address = ""
        self._is_known = Event()
        self._thread = Thread(target=self._run, name="api-beside", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def address(self) -> str:
        """Where the API listens, as soon as it does; '' when it never will."""
        self._is_known.wait()
        return self._address

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._stopping.set()
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.close()
        self._thread.join(STOP_SECONDS)
        with self._lock:
            if self._child is not None:
                self._child.kill()
        self._thread.join(STOP_SECONDS)

    @property
    def pid(self) -> int | None:
        """None while none runs."""
        with self._lock:
            return None if self._child is None else self._child.pid

    @property
    def is_given_up(self) -> bool:
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._keep_up()
        finally:
            self._is_known.set()

    def _keep_up(self) -> None:
        ends = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                code = self._until_it_ends()
            except OSError as error:
                log.warning("the API cannot be started: %s", error.strerror)
                code = None
            if self._stopping.is_set():
                return
            if code == CONFIGURATION:
                log.error(
                    "The API is not started again: its configuration must be mended, as it said; the worker goes on."
                )
                return
            ends = 1 if time.monotonic() - began >= HEALTHY_SECONDS else ends + 1
            pause = backoff(ends, base=AGAIN, cap=AGAIN_AT_MOST).total_seconds()
            log.warning("the API has ended%s; it is started again in %.0f s", _how(code), pause)
            self._stopping.wait(pause)

    def _until_it_ends(self) -> int | None:
        """Its exit code; None when we are stopping. In a session of its own, so that a terminal's Ctrl-C leaves it up while the
        worker finishes what it is buying."""
        with self._lock:
            if self._stopping.is_set():
                return None
            child = subprocess.Popen(
                COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            self._child = child
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            if address := child.stdout.readline().strip():  # all it ever writes there
                self._address = address
                self._is_known.set()
            return child.wait()
        finally:
            child.stdout.close()
            with self._lock, suppress(OSError):
                self._child = None
                child.stdin.close()


def _how(code: int | None) -> str:
    if code is None:
        return ""
    if code < 0:
        with suppress(ValueError):
            return f", killed by {signal.Signals(-code).name}"
    return f" with exit code {code}"
