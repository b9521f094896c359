"""The database is away for a while: what is being bought is saved, nothing is bought twice, and the fleet comes back alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

import actors.dispatcher
from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.errors import DatabaseUnavailable
from registre.job import JobId, Status
from registre.wiring import Store, make_store
from tests.actors.host import Site
from tests.away import database_away
from tests.fakes import FakeRegistry, Hold, Point
from tests.waiting import until


@pytest.fixture
def dsn(empty_dsn: str) -> str:
    """A database nobody else is connected to."""
    with DirectGateway(empty_dsn) as gateway:
        schema.upgrade(gateway)
    return empty_dsn


@pytest.fixture
def gateway(dsn: str) -> Iterator[DirectGateway]:
    """As the product's, but it takes a database that does not answer for away sooner."""
    with DirectGateway(dsn, connect_timeout_seconds=1) as opened:
        yield opened


def restarted(store: Store, gateway: DirectGateway) -> Store:
    """The stores of a new process: with a pool of its own, on the same database."""
    return make_store(gateway, store.bucket)


def notice_it(store: Store) -> None:
    """Until somebody who asks the database is told that it is away."""
    with pytest.raises(DatabaseUnavailable):
        store.views.counts()


def answers(store: Store) -> bool:
    with suppress(DatabaseUnavailable):
        store.views.counts()
        return True
    return False


def test_the_fleet_comes_back_alone_after_the_database_was_away(
    site: Site, registry: FakeRegistry, server_dsn: str, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.dispatcher, "RECLAIM_EVERY_SECONDS", 0.2)
    monkeypatch.setattr(actors.dispatcher, "backoff", lambda _: timedelta(0))
    site.accounts("99T0001", "99T0002", "99T0003")
    page, form, viewer = (
        registry.hold(Point.FILL, number="1000001"),
        registry.hold(Point.SUBMIT, number="1000002"),
        registry.hold(Point.VIEWER, number="1000003"),
    )
    orders = site.order(*range(1_000_001, 1_000_007))
    site.start(visibility_seconds=3)
    for hold in (page, form, viewer):
        hold.wait()
    with database_away(server_dsn, dsn):
        notice_it(site.store)
        for hold in (page, form, viewer):
            hold.release()
        until(lambda: len(site.spooled()) == 2, "what was being bought was not saved meanwhile")
    until(lambda: answers(site.store), "the database is not found again")
    jobs = site.until_ended(*orders, seconds=60)
    assert {job.status for job in jobs} == {Status.DONE}
    until(lambda: site.spooled() == [], "something stays in the spool")
    site.assert_money_is_right()


def test_a_drain_while_the_database_is_away_ends_and_the_next_start_finishes(
    site: Site, registry: FakeRegistry, server_dsn: str, dsn: str
) -> None:
    site.accounts("99T0001", "99T0002")
    page, viewer = registry.hold(Point.FILL, number="1000001"), registry.hold(Point.VIEWER, number="1000002")
    orders = site.order(1_000_001, 1_000_002)
    site.start(drain_seconds=45)
    page.wait()
    viewer.wait()
    with database_away(server_dsn, dsn):
        notice_it(site.store)
        drained = site.drain_in_the_background()
        viewer.release()
        drained.result(60)
        assert len(site.spooled()) == 1
    with DirectGateway(dsn) as gateway:
        site.store = restarted(site.store, gateway)
        finish(site, page, *orders)


def finish(site: Site, page: Hold, interrupted: JobId, bought: JobId) -> None:
    site.start()
    until(lambda: site.job(bought).status is Status.DONE, "the document saved while the database was away is lost")
    until(lambda: site.job(interrupted).next_attempt_at, "the job interrupted was not reclaimed")
    site.make_due()
    page.release()
    site.until_ended(interrupted, bought)
    site.assert_money_is_right()
    site.drain()
