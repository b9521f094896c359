"""Leases jobs to idle browsers, and takes back what dead owners left."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import pykka

from actors.messages import CannotRenew, Drain, Idle, NotIdle, Ref, RenewsAgain, SignedOut, Tick, Wake, Work
from registre.account import AccountId, Seat
from registre.errors import DatabaseUnavailable, RegistreError
from registre.job import Lease
from registre.ports import Alerts, Fleet, JobQueue
from registre.retry import backoff

log = logging.getLogger(__name__)

RECLAIM_EVERY_SECONDS = 10.0
UPKEEP_FOR = timedelta(seconds=25)
"""More than two rounds: whoever does it goes on doing it, and somebody else begins soon after it has died."""


class Dispatcher(pykka.ThreadingActor):
    """Owns: the idle seats; demand is their number. One host's does the upkeep for all: takes back what was left, judges alerts.
    Receives: Idle, SignedOut and NotIdle from browsers, Wake from the listener, Tick each second for jobs that become due,
    CannotRenew and RenewsAgain from the lease keeper, Drain.
    Tells: browsers Work.
    Dies when: the fleet stops it, before the browsers.
    """

    use_daemon_thread = True

    def __init__(
        self,
        queue: JobQueue,
        fleet: Fleet,
        alerts: Alerts,
        owner: str,
        visibility: timedelta,
        host_gone: timedelta,
        legacy: timedelta,
    ) -> None:
        super().__init__()
        self._queue = queue
        self._fleet = fleet
        self._alerts = alerts
        self._owner = owner
        self._visibility = visibility
        self._host_gone = host_gone
        self._legacy = legacy
        self._idle: dict[AccountId, tuple[Seat, Ref]] = {}
        self._signed_out: set[AccountId] = set()
        self._reclaim_every = min(RECLAIM_EVERY_SECONDS, visibility.total_seconds() / 3)
        self._reclaimed_at = 0.0
        self._draining = False
        self._database_away = False
        self._can_renew = True

    def on_receive(self, message: object) -> None:
        try:
            self._receive(message)
        except Exception:  # a dispatcher that died would leave every browser idle and every order waiting
            log.exception("%s could not be handled", type(message).__name__)

    def _receive(self, message: object) -> None:
        match message:
            case Idle(seat, browser, signed_in):
                self._idle[seat.account_id] = (seat, browser)
                (self._signed_out.discard if signed_in else self._signed_out.add)(seat.account_id)
                self._dispatch()
            case SignedOut(seat):
                self._signed_out.add(seat.account_id)
            case NotIdle(seat):
                self._idle.pop(seat.account_id, None)
            case Wake():
                self._dispatch()
            case Tick():
                self._reclaim()
                self._dispatch()
            case CannotRenew():
                self._can_renew = False
            case RenewsAgain():
                self._can_renew = True
                self._dispatch()
            case Drain():
                self._draining = True
                self._idle.clear()
            case _:
                log.error("unexpected message %r", message)

    def _dispatch(self) -> None:
        if self._draining or not self._idle or not self._can_renew:
            return
        try:
            leases = self._queue.lease_next(self._owner, self._seats(), self._visibility)
        except DatabaseUnavailable as error:
            self._note_away(error)
            return
        self._database_away = False
        for lease in leases:
            _, browser = self._idle.pop(lease.account_id)
            try:
                browser.tell(Work(lease))
            except pykka.ActorDeadError:
                self._give_back(lease)

    def _seats(self) -> list[Seat]:
        """Those that are signed in come first: a sign-in takes longer than a job may have to wait for one of them."""
        return sorted((seat for seat, _ in self._idle.values()), key=lambda seat: seat.account_id in self._signed_out)

    def _give_back(self, lease: Lease) -> None:
        try:
            self._queue.release(lease, "its browser had just ended")
        except RegistreError as error:
            log.warning("job %s could not be given back: %s", lease.job_id, error)

    def _reclaim(self) -> None:
        if time.monotonic() - self._reclaimed_at < self._reclaim_every:
            return
        self._reclaimed_at = time.monotonic()
        try:
            if not self._fleet.take_upkeep(self._owner, UPKEEP_FOR):
                return
            for job_id, outcome in self._queue.reclaim(backoff(1), self._host_gone, self._legacy):
                log.warning("job %s was left by its worker: %s", job_id, outcome)
            self._alerts.judge()
            self._fleet.forget_history()
        except DatabaseUnavailable as error:
            self._note_away(error)

    def _note_away(self, error: DatabaseUnavailable) -> None:
        if not self._database_away:
            log.warning("no job can be leased: %s", error)
        self._database_away = True
