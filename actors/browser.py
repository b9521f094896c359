"""One registry account at work: signs in once, then job after job."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType

import pykka

from actors.messages import (
    AskStatus,
    BrowserStatus,
    Closed,
    Died,
    Drain,
    DropJob,
    Finished,
    HoldJob,
    Idle,
    Left,
    NotIdle,
    Opened,
    Reached,
    Ref,
    Reopen,
    SeatLost,
    StopJob,
    Work,
)
from actors.ticker import Ticker
from registre import fate
from registre.account import Credentials, Seat
from registre.errors import (
    Aborted,
    AccountError,
    BrowserFailed,
    DatabaseUnavailable,
    LeaseLost,
    RegistreError,
    SiteUnavailable,
)
from registre.extraction import Ended, Extraction, Means, Secured
from registre.job import Lease
from registre.ledger import PurchaseId
from registre.ports import Fleet, Gates, Registry, RegistrySession, Step
from registre.retry import backoff

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every browser of the fleet is given."""

    registry: Registry
    means: Means
    fleet: Fleet
    gates: Gates
    ticker: Ticker
    on_secured: Callable[[PurchaseId], None]
    relay: Callable[[], None]
    supervisor: Ref
    dispatcher: Ref
    lease_keeper: Ref


class Browser(pykka.ThreadingActor):
    """Owns: one session, one thread that does its page work, at most one job.
    Receives: Work, StopJob, SeatLost, Drain, AskStatus; Opened, Finished and Reopen about its own work.
    Tells: the dispatcher Idle and NotIdle, the lease keeper HoldJob and DropJob, the supervisor Closed, Died and Left.
    Dies when: drained, its account is lost or set aside. It never blocks: page work runs on its thread.
    """

    use_daemon_thread = True

    def __init__(self, around: Surroundings, seat: Seat, credentials: Credentials) -> None:
        super().__init__()
        self._around = around
        self._seat = seat
        self._credentials = credentials
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix=seat.worker)
        self._session: RegistrySession | None = None
        self._opening: RegistrySession | None = None
        self._extraction: Extraction | None = None
        self._lease: Lease | None = None
        self._step: Step | None = None
        self._noted: Step | None = None
        self._failures = 0
        self._closing = False
        self._leaving = False
        self._set_aside: str | None = None

    def on_start(self) -> None:
        self.actor_ref.tell(Reopen())

    def on_receive(self, message: object) -> BrowserStatus | None:
        match message:
            case Reopen():
                self._open()
            case Opened(session, error):
                self._opened(session, error)
            case Work(lease):
                self._work(lease)
            case Finished(lease, outcome):
                self._finished(lease, outcome)
            case Reached(step):
                self._reached(step)
            case StopJob(job_id, reason, overdue):
                if self._extraction and self._lease and self._lease.job_id == job_id:
                    stopped = self._extraction.stop(overdue=overdue)
                    log.info("job %s: %s, %s", job_id, reason, "stopping" if stopped else "but it is being bought")
            case SeatLost():
                log.warning("%s: the account is no longer ours", self._seat.worker)
                self._close()
            case Drain():
                self._close()
            case AskStatus():
                return BrowserStatus(self._seat, self._state(), self._lease.job_id if self._lease else None, self._step)
            case _:
                log.error("unexpected message %r", message)
        return None

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        log.error("%s died", self._seat.worker, exc_info=exception_value)
        with suppress(pykka.ActorDeadError):
            self._around.supervisor.tell(Died(self._seat, self.actor_ref, repr(exception_value)))
        if self._extraction is not None:
            self._extraction.stop()  # what is being bought is finished all the same, by the thread alone
        self._leave(lambda: Left(self._seat))

    def _state(self) -> str:
        if self._closing:
            return "closing"
        if self._lease:
            return "busy"
        return "idle" if self._session else "opening"

    # --- the session

    def _open(self) -> None:
        if not self._closing:
            self._report("idle")
            self._do(self._sign_in)

    def _sign_in(self) -> Opened:
        session = None
        try:
            session = self._opening = self._around.registry.open_session(self._credentials, self._note_step)
            if self._closing:
                raise Aborted("Stopped while signing in.")
            session.sign_in()
        except RegistreError as error:
            if session is not None:
                session.close()
            if isinstance(error, SiteUnavailable):
                self._tell_the_gates(partial(self._around.gates.site_away, error.message))
            if isinstance(error, AccountError):
                # One refused password is enough: a second try could lock the account for its owner. Noted here, since a
                # browser that closes meanwhile reads no more messages.
                self._set_aside = error.message
            return Opened(None, error)
        except Exception:
            log.exception("%s: unexpected error while signing in", self._seat.worker)
            if session is not None:
                session.close()
            return Opened(None, BrowserFailed("An unexpected error stopped the sign-in."))
        self._tell_the_gates(self._around.gates.site_answered)
        return Opened(session, None)

    def _tell_the_gates(self, word: Callable[[], None]) -> None:
        """What a sign-in shows of the site holds for every host; best effort, since the next order shows it too."""
        with suppress(DatabaseUnavailable):
            word()

    def _opened(self, session: RegistrySession | None, error: RegistreError | None) -> None:
        if self._leaving:
            return  # the thread closes what it opened, on its way out
        self._session, self._opening = session, None
        self._step = None
        if session is not None:
            self._failures = 0
            log.info("%s: signed in", self._seat.worker)
            self._idle()
        elif isinstance(error, AccountError):
            self._close()
        else:
            self._failures += 1
            pause = backoff(self._failures).total_seconds()
            log.warning("%s: no session (%s); again in %.0f s", self._seat.worker, error, pause)
            self._report("error")
            self._around.ticker.after(pause, self.actor_ref, Reopen())

    def _reopen(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._hand.submit(session.close)
        self._open()

    # --- the job

    def _work(self, lease: Lease) -> None:
        if self._session is None or self._closing or self._lease is not None:
            self._give_back(lease)
            return
        self._lease = lease
        self._noted = None
        self._around.lease_keeper.tell(HoldJob(lease, self.actor_ref))
        extraction = Extraction(self._around.means, lease, self._session, self._note_step)
        self._extraction = extraction
        log.info("job %s: %s, attempt %d by %s", lease.job_id, lease.request.title, lease.attempt, self._seat.worker)
        self._do(lambda: Finished(lease, extraction.run()))
        self._report("busy")  # only then: the page work need not wait for what people read

    def _finished(self, lease: Lease, outcome: Secured | Ended) -> None:
        self._around.lease_keeper.tell(DropJob(lease))
        self._lease = self._extraction = self._step = None
        next_session = fate.Session.KEEP
        match outcome:
            case Secured(purchase_id):
                log.info("job %s: secured", lease.job_id)
                self._around.on_secured(purchase_id)
            case Ended(decided, message):
                log.info("job %s: %s (%s)", lease.job_id, decided.job.name.lower(), message)
                next_session = decided.session
                if next_session is fate.Session.SET_ASIDE:
                    self._set_aside = message
        if self._closing or next_session is fate.Session.SET_ASIDE:
            self._close()
        elif next_session is fate.Session.REOPEN:
            self._reopen()
        else:
            self._idle()

    def _give_back(self, lease: Lease) -> None:
        try:
            self._around.means.queue.release(lease, "its browser was not ready")
        except RegistreError as error:
            log.warning("job %s could not be given back: %s", lease.job_id, error)

    # --- the end

    def _close(self) -> None:
        """Begin to close, or go on: after a bought document is finished and the thread is free."""
        self._closing = True
        self._around.dispatcher.tell(NotIdle(self._seat))
        if self._extraction is not None:
            self._extraction.stop()
            return
        if self._leaving:
            return
        self._report("offline")
        self._leave(lambda: Closed(self._seat, self._set_aside))
        self.stop()

    def _leave(self, last_word: Callable[[], Closed | Left]) -> None:
        """Close the session and tell the supervisor, behind whatever the thread still does: the account is let go only
        when nothing uses it any more. Idempotent."""
        if self._leaving:
            return
        self._leaving = True
        if self._opening is not None:
            self._opening.interrupt()

        def last() -> None:
            for session in (self._opening, self._session):
                if session is not None:
                    session.close()
            with suppress(pykka.ActorDeadError):
                self._around.supervisor.tell(last_word())

        self._hand.submit(last)
        self._hand.shutdown(wait=False)

    # --- small things

    def _idle(self) -> None:
        self._around.dispatcher.tell(Idle(self._seat, self.actor_ref))
        self._report("idle")

    def _do(self, work: Callable[[], Opened | Finished]) -> None:
        """Run on the browser's own thread; the result comes back as a message, unless the actor is gone."""
        ref = self.actor_ref

        def run() -> None:
            result = work()
            with suppress(pykka.ActorDeadError):
                ref.tell(result)

        self._hand.submit(run)

    def _note_step(self, step: Step) -> None:
        """Called from the browser's thread, or the loop's: it must not wait. Session and use case may both tell a step."""
        if step is self._noted:
            return
        self._noted = step
        with suppress(pykka.ActorDeadError):
            self.actor_ref.tell(Reached(step))

    def _reached(self, step: Step) -> None:
        self._step = step
        if self._lease is not None:
            # What people read may lag, so a database that is away is no error here.
            with suppress(LeaseLost, DatabaseUnavailable):
                self._around.means.queue.note_step(self._lease, step)

    def _report(self, status: str) -> None:
        with suppress(DatabaseUnavailable):
            job_id = self._lease.job_id if self._lease else None
            self._around.fleet.report_worker(self._seat.worker, status, self._seat.account_id, job_id)
