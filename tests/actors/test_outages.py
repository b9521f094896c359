"""The bucket or the database is away: nothing is lost, nothing is bought twice, and the fleet comes back alone."""

from __future__ import annotations

import shutil
from typing import Any

import psycopg
import pytest

from registre.errors import Refused
from registre.job import Status
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until


def test_a_document_waits_in_the_spool_for_a_bucket_that_is_away(site: Site, registry: FakeRegistry) -> None:
    buckets = site.home.parent / "buckets"
    buckets.write_text("in the way")
    site.accounts("99T0001")
    (order,) = site.order(1_000_001)
    site.start()
    until(
        lambda: len(site.spooled()) == 1 and site.rows("select 1 from registre.purchases where state = 'secured'"), ""
    )
    assert site.job(order).status is Status.RUNNING
    buckets.unlink()
    site.until_ended(order)
    until(lambda: site.spooled() == [], "the spool keeps what is delivered")
    site.assert_money_is_right()


def test_a_drain_does_not_wait_for_a_bucket_that_is_away_and_the_next_start_delivers(
    site: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = site.home.parent / "buckets"
    buckets.write_text("in the way")
    site.accounts("99T0001")
    (order,) = site.order(1_000_001)
    site.start(drain_seconds=600)
    until(lambda: site.rows("select 1 from registre.purchases where state = 'secured'"), "nothing was bought")
    assert not site.drain_in_the_background().result(20), "a drain that left a document undelivered says so"
    site.start(drain_seconds=600)
    assert site.job(order).status is Status.RUNNING
    site.drain_in_the_background().result(20)
    buckets.unlink()
    site.start()
    site.until_ended(order)
    assert registry.calls(Point.SUBMIT) == 1
    site.assert_money_is_right()


def test_a_bucket_that_refuses_for_a_bug_of_ours_is_tried_again_and_says_so(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    real, refusals = site.store.bucket.put, [ZeroDivisionError("a bug of ours"), Refused("It holds another document.")]

    class Moody:
        def put(self, *arguments: Any) -> None:
            if refusals:
                raise refusals.pop()
            real(*arguments)

    site.replace_bucket(Moody())
    site.accounts("99T0001")
    site.start()
    site.until_ended(*site.order(1_000_001))
    assert refusals == []
    assert "It holds another document." in caplog.text
    assert "a bug of ours" in caplog.text


def test_a_disk_that_refuses_buys_nothing(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    incoming = site.home / "spool" / "incoming"
    shutil.rmtree(incoming)
    incoming.write_text("in the way")
    (order,) = site.order(1_000_001)
    job = until(lambda: job if (job := site.job(order)).next_attempt_at else None, "the job was not put off")
    assert (job.status, job.attempts, registry.bill) == (Status.WAITING, 0, [])
    incoming.unlink()
    incoming.mkdir()
    site.make_due()
    site.until_ended(order)
    site.assert_money_is_right()


def test_connections_cut_in_the_middle_of_everything_cost_nothing(site: Site, registry: FakeRegistry, dsn: str) -> None:
    site.accounts("99T0001", "99T0002")
    page, viewer = registry.hold(Point.FILL, number="1000001"), registry.hold(Point.VIEWER, number="1000002")
    orders = site.order(*range(1_000_001, 1_000_009))
    site.start()
    page.wait()
    viewer.wait()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and application_name = 'registre'"
        )
    page.release()
    viewer.release()
    site.until_ended(*orders)
    site.assert_money_is_right()


def test_a_database_that_answers_with_nonsense_does_not_stop_the_fleet(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when functions are replaced by a newer version under a running call."""
    errors = {
        name: [psycopg.errors.InternalError_("cache lookup failed")] * 2 for name in ("lease_next", "renew", "claim")
    }

    def nonsense_at_first(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*arguments: Any) -> Any:
            if errors[name]:
                raise errors[name].pop()
            return real(*arguments)

        monkeypatch.setattr(owner, name, call)

    nonsense_at_first(site.store.queue, "lease_next")
    nonsense_at_first(site.store.queue, "renew")
    nonsense_at_first(site.store.accounts, "claim")
    site.accounts("99T0001")
    site.start()
    for _ in range(3):
        site.tick_supervisor()
        site.tick_keeper()
    site.until_ended(*site.order(1_000_001))
    until(lambda: errors == {"lease_next": [], "renew": [], "claim": []}, "not every call was made")
    site.assert_money_is_right()
