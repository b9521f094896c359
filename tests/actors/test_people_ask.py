"""What a person asks of an account at work: that its sign-in is tested, that it is set aside, that it comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

import actors.browser
from registre.account import SignInOutcome, SignInTest
from registre.errors import AccountError, ErrorKind, Refused, SiteUnavailable
from registre.job import Status
from tests.actors.host import Site
from tests.actors.idling import idle_until_signed_out
from tests.fakes import FakeRegistry, Point
from tests.waiting import until

NAME = "99T0001"
REFUSED = AccountError(ErrorKind.LOGIN_REFUSED, "The registry refused the password.")


def ended_test(site: Site) -> SignInTest:
    """The test of the one account, once it has ended."""

    def look() -> SignInTest | None:
        (account,) = site.store.accounts.all()
        return account.test if account.test is not None and account.test.ended_at is not None else None

    found = until(look, "the test did not end")
    assert found is not None
    return found


def asked_to_leave(site: Site) -> bool:
    (browser,) = site.browsers()
    actor = browser._actor_weakref()
    return actor is not None and actor._leave_wanted


def listening(site: Site) -> None:
    """One account at rest on a host that hears the bell: without ticks, an order that was taken proves it."""
    site.accounts(NAME)
    site.start()
    site.until_idle(1)
    site.until_ended(*site.order(1_000_000))
    site.until_idle(1)


@pytest.mark.usefixtures("only_notices")
def test_the_bell_alone_has_an_idle_account_signed_in_anew_with_the_password_of_now(
    site: Site, registry: FakeRegistry
) -> None:
    listening(site)
    site.store.accounts.ask_test(NAME, "marie")
    found = ended_test(site)
    assert (found.outcome, found.message, found.asked_by) == (SignInOutcome.OK, None, "marie")
    assert found.seconds is not None
    assert (registry.calls(Point.SIGN_IN), registry.calls(Point.SIGN_OUT)) == (2, 1)
    site.until_idle(1)
    assert registry.live_accounts == [NAME]
    site.until_ended(*site.order(1_000_001))
    site.assert_money_is_right()


def test_an_account_that_had_signed_out_is_tested_too(site: Site, registry: FakeRegistry) -> None:
    site.accounts(NAME)
    site.start()
    idle_until_signed_out(site, registry)
    site.store.accounts.ask_test(NAME, "marie")
    assert ended_test(site).outcome is SignInOutcome.OK
    assert registry.calls(Point.SIGN_IN) == 2


def test_a_job_under_way_is_carried_to_its_end_first(site: Site, registry: FakeRegistry) -> None:
    site.accounts(NAME)
    form = registry.hold(Point.FILL)
    (order,) = site.order(1_000_001)
    site.start()
    form.wait()
    site.store.accounts.ask_test(NAME, "marie")
    site.tick_supervisor()
    until(lambda: asked_to_leave(site), "the browser was not told")
    assert site.job(order).status is Status.RUNNING
    assert registry.calls(Point.SIGN_IN) == 1
    form.release()
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    assert ended_test(site).outcome is SignInOutcome.OK
    assert registry.calls(Point.SIGN_IN) == 2
    site.assert_money_is_right()


def test_a_refused_password_is_told_sets_the_account_aside_and_is_tested_no_second_time(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts(NAME)
    site.start()
    site.until_idle(1)
    registry.fail(Point.SIGN_IN, REFUSED)
    site.store.accounts.ask_test(NAME, "marie")
    found = ended_test(site)
    assert (found.outcome, found.message) == (SignInOutcome.REFUSED, REFUSED.message)
    assert found.seconds is not None
    until(lambda: [a for a in site.store.accounts.all() if a.state == "set aside"], "it was not set aside")
    with pytest.raises(Refused, match="set aside"):
        site.store.accounts.ask_test(NAME, "marie")
    for _ in range(3):
        site.tick_supervisor()
    until(lambda: site.browsers() == [], "its browser stayed")
    assert registry.calls(Point.SIGN_IN) == 2


def test_a_site_that_does_not_answer_says_nothing_of_the_account(
    site: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.browser, "backoff", lambda _: timedelta(milliseconds=20))
    site.accounts(NAME)
    site.start()
    site.until_idle(1)
    registry.fail(Point.SIGN_IN, SiteUnavailable("The site answers 503."), times=1)
    site.store.accounts.ask_test(NAME, "marie")
    found = ended_test(site)
    assert (found.outcome, found.message) == (SignInOutcome.UNREACHABLE, "The site answers 503.")
    site.until_idle(1)
    assert registry.calls(Point.SIGN_IN) == 3, "it comes back by itself"
    (account,) = site.store.accounts.all()
    assert account.test == found, "what was answered stays"


@pytest.mark.usefixtures("only_notices")
def test_a_new_password_is_tried_between_two_orders_and_the_old_one_never_again(
    site: Site, registry: FakeRegistry
) -> None:
    listening(site)
    site.store.accounts.add(NAME, "another", "marie")
    assert ended_test(site).outcome is SignInOutcome.OK
    assert (registry.calls(Point.SIGN_IN), registry.calls(Point.SIGN_OUT)) == (2, 1)
    site.until_ended(*site.order(1_000_001))
    assert registry.calls(Point.SIGN_IN) == 2


def test_what_was_asked_while_no_worker_ran_is_answered_by_its_first_sign_in(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts(NAME)
    site.store.accounts.ask_test(NAME, "marie")
    site.start()
    assert ended_test(site).outcome is SignInOutcome.OK
    site.tick_supervisor()
    site.until_ended(*site.order(1_000_001))
    assert registry.calls(Point.SIGN_IN) == 1


def test_an_account_set_aside_gives_its_order_to_another_and_comes_back(site: Site, registry: FakeRegistry) -> None:
    site.accounts(NAME)
    form = registry.hold(Point.FILL, account=NAME)
    (order,) = site.order(1_000_001)
    site.start()
    form.wait()
    site.store.accounts.put_aside(NAME, "the invoice is being checked", "marie")
    job = site.until_status(order, Status.WAITING)
    assert job.attempts == 0
    until(lambda: registry.live_accounts == [], "its session stayed open")
    until(lambda: site.browsers() == [], "its browser stayed")
    site.accounts("99T0002")
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    assert site.store.accounts.restore(NAME, "marie")
    form.release()
    site.until_idle(2)
    assert registry.live_accounts == [NAME, "99T0002"]
    site.assert_money_is_right()


def test_what_an_account_is_buying_when_it_is_set_aside_is_finished(site: Site, registry: FakeRegistry) -> None:
    site.accounts(NAME)
    viewer = registry.hold(Point.VIEWER)
    (order,) = site.order(1_000_001)
    site.start()
    viewer.wait()
    site.store.accounts.put_aside(NAME, "the invoice is being checked", "marie")
    site.tick_supervisor()
    until(lambda: site.states() == ["closing"], "the browser was not told")
    viewer.release()
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    until(lambda: registry.live_accounts == [], "its session stayed open")
    site.assert_money_is_right()
