"""A drain finishes what is bought, releases the rest, and leaves nothing behind."""

from __future__ import annotations

import pykka

from actors.messages import Drain
from registre.job import Status
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until


def assert_left_nothing(site: Site, registry: FakeRegistry) -> None:
    assert pykka.ActorRegistry.get_all() == []
    assert registry.live_accounts == []
    assert site.rows("select username from worker_accounts where lease_owner is not null") == []
    assert (
        site.rows("select worker_id from worker_status where status <> 'offline' or current_job_id is not null") == []
    )
    assert site.rows("select id from extraction_queue where status = 'En traitement'") == []


def test_a_drain_releases_what_is_not_bought_and_delivers_what_is(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    page = registry.hold(Point.FILL, number="1000001")
    viewer = registry.hold(Point.VIEWER, number="1000002")
    free, bought, waiting = site.order(1_000_001, 1_000_002, 1_000_003)
    site.start()
    page.wait()
    viewer.wait()
    drained = site.drain_in_the_background()
    job = site.until_status(free, Status.WAITING)
    assert (job.attempts, job.next_attempt_at) == (0, None)
    assert not drained.done()
    viewer.release()
    assert drained.result(20)
    assert site.job(bought).status is Status.DONE
    assert site.job(waiting).status is Status.WAITING
    assert_left_nothing(site, registry)
    site.assert_money_is_right()


def test_a_drain_while_signing_in_closes_the_session_and_frees_the_account(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    login = registry.hold(Point.SIGN_IN)
    site.start()
    login.wait(2)
    assert site.drain()
    assert_left_nothing(site, registry)


def test_a_drain_that_overtakes_the_news_of_a_sign_in_closes_that_session(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    login = registry.hold(Point.SIGN_IN)
    farewell = site.slow_reports("offline")
    site.start()
    login.wait()
    (browser,) = site.browsers()
    drained = site.drain_in_the_background()
    farewell.wait()
    login.release()
    until(lambda: not browser.actor_inbox.empty(), "the news did not come while the browser was closing")
    browser.tell(Drain())  # as when the seat is lost at the same time
    farewell.release()
    assert drained.result(20)
    assert_left_nothing(site, registry)


def test_a_drain_of_an_idle_fleet_frees_every_account(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    site.start()
    site.until_idle(2)
    assert site.drain()
    assert_left_nothing(site, registry)


def test_a_drain_of_a_fleet_without_accounts_ends(site: Site, registry: FakeRegistry) -> None:
    site.start()
    assert site.drain()
    assert_left_nothing(site, registry)


def test_an_order_announced_while_the_fleet_drains_is_left_to_others(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    viewer = registry.hold(Point.VIEWER)
    (first,) = site.order(1_000_001)
    site.start()
    viewer.wait()
    drained = site.drain_in_the_background()
    until(lambda: not site.accepts_work(), "the drain did not begin")
    (second,) = site.order(1_000_002)
    viewer.release()
    assert drained.result(20)
    assert (site.job(first).status, site.job(second).status) == (Status.DONE, Status.WAITING)
    assert site.job(second).attempts == 0
    assert_left_nothing(site, registry)


def test_a_purchase_longer_than_the_drain_allows_is_left_to_its_lease_and_the_next_start(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    viewer = registry.hold(Point.VIEWER)
    (order,) = site.order(1_000_001)
    site.start(drain_seconds=0.3)
    viewer.wait()
    assert not site.drain()
    assert site.job(order).status is Status.RUNNING
    viewer.release()  # the process would have ended here; a late end of it harms nothing
    until(lambda: site.spooled() and site.rows("select 1 from registre.purchases where state = 'secured'"), "not saved")
    pykka.ActorRegistry.stop_all()
    registry.close()
    site.start()
    site.until_ended(order)
    site.assert_money_is_right()
