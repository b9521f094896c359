"""A browser that breaks costs time, never a job and never money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import actors.browser
import actors.supervisor
from actors.browser import Browser
from registre import fate
from registre.document import DocumentRequest, Source
from registre.errors import BrowserFailed, DocumentError, ErrorKind, LayoutChanged, SessionExpired, SiteUnavailable
from registre.gates import Scope
from registre.job import Order, Status
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until

ACTE = Order(DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte"))

BROKEN = BrowserFailed("The browser crashed.")


class Poison:
    """A message whose handling raises."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise ZeroDivisionError("a bug of ours")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between starts are another test's business."""

    def soon(attempt: int, **_: Any) -> timedelta:
        assert attempt >= 1
        return timedelta(milliseconds=20)

    monkeypatch.setattr(actors.browser, "backoff", soon)
    monkeypatch.setattr(actors.supervisor, "backoff", soon)


def test_a_browser_that_fails_before_the_intent_puts_the_job_off_and_opens_again(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    registry.fail(Point.FILL, BROKEN, times=1)
    (order,) = site.order(1_000_001)
    site.start()
    job = until(lambda: job if (job := site.job(order)).next_attempt_at else None, "the job was not put off")
    assert (job.status, job.attempts, job.rescues) == (Status.WAITING, 0, 1)
    until(lambda: registry.calls(Point.SIGN_IN) == 2, "the session was not opened again")
    site.make_due()
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    site.assert_money_is_right()


def test_a_job_that_breaks_every_browser_ends(
    site: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fate, "BROWSER_BACK", timedelta(0))
    site.accounts("99T0001")
    registry.fail(Point.FILL, BROKEN, number="1000001")
    poison, good = site.order(1_000_001, 1_000_002)
    site.start()
    bad, _ = site.until_ended(poison, good)
    assert (bad.status, bad.error_kind) == (Status.FAILED, ErrorKind.ATTEMPTS_EXHAUSTED)
    assert registry.calls(Point.FILL, number="1000001") == 11
    site.assert_money_is_right()


def test_a_browser_that_fails_after_the_intent_stops_the_job_for_a_person(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.SUBMIT, BROKEN, number="1000001")
    registry.fail(Point.VIEWER, BROKEN, number="1000002")
    site.start()
    jobs = site.until_ended(*site.order(1_000_001, 1_000_002, 1_000_003))
    assert [job.error_kind for job in jobs] == ["ambiguous_purchase", "ambiguous_purchase", None]
    assert sorted(line.number for line in registry.bill) == ["1000002", "1000003"]
    assert registry.calls(Point.SUBMIT) == 3


def test_a_form_that_has_changed_stops_its_source_until_a_person_opens_it(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.FILL, LayoutChanged("No form."), times=1)
    (order,) = site.order(1_000_001)
    site.start()
    until(lambda: site.job(order).next_attempt_at, "the job was not put off")
    site.make_due()
    (acte,) = site.store.queue.submit([ACTE])
    site.until_ended(acte)
    job = site.job(order)
    assert (job.status, job.attempts, registry.calls(Point.FILL)) == (Status.WAITING, 0, 2)
    assert "No form" in site.store.gates.why(order)
    assert site.store.gates.resume(Scope.SOURCE, "index", "a test")
    site.until_ended(order)
    site.assert_money_is_right()


def test_a_site_that_is_away_consumes_no_attempt_and_no_money(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.FILL, SiteUnavailable("Closed for maintenance."), times=1)
    (order,) = site.order(1_000_001)
    site.start()
    job = until(lambda: job if (job := site.job(order)).next_attempt_at else None, "the job was not put off")
    assert (job.status, job.attempts, job.rescues, registry.bill) == (Status.WAITING, 0, 0, [])
    site.make_due()
    site.until_ended(order)
    site.assert_money_is_right()


def test_a_session_that_expires_after_the_submit_signs_in_once_more_and_buys_once(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    registry.fail(Point.SUBMIT, SessionExpired("Back at the login page."), times=1)
    site.start()
    (job,) = site.until_ended(*site.order(1_000_001))
    assert (job.status, job.attempts) == (Status.DONE, 1)
    assert registry.calls(Point.SIGN_IN) == 2
    assert [line.state for line in site.store.ledger.lines()] == ["void", "delivered"]
    site.assert_money_is_right()


def test_a_download_that_fails_twice_is_saved_the_third_time_from_the_open_viewer(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    registry.fail(Point.SAVE, DocumentError("The file is cut short."), times=2)
    site.start()
    site.until_ended(*site.order(1_000_001))
    assert registry.calls(Point.SAVE) == 3
    site.assert_money_is_right()


def test_a_document_that_never_comes_stops_the_job_for_a_person(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.SAVE, DocumentError("The file is cut short."))
    site.start()
    (job,) = site.until_ended(*site.order(1_000_001))
    assert (job.status, job.error_kind) == (Status.FAILED, ErrorKind.AMBIGUOUS_PURCHASE)
    assert len(registry.bill) == 1


def test_a_session_that_cannot_be_opened_is_tried_again(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.OPEN, BROKEN, times=2)
    registry.fail(Point.SIGN_IN, SiteUnavailable("Closed."), times=1)
    site.start()
    site.until_ended(*site.order(1_000_001))
    assert (registry.calls(Point.OPEN), registry.calls(Point.SIGN_IN)) == (4, 2)


def test_a_session_that_raises_what_nobody_foresaw_is_opened_again(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.SIGN_IN, ZeroDivisionError("a bug of ours"), times=1)
    registry.fail(Point.FILL, ZeroDivisionError("another"), times=1)
    (order,) = site.order(1_000_001)
    site.start()
    until(lambda: site.job(order).next_attempt_at, "the attempt did not end")
    site.make_due()
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 2)
    assert "ZeroDivision" not in str(site.store.views.attempts(order))


def kill(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Let an unexpected exception kill the only browser actor; its supervisor has heard of it."""
    (browser,) = site.browsers()
    browser.tell(Poison())
    until(lambda: "ended and is started again" in caplog.text, "the browser did not die")


def test_an_idle_browser_killed_by_a_bug_is_started_again(
    site: Site, registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    kill(site, caplog)
    site.until_idle(1)
    site.until_ended(*site.order(1_000_001))
    assert registry.live_accounts == ["99T0001"]
    site.assert_money_is_right()


def test_a_browser_killed_before_the_intent_gives_its_job_back_at_once(
    site: Site, registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    site.accounts("99T0001")
    page = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start()
    page.wait()
    kill(site, caplog)
    page.wait(2)  # the same job, by the browser started again, while the first call was never released
    page.release()
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    site.assert_money_is_right()


def test_a_browser_killed_after_the_intent_finishes_its_purchase_before_its_account_signs_in_again(
    site: Site, registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    site.accounts("99T0001")
    viewer = registry.hold(Point.VIEWER)
    orders = site.order(1_000_001, 1_000_002)
    site.start()
    viewer.wait()
    kill(site, caplog)
    for _ in range(5):
        site.tick_supervisor()
        site.tick_keeper()
    viewer.release()
    until(lambda: registry.calls(Point.OPEN) == 2, "the browser was not started again")
    site.tick_supervisor()  # the news of what was saved died with the browser; the tick looks into the spool
    assert [job.status for job in site.until_ended(*orders)] == [Status.DONE, Status.DONE]
    assert registry.calls(Point.OPEN) == 2
    site.assert_money_is_right()


def test_a_drain_waits_for_the_purchase_of_a_browser_that_died(
    site: Site, registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    site.accounts("99T0001")
    viewer = registry.hold(Point.VIEWER)
    (order,) = site.order(1_000_001)
    site.start()
    viewer.wait()
    kill(site, caplog)
    drained = site.drain_in_the_background()
    until(lambda: not site.accepts_work(), "the drain did not begin")
    assert not drained.done()
    viewer.release()
    assert drained.result(20)
    assert site.job(order).status is Status.DONE
    site.assert_money_is_right()


def test_the_supervisor_finds_a_browser_that_failed_to_start_and_starts_it_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Browser.on_start
    failures: list[Browser] = []

    def fails_once(browser: Browser) -> None:
        if not failures:
            failures.append(browser)
            raise ZeroDivisionError("a bug of ours")
        real(browser)

    monkeypatch.setattr(Browser, "on_start", fails_once)
    site.accounts("99T0001")
    site.start()
    until(lambda: failures and not failures[0].actor_ref.is_alive(), "the first start did not fail")
    site.tick_supervisor()
    site.tick_supervisor()
    site.tick_supervisor()
    site.until_idle(1)
    site.until_ended(*site.order(1_000_001))
