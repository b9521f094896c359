"""Delivery by dramatiq: spool to bucket to closed row.

Invariant: the broker is a wake-up, never the truth. What the spool still holds is sent again at start and on each relay.
"""

from __future__ import annotations

import logging
from threading import Condition

import dramatiq
from dramatiq.brokers.stub import StubBroker

from registre.delivery import Deliverer
from registre.errors import RegistreError
from registre.ledger import PurchaseId

log = logging.getLogger(__name__)

TIME_LIMIT_MS = 120_000
FIRST_RETRY_MS = 500
LAST_RETRY_MS = 30_000


class Tasks:
    """The tasks of this process and the threads that run them, on an in-process broker. Any thread may call."""

    def __init__(self, deliverer: Deliverer, *, threads: int = 2) -> None:
        self._deliverer = deliverer
        self._broker = StubBroker()
        self._worker = dramatiq.Worker(self._broker, worker_threads=threads, worker_timeout=100)
        self._sent: set[PurchaseId] = set()
        self._put_off: set[PurchaseId] = set()
        self._changed = Condition()
        self._deliver: dramatiq.Actor[[str], None] = dramatiq.actor(
            actor_name="deliver",
            broker=self._broker,
            time_limit=TIME_LIMIT_MS,
            min_backoff=FIRST_RETRY_MS,
            max_backoff=LAST_RETRY_MS,
            max_retries=None,
        )(self._deliver_one)
        # Failures are told below in one sentence; the library would print a traceback for a bucket that is away.
        logging.getLogger("dramatiq").setLevel(logging.CRITICAL)

    def start(self) -> None:
        """Start the threads and send what the spool holds."""
        # Without this signal, which the library's own command line gives, time limits never fire.
        self._broker.emit_after("process_boot")
        self._worker.start()
        self.relay()

    def wake(self, purchase_id: PurchaseId) -> None:
        """Deliver this purchase soon; a repeat while it is under way does nothing."""
        with self._changed:
            if purchase_id in self._sent:
                return
            self._sent.add(purchase_id)
        self._deliver.send(purchase_id)

    def relay(self) -> None:
        """Send whatever the spool holds and is not under way."""
        for purchase_id in self._deliverer.pending():
            self.wake(purchase_id)

    def finish(self, seconds: float) -> bool:
        """Wait until everything sent was tried, at most `seconds`; True when all of it is delivered.

        What could not be delivered is safe in the spool: nobody waits for a bucket that is away.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._sent <= self._put_off, timeout=seconds)
            return not self._sent

    def stop(self) -> None:
        """Stop the threads; what is not delivered stays in the spool."""
        self._worker.stop(timeout=5_000)
        self._broker.close()

    def _deliver_one(self, purchase_id: str) -> None:
        purchase = PurchaseId(purchase_id)
        try:
            outcome = self._deliverer.deliver(purchase)
        except Exception as error:
            if isinstance(error, RegistreError):
                log.warning("purchase %s is not delivered yet: %s", purchase_id, error)
            else:
                log.exception("purchase %s is not delivered yet", purchase_id)
            with self._changed:
                self._put_off.add(purchase)
                self._changed.notify_all()
            raise
        with self._changed:
            self._sent.discard(purchase)
            self._put_off.discard(purchase)
            self._changed.notify_all()
        log.debug("purchase %s: %s", purchase_id, outcome)
