"""Keeps the model current: follows the stream, asks for the overview when something happened, and comes back when it was cut.

Invariant: the overview is asked for at most once in `LOOK_SECONDS`, whatever comes; after a cut the stream goes on from the last
cursor, so that nothing is missed and nothing shown twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from registre.errors import InvalidInput, RegistreError, Unavailable
from registre.retry import backoff
from tui import wire
from tui.client import Client
from tui.model import Model

LOOK_SECONDS = 1.0
QUIET_SECONDS = 5.0
"""How often it is looked at when nothing happens: what nobody tells by an event, such as a gate that opens by the clock."""
PULSE_SECONDS = 10.0
RETRY_BASE = timedelta(seconds=1)
RETRY_CAP = timedelta(seconds=15)
PAST_EVENTS = 300
BREATH = 50
"""Events after which others have their turn: a flood that lies ready would else be taken in at one go, before any key."""
RUNNING = 200
FAILED = 50


class Feed:
    """`follow` and `look` run side by side for as long as the dashboard is open."""

    def __init__(self, client: Client, model: Model, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._client = client
        self._model = model
        self._now = now
        self._happened = asyncio.Event()
        self._again = asyncio.Event()

    def hurry(self) -> None:
        """A person asks for it now."""
        self._happened.set()
        self._again.set()

    async def follow(self) -> None:
        """The stream, for ever."""
        failures = 0
        while True:
            try:
                if self._model.cursor is None:
                    await self._past()
                begun = asyncio.get_running_loop().time()
                async for cursor, fact in self._client.events(self._model.cursor):
                    failures = 0
                    self._model.told(cursor, fact)
                    self._model.connected()
                    self._happened.set()
                    if self._model.heard % BREATH == 0:
                        await asyncio.sleep(0)
                if asyncio.get_running_loop().time() - begun < LOOK_SECONDS:
                    raise Unavailable(f"The API at {self._client.origin} ends the stream at once.")
            except RegistreError as error:
                if isinstance(error, InvalidInput):
                    self._model.cursor = None  # another database answers under this address
                failures += 1
                await self._wait(failures, error)

    async def look(self) -> None:
        """The overview, when something happened and in between."""
        pulse_at = -PULSE_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            self._happened.clear()
            begun = loop.time()
            # A cut is told by the stream, which also knows when it tries again.
            with suppress(RegistreError):
                await self._overview()
                if begun - pulse_at >= PULSE_SECONDS:
                    self._model.pulse = await self._client.get("/api/pulse", wire.Pulse, span="hour")
                    self._model.hours = await self._client.get("/api/hours", wire.Hours)
                    self._model.hosts = (await self._client.get("/api/hosts", wire.Hosts)).hosts
                    self._model.failing = (await self._client.get("/api/undelivered", wire.Undelivered)).failing
                    self._model.alerts = (await self._client.get("/api/alerts", wire.Alerts)).alerts
                    self._model.version += 1
                    pulse_at = begun
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_SECONDS):
                    await self._happened.wait()
            # Bounds how often it is asked; what happens meanwhile is in the next answer.
            while (left := begun + LOOK_SECONDS - loop.time()) > 0:
                await asyncio.sleep(left)

    async def _overview(self) -> None:
        overview = await self._client.get("/api/overview", wire.Overview)
        running = await self._client.get("/api/extractions", wire.ExtractionPage, status="processing", limit=RUNNING)
        failed = await self._client.get("/api/extractions", wire.ExtractionPage, status="failed", limit=FAILED)
        self._model.seen(overview, running.jobs, failed.jobs)

    async def _past(self) -> None:
        """What happened before, for those who look at events; and the cursor from which the stream goes on."""
        found = await self._client.get("/api/history", wire.History, limit=PAST_EVENTS)
        self._model.events.clear()
        self._model.events.extend(found.events)
        self._model.cursor = found.events[-1].id if found.events else ""
        self._model.version += 1

    async def _wait(self, failures: int, error: RegistreError) -> None:
        pause = backoff(failures, base=RETRY_BASE, cap=RETRY_CAP)
        self._model.lost(error.message, self._now() + pause)
        self._again.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._again.wait()
