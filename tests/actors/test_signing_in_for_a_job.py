"""A job whose browser has signed out: it signs in first, and whatever befalls that costs the job nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

import actors.browser
from actors.browser import Browser
from registre.errors import AccountError, ErrorKind, SiteUnavailable
from registre.job import JobId, Status
from tests.actors.host import Site
from tests.actors.idling import look, status
from tests.fakes import FakeRegistry, Hold, Point
from tests.waiting import until


def hold_sign_in(site: Site, registry: FakeRegistry) -> tuple[JobId, Hold]:
    """An order whose browser is about to type its password."""
    page = registry.hold(Point.SIGN_IN)
    (order,) = site.order(1_000_001)
    page.wait()
    until(lambda: status(site).state == "busy", "it is not at work")
    return order, page


def test_the_lease_is_renewed_while_its_browser_signs_in(signed_out: Site, registry: FakeRegistry) -> None:
    order, page = hold_sign_in(signed_out, registry)
    signed_out.sql("update extraction_queue set lease_until = now() + interval '1 second'")
    signed_out.tick_keeper()
    until(
        lambda: signed_out.rows("select 1 from extraction_queue where lease_until > now() + interval '30 seconds'"),
        "nobody renewed it",
    )
    page.release()
    (job,) = signed_out.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)


def test_a_refused_password_gives_the_job_back_without_an_attempt_and_sets_the_account_aside(
    signed_out: Site, registry: FakeRegistry
) -> None:
    registry.fail(Point.SIGN_IN, AccountError(ErrorKind.LOGIN_REFUSED, "Refusé."), account="99T0001")
    (order,) = signed_out.order(1_000_001)
    until(lambda: [a for a in signed_out.store.accounts.all() if a.state == "set aside"], "it was not set aside")
    job = signed_out.until_status(order, Status.WAITING)
    assert (job.attempts, registry.calls(Point.SIGN_IN)) == (0, 2)
    signed_out.accounts("99T0002")
    (job,) = signed_out.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    signed_out.assert_money_is_right()


def test_a_sign_in_that_fails_gives_the_job_back_without_an_attempt_and_is_tried_again(
    signed_out: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.browser, "backoff", lambda _: timedelta(milliseconds=20))
    registry.fail(Point.SIGN_IN, SiteUnavailable("503."), times=1)
    (order,) = signed_out.order(1_000_001)
    (job,) = signed_out.until_ended(order)
    assert (job.status, job.attempts, job.rescues) == (Status.DONE, 1, 0)
    assert [a.ending for a in signed_out.store.views.attempts(order)] == ["released", "secured"]
    signed_out.assert_money_is_right()


def test_a_job_cancelled_while_its_browser_signs_in_ends_and_the_account_goes_on(
    signed_out: Site, registry: FakeRegistry
) -> None:
    order, page = hold_sign_in(signed_out, registry)
    signed_out.store.queue.cancel(order, "a test")
    signed_out.tick_keeper()
    job = signed_out.until_status(order, Status.FAILED)
    assert (job.error_kind, registry.bill) == (ErrorKind.CANCELLED, [])
    page.release()
    until(lambda: signed_out.states() == ["signed out"], "the account is not free again")
    assert registry.live_accounts == []
    signed_out.until_ended(*signed_out.order(1_000_002))
    signed_out.assert_money_is_right()


def test_a_drain_while_a_browser_signs_in_for_a_job_gives_it_back_and_leaves_nothing(
    signed_out: Site, registry: FakeRegistry
) -> None:
    order, _ = hold_sign_in(signed_out, registry)
    assert signed_out.drain()
    job = signed_out.job(order)
    assert (job.status, job.attempts, registry.live_accounts) == (Status.WAITING, 0, [])
    assert signed_out.rows("select username from worker_accounts where lease_owner is not null") == []


def test_a_browser_that_dies_while_it_signs_in_for_a_job_gives_it_back(
    signed_out: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, page = hold_sign_in(signed_out, registry)

    look_after = Browser._look_after
    bitten: list[Browser] = []

    def bug(browser: Browser) -> None:
        if not bitten:  # whoever takes its place may look before this is undone
            bitten.append(browser)
            raise ZeroDivisionError("a bug of ours")
        look_after(browser)

    (browser,) = signed_out.browsers()
    with monkeypatch.context() as patch:
        patch.setattr(Browser, "_look_after", bug)
        look(signed_out)
        until(lambda: not browser.is_alive(), "it did not die")
    page.release()
    (job,) = signed_out.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    assert [a.ending for a in signed_out.store.views.attempts(order)] == ["released", "secured"]
    signed_out.assert_money_is_right()


def test_a_drain_of_accounts_that_are_signed_out_ends(signed_out: Site, registry: FakeRegistry) -> None:
    assert signed_out.drain()
    assert registry.calls(Point.SIGN_OUT) == 1, "it had signed out already"
    assert signed_out.rows("select username from worker_accounts where lease_owner is not null") == []
