"""An idle session is kept while work is due, and else leaves the site; a job that finds none signs in first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registre.errors import BrowserFailed, DatabaseUnavailable, SessionExpired, SiteUnavailable
from registre.gates import Scope
from registre.job import JobId, Status
from tests.actors.host import Site
from tests.actors.idling import NEAR, idle_until_signed_out, look, status
from tests.fakes import FakeRegistry, Point
from tests.waiting import until

EXPIRED = SessionExpired("Back at the login page.")


def put_off(site: Site, number: int, minutes: float) -> JobId:
    """An order that waits, and not for anything but its time."""
    site.store.gates.pause(Scope.SITE, "", "a test", "one moment")
    (order,) = site.order(number)
    site.sql(
        "update extraction_queue set is_due = false, next_attempt_at = now() + %(m)s where id = %(id)s::uuid",
        m=timedelta(minutes=minutes),
        id=order,
    )
    site.store.gates.resume(Scope.SITE, "", "a test")
    return order


# -- what is learnt


def test_a_session_found_dead_after_an_idle_time_teaches_the_limit_and_costs_its_job_nothing(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    registry.pass_time(600)
    registry.fail(Point.FILL, EXPIRED, times=1)
    (job,) = site.until_ended(*site.order(1_000_001))
    assert (job.status, job.attempts, registry.calls(Point.SIGN_IN)) == (Status.DONE, 1, 2)
    learnt = until(lambda: site.store.idleness.learnt().limit, "nothing was learnt")
    assert timedelta(seconds=600) <= learnt < timedelta(seconds=700)
    (told,) = [e for e in site.store.views.last_events(100) if e.kind == "idle_limit.learnt"]
    assert (told.data["before"], told.data["survived"]) == (1200, False)
    site.until_idle(1)
    registry.pass_time(550)
    look(site)
    until(lambda: site.states() == ["signed out"], "the limit learnt is not the one acted on")


def test_a_session_that_lives_for_longer_than_assumed_raises_the_limit(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    registry.pass_time(2000)
    site.until_ended(*site.order(1_000_001))
    learnt = until(lambda: site.store.idleness.learnt().limit, "nothing was learnt")
    assert learnt >= timedelta(seconds=2000)


def test_a_session_that_dies_between_two_jobs_in_a_row_teaches_nothing(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.FILL, EXPIRED, times=1)
    site.start()
    site.until_ended(*site.order(1_000_001))
    site.until_idle(1)
    assert site.drain()
    assert site.store.idleness.learnt().limit is None


# -- kept or left


def test_a_session_near_its_limit_is_kept_alive_while_work_is_due(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    order = put_off(site, 1_000_001, 15)
    for round_ in (1, 2):
        registry.pass_time(NEAR)
        look(site)
        until(lambda n=round_: registry.calls(Point.KEEP_ALIVE) == n, "it was not kept alive")  # type: ignore[misc]
        until(lambda: status(site).state == "idle", "it did not go on idling")
    assert registry.bill == []
    site.make_due()
    site.until_ended(order)
    assert (registry.calls(Point.SIGN_IN), registry.calls(Point.SIGN_OUT)) == (1, 0)


def test_a_session_is_left_alone_before_it_comes_near(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    registry.pass_time(900)
    look(site)
    site.until_ended(*site.order(1_000_001))
    assert registry.calls(Point.KEEP_ALIVE) == registry.calls(Point.SIGN_OUT) == 0


def test_a_session_without_work_signs_out_and_the_next_order_signs_in_and_is_served(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    began = datetime.now(UTC)
    site.start()
    site.until_ended(*site.order(1_000_001, 1_000_002))
    until(lambda: status(site).state == "idle", "it did not become idle")
    assert status(site).jobs_done == 2
    idle_since = status(site).idle_since
    assert idle_since is not None
    assert began < idle_since <= datetime.now(UTC)
    registry.pass_time(NEAR)
    look(site)
    until(lambda: site.states() == ["signed out"], "it did not sign out")
    assert registry.calls(Point.SIGN_OUT) == 1
    assert registry.live_accounts == [], "the context was not freed"
    assert status(site).idle_since == idle_since
    (job,) = site.until_ended(*site.order(1_000_003))
    assert (job.status, job.attempts, registry.calls(Point.SIGN_IN)) == (Status.DONE, 1, 2)
    until(lambda: status(site).state == "idle", "it did not become idle again")
    assert status(site).jobs_done == 1, "a new session counts anew"
    site.assert_money_is_right()


def test_orders_behind_a_gate_that_is_shut_for_long_keep_no_session(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    site.store.gates.pause(Scope.SOURCE, "index", "a test", "lunch")
    site.order(1_000_001)
    registry.pass_time(NEAR)
    look(site)
    until(lambda: site.states() == ["signed out"], "a pause without end kept it")
    assert registry.calls(Point.KEEP_ALIVE) == 0


def test_the_ticker_alone_does_it(site: Site, registry: FakeRegistry) -> None:
    registry.idle_limit = timedelta(seconds=0.2)
    site.accounts("99T0001", "99T0002")
    site.start()
    until(lambda: site.states() == ["signed out"] * 2, "nobody signed out by itself")
    put_off(site, 1_000_001, 0.002)
    site.make_due()
    site.until_ended(JobId(site.rows("select id::text from extraction_queue")[0]["id"]))
    site.assert_money_is_right()


@pytest.mark.parametrize(
    "error", [EXPIRED, SiteUnavailable("503."), BrowserFailed("It crashed."), ZeroDivisionError("a bug of ours")]
)
def test_a_session_that_cannot_be_kept_is_closed_and_its_account_goes_on(
    error: Exception, site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    order = put_off(site, 1_000_001, 15)
    registry.fail(Point.KEEP_ALIVE, error, times=1)
    registry.pass_time(NEAR)
    look(site)
    until(lambda: site.states() == ["signed out"], "the session was not given up")
    assert registry.live_accounts == []
    learnt = site.store.idleness.learnt().limit
    assert (learnt is not None) is isinstance(error, SessionExpired)
    site.make_due()
    site.until_ended(order)
    site.assert_money_is_right()


def test_a_database_that_is_away_signs_nobody_out(
    site: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)

    def away(*_: Any) -> Any:
        raise DatabaseUnavailable("It does not answer.")

    monkeypatch.setattr(type(site.store.idleness), "limit", away)
    registry.pass_time(NEAR)
    look(site)
    until(lambda: registry.calls(Point.KEEP_ALIVE) == 1, "the session was not kept")
    assert status(site).state == "idle"


# -- a job that comes meanwhile


def test_a_job_that_comes_while_a_session_is_kept_alive_waits_for_it_and_uses_it(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    put_off(site, 1_000_001, 15)
    page = registry.hold(Point.KEEP_ALIVE)
    registry.pass_time(NEAR)
    look(site)
    page.wait()
    (order,) = site.order(1_000_002)
    until(lambda: status(site).state == "busy", "the job was not given to it")
    page.release()
    (job,) = site.until_ended(order)
    assert (job.attempts, registry.calls(Point.SIGN_IN)) == (1, 1)
    site.assert_money_is_right()


def test_a_job_that_comes_while_a_session_signs_out_signs_in_again(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    page = registry.hold(Point.SIGN_OUT)
    registry.pass_time(NEAR)
    look(site)
    page.wait()
    (order,) = site.order(1_000_001)
    until(lambda: status(site).state == "busy", "the job was not given to it")
    page.release()
    (job,) = site.until_ended(order)
    assert (job.attempts, registry.calls(Point.SIGN_IN)) == (1, 2)
    site.assert_money_is_right()


def test_accounts_that_are_signed_in_work_before_those_that_are_not(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.start()
    idle_until_signed_out(site, registry)
    site.accounts("99T0002")
    until(lambda: site.states() == ["idle", "signed out"], "the second did not sign in")
    until(lambda: site.free_seats() == 2, "the dispatcher did not hear of it")
    site.until_ended(*site.order(1_000_001))
    assert [line.account for line in registry.bill] == ["99T0002"]


# -- leaving for good


def test_a_drain_signs_out_what_idles_and_what_has_just_bought(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    viewer = registry.hold(Point.VIEWER)
    (order,) = site.order(1_000_001)
    site.start()
    viewer.wait()
    until(lambda: site.states() == ["busy", "idle"], "the other did not become idle")
    drained = site.drain_in_the_background()
    until(lambda: registry.calls(Point.SIGN_OUT) == 1, "the idle one did not sign out")
    viewer.release()
    assert drained.result(20)
    assert site.job(order).status is Status.DONE
    assert registry.calls(Point.SIGN_OUT) == 2


def test_a_drain_signs_out_nobody_who_was_stopped_or_failed(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    page = registry.hold(Point.FILL, number="1000001")
    viewer = registry.hold(Point.VIEWER, number="1000002", error=BrowserFailed("It crashed."))
    site.order(1_000_001, 1_000_002)
    site.start()
    page.wait()
    viewer.wait()
    drained = site.drain_in_the_background()
    until(lambda: site.browsers() and len(site.browsers()) == 1, "the stopped one did not close")
    viewer.release()
    assert drained.result(20)
    assert registry.calls(Point.SIGN_OUT) == 0


def test_a_lost_seat_signs_nobody_out(site: Site, registry: FakeRegistry) -> None:
    """The account may be at work on another host by now."""
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    site.sql("update worker_accounts set lease_token = lease_token + 1, lease_owner = 'host-b/1'")
    site.tick_keeper()
    until(lambda: registry.live_accounts == [] and site.browsers() == [], "it stayed")
    assert registry.calls(Point.SIGN_OUT) == 0
