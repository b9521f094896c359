"""One host's worker: starts the actors in dependency order, drains and stops them in reverse."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from threading import Event

import pykka

from actors.broker import open_broker
from actors.dispatcher import Dispatcher
from actors.job_lines import JobLines
from actors.lease_keeper import LeaseKeeper
from actors.messages import Asked, Drain, Record, Ref, Tick, Wake
from actors.recorder import Recorder
from actors.supervisor import Supervisor
from actors.surroundings import Surroundings
from actors.tasks import Delivering, Tasks
from actors.ticker import Ticker
from actors.wake_ups import WakeUps
from registre.errors import ConfigurationError, DatabaseUnavailable, RegistreError
from registre.extraction import Means
from registre.job import HostFacts
from registre.ports import Registry
from registre.recording import FlightRecorder
from registre.settings import Settings
from registre.tracing import make_traces
from registre.wiring import VERSION, Store, make_deliverer, make_notifier, make_spool, own_memory

log = logging.getLogger(__name__)

CLAIM_EVERY_SECONDS = 5.0
DISPATCH_EVERY_SECONDS = 1.0
RECORD_EVERY_SECONDS = 2.0
RENEWALS_PER_VISIBILITY = 3
STOP_SECONDS = 5.0
LOGGED = ("registre", "actors")
"""The loggers whose lines about an order are kept with it."""


class Fleet:
    """Owns every actor, tick and task of this process. `start`, then `drain`, from the main thread.

    Raises ConfigurationError when another worker of this host runs, or has its name; DatabaseUnavailable when it cannot register.
    """

    def __init__(self, settings: Settings, store: Store, registry: Registry, *, tasks_elsewhere: bool = False) -> None:
        """`tasks_elsewhere`: another program of this host runs the tasks, and is told over the broker when there is something to
        deliver. ConfigurationError when there is none."""
        if tasks_elsewhere and settings.broker_url is None:
            raise ConfigurationError(
                "REGISTRE_BROKER_URL is not set: --no-tasks needs it to tell what is to be delivered."
            )
        self._broker_url = settings.broker_url if tasks_elsewhere else None
        self._settings = settings
        self._store = store
        self._registry = registry
        self._spool = make_spool(settings)
        self.host = settings.host_name()
        self._traces = make_traces(self.host, VERSION)
        self._deliverer = make_deliverer(store, self._spool, self._traces)
        self._boot = secrets.token_hex(4)
        self._owner = f"{self.host}/{self._boot}"
        self._stack = ExitStack()
        self._drained = Event()
        self._ticker = Ticker()
        self._job_lines = JobLines(self.host)
        self._supervisor: Ref | None = None
        self._dispatcher: Ref | None = None
        self._keeper: Ref | None = None
        self._recorder: Ref | None = None
        self._tasks: Delivering | None = None
        self._unlisten: Callable[[], None] = lambda: None

    def start(self) -> None:
        """StoreUnavailable when the spool's disk is full; nothing of it runs after an error."""
        settings, store = self._settings, self._store
        try:
            self._take_the_host()
        except RegistreError:
            if self._tasks is not None:
                self._tasks.stop()
            self._stack.close()
            raise
        self._ticker.start()
        visibility = settings.visibility
        self._dispatcher = Dispatcher.start(
            store.queue,
            store.fleet,
            store.alerts,
            self._owner,
            visibility,
            timedelta(seconds=settings.host_gone_seconds),
            timedelta(seconds=settings.legacy_seconds),
        )
        self._keeper = LeaseKeeper.start(store.queue, self._owner, visibility, self._dispatcher)
        self._recorder = Recorder.start(
            FlightRecorder(settings.recorder_folder),
            store.views,
            store.gates,
            self.host,
            VERSION,
            self._job_lines,
            store.log,
            self._tell_of_the_machine,
        )
        self._supervisor = Supervisor.start(
            store.accounts, self._owner, visibility, settings.max_sessions, self._surround, self._drained
        )
        self._ticker.every(visibility.total_seconds() / RENEWALS_PER_VISIBILITY, self._keeper, Tick())
        self._ticker.every(DISPATCH_EVERY_SECONDS, self._dispatcher, Tick())
        self._ticker.every(CLAIM_EVERY_SECONDS, self._supervisor, Tick())
        self._ticker.every(RECORD_EVERY_SECONDS, self._supervisor, Record())
        self._unlisten = store.queue.listen(self._ring)

    def _take_the_host(self) -> None:
        """Be the one worker of this host, with everything safe that the last one left."""
        self._stack.enter_context(self._spool.owned())
        spool_id = self._spool.identity()
        for name in LOGGED:
            logging.getLogger(name).addHandler(self._job_lines)
            self._stack.callback(logging.getLogger(name).removeHandler, self._job_lines)
        for purchase_id in self._deliverer.recover():
            log.warning("purchase %s was saved but not yet safe when the last worker ended: recovered", purchase_id)
        # What the spool holds is told to the ledger before any dead lease is judged.
        self._deliverer.report()
        self._tasks = self._delivery()
        self._tasks.start()
        self._store.fleet.register_host(self.host, self._boot, VERSION, spool_id, self._settings.visibility)

    def _delivery(self) -> Delivering:
        if self._broker_url is None:
            return Tasks(self._deliverer, make_notifier(self._settings, self._store))
        address = self._broker_url.get_secret_value()
        return WakeUps(open_broker(address), address, self.host)

    def _surround(self, supervisor: Ref) -> Surroundings:
        assert self._dispatcher is not None
        assert self._keeper is not None
        assert self._tasks is not None
        assert self._recorder is not None
        return Surroundings(
            registry=self._registry,
            means=Means(
                queue=self._store.queue,
                ledger=self._store.ledger,
                spool=self._spool,
                host=self.host,
                evidence=self._settings.evidence_folder,
                sentences=self._store.sentences,
            ),
            fleet=self._store.fleet,
            accounts=self._store.accounts,
            gates=self._store.gates,
            idleness=self._store.idleness,
            job_lines=self._job_lines,
            ticker=self._ticker,
            on_secured=self._tasks.wake,
            relay=self._tasks.relay,
            supervisor=supervisor,
            dispatcher=self._dispatcher,
            lease_keeper=self._keeper,
            recorder=self._recorder,
            traces=self._traces,
        )

    def _tell_of_the_machine(self, sessions: int) -> None:
        facts = HostFacts(own_memory(), sessions, self._spool.free_bytes())
        self._store.fleet.note_facts(self._owner, facts)

    def _ring(self, channel: str, payload: str) -> None:
        with suppress(pykka.ActorDeadError):
            if channel == "registre_jobs" and self._dispatcher is not None and self._supervisor is not None:
                if payload == "account":
                    self._supervisor.tell(Asked())
                    return
                self._dispatcher.tell(Wake())
                self._supervisor.tell(Wake())

    def drain(self) -> bool:
        """Finish what is bought, release the rest, close. True when everything ended within the drain deadline."""
        clean = True
        self._unlisten()
        if self._dispatcher is not None:
            self._dispatcher.tell(Drain())
        if self._supervisor is not None:
            self._supervisor.tell(Drain())
            clean = self._drained.wait(self._settings.drain_seconds)
            if not clean:
                log.warning("some sessions did not close in time; their leases run out by themselves")
        if self._tasks is not None:
            self._tasks.relay()
            clean = self._tasks.finish(self._settings.drain_seconds) and clean
        self._ticker.stop()
        for ref in (self._supervisor, self._dispatcher, self._keeper, self._recorder):
            if ref is not None:
                with suppress(pykka.Timeout, pykka.ActorDeadError):
                    ref.stop(timeout=STOP_SECONDS)
        if self._tasks is not None:
            self._tasks.stop()
        self._traces.close()
        if clean:
            with suppress(DatabaseUnavailable):  # then it only looks silent
                self._store.fleet.leave(self._owner)
        self._stack.close()
        return clean
