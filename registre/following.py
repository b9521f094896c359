"""Following what happens: by cursor, woken by the database's bell where there is one, else by looking again.

Invariant: the cursor is the only memory. The bell may be late, missing or rung in vain, and nothing is skipped or told twice.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag

from registre.job import Event
from registre.ports import JobQueue, Views

LOOK_EVERY_SECONDS = 1.0
"""How soon an event is seen when the bell does not ring: it rings at most ten times a second, and not for every one."""
PAGE = 500


class EventFollower:
    """Gives events one page after the other. One thread reads; any may `stop`."""

    def __init__(
        self, views: Views, cursor: str, *, bell: JobQueue | None = None, look_every: float = LOOK_EVERY_SECONDS
    ):
        """Start behind `cursor` ('' is the beginning). Without a `bell` it looks again every `look_every` seconds."""
        self._views = views
        self.cursor = cursor
        self._look_every = look_every
        self._woken = Flag()
        self._stopped = False
        self._unlisten: Callable[[], None] = (
            bell.listen(lambda *_: self._woken.set()) if bell is not None else lambda: None
        )

    def next(self, timeout: float | None = None) -> list[Event]:
        """The next events, waiting for them at most `timeout` seconds; empty when none came or after `stop`.

        DatabaseUnavailable passes: call again, the cursor has not moved.
        """
        left = timeout
        while not self._stopped:
            self._woken.clear()
            if events := self._views.events_after(self.cursor, PAGE):
                self.cursor = events[-1].cursor
                return events
            pause = self._look_every if left is None else min(self._look_every, left)
            if pause <= 0:
                break
            self._woken.wait(pause)
            left = None if left is None else left - pause
        return []

    def stop(self) -> None:
        self._stopped = True
        self._woken.set()
        self._unlisten()
