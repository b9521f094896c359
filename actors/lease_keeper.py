"""Renews every lease of this host in one call."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pykka

from actors.messages import CannotRenew, DropJob, DropSeat, HoldJob, HoldSeat, Ref, RenewsAgain, SeatLost, StopJob, Tick
from registre.account import AccountId, Seat
from registre.errors import DatabaseUnavailable
from registre.job import JobId, Lease
from registre.ports import JobQueue

log = logging.getLogger(__name__)


class LeaseKeeper(pykka.ThreadingActor):
    """Owns: the list of leases to renew.
    Receives: HoldSeat, DropSeat, HoldJob, DropJob, Tick at a third of the visibility timeout.
    Tells: browsers SeatLost and StopJob, the dispatcher CannotRenew and RenewsAgain.
    Dies when: the fleet stops it, after the browsers.
    """

    use_daemon_thread = True

    def __init__(
        self,
        queue: JobQueue,
        owner: str,
        visibility: timedelta,
        dispatcher: Ref,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._queue = queue
        self._dispatcher = dispatcher
        self._clock = clock
        self._renewed_at = clock()
        self._renews = True
        self._owner = owner
        self._visibility = visibility
        self._seats: dict[AccountId, tuple[Seat, Ref]] = {}
        self._jobs: dict[JobId, tuple[Lease, Ref]] = {}

    def on_receive(self, message: object) -> None:
        try:
            self._receive(message)
        except Exception:  # a keeper that died would let every lease of this host run out
            log.exception("%s could not be handled", type(message).__name__)

    def _receive(self, message: object) -> None:
        match message:
            case HoldSeat(seat, browser):
                self._seats[seat.account_id] = (seat, browser)
            case DropSeat(seat):
                self._seats.pop(seat.account_id, None)
            case HoldJob(lease, browser):
                self._jobs[lease.job_id] = (lease, browser)
            case DropJob(lease):
                held = self._jobs.get(lease.job_id)
                if held and held[0].token == lease.token:
                    del self._jobs[lease.job_id]
            case Tick():
                self._renew()
            case _:
                log.error("unexpected message %r", message)

    def _renew(self) -> None:
        try:
            kept = self._queue.renew(
                self._owner,
                [lease for lease, _ in self._jobs.values()],
                [seat for seat, _ in self._seats.values()],
                self._visibility,
            )
        except DatabaseUnavailable as error:
            log.warning("leases could not be renewed: %s", error)
            self._not_renewed()
            return
        self._renewed_at = self._clock()
        if not self._renews:
            self._renews = True
            _tell(self._dispatcher, RenewsAgain())
        for job_id, (lease, browser) in list(self._jobs.items()):
            if job_id not in kept.jobs:
                del self._jobs[job_id]
                _tell(browser, StopJob(lease, "its lease is lost"))
            elif job_id in kept.cancelled:
                _tell(browser, StopJob(lease, "a person cancelled it"))
            elif job_id in kept.overdue:
                _tell(browser, StopJob(lease, "it takes too long", overdue=True))
        for account_id, (seat, browser) in list(self._seats.items()):
            if account_id not in kept.accounts:
                del self._seats[account_id]
                _tell(browser, SeatLost(seat))

    def _not_renewed(self) -> None:
        """Take nothing more; and once our leases have run out, drop what somebody else may own by now. Sessions stay: no account
        is used for anything before a renewal says that it is still ours."""
        if self._renews:
            self._renews = False
            _tell(self._dispatcher, CannotRenew())
        if self._clock() - self._renewed_at >= self._visibility.total_seconds():
            for job_id, (lease, browser) in list(self._jobs.items()):
                del self._jobs[job_id]
                _tell(browser, StopJob(lease, "its lease ran out while the database was away"))


def _tell(ref: Ref, message: object) -> None:
    with suppress(pykka.ActorDeadError):
        ref.tell(message)
