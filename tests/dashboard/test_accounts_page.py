"""The page of the accounts: what a person asks of one, and what is shown of it."""

from __future__ import annotations

from datetime import timedelta

from registre.access import Role
from registre.account import SignInOutcome
from tests.dashboard.conftest import Reader, shown

HOST = "bureau-1/boot-1"


def test_a_sign_in_is_tested_and_its_outcome_shown(reader: Reader) -> None:
    [seat] = reader.stage.accounts(1)
    path = f"/accounts/{seat.username}/test"
    reader.sign_in(Role.OPERATOR)
    assert "Test the sign-in" in shown(reader.get("/accounts").text)
    assert reader.post(path).headers["location"] == "/accounts?told=tested"
    page = shown(reader.get("/accounts?told=tested").text)
    assert "to be tested between two orders, asked for by marie" in page
    assert "Test the sign-in" not in page, "one test at a time"
    accounts = reader.stage.store.accounts
    accounts.release(seat)
    [(anew, _)] = accounts.claim(HOST, 1, timedelta(minutes=1))
    assert "signing in, for a test" in shown(reader.get("/accounts").text)
    accounts.note_sign_in(anew, SignInOutcome.UNREACHABLE, "The site answered 503.", 2.2)
    page = shown(reader.get("/accounts").text)
    assert "the sign-in could not be tried" in page
    assert "(in 2 s) The site answered 503." in page
    page = shown(reader.get("/accounts", headers={"accept-language": "fr"}).text)
    assert "la connexion n’a pu être essayée" in page
    assert "Le site a répondu 503." in page


def test_an_account_is_set_aside_and_put_back(reader: Reader) -> None:
    [seat] = reader.stage.accounts(1)
    path = f"/accounts/{seat.username}"
    reader.sign_in(Role.OPERATOR)
    told = reader.post(f"{path}/set-aside", data={"reason": "the invoice is being checked"})
    assert told.headers["location"] == "/accounts?told=aside"
    page = shown(reader.get("/accounts").text)
    assert "set aside the invoice is being checked" in page
    assert "Put back into service" in page
    assert reader.post(f"{path}/test").status_code == 409
    assert reader.post(f"{path}/set-aside", data={"reason": "again"}).status_code == 409
    assert reader.post(f"{path}/set-aside", data={"reason": " "}).status_code == 400
    assert reader.post(f"{path}/restore").headers["location"] == "/accounts?told=restored"
    assert "the invoice is being checked" not in shown(reader.get("/accounts").text)


def test_a_viewer_asks_nothing_of_an_account(reader: Reader) -> None:
    [seat] = reader.stage.accounts(1)
    reader.sign_in(Role.VIEWER)
    for deed in ("test", "set-aside"):
        assert reader.post(f"/accounts/{seat.username}/{deed}", data={"reason": "x"}).status_code == 403
