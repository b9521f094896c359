"""Wake-ups over the broker: a worker that bought something says "look", and the tasks program of its host looks.

Invariant: a wake-up holds nothing and nothing depends on it. One that is lost, late, doubled or made up by somebody else costs a
look into the spool; and who waits for one looks by itself every few seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

import dramatiq
from dramatiq.broker import Broker

from actors.broker import said_plainly
from registre.errors import RegistreError
from registre.ledger import PurchaseId

log = logging.getLogger(__name__)

LOOK = "look"
POLL_MS = 500
"""How late a wake-up may be seen in Redis, which is asked for it; RabbitMQ tells at once."""
STOP_SECONDS = 5.0
SAY_AGAIN_SECONDS = 300.0


def queue_of(host: str) -> str:
    """Of the host that holds the spool: nobody else can deliver from it."""
    return f"deliver.{host}"


class Complaint:
    """Says what is wrong once, and again only after some minutes. Any thread."""

    def __init__(self) -> None:
        self._said_at: float | None = None

    def say(self, sentence: str) -> None:
        now = time.monotonic()
        if self._said_at is None or now - self._said_at >= SAY_AGAIN_SECONDS:
            self._said_at = now
            log.warning("%s Documents are delivered all the same, some seconds later.", sentence)

    def over(self) -> None:
        if self._said_at is not None:
            self._said_at = None
            log.info("the broker is there again")


class WakeUps:
    """The worker's side: has the tasks program deliver what is in the spool. Any thread may call, none ever waits.

    Owns a thread, which alone waits for the broker.
    """

    def __init__(self, broker: Broker, address: str, host: str) -> None:
        self._broker = broker
        self._address = address
        self._queue = queue_of(host)
        self._complaint = Complaint()
        self._wanted = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name="wake-ups", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._wanted.set()

    def wake(self, purchase_id: PurchaseId) -> None:
        """Have it delivered soon."""
        del purchase_id  # whoever looks sees it
        self._wanted.set()

    def relay(self) -> None:
        """Nothing: the tasks program looks by itself."""

    def finish(self, seconds: float) -> bool:
        """True at once: what is in the spool is safe there, and the tasks program's, whether it runs or not."""
        del seconds
        return True

    def stop(self) -> None:
        """Sends what was wanted last; a broker that is away is not waited for."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._wanted.wait()
            self._wanted.clear()
            is_last = self._stopping
            try:
                with said_plainly(self._address):
                    self._broker.enqueue(dramatiq.Message(self._queue, LOOK, (), {}, {}))
            except RegistreError as error:
                self._complaint.say(error.message)
            except Exception:  # nobody stands above this thread to start it again
                log.exception("no wake-up could be sent")
            else:
                self._complaint.over()
        self._broker.close()


class Listener:
    """The tasks program's side: rings for each wake-up of this host, from a thread of its own; comes back by itself when the
    broker was away."""

    def __init__(self, broker: Broker, address: str, host: str, ring: Callable[[], None]) -> None:
        self._broker = broker
        self._address = address
        self._ring = ring
        self._complaint = Complaint()
        dramatiq.actor(actor_name=LOOK, queue_name=queue_of(host), broker=broker)(self._look)
        self._worker = dramatiq.Worker(broker, queues={queue_of(host)}, worker_threads=1, worker_timeout=POLL_MS)

    def start(self) -> None:
        heard = logging.getLogger("dramatiq.worker")
        heard.handlers = [_Heard(self._address, self._complaint)]
        heard.setLevel(logging.CRITICAL)
        heard.propagate = False
        self._worker.start()

    def stop(self) -> None:
        try:
            with said_plainly(self._address):
                self._worker.stop(timeout=int(STOP_SECONDS * 1000))
                self._broker.close()
        except RegistreError as error:
            log.debug("%s", error)  # what was not given back comes again, and costs a look

    def _look(self) -> None:
        self._complaint.over()
        self._ring()


class _Heard(logging.Handler):
    """dramatiq tells of a broker that is away only in its log, every three seconds; people are told once, in one sentence."""

    def __init__(self, address: str, complaint: Complaint) -> None:
        super().__init__()
        self._address = address
        self._complaint = complaint

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else record.args[0] if record.args else None  # type: ignore[index]
        try:
            with said_plainly(self._address):
                if isinstance(error, Exception):
                    raise error
        except RegistreError as known:
            self._complaint.say(known.message)
        except Exception:  # none of the broker's: a bug, which is to be seen whole
            log.exception("no wake-up is heard")
