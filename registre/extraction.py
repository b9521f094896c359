"""The use case: one leased job, from the form to the spool.

Invariant: the order of writes. Intent before the click; charged as soon as the viewer is open; secured only when the file is
checked, fsynced and renamed. Interruption is honoured before the intent and never after it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import assert_never

from registre import fate
from registre.errors import (
    Aborted,
    DocumentError,
    ErrorKind,
    Overdue,
    RegistreError,
    SessionExpired,
    StoreUnavailable,
)
from registre.fate import Fate, Phase
from registre.hearing import keep_words
from registre.inspection import inspect_pdf
from registre.job import Lease
from registre.ledger import PurchaseId, Verdict
from registre.log import about
from registre.ports import JobQueue, Ledger, RegistrySession, SentenceBook, Step
from registre.retry import backoff
from registre.spool import Spool

log = logging.getLogger(__name__)

SAVE_TRIES = 3
"""Saving from the open viewer is free, so a failed save is repeated before anybody is asked."""
ROOM_SECONDS = 120.0
"""How long a billed document waits in its viewer while the spool's disk is full: less than a drain may take."""
ROOM_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Secured:
    """The document is in the spool; a deliverer does the rest."""

    purchase_id: PurchaseId


@dataclass(frozen=True, slots=True)
class Ended:
    """No document: what was decided, and the sentence that goes with it."""

    fate: Fate
    message: str


Outcome = Secured | Ended


@dataclass(frozen=True, slots=True)
class Means:
    """What every extraction of a host works with."""

    queue: JobQueue
    ledger: Ledger
    spool: Spool
    host: str
    evidence: Path
    sentences: SentenceBook


