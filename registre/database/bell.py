"""Hearing the database's notices on a connection of its own, and finding out where none can be heard.

Invariant: a pooler that takes LISTEN and gives nothing back, silently, is found out within seconds; who listens then looks by
himself, as he does behind every bell.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

PROBE_SECONDS = 2.0
PROBE_AGAIN_SECONDS = 600.0


def ring_once(channels: tuple[str, ...], ring: Callable[[str, str], None]) -> Callable[[], None]:
    """For who cannot be told of anything: that he may look, from a thread of its own; returns what ends it."""

    def tell() -> None:
        for channel in channels:
            ring(channel, "")

    Thread(target=tell, name="listen", daemon=True).start()
    return lambda: None


def hears(connection: psycopg.Connection[Any], dsn: str, options: dict[str, Any]) -> bool:
    """Whether a notice of another connection comes to this one. Its own would come through a transaction pooler too."""
    word = secrets.token_hex(8)
    connection.execute("listen registre_probe")
    with psycopg.connect(dsn, **options) as other:
        other.execute("select pg_notify('registre_probe', %s)", [word])
    deadline = time.monotonic() + PROBE_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        # To its end: while it is read, nothing else can be asked of the connection.
        if word in [notice.payload for notice in connection.notifies(timeout=left, stop_after=1)]:
            connection.execute("unlisten registre_probe")
            return True
    return False


class Ear(Thread):
    """One listening connection; comes back by itself after the database was away."""

    def __init__(
        self, dsn: str, options: dict[str, Any], channels: tuple[str, ...], ring: Callable[[str, str], None]
    ) -> None:
        super().__init__(name="listen", daemon=True)
        self._dsn, self._options, self._channels, self._ring = dsn, options, channels, ring
        self._stopping = Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except psycopg.Error as error:
                log.warning("listening was interrupted: %s", first_line(error))
                self._stopping.wait(1.0)

    def _follow(self) -> None:
        with psycopg.connect(self._dsn, **self._options) as connection:
            is_heard = hears(connection, self._dsn, self._options)
            if is_heard:
                for channel in self._channels:
                    connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            for channel in self._channels:
                self._ring(channel, "")
            while is_heard and not self._stopping.is_set():
                # Short turns, so that stop() is honoured; notices themselves arrive at once.
                for notice in connection.notifies(timeout=0.5):
                    self._ring(notice.channel, notice.payload)
        if not is_heard and not self._stopping.is_set():
            log.warning(
                "no notice comes through at this DATABASE_URL, a transaction pooler's perhaps; looking each second"
            )
            self._stopping.wait(PROBE_AGAIN_SECONDS)

    def stop(self) -> None:
        self._stopping.set()
        self.join(timeout=3)


def first_line(error: Exception) -> str:
    """The driver's first line; it names host and port, never the password."""
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
