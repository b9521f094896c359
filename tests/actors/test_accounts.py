"""An account that cannot be used is set aside after one try, and the fleet goes on with one less."""

from __future__ import annotations

from registre.errors import AccountError, ErrorKind
from registre.job import Status
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until

REFUSED = AccountError(ErrorKind.LOGIN_REFUSED, "The registry refused the password.")
LOCKED = AccountError(ErrorKind.ACCOUNT_LOCKED, "The registry locked the account.")


def until_set_aside(site: Site, username: str) -> str:
    """Why it is out."""

    def look() -> str | None:
        (account,) = [a for a in site.store.accounts.all() if a.username == username]
        return account.reason if account.state == "set aside" else None

    return until(look, f"{username} was not set aside") or ""


def test_a_refused_password_is_tried_exactly_once_and_the_others_go_on(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    registry.fail(Point.SIGN_IN, REFUSED, account="99T0001")
    site.start()
    assert until_set_aside(site, "99T0001") == REFUSED.message
    for _ in range(3):
        site.tick_supervisor()
    site.until_ended(*site.order(*range(1_000_001, 1_000_009)))
    assert registry.calls(Point.SIGN_IN, account="99T0001") == 1
    assert {line.account for line in registry.bill} == {"99T0002"}
    assert registry.live_accounts == ["99T0002"]
    site.drain()
    site.start()
    site.until_idle(1)
    assert registry.calls(Point.SIGN_IN, account="99T0001") == 1, "a restart tried it again"


def test_a_new_password_brings_the_account_back(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    registry.fail(Point.SIGN_IN, REFUSED, times=1)
    site.start()
    until_set_aside(site, "99T0001")
    site.accounts("99T0001")
    site.until_ended(*site.order(1_000_001))
    assert registry.calls(Point.SIGN_IN) == 2
    site.assert_money_is_right()


def test_an_account_lost_mid_job_gives_the_job_to_another_without_an_attempt(
    site: Site, registry: FakeRegistry
) -> None:
    site.accounts("99T0001")
    registry.fail(Point.FILL, LOCKED, account="99T0001")
    (order,) = site.order(1_000_001)
    site.start()
    assert until_set_aside(site, "99T0001") == LOCKED.message
    job = site.until_status(order, Status.WAITING)
    assert (job.attempts, job.next_attempt_at) == (0, None)
    until(lambda: registry.live_accounts == [], "the lost account's session stayed open")
    site.accounts("99T0002")
    (job,) = site.until_ended(order)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    assert [a.ending for a in site.store.views.attempts(order)] == ["released", "secured"]
    assert registry.calls(Point.SIGN_IN, account="99T0001") == 1
    site.assert_money_is_right()


def test_a_password_refused_while_the_fleet_drains_still_counts(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001")
    login = registry.hold(Point.SIGN_IN, error=REFUSED)
    farewell = site.slow_reports("offline")
    site.start()
    login.wait()
    (browser,) = site.browsers()
    drained = site.drain_in_the_background()
    farewell.wait()
    login.release()
    until(lambda: not browser.actor_inbox.empty(), "the news did not come while the browser was closing")
    farewell.release()
    assert drained.result(20)
    assert until_set_aside(site, "99T0001") == REFUSED.message


def test_an_account_switched_off_by_a_person_is_closed(site: Site, registry: FakeRegistry) -> None:
    site.accounts("99T0001", "99T0002")
    site.start()
    site.until_idle(2)
    site.sql("update worker_accounts set is_active = false where username = '99T0001'")
    site.tick_keeper()
    until(lambda: registry.live_accounts == ["99T0002"], "the account switched off stayed signed in")
    site.tick_supervisor()
    site.until_idle(1)
