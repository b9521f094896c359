"""One live session per account, everywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registre.account import AccountView, SignInOutcome, Wish, WishKind
from registre.errors import NotFound, Refused
from registre.ports import AccountBook
from registre.store.accounts import Accounts
from tests.desk import Desk
from tests.memory.store import MemoryStore

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def view(accounts: Accounts, username: str) -> AccountView:
    return next(each for each in accounts.all() if each.username == username)


def test_an_account_is_added_once_and_then_gets_a_new_password(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    first, created = accounts.add("marie", "old")
    again, created_again = accounts.add("marie", "new")
    assert (first, created, created_again) == (again, True, False)
    [(_, credentials)] = accounts.claim("host-a/1", 5, MINUTE)
    assert (credentials.username, credentials.password) == ("marie", "new")


def test_no_password_is_ever_shown(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    accounts.add("marie", "sésame")
    [(seat, credentials)] = accounts.claim("host-a/1", 5, MINUTE)
    assert "sésame" not in repr((seat, credentials, accounts.all()))
    assert desk.sql("select data from registre.events where data::text like '%%sésame%%'") == []


def test_accounts_are_claimed_once_and_the_longest_rested_first(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    for name in ("anne", "benoit", "chantal"):
        accounts.add(name, "secret")
    desk.sql("update worker_accounts set last_used = now() - interval '1 hour' where username = 'anne'")
    desk.sql("update worker_accounts set last_used = now() where username = 'benoit'")
    claimed = [accounts.claim("host-a/1", 1, MINUTE)[0][0].username for _ in range(3)]
    assert claimed == ["chantal", "anne", "benoit"]
    assert accounts.claim("host-b/1", 5, MINUTE) == []
    assert {each.state for each in accounts.all()} == {"signed in"}


def test_a_released_account_is_free_and_an_old_token_frees_nothing(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    accounts.add("marie", "secret")
    [(former, _)] = accounts.claim("host-a/1", 1, MINUTE)
    accounts.release(former)
    assert view(accounts, "marie").state == "free"
    [(present, _)] = accounts.claim("host-b/1", 1, MINUTE)
    assert present.token > former.token
    accounts.release(former)
    accounts.set_aside(former, "refused", None)
    assert view(accounts, "marie").state == "signed in"


def test_an_account_whose_owner_died_is_free_when_its_lease_runs_out(desk: Desk) -> None:
    [seat] = desk.seats(1)
    desk.pass_time(863_999)
    assert desk.gateway.call("claim_accounts", owner="b/1", limit=1, visibility_seconds=1, now=desk.now) == []
    desk.pass_time(2)
    [row] = desk.gateway.call("claim_accounts", owner="b/1", limit=1, visibility_seconds=1, now=desk.now)
    assert (row["id"], row["token"]) == (seat.account_id, seat.token + 1)


def test_an_account_set_aside_without_end_waits_for_a_person(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    accounts.add("marie", "wrong")
    [(seat, _)] = accounts.claim("host-a/1", 1, MINUTE)
    accounts.set_aside(seat, "password refused", None)
    assert accounts.claim("host-b/1", 1, MINUTE) == []
    shown = view(accounts, "marie")
    assert (shown.state, shown.reason, shown.failure_count) == ("set aside", "password refused", 1)
    accounts.add("marie", "right")
    assert len(accounts.claim("host-b/1", 1, MINUTE)) == 1
    assert view(accounts, "marie").failure_count == 0


def test_an_account_that_cools_down_comes_back_by_itself(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    accounts.add("marie", "secret")
    [(seat, _)] = accounts.claim("host-a/1", 1, MINUTE)
    accounts.set_aside(seat, "quota", HOUR)
    assert accounts.claim("host-b/1", 1, MINUTE) == []
    desk.sql("update worker_accounts set set_aside_until = now() - interval '1 second'")
    assert view(accounts, "marie").state == "free"
    assert len(accounts.claim("host-b/1", 1, MINUTE)) == 1


def test_an_inactive_account_is_never_claimed_and_not_renewed(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    accounts.add("marie", "secret")
    [(seat, _)] = accounts.claim("host-a/1", 1, HOUR)
    desk.sql("update worker_accounts set is_active = false")
    assert desk.renew([], [seat], "host-a/1") == []
    accounts.release(seat)
    assert accounts.claim("host-a/1", 1, MINUTE) == []
    assert view(accounts, "marie").state == "inactive"


@pytest.mark.parametrize("kind", ["postgres", "memory"])
def test_a_person_puts_an_account_back_into_service(request: pytest.FixtureRequest, kind: str) -> None:
    book: AccountBook = request.getfixturevalue("store").accounts if kind == "postgres" else MemoryStore().accounts
    book.add("marie", "secret")
    assert book.restore("marie", "paul") is False
    [(seat, _)] = book.claim("host-a/1", 1, MINUTE)
    book.set_aside(seat, "password refused", None)
    assert book.restore("marie", "paul") is True
    [shown] = book.all()
    assert (shown.state, shown.reason, shown.failure_count) == ("free", None, 0)
    [(_, credentials)] = book.claim("host-b/1", 1, MINUTE)
    assert credentials.password == "secret"
    with pytest.raises(NotFound):
        book.restore("nobody", "paul")


@pytest.fixture(params=["postgres", "memory"])
def book(request: pytest.FixtureRequest) -> AccountBook:
    if request.param == "memory":
        return MemoryStore().accounts
    accounts: AccountBook = request.getfixturevalue("store").accounts
    return accounts


def test_a_test_of_a_sign_in_is_answered_by_the_next_sign_in_and_by_no_earlier_one(book: AccountBook) -> None:
    book.add("marie", "secret")
    [(former, _)] = book.claim("host-a/1", 1, HOUR)
    assert book.note_sign_in(former, SignInOutcome.OK, "", 2.0) is False, "nobody asked"
    assert book.wishes("host-a/1") == []
    book.ask_test("marie", "paul")
    book.ask_test("marie", "anne")
    [shown] = book.all()
    assert shown.test is not None
    assert (shown.test.asked_by, shown.test.began_at, shown.test.outcome) == ("paul", None, None)
    assert book.wishes("host-a/1") == [Wish(former.account_id, former.token, WishKind.TEST)]
    assert book.wishes("host-b/1") == []
    assert book.note_sign_in(former, SignInOutcome.OK, "", 2.0) is False, "that sign-in began before it was asked for"
    book.release(former)
    [(present, _)] = book.claim("host-b/1", 1, HOUR)
    assert (book.wishes("host-a/1"), book.wishes("host-b/1")) == ([], [])
    assert book.note_sign_in(former, SignInOutcome.OK, "", 2.0) is False
    assert book.note_sign_in(present, SignInOutcome.UNREACHABLE, "503.", 2.04) is True
    assert book.note_sign_in(present, SignInOutcome.OK, "", 1.0) is False, "it was answered"
    [shown] = book.all()
    assert shown.test is not None
    assert (shown.test.outcome, shown.test.message, shown.test.seconds) == (SignInOutcome.UNREACHABLE, "503.", 2.04)
    assert None not in (shown.test.began_at, shown.test.ended_at)
    book.ask_test("marie", "anne")
    [shown] = book.all()
    assert shown.test is not None
    assert (shown.test.asked_by, shown.test.outcome, shown.test.began_at) == ("anne", None, None)


def test_a_new_password_for_an_account_at_work_has_it_signed_in_anew(book: AccountBook) -> None:
    """Who holds it knows the old one, and would type that once more when the session expires."""
    book.add("marie", "old")
    [(seat, _)] = book.claim("host-a/1", 1, HOUR)
    assert book.wishes("host-a/1") == []
    for author in ("paul", "anne"):
        book.add("marie", "new", author)
        assert book.wishes("host-a/1") == [Wish(seat.account_id, seat.token, WishKind.TEST)]
    book.release(seat)
    [(present, credentials)] = book.claim("host-a/1", 1, HOUR)
    assert (book.wishes("host-a/1"), credentials.password) == ([], "new")
    assert book.note_sign_in(present, SignInOutcome.OK, "", 1.0) is True
    [shown] = book.all()
    assert shown.test is not None
    assert shown.test.asked_by == "anne"


def test_what_is_to_be_tested_is_claimed_first(book: AccountBook) -> None:
    for name in ("anne", "benoit", "chantal"):
        book.add(name, "secret")
    book.ask_test("chantal", "paul")
    assert [book.claim("host-a/1", 1, HOUR)[0][0].username for _ in range(3)] == ["chantal", "anne", "benoit"]


def test_an_account_that_is_set_aside_is_not_tested_and_its_test_ends_with_the_refusal(book: AccountBook) -> None:
    book.add("marie", "wrong")
    book.ask_test("marie", "paul")
    [(seat, _)] = book.claim("host-a/1", 1, HOUR)
    book.set_aside(seat, "password refused", None)
    [shown] = book.all()
    assert shown.test is not None
    assert (shown.test.outcome, shown.test.message) == (SignInOutcome.REFUSED, "password refused")
    with pytest.raises(Refused, match="set aside"):
        book.ask_test("marie", "paul")
    with pytest.raises(NotFound):
        book.ask_test("nobody", "paul")


def test_an_account_set_aside_by_a_person_is_let_go_by_its_host_and_claimed_by_none(book: AccountBook) -> None:
    book.add("marie", "secret")
    [(seat, _)] = book.claim("host-a/1", 1, HOUR)
    book.ask_test("marie", "paul")
    book.put_aside("marie", "the invoice is being checked", "paul")
    [shown] = book.all()
    assert (shown.state, shown.reason, shown.failure_count) == ("set aside", "the invoice is being checked", 0)
    assert shown.test is not None
    assert shown.test.outcome is SignInOutcome.UNREACHABLE
    assert book.wishes("host-a/1") == [Wish(seat.account_id, seat.token, WishKind.LEAVE)]
    with pytest.raises(Refused, match="set aside already"):
        book.put_aside("marie", "again", "paul")
    with pytest.raises(NotFound):
        book.put_aside("nobody", "x", "paul")
    book.release(seat)
    assert book.wishes("host-a/1") == []
    assert book.claim("host-b/1", 1, HOUR) == []
    assert book.restore("marie", "paul") is True
    assert len(book.claim("host-b/1", 1, HOUR)) == 1


def test_what_people_ask_of_an_account_is_told_with_its_author(desk: Desk) -> None:
    accounts = Accounts(desk.gateway)
    accounts.add("marie", "secret")
    accounts.ask_test("marie", "paul")
    [(seat, _)] = accounts.claim("host-a/1", 1, HOUR)
    accounts.note_sign_in(seat, SignInOutcome.OK, "", 1.26)
    accounts.put_aside("marie", "holidays", "paul")
    told = desk.sql("select kind, data from registre.events where kind like 'account.%%' order by id")
    assert [(row["kind"], row["data"]) for row in told[1:]] == [
        ("account.test_asked", {"username": "marie", "author": "paul"}),
        ("account.tested", {"username": "marie", "outcome": "ok", "seconds": 1.3}),
        ("account.set_aside", {"username": "marie", "reason": "holidays", "author": "paul"}),
    ]


def test_an_account_set_aside_while_it_is_held_gets_no_more_orders(desk: Desk) -> None:
    desk.order(1000001)
    [seat] = desk.seats(1)
    desk.gateway.call("put_account_aside", username=seat.username, reason="holidays", author="a test")
    assert desk.lease([seat]) == []
    desk.gateway.call("restore_account", username=seat.username, author="a test")
    assert len(desk.lease([seat])) == 1
