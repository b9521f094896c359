"""One registry account at work: signs in once, then job after job."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import TracebackType

import pykka

from actors.hand import Hand
from actors.idle_care import IdleCare
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
    Leave,
    Left,
    LookAfter,
    LookedAfter,
    NotIdle,
    Opened,
    Reached,
    Reopen,
    SeatLost,
    SignedOut,
    StopJob,
    Work,
)
from actors.signing_in import SigningIn
from actors.surroundings import Surroundings
from registre import fate
from registre.account import Credentials, Seat
from registre.errors import Aborted, AccountError, DatabaseUnavailable, LeaseLost, RegistreError
from registre.extraction import Ended, Extraction, Secured
from registre.job import Lease
from registre.ports import RegistrySession, Step
from registre.retry import backoff
from registre.tracing import AttemptTrace, NoTraces

log = logging.getLogger(__name__)


class Browser(pykka.ThreadingActor):
    """Owns: one session or none, one thread that does its page work, at most one job.
    Receives: Work, StopJob, SeatLost, Leave, Drain, AskStatus; Opened, Finished, Reached, LookedAfter, LookAfter and Reopen about
    its own work.
    Tells: the dispatcher Idle, SignedOut and NotIdle, the lease keeper HoldJob and DropJob, the supervisor Closed, Died and Left.
    Dies when: drained, its account is lost or set aside. It never blocks: page work runs on its thread.
    """

    use_daemon_thread = True

    def __init__(self, around: Surroundings, seat: Seat, credentials: Credentials) -> None:
        super().__init__()
        self._around = around
        self._seat = seat
        self._hand = Hand(self.actor_ref, seat.worker)
        assumed = around.registry.assumed_idle_limit
        self._care = IdleCare(around.idleness, assumed, seat.username, seat.worker, around.site_away)
        self._signing = SigningIn(around, seat, credentials, self._note_step, self._is_unwanted)
        self._is_signing_in = False
        self._session: RegistrySession | None = None
        self._extraction: Extraction | None = None
        self._lease: Lease | None = None
        self._trace: AttemptTrace = NoTraces()
        self._step: Step | None = None
        self._noted: Step | None = None
        self._failures = 0
        self._signed_out = False
        self._looking = False
        self._look_is_due = False
        self._stop_wanted = False
        self._leave_wanted = False
        self._idle_since: datetime | None = None
        self._jobs_done = 0
        self._closing = False
        self._leaving = False
        self._says_goodbye = False
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
            case LookAfter():
                self._look_after()
            case LookedAfter(is_over):
                self._looked_after(is_over=is_over)
            case StopJob(lease, reason, overdue):
                if self._lease and (self._lease.job_id, self._lease.token) == (lease.job_id, lease.token):
                    self._stop_job(reason, overdue=overdue)
            case SeatLost():
                log.warning("%s: the account is no longer ours", self._seat.worker)
                # No sign-out: it may be at work elsewhere by now, and that might end there too.
                self._close(says_goodbye=False)
            case Leave():
                self._leave_wanted = True
            case Drain():
                self._close(says_goodbye=True)
            case AskStatus():
                return self._status()
            case _:
                log.error("unexpected message %r", message)
        if self._leave_wanted and not self._closing and self._is_at_rest():
            log.info("%s: leaves between two orders, as it was asked to", self._seat.worker)
            self._close(says_goodbye=True)
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
        self._trace.end("the browser died")
        if self._extraction is not None:
            self._extraction.stop()  # what is being bought is finished all the same, by the thread alone
        self._leave(lambda: Left(self._seat))

    def _status(self) -> BrowserStatus:
        job_id = self._lease.job_id if self._lease else None
        state = self._state()
        since = self._idle_since if state in ("idle", "signed out") else None
        request = self._lease.request if self._lease else None
        return BrowserStatus(self._seat, state, job_id, self._step, since, self._jobs_done, request)

    def _state(self) -> str:
        if self._closing:
            return "closing"
        if self._lease:
            return "busy"
        if self._signed_out:
            return "signed out"
        return "idle" if self._session else "opening"

    # --- the session

    def _open(self) -> None:
        if not self._closing:
            self._report("idle")
            self._sign_in()

    def _sign_in(self) -> None:
        self._is_signing_in = True
        self._hand.ask(partial(self._signing.run, self._lease.job_id if self._lease else None))

    def _is_unwanted(self) -> bool:
        """Asked by the thread, before it types the password."""
        return self._closing or self._leaving or self._stop_wanted

    def _is_at_rest(self) -> bool:
        """Neither a job nor a page is under way."""
        return self._lease is None and not self._looking and not self._is_signing_in

    def _opened(self, session: RegistrySession | None, error: RegistreError | None) -> None:
        if self._leaving:
            return  # the thread closes what it opened, on its way out
        self._session, self._is_signing_in = session, False
        self._signing.taken()
        self._step = None
        self._jobs_done = 0
        stopped = self._stop_wanted and (session is not None or isinstance(error, Aborted))
        if stopped:
            self._leave_job("it was stopped before it began")
            self._drop_session()  # interrupted, perhaps just after it had signed in
            self._signed_out = True
            self._idle()
            return
        if self._lease is not None and session is None:
            self._leave_job(f"its browser could not sign in: {error}")
        if session is not None:
            self._failures = 0
            log.info("%s: signed in", self._seat.worker)
            if self._lease is not None:
                self._extract(self._lease, session)
            else:
                self._idle()
        elif isinstance(error, AccountError):
            self._close()
        else:
            self._failures += 1
            pause = backoff(self._failures).total_seconds()
            log.warning("%s: no session (%s); again in %.0f s", self._seat.worker, error, pause)
            self._report("error")
            self._around.ticker.after(pause, self.actor_ref, Reopen())

    def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._hand.do(session.close)

    # --- while idle

    def _await_look(self) -> None:
        """One look at a time is due; one that finds the browser at work leaves the next to its end."""
        if self._session is not None and not self._look_is_due:
            self._look_is_due = True
            self._around.ticker.after(self._care.next_look(self._session), self.actor_ref, LookAfter())

    def _look_after(self) -> None:
        self._look_is_due = False
        session = self._session
        if session is None or self._lease is not None or self._looking or self._closing:
            return
        self._looking = True
        self._hand.ask(lambda: LookedAfter(is_over=not self._care.attend(session)))

    def _looked_after(self, *, is_over: bool) -> None:
        self._looking = False
        if self._leaving:
            return
        if is_over:
            self._session, self._signed_out = None, True
        if self._lease is not None:
            self._begin(self._lease)
        elif is_over:
            self._around.dispatcher.tell(SignedOut(self._seat))
        else:
            if self._session is not None and self._session.idle_seconds < 1:
                self._report("idle")  # kept alive: its idle clock begins anew
            self._await_look()

    # --- the job

    def _work(self, lease: Lease) -> None:
        if self._closing or self._lease is not None or not (self._session or self._signed_out):
            self._give_back(lease)
            return
        self._lease = lease
        self._trace = self._around.traces.attempt(lease)
        self._noted = None
        self._stop_wanted = False
        self._around.lease_keeper.tell(HoldJob(lease, self.actor_ref))
        log.info("job %s: %s, attempt %d by %s", lease.job_id, lease.request.title, lease.attempt, self._seat.worker)
        if not self._looking:
            self._begin(lease)
        self._report("busy")  # only then: the page work need not wait for what people read

    def _begin(self, lease: Lease) -> None:
        """Sign in if need be, then extract. Not while the thread looks after the session, which may end there."""
        if self._session is not None and not self._stop_wanted:
            self._extract(lease, self._session)
        elif self._stop_wanted:
            self._leave_job("it was stopped before it began")
            self._idle()
        else:
            self._signed_out = False
            self._sign_in()

    def _extract(self, lease: Lease, session: RegistrySession) -> None:
        extraction = Extraction(self._around.means, lease, session, self._note_step)
        self._extraction = extraction
        self._hand.ask(lambda: Finished(lease, extraction.run()))

    def _stop_job(self, reason: str, *, overdue: bool) -> None:
        """Before the job has begun, what it waits for is stopped."""
        job_id = self._lease.job_id if self._lease else None
        if self._extraction is None:
            self._stop_wanted = stopped = True
            self._signing.interrupt()
        else:
            stopped = self._extraction.stop(overdue=overdue)
        log.info("job %s: %s, %s", job_id, reason, "stopping" if stopped else "but it is being bought")

    def _leave_job(self, why: str) -> None:
        """A job that has not begun waits again, without an attempt."""
        lease, self._lease, self._stop_wanted = self._lease, None, False
        if lease is not None:
            self._trace.end("given back")
            self._around.lease_keeper.tell(DropJob(lease))
            self._give_back(lease, why)

    def _finished(self, lease: Lease, outcome: Secured | Ended) -> None:
        self._around.lease_keeper.tell(DropJob(lease))
        self._lease = self._extraction = self._step = None
        self._jobs_done += 1
        if self._session is not None and not self._leaving:
            self._hand.do(partial(self._care.learn, self._session))
        next_session = fate.Session.KEEP
        match outcome:
            case Secured(purchase_id):
                log.info("job %s: secured", lease.job_id)
                self._around.traces.bought(purchase_id, self._trace)
                self._trace.end("secured")
                self._around.on_secured(purchase_id)
            case Ended(decided, message):
                log.info("job %s: %s (%s)", lease.job_id, decided.job.name.lower(), message)
                self._trace.end(decided.job.name.lower(), str(decided.kind or ""))
                next_session = decided.session
                if next_session is fate.Session.SET_ASIDE:
                    self._set_aside = message
        if self._closing or next_session is fate.Session.SET_ASIDE:
            self._close(says_goodbye=self._says_goodbye and next_session is fate.Session.KEEP)
        elif next_session is fate.Session.REOPEN:
            self._drop_session()
            self._open()
        else:
            self._idle()

    def _give_back(self, lease: Lease, why: str = "its browser was not ready") -> None:
        try:
            self._around.means.queue.release(lease, why)
        except RegistreError as error:
            log.warning("job %s could not be given back: %s", lease.job_id, error)

    # --- the end

    def _close(self, *, says_goodbye: bool = False) -> None:
        """Begin to close, or go on: after a bought document is finished and the thread is free. `says_goodbye`: the session is
        sound and nobody needs it any more, so it signs out."""
        self._says_goodbye = says_goodbye and (self._says_goodbye or not self._closing)
        self._closing = True
        self._around.dispatcher.tell(NotIdle(self._seat))
        if self._extraction is not None:
            self._extraction.stop()
            return
        if self._leaving:
            return
        self._report("offline")
        self._leave(lambda: Closed(self._seat, self._set_aside or self._signing.refused))
        self.stop()

    def _leave(self, last_word: Callable[[], Closed | Left]) -> None:
        """Close the session and tell the supervisor, behind whatever the thread still does: the account is let go only
        when nothing uses it any more, and a job that had not begun is given back. Idempotent."""
        if self._leaving:
            return
        self._leaving = True
        self._signing.interrupt()
        not_begun = self._lease if self._extraction is None else None

        def last() -> None:
            if self._says_goodbye and self._session is not None:
                self._session.sign_out()
            for session in (self._signing.opening, self._session):
                if session is not None:
                    session.close()
            if not_begun is not None:
                with suppress(pykka.ActorDeadError):
                    self._around.lease_keeper.tell(DropJob(not_begun))
                self._give_back(not_begun)
            with suppress(pykka.ActorDeadError):
                self._around.supervisor.tell(last_word())

        self._hand.finish(last)

    # --- small things

    def _idle(self) -> None:
        self._idle_since = datetime.now(UTC)
        self._around.dispatcher.tell(Idle(self._seat, self.actor_ref, signed_in=self._session is not None))
        self._report("idle")
        self._await_look()

    def _note_step(self, step: Step) -> None:
        """Called from the browser's thread, or the loop's: it must not wait. Session and use case may both tell a step."""
        if step is self._noted:
            return
        self._noted = step
        self._trace.step(str(step))
        with suppress(pykka.ActorDeadError):
            self.actor_ref.tell(Reached(step))

    def _reached(self, step: Step) -> None:
        self._step = step
        if self._lease is not None:
            # What people read may lag, so a database that is away is no error here.
            with suppress(LeaseLost, DatabaseUnavailable):
                self._around.means.queue.note_step(self._lease, step)

    def _report(self, status: str) -> None:
        job_id = self._lease.job_id if self._lease else None
        with suppress(DatabaseUnavailable):
            self._around.fleet.report_worker(self._seat.worker, status, self._seat.account_id, job_id)
