"""Accounts share the orders: each signs in once, each does one job at a time, and work begins when somebody says so."""

from __future__ import annotations

import threading
import uuid
from itertools import pairwise

import pytest

from registre.errors import ConfigurationError
from registre.inspection import inspect_pdf
from registre.job import Status
from registre.ports import Step
from tests.actors.host import Site, status_of
from tests.fakes import FakeRegistry, Point
from tests.waiting import until

THREE = ("99T0001", "99T0002", "99T0003")


def test_three_accounts_sign_in_once_each_and_share_many_orders(site: Site, registry: FakeRegistry) -> None:
    site.accounts(*THREE)
    everyone = registry.hold(Point.FILL)
    orders = site.order(*range(1_000_001, 1_000_031))
    site.start()
    first = everyone.wait(3)
    assert sorted(call.account for call in first) == list(THREE)
    everyone.release()
    jobs = site.until_ended(*orders)
    assert {job.status for job in jobs} == {Status.DONE}
    assert [registry.calls(Point.SIGN_IN, account=name) for name in THREE] == [1, 1, 1]
    site.assert_money_is_right()
    for job in jobs:
        bucket, _, key = (job.supabase_path or "").partition("/")
        path = site.home.parent / "copy.pdf"
        path.write_bytes(site.store.bucket.fetch(bucket, key))
        inspect_pdf(path, job.request)  # raises when the file names another number


def test_no_account_ever_has_two_jobs_at_once(site: Site) -> None:
    site.accounts(*THREE)
    site.start()
    site.until_ended(*site.order(*range(1_000_001, 1_000_031)))
    attempts = site.rows(
        "select account_id, started_at, ended_at from registre.attempts order by account_id, started_at"
    )
    assert len(attempts) == 30
    for before, after in pairwise(attempts):
        if before["account_id"] == after["account_id"]:
            assert before["ended_at"] <= after["started_at"]


@pytest.mark.usefixtures("only_notices")
def test_an_order_is_taken_because_it_was_announced_and_not_because_a_second_passed(site: Site) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    (order,) = site.order(1_000_001)
    (job,) = site.until_ended(order)
    assert job.status is Status.DONE


@pytest.mark.usefixtures("only_notices")
def test_a_row_inserted_by_another_program_is_taken_at_once(site: Site) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    order = uuid.uuid4()
    site.sql(
        "insert into extraction_queue (id, document_source, document_number, cadastre) "
        "values (%(id)s, 'index', '1 000 001', 'Cadastre du Québec')",
        id=order,
    )
    until(
        lambda: site.rows("select 1 from extraction_queue where id = %(id)s and status = 'Complété'", id=order),
        "the row was not taken",
    )


@pytest.mark.usefixtures("only_notices")
def test_an_account_added_while_the_fleet_runs_is_taken_at_once(site: Site) -> None:
    site.start()
    site.accounts("99T0001")
    site.until_idle(1)


@pytest.mark.usefixtures("only_notices")
def test_a_row_nobody_can_serve_ends_in_a_sentence_and_the_next_is_served(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    site.sql("insert into extraction_queue (document_source, document_number) values ('testament', '12')")
    (good,) = site.order(1_000_001)
    site.start()
    site.until_ended(good)
    bad = site.rows(
        "select status, error_kind, error_message from extraction_queue where document_source = 'testament'"
    )
    assert (bad[0]["status"], bad[0]["error_kind"]) == ("Erreur", "invalid_order")
    assert "testament" in bad[0]["error_message"]
    assert [line.number for line in registry.bill] == ["1000001"]


def test_a_browser_answers_while_its_page_works(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    (browser,) = site.browsers()

    def asked() -> bool:
        status = status_of(browser)
        return (status.state, status.job_id, status.step) == ("busy", order, Step.FORM)

    until(asked, "the browser does not say what it does")
    until(lambda: site.job(order).step == str(Step.FORM), "the row does not say where it stands")
    page.release()
    site.until_ended(order)


def test_two_orders_for_one_document_buy_it_one_after_the_other_and_never_together(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001", "99T0002")
    viewer = registry.hold(Point.VIEWER)
    first, second = site.order(1_000_001, 1_000_001)
    site.start()
    viewer.wait()
    waiting = until(
        lambda: next((j for j in (site.job(first), site.job(second)) if j.next_attempt_at), None),
        "the second order did not step back",
    )
    assert (waiting.status, waiting.attempts) == (Status.WAITING, 0)
    assert len(registry.bill) == 1
    viewer.release()
    site.until_ended(*({first, second} - {waiting.id}))


def test_a_second_worker_of_one_host_is_refused(site: Site) -> None:
    site.start()
    other = Site(site.store, FakeRegistry(), "", site.home)
    with pytest.raises(ConfigurationError, match="Another worker already runs"):
        other.start()


def test_two_hosts_never_share_an_account(site: Site, registry: FakeRegistry, dsn: str) -> None:
    site.accounts(*THREE)
    other = Site(site.store, registry, dsn, site.home.parent / "other")
    other.settings = other.settings.model_copy(update={"host": "host-b"})
    site.start(max_sessions=2)
    site.until_idle(2)
    other.start()
    try:
        site.until_idle(3)
        site.until_ended(*site.order(*range(1_000_001, 1_000_021)))
        assert registry.calls(Point.SIGN_IN) == 3
        assert len(registry.bill) == 20
    finally:
        other.drain()


def test_the_fleet_leaves_no_thread_behind(site: Site) -> None:
    before = set(threading.enumerate())
    site.accounts("99T0001")
    site.start()
    site.until_ended(*site.order(1_000_001))
    assert site.drain()

    def left() -> list[str]:
        # the database's pool is the test's own; dramatiq's clock of time limits has no end but the process's
        return [
            f"{type(thread).__name__} {thread.name}"
            for thread in set(threading.enumerate()) - before
            if not thread.name.startswith("registre-") and type(thread).__name__ != "_CtypesTimeoutManager"
        ]

    until(lambda: left() == [], f"threads stay behind: {left()}")
