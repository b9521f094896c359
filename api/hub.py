"""One reader of the events for a whole process, and its listeners: each has a buffer of its own, and none slows another.

Invariant: a listener is told everything that became visible after it joined, in order, or is dropped; one that is dropped goes on
from the last event it was told. The hub's thread reads and hands out, and waits for nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock, Thread

import msgspec

from api.schemas import fact
from registre.errors import RegistreError
from registre.following import LOOK_EVERY_SECONDS, EventFollower
from registre.job import Event
from registre.ports import JobQueue, Views

log = logging.getLogger(__name__)

MOST_KEPT = 1000
"""Events that a listener may be behind."""
PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """One event, written once for all listeners. `number` is the event's own, the same under every cursor."""

    cursor: str
    number: str
    step_of: str | None
    """The job, when this event says no more than where its attempt stands."""
    text: bytes


def told(event: Event) -> Told:
    body = msgspec.json.encode(fact(event))
    text = b"id: " + event.cursor.encode() + b"\nevent: " + event.kind.encode() + b"\ndata: " + body + b"\n\n"
    step_of = event.job_id if event.kind == "job.step" else None
    return Told(event.cursor, event.cursor.rpartition("-")[2], step_of, text)


def coalesced(events: list[Told]) -> list[Told]:
    """Of several steps of one job the last, as nobody acts on the others; everything else as it is."""
    last = {event.step_of: place for place, event in enumerate(events) if event.step_of is not None}
    return [event for place, event in enumerate(events) if event.step_of is None or last[event.step_of] == place]


class Listener:
    """One reader's buffer. `offer` comes from the hub's thread, all else from the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._loop = loop
        self._most = most
        self._lock = Lock()
        self._kept: list[Told] = []
        self._ended = False
        self._woken = asyncio.Event()

    def offer(self, events: list[Told]) -> bool:
        """False when the buffer is full: what it holds is let go, and the listener is told nothing more."""
        with self._lock:
            if len(self._kept) + len(events) > self._most:
                self._kept = coalesced([*self._kept, *events])
            else:
                self._kept += events
            if len(self._kept) > self._most:
                self._kept, self._ended = [], True
            has_room = not self._ended
        self._wake()
        return has_room

    def end(self) -> None:
        with self._lock:
            self._ended = True
        self._wake()

    async def take(self, seconds: float) -> list[Told] | None:
        """What came, waiting at most `seconds` for it; None once it has ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return []
        self._woken.clear()
        with self._lock:
            taken, self._kept = self._kept, []
            if self._ended:
                if not taken:
                    return None
                self._woken.set()  # the end is told next
        return coalesced(taken)

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)


class Hub:
    """Reads from the first listener on. Any thread may call."""

    def __init__(self, views: Views, bell: JobQueue | None, *, most_kept: int = MOST_KEPT) -> None:
        self._views = views
        self._bell = bell
        self._most_kept = most_kept
        self._lock = Lock()
        self._listeners: set[Listener] = set()
        self._follower: EventFollower | None = None
        self._cursor = ""
        self._closing = Flag()
        self._threads: list[Thread] = []

    def join(self, loop: asyncio.AbstractEventLoop) -> tuple[Listener, str]:
        """A new listener, and the cursor of the last event it will not be told. DatabaseUnavailable passes."""
        with self._lock:
            if self._follower is None:
                self._cursor = self._views.events_end()
                self._follower = EventFollower(self._views, self._cursor, bell=self._bell)
                self._start("events", self._run)
            listener = Listener(loop, self._most_kept)
            if self._closing.is_set():
                listener.end()
            self._listeners.add(listener)
            return listener, self._cursor

    def leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        with self._lock:
            return len(self._listeners)

    def close(self) -> None:
        """End every listener and the reading; returns at once."""
        self._closing.set()
        with self._lock:
            for listener in self._listeners:
                listener.end()
            if self._follower is not None:
                self._start("events-stop", self._follower.stop)

    def wait(self) -> None:
        """Until the reading has ended, after `close`."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _start(self, name: str, run: Callable[[], None]) -> None:
        thread = Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self) -> None:
        assert self._follower is not None
        while not self._closing.is_set():
            try:
                events = self._follower.next(PATIENCE_SECONDS)
            except RegistreError as error:
                log.warning("events cannot be read: %s", error)
                self._closing.wait(LOOK_EVERY_SECONDS)
                continue
            if events:
                self._hand_out([told(event) for event in events], self._follower.cursor)

    def _hand_out(self, events: list[Told], cursor: str) -> None:
        with self._lock:
            self._cursor = cursor
            full = {listener for listener in self._listeners if not listener.offer(events)}
            self._listeners -= full
