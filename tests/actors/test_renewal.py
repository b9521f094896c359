"""A worker that cannot renew takes nothing more and drops what it may no longer own; an attempt that runs too long is stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

import pykka
import pytest

from actors.dispatcher import Dispatcher
from actors.lease_keeper import LeaseKeeper
from actors.messages import CannotRenew, HoldJob, HoldSeat, Idle, RenewsAgain, SignedOut, StopJob, Tick
from registre.account import AccountId, Seat
from registre.document import DocumentRequest, Source
from registre.errors import DatabaseUnavailable
from registre.job import JobId, Lease, LeaseToken, Renewal, Status
from tests.actors.host import Site, status_of
from tests.fakes import FakeRegistry, Point
from tests.memory.store import MemoryStore
from tests.waiting import SECONDS, until

VISIBILITY = timedelta(seconds=60)
SEAT = Seat(AccountId("a-1"), 1, "99T0001", "host-a/99T0001")
LEASE = Lease(
    JobId("j-1"),
    LeaseToken(1),
    "host-a/boot",
    SEAT.account_id,
    datetime.now(UTC),
    1,
    3,
    DocumentRequest(Source.INDEX, "24A"),
)


class Inbox(pykka.ThreadingActor):
    """Keeps what it is told."""

    use_daemon_thread = True

    def __init__(self, told: SimpleQueue[object]) -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message: object) -> None:
        self._told.put(message)


class Queue:
    """A queue whose database comes and goes; counts who leases."""

    def __init__(self) -> None:
        self.away = False
        self.leased: SimpleQueue[int] = SimpleQueue()

    def renew(self, owner: str, jobs: Any, seats: Any, visibility: timedelta) -> Renewal:
        if self.away:
            raise DatabaseUnavailable("The database does not answer.")
        return Renewal(frozenset(j.job_id for j in jobs), frozenset(s.account_id for s in seats), frozenset())

    def lease_next(self, owner: str, seats: Any, visibility: timedelta) -> list[Lease]:
        self.leased.put(len(seats))
        return []

    def reclaim(self, *_: object) -> list[tuple[JobId, str]]:
        return []


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


def test_a_keeper_that_cannot_renew_says_so_once_and_drops_jobs_when_their_leases_have_run_out(
    clock: list[float],
) -> None:
    queue, told, dispatcher_told = Queue(), SimpleQueue[object](), SimpleQueue[object]()
    browser, dispatcher = Inbox.start(told), Inbox.start(dispatcher_told)
    keeper = LeaseKeeper.start(queue, "host-a/boot", VISIBILITY, dispatcher, lambda: clock[0])
    try:
        keeper.tell(HoldSeat(SEAT, browser))
        keeper.tell(HoldJob(LEASE, browser))
        keeper.ask(Tick(), timeout=SECONDS)
        queue.away = True
        clock[0] += 59
        keeper.ask(Tick(), timeout=SECONDS)
        assert dispatcher_told.get(timeout=SECONDS) == CannotRenew()
        assert told.empty(), "the leases still hold"
        clock[0] += 1
        keeper.ask(Tick(), timeout=SECONDS)
        stopped = told.get(timeout=SECONDS)
        assert isinstance(stopped, StopJob)
        assert (stopped.lease, stopped.overdue) == (LEASE, False)
        keeper.ask(Tick(), timeout=SECONDS)
        assert told.empty(), "the session stays, and a job is dropped once"
        queue.away = False
        keeper.ask(Tick(), timeout=SECONDS)
        assert dispatcher_told.get(timeout=SECONDS) == RenewsAgain()
        assert dispatcher_told.empty()
    finally:
        for ref in (keeper, browser, dispatcher):
            ref.stop(timeout=SECONDS)


def test_a_dispatcher_leases_nothing_while_leases_cannot_be_renewed() -> None:
    queue, told = Queue(), SimpleQueue[object]()
    browser, memory = Inbox.start(told), MemoryStore()
    dispatcher = Dispatcher.start(queue, memory.fleet, memory.alerts, "host-a/boot", VISIBILITY, VISIBILITY, VISIBILITY)
    try:
        dispatcher.ask(CannotRenew(), timeout=SECONDS)
        dispatcher.ask(Idle(SEAT, browser), timeout=SECONDS)
        dispatcher.ask(Tick(), timeout=SECONDS)
        assert queue.leased.empty()
        dispatcher.ask(RenewsAgain(), timeout=SECONDS)
        assert queue.leased.get(timeout=SECONDS) == 1
    finally:
        for ref in (dispatcher, browser):
            ref.stop(timeout=SECONDS)


def test_a_browser_whose_session_ended_is_not_offered_a_second_time() -> None:
    """It may have been given a job just before it said so."""
    queue, told = Queue(), SimpleQueue[object]()
    browser, memory = Inbox.start(told), MemoryStore()
    dispatcher = Dispatcher.start(queue, memory.fleet, memory.alerts, "host-a/boot", VISIBILITY, VISIBILITY, VISIBILITY)
    try:
        dispatcher.ask(SignedOut(SEAT), timeout=SECONDS)
        dispatcher.ask(Tick(), timeout=SECONDS)
        assert queue.leased.empty()
        dispatcher.ask(Idle(SEAT, browser, signed_in=False), timeout=SECONDS)
        assert queue.leased.get(timeout=SECONDS) == 1
    finally:
        for ref in (dispatcher, browser):
            ref.stop(timeout=SECONDS)


@pytest.mark.parametrize("of", ["an older lease of the same job", "another job"])
def test_a_stop_that_is_meant_for_another_lease_stops_nothing(site: Site, registry: FakeRegistry, of: str) -> None:
    """Each job's tokens begin at one, so that a token alone names no lease."""
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    (browser,) = site.browsers()
    held = replace(LEASE, job_id=order)
    older = replace(held, token=LeaseToken(0))
    browser.tell(StopJob(LEASE if of == "another job" else older, "its lease is lost"))
    status_of(browser)
    page.release()
    (job,) = site.until_ended(order)
    assert [a.ending for a in site.store.views.attempts(order)] == ["secured"]
    assert (job.status, job.attempts) == (Status.DONE, 1)


def test_an_attempt_that_takes_too_long_is_stopped_and_consumed(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001, max_attempts=2)
    site.start()
    page.wait()
    site.sql("update extraction_queue set attempt_until = now()")
    site.tick_keeper()
    until(lambda: site.job(order).status is Status.WAITING, "the attempt was not stopped")
    assert site.job(order).attempts == 1
    [attempt] = site.store.views.attempts(order)
    assert (attempt.ending, attempt.error_kind) == ("retried", "overdue")
    page.release()
    site.make_due()
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 2)
    site.assert_money_is_right()


def test_a_purchase_under_way_is_finished_however_long_it_takes(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    form = registry.hold(Point.SUBMIT)
    (order,) = site.order(1_000_001)
    site.start()
    form.wait()
    site.sql("update extraction_queue set attempt_until = now()")
    site.tick_keeper()
    form.release()
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    site.assert_money_is_right()
