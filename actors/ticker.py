"""One thread for every tick and delay of the process; actors have no timers of their own.

Invariant: a message to a dead actor is dropped, and its period with it; an actor that is behind gets no further ticks
until it has caught up, or a drain would wait behind all of them.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import time
from threading import Condition, Thread

import pykka

from actors.messages import Ref

log = logging.getLogger(__name__)

BEHIND_SECONDS = 0.5
"""How soon an actor that was behind is looked at again."""


class Ticker:
    """Tells messages to actors later, or again and again. Any thread may ask."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, float | None, Ref, object]] = []
        self._serial = itertools.count()
        self._changed = Condition()
        self._stopped = False
        self._thread = Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def every(self, seconds: float, ref: Ref, message: object) -> None:
        """Tell `message` now and then every `seconds`, for as long as the actor lives."""
        self._add(0, seconds, ref, message)

    def after(self, seconds: float, ref: Ref, message: object) -> None:
        """Tell `message` once, `seconds` from now."""
        self._add(seconds, None, ref, message)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _add(self, delay: float, period: float | None, ref: Ref, message: object) -> None:
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + delay, next(self._serial), period, ref, message))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                now = time.monotonic()
                if not self._heap or self._heap[0][0] > now:
                    self._changed.wait(self._heap[0][0] - now if self._heap else None)
                    continue
                _, _, period, ref, message = heapq.heappop(self._heap)
                if period is not None and ref.is_alive() and not ref.actor_inbox.empty():
                    again = now + min(period / 10, BEHIND_SECONDS)
                    heapq.heappush(self._heap, (again, next(self._serial), period, ref, message))
                    continue
                if period is not None and ref.is_alive():
                    # From now, not from when it was due: after a stall the ticks do not come in a burst.
                    heapq.heappush(self._heap, (now + period, next(self._serial), period, ref, message))
            try:
                ref.tell(message)
            except pykka.ActorDeadError:
                log.debug("a tick found its actor gone: %r", message)