class Extraction:
    """One attempt at one job. `run` blocks and belongs to one thread; the other methods may be called from any."""

    def __init__(self, means: Means, lease: Lease, session: RegistrySession, on_step: Callable[[Step], None]) -> None:
        self._means = means
        self._lease = lease
        self._session = session
        self._on_step = on_step
        self._phase = Phase.FREE
        self._purchase: PurchaseId | None = None
        self._stop_wanted = False
        self._overdue = False
        self._gate = Lock()

    def stop(self, *, overdue: bool = False) -> bool:
        """Interrupt, if nothing has been intended yet; False means that the attempt goes on to its end.

        `overdue`: it has run past its own deadline, so the attempt is consumed.
        """
        with self._gate:
            if self._phase is not Phase.FREE:
                return False
            self._stop_wanted = True
            self._overdue = self._overdue or overdue
        self._session.interrupt()
        return True

    def run(self) -> Outcome:
        """Carry the attempt through and write its end. Never raises."""
        with about(self._lease.job_id):
            try:
                return self._extract()
            except Exception as error:  # the edge of an attempt: whatever happened, the job gets a fate
                return self._end(error)

    def _extract(self) -> Outcome:
        request = self._lease.request.validate()
        for replay in (False, True):
            try:
                if replay:
                    self._step(Step.SIGNING_IN)
                    self._session.sign_in()
                self._step(Step.FORM)
                self._session.fill(request)
                return self._buy()
            except SessionExpired as error:
                # Once the viewer is reached the document is billed: an expiry while it is saved voids nothing.
                if replay or self._phase is Phase.CHARGED:
                    raise
                self._void(str(error))
        raise AssertionError("a second expiry is raised above")

    def _buy(self) -> Outcome:
        lease, means = self._lease, self._means
        with self._gate:
            if self._stop_wanted:
                raise Aborted("Stopped before anything was bought.")
            # From here on stop() is refused, whatever the ledger answers: the click may follow at any moment.
            self._phase = Phase.INTENDED
        try:
            intent = means.ledger.intend(lease, means.host)
        except Exception:
            self._phase = Phase.FREE  # without the ledger's word there is no click
            raise
        if intent.purchase_id is None or intent.intended_at is None:
            self._phase = Phase.FREE
            return self._not_granted(intent.verdict, intent.reason)
        self._purchase = intent.purchase_id
        try:
            target = means.spool.begin(intent.purchase_id, lease.request, intent.intended_at)
        except StoreUnavailable as error:
            self._void(str(error))
            raise
        self._step(Step.SUBMITTING)
        reached = self._session.submit(lease.request)
        self._phase = Phase.CHARGED
        try:
            means.ledger.charge(intent.purchase_id, lease, reached.notes)
        except RegistreError as error:
            # It is bought all the same: the file, once safe, will say so better than this line.
            log.warning("the charge of %s could not be written yet: %s", lease.job_id, error)
        return self._secure(intent.purchase_id, target)

    def _secure(self, purchase_id: PurchaseId, target: Path) -> Secured:
        spool, left = self._means.spool, SAVE_TRIES
        until = time.monotonic() + ROOM_SECONDS
        while True:
            try:
                return self._save(purchase_id, target)
            except StoreUnavailable as error:
                # Billed, and its viewer is still open: a disk that has room again before long costs nobody anything. One that
                # refuses with room on it has its tries, as any failed save.
                log.warning("saving %s: %s", self._lease.job_id, error)
                if spool.has_room():
                    left -= 1
                while not spool.has_room() and time.monotonic() < until:
                    time.sleep(ROOM_LOOK_SECONDS)
                if not left or time.monotonic() >= until:
                    raise
            except (DocumentError, FileNotFoundError) as error:
                left -= 1
                if not left:
                    spool.hold(purchase_id)
                    if isinstance(error, DocumentError):
                        raise
                    raise DocumentError("No document was saved.") from None
                log.info("saving %s again: %s", self._lease.job_id, error)

    def _save(self, purchase_id: PurchaseId, target: Path) -> Secured:
        self._step(Step.SAVING)
        self._session.save(target)
        file = inspect_pdf(target, self._lease.request)
        self._step(Step.SECURING)
        self._means.spool.keep(purchase_id, file)
        try:
            self._means.ledger.secure(purchase_id, file)
        except RegistreError as error:
            # The spool has it: the deliverer writes this line again, and holds the file if the ledger still refuses.
            log.warning("securing %s is left to the deliverer: %s", self._lease.job_id, error)
        return Secured(purchase_id)

    def _not_granted(self, verdict: Verdict, reason: str) -> Outcome:
        match verdict:
            case Verdict.IN_PROGRESS | Verdict.OVER_BUDGET:
                delay = fate.SAME_DOCUMENT if verdict is Verdict.IN_PROGRESS else fate.NO_BUDGET
                self._means.queue.snooze(self._lease, delay, reason)
                return Ended(Fate(fate.Job.SNOOZE, fate.Session.KEEP), reason)
            case Verdict.OWNED:
                return Ended(Fate(fate.Job.DONE, fate.Session.KEEP), reason)
            case Verdict.CANCELLED:
                self._means.queue.fail(self._lease, ErrorKind.CANCELLED, "Cancelled before anything was bought.")
                return Ended(Fate(fate.Job.FAIL, fate.Session.KEEP, ErrorKind.CANCELLED), "Cancelled.")
            case Verdict.GRANTED:
                raise AssertionError("a granted intent has a purchase")
            case _:
                assert_never(verdict)

    def _void(self, reason: str) -> None:
        if self._purchase is not None:
            self._means.ledger.void(self._purchase, self._lease, reason)
            self._means.spool.forget(self._purchase)
            self._purchase = None
        self._phase = Phase.FREE

    def _end(self, error: Exception) -> Outcome:
        if not isinstance(error, RegistreError):
            log.exception("job %s: unexpected error", self._lease.job_id)
        if isinstance(error, Aborted) and self._overdue:
            error = Overdue("The attempt took too long and was stopped before anything was bought.")
        decided = fate.decide(error, self._phase)
        message = error.message if isinstance(error, RegistreError) else "An unexpected error stopped this attempt."
        if decided.job in (fate.Job.AMBIGUOUS, fate.Job.RETRY, fate.Job.SNOOZE) or decided.needs_review:
            self._collect(error)
        try:
            self._write(decided, message)
        except RegistreError as lost:
            # Lease lost or database away: the lease ends by itself and reclaim reads the ledger.
            log.warning("job %s: its end could not be written: %s", self._lease.job_id, lost)
        except Exception:  # an attempt that ended without a word would have its lease renewed for ever
            log.exception("job %s: its end could not be written", self._lease.job_id)
        else:
            keep_words(self._means.sentences, error, self._lease.request.source, self._lease.job_id)
            return Ended(decided, message)
        return Ended(Fate(fate.Job.DROP, decided.session, decided.kind), message)

    def _collect(self, error: Exception) -> None:
        label = f"{self._lease.job_id}-{self._lease.token}"
        try:
            place = self._session.collect_evidence(self._means.evidence, label, error)
            if place is not None:
                self._means.queue.note_evidence(self._lease, str(place))
        except Exception as failed:  # the end is written whatever became of the picture
            log.warning("job %s: no evidence: %s", self._lease.job_id, failed)

    def _write(self, decided: Fate, message: str) -> None:
        queue, lease = self._means.queue, self._lease
        if decided.void:
            self._void(message)
        match decided.job:
            case fate.Job.FAIL:
                queue.fail(lease, decided.kind or ErrorKind.INVALID_ORDER, message, needs_review=decided.needs_review)
            case fate.Job.RETRY:
                queue.retry(lease, decided.kind or ErrorKind.BROWSER_FAILED, message, backoff(lease.attempt))
            case fate.Job.SNOOZE:
                queue.snooze(lease, decided.delay, message, kind=decided.kind, rescued=decided.rescued)
            case fate.Job.RELEASE:
                queue.release(lease, message)
            case fate.Job.AMBIGUOUS:
                if self._purchase is not None:
                    self._means.ledger.mark_ambiguous(self._purchase, lease, message.rstrip("."))
            case fate.Job.DROP | fate.Job.DONE:
                log.warning("job %s is dropped: %s", lease.job_id, message)
            case _:
                assert_never(decided.job)

    def _step(self, step: Step) -> None:
        self._on_step(step)
