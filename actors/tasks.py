"""The tasks, by dramatiq: spool to bucket to closed row; and notices to other programs.

Invariant: what is sent is a wake-up, never the truth. What the spool still holds, and the notices that are due, are sent again at
start and on each relay; a delivery is tried for ever, later each time. Notices have threads of their own: whoever is slow to take
one delays no document. The queues are this process's own; `actors.wake_ups` is the way from one program to another.
"""

from __future__ import annotations

import logging
import math
import time
from threading import Condition
from typing import Any, Protocol

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import TimeLimitExceeded

from registre.delivery import Deliverer
from registre.errors import RegistreError, StoreUnavailable
from registre.ledger import PurchaseId
from registre.notifying import Notifier
from registre.webhooks import NoticeId

log = logging.getLogger(__name__)

TIME_LIMIT_MS = 120_000
LOST_SECONDS = 120.0
"""A message of which nothing was heard for so long is sent again: the broker has lost it."""
DELIVERIES, NOTICES = "deliveries", "notices"
FIRST_RETRY_MS = 500
LAST_RETRY_MS = 30_000


class Delivering(Protocol):
    """What has the spool delivered: the tasks of this process, or a word to those of another. Any thread may call."""

    def start(self) -> None: ...

    def wake(self, purchase_id: PurchaseId) -> None:
        """Have this purchase delivered soon. Never waits."""

    def relay(self) -> None:
        """Look after whatever is still there; called every few seconds. Never waits."""

    def finish(self, seconds: float) -> bool:
        """Wait, at most `seconds`, for what is under way here; True when nothing of it is left."""

    def stop(self) -> None: ...


class Tasks:
    """The tasks of this process and the threads that run them, on an in-process broker. Any thread may call."""

    def __init__(self, deliverer: Deliverer, notifier: Notifier | None = None, *, threads: int = 2) -> None:
        self._deliverer = deliverer
        self._notifier = notifier
        self._broker = StubBroker()
        self._workers = [
            dramatiq.Worker(self._broker, queues={queue}, worker_threads=threads, worker_timeout=100)
            for queue in (DELIVERIES, NOTICES)
        ]
        self._planned_at = -math.inf
        self._told_at: dict[NoticeId, float] = {}
        self._sent: set[PurchaseId] = set()
        self._put_off: set[PurchaseId] = set()
        self._changed = Condition()
        self._deliver: dramatiq.Actor[[str], None] = dramatiq.actor(
            actor_name="deliver",
            broker=self._broker,
            queue_name=DELIVERIES,
            time_limit=TIME_LIMIT_MS,
            min_backoff=FIRST_RETRY_MS,
            max_backoff=LAST_RETRY_MS,
            max_retries=None,
        )(self._deliver_one)
        # Never tried again by the broker: the database says when the next try is due, and the relay brings it.
        once: dict[str, Any] = {
            "broker": self._broker,
            "queue_name": NOTICES,
            "time_limit": TIME_LIMIT_MS,
            "max_retries": 0,
        }
        self._plan: dramatiq.Actor[[], None] = dramatiq.actor(actor_name="plan", **once)(self._plan_notices)
        self._notify: dramatiq.Actor[[str], None] = dramatiq.actor(actor_name="notify", **once)(self._notify_one)
        # Failures are told below in one sentence; the library would print a traceback for a bucket that is away.
        logging.getLogger("dramatiq").setLevel(logging.CRITICAL)

    def start(self) -> None:
        """Start the threads and send what the spool holds."""
        # Without this signal, which the library's own command line gives, time limits never fire.
        self._broker.emit_after("process_boot")
        for worker in self._workers:
            worker.start()
        self.relay()

    def wake(self, purchase_id: PurchaseId) -> None:
        """Deliver this purchase soon; a repeat while it is under way does nothing."""
        with self._changed:
            if purchase_id in self._sent:
                return
            self._sent.add(purchase_id)
        self._deliver.send(purchase_id)

    def relay(self) -> None:
        """Send whatever the spool holds and is not under way, and have the notices that are due sent. Waits for no database."""
        for purchase_id in self._deliverer.pending():
            self.wake(purchase_id)
        with self._changed:
            now = time.monotonic()
            if self._notifier is None or now - self._planned_at < LOST_SECONDS:
                return
            self._planned_at = now
        self._plan.send()

    def finish(self, seconds: float) -> bool:
        """Wait until everything sent was tried, at most `seconds`; True when all of it is delivered.

        What could not be delivered is safe in the spool: nobody waits for a bucket that is away.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._sent <= self._put_off, timeout=seconds)
            return not self._sent

    def stop(self) -> None:
        """Stop the threads; what is not delivered stays in the spool."""
        for worker in self._workers:
            worker.stop(timeout=5_000)
        self._broker.close()

    def _deliver_one(self, purchase_id: str) -> None:
        purchase = PurchaseId(purchase_id)
        try:
            outcome = self._deliverer.deliver(purchase)
        except (Exception, TimeLimitExceeded) as error:
            if isinstance(error, TimeLimitExceeded):
                error = StoreUnavailable(f"The delivery took more than {TIME_LIMIT_MS // 1000} s.")
            if isinstance(error, RegistreError):
                log.warning("purchase %s is not delivered yet: %s", purchase_id, error)
            else:
                log.exception("purchase %s is not delivered yet", purchase_id)
            self._deliverer.note_failure(purchase, error)
            with self._changed:
                self._put_off.add(purchase)
                self._changed.notify_all()
            raise
        with self._changed:
            self._sent.discard(purchase)
            self._put_off.discard(purchase)
            self._changed.notify_all()
        log.debug("purchase %s: %s", purchase_id, outcome)

    def _plan_notices(self) -> None:
        assert self._notifier is not None
        try:
            due = self._notifier.plan()
        except RegistreError as error:
            log.warning("notices are not sent yet: %s", error)
            return
        finally:
            with self._changed:
                self._planned_at = -math.inf
        for notice_id in due:
            with self._changed:
                now = time.monotonic()
                if now - self._told_at.get(notice_id, -math.inf) < LOST_SECONDS:
                    continue
                self._told_at[notice_id] = now
            self._notify.send(notice_id)

    def _notify_one(self, notice_id: str) -> None:
        assert self._notifier is not None
        notice = NoticeId(notice_id)
        try:
            outcome = self._notifier.send(notice)
            log.debug("notice %s: %s", notice_id, outcome)
        except RegistreError as error:
            log.warning("notice %s is not sent yet: %s", notice_id, error)
        finally:
            with self._changed:
                self._told_at.pop(notice, None)
