"""The tasks of one host in a program of their own: what its worker has put into the spool is delivered, notices are sent.

Invariant: the spool and the database say what is to be done; it is looked for at start, at each wake-up and every few seconds, so
that nothing waits for a broker that is away.
"""

from __future__ import annotations

import logging
from threading import Event, Thread

from actors.broker import open_broker
from actors.tasks import Tasks
from actors.wake_ups import Listener
from registre.settings import Settings
from registre.wiring import Store, make_deliverer, make_notifier, make_spool

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 5.0


class HostTasks:
    """Owns the tasks, their ear at the broker if there is one, and the thread that looks. `start`, then `drain`, once each."""

    def __init__(self, settings: Settings, store: Store) -> None:
        spool = make_spool(settings)
        spool.prepare()
        self._tasks = Tasks(make_deliverer(store, spool), make_notifier(settings, store))
        self._rung = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name="look", daemon=True)
        self._drain_seconds = settings.drain_seconds
        self._listener: Listener | None = None
        if settings.broker_url is not None:
            address = settings.broker_url.get_secret_value()
            self._listener = Listener(open_broker(address), address, settings.host_name(), self._rung.set)

    def start(self) -> None:
        self._tasks.start()
        if self._listener is not None:
            self._listener.start()
        self._thread.start()

    def drain(self) -> bool:
        """Try once more what the spool holds, and end. True when nothing is left; what is left is safe, and sent at the next
        start."""
        self._stopping = True
        self._rung.set()
        self._thread.join()
        self._tasks.relay()
        clean = self._tasks.finish(self._drain_seconds)
        if self._listener is not None:
            self._listener.stop()
        self._tasks.stop()
        return clean

    def _run(self) -> None:
        while not self._stopping:
            self._rung.wait(LOOK_EVERY_SECONDS)
            self._rung.clear()
            try:
                self._tasks.relay()
            except Exception:  # nobody stands above this thread to start it again
                log.exception("the spool could not be looked at")
