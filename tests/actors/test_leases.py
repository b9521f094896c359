"""What is lost is let go: before the intent the attempt stops and writes nothing, after it the purchase goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registre.errors import Refused
from registre.job import JobId, Status
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until


def take_away(site: Site, order: JobId) -> None:
    """Another owner has the job, by a higher token."""
    site.sql(
        "update extraction_queue set lease_token = lease_token + 1, lease_owner = 'host-b/1', worker_id = 'host-b/x', "
        "account_id = 'of host-b' where id = %(id)s",
        id=order,
    )


def test_a_lease_lost_before_the_intent_stops_the_attempt_and_writes_nothing(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL, number="1000001")
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    take_away(site, order)
    before = site.rows("select * from extraction_queue where id = %(id)s", id=order)
    site.tick_keeper()
    site.until_ended(*site.order(1_000_002))
    assert site.rows("select * from extraction_queue where id = %(id)s", id=order) == before
    assert [line.number for line in registry.bill] == ["1000002"]


def test_a_lease_lost_between_two_renewals_is_noticed_by_the_intent(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL, number="1000001")
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    take_away(site, order)
    page.release()
    site.until_ended(*site.order(1_000_002))
    assert registry.calls(Point.SUBMIT, number="1000001") == 0
    assert site.job(order).worker_id == "host-b/x"


def test_a_lease_lost_after_the_intent_does_not_stop_the_purchase(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    form = registry.hold(Point.SUBMIT)
    (order,) = site.order(1_000_001)
    site.start()
    form.wait()
    site.sql("update extraction_queue set lease_until = now() - interval '1 second'")
    judged = site.store.queue.reclaim(timedelta(0), timedelta(hours=1), timedelta(hours=1))
    assert judged == [(order, "ambiguous_purchase")]
    site.tick_keeper()
    form.release()
    job = site.until_status(order, Status.DONE)
    assert job.cost_cents == 150
    site.assert_money_is_right()


def test_a_job_is_renewed_for_as_long_as_its_page_works(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start(visibility_seconds=1.5)
    page.wait()
    first = site.rows("select lease_until from extraction_queue")[0]["lease_until"]
    until(
        lambda: site.rows("select 1 from extraction_queue where lease_until > %(t)s", t=first + timedelta(seconds=3)),
        "the lease was not renewed",
    )
    page.release()
    (job,) = site.until_ended(order)
    assert (job.attempts, job.rescues) == (1, 0)


def test_a_lost_seat_closes_its_browser_and_gives_its_job_back(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    site.sql(
        "update worker_accounts set lease_token = lease_token + 1, lease_owner = 'host-b/1', "
        "lease_until = now() + interval '1 hour'"
    )
    site.tick_keeper()
    job = site.until_status(order, Status.WAITING)
    assert job.attempts == 0
    until(lambda: site.browsers() == [] and registry.live_accounts == [], "the browser of the lost seat stayed")
    (account,) = site.store.accounts.all()
    assert account.lease_owner == "host-b/1", "the other host's lease was given up"


def test_a_lost_seat_lets_a_purchase_end(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    viewer = registry.hold(Point.VIEWER)
    (order,) = site.order(1_000_001)
    site.start()
    viewer.wait()
    site.sql("update worker_accounts set lease_token = lease_token + 1, is_active = false")
    site.tick_keeper()
    until(lambda: site.states() == ["closing"], "the browser did not begin to close")
    viewer.release()
    site.until_ended(order)
    until(lambda: registry.live_accounts == [], "the session stayed open")
    site.assert_money_is_right()


def test_cancelling_a_running_job_before_the_intent_stops_it(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    assert site.store.queue.cancel(order, "a clerk") == "requested"
    site.tick_keeper()
    (job,) = site.until_ended(order)
    assert (job.status, job.error_kind, registry.bill) == (Status.FAILED, "cancelled", [])
    page.release()
    site.until_ended(*site.order(1_000_002))


def test_a_cancel_that_reaches_nobody_in_time_is_read_by_the_intent(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    site.store.queue.cancel(order, "a clerk")
    page.release()
    (job,) = site.until_ended(order)
    assert (job.error_kind, registry.bill, registry.calls(Point.SUBMIT)) == ("cancelled", [], 0)


def test_cancelling_after_the_intent_is_refused_and_the_document_comes(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    form = registry.hold(Point.SUBMIT)
    (order,) = site.order(1_000_001)
    site.start()
    form.wait()
    with pytest.raises(Refused, match="being bought"):
        site.store.queue.cancel(order, "a clerk")
    site.tick_keeper()
    form.release()
    (job,) = site.until_ended(order)
    assert job.status is Status.DONE
    site.assert_money_is_right()
