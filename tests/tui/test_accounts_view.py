"""The view of the accounts, and pauses from wherever they are asked for."""

from __future__ import annotations

import pytest

from tests.tui.conftest import opened
from tests.tui.fake import FakeApi
from tests.tui.samples import account, fact, sign_in_test

pytestmark = pytest.mark.anyio


async def test_an_account_is_added_behind_dots(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("5", "n")
        await desk.press(*"99T0004", "tab", *"motdepasse")
        assert "motdepasse" not in desk.text()
        assert "•" * 10 in desk.text()
        await desk.press("enter")
        await desk.until(lambda: bool(api.asked_for("POST", "/api/accounts")))
        assert api.asked_for("POST", "/api/accounts") == [{"username": "99T0004", "password": "motdepasse"}]


async def test_an_account_is_paused_with_a_reason_and_resumed(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("5", "p")
        await desk.until_shown("Pause 99T0001", "$ registre pause account 99T0001")
        await desk.press("enter")
        assert api.asked_for("PUT", "/api/pauses") == [], "nothing is paused without a reason"
        await desk.type("facture")
        await desk.press("enter")
        await desk.until(lambda: bool(api.asked_for("PUT", "/api/pauses")))
        assert api.asked_for("PUT", "/api/pauses") == [{"scope": "account", "name": "99T0001", "reason": "facture"}]
        api.answers["/api/accounts"] = {"accounts": [account(1, "paused", reason="facture")]}
        await desk.press("f5")
        await desk.until_shown("‖ paused", "facture")
        await desk.press("p", "y")
        await desk.until(lambda: api.asked_for("DELETE", "/api/pauses") == [{"scope": "account", "name": "99T0001"}])


async def test_an_account_that_was_set_aside_is_put_back(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("5", "U")
        await desk.until_shown("This account is not set aside.")
        await desk.press("G", "U")
        await desk.until_shown("Put 99T0003 back into service", "Le site a refusé le mot de passe.")
        await desk.until_shown("$ registre accounts restore 99T0003")
        await desk.press("y")
        await desk.until(lambda: bool(api.asked_for("POST", "/api/accounts/99T0003/restore")))


async def test_a_sign_in_is_tested_and_how_it_went_is_followed(api: FakeApi) -> None:
    path = "/api/accounts/99T0001/test"
    async with opened(api.busy()) as desk:
        await desk.press("5", "t")
        await desk.until_shown("Test the sign-in of 99T0001", "$ registre accounts test 99T0001", "finished first")
        await desk.press("escape")
        assert api.asked_for("POST", path) == []
        await desk.press("t", "y")
        await desk.until(lambda: any("signed in anew between two orders" in notice for notice in desk.notices()))
        assert len(api.asked_for("POST", path)) == 1
        for test, work, *shown in (
            (sign_in_test(), "idle", "… to be tested", "asked for by marie", "● signed in"),
            (sign_in_test(), "offline", "… to be tested", "◔ signing in"),
            (sign_in_test("ok"), "idle", "✓ sign-in works", "in 2 s"),
            (sign_in_test("unreachable", "The site answers 503."), "idle", "! not reached", "The site answers 503."),
        ):
            api.answers["/api/accounts"] = {"accounts": [account(1, work=work, test=test)]}
            api.clock.advance(2)
            api.push(fact(6, "account.tested", username="99T0001"))
            await desk.until_shown(*shown)


async def test_an_account_that_is_set_aside_is_not_tested(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("5", "G", "t")
        await desk.until_shown("It is set aside, so that nobody signs it in")
        assert {method for method, *_ in api.asked} == {"GET"}


async def test_an_account_is_set_aside_with_a_reason(api: FakeApi) -> None:
    path = "/api/accounts/99T0002/set-aside"
    async with opened(api.busy()) as desk:
        await desk.press("5", "j", "X")
        await desk.until_shown("Set 99T0002 aside", "$ registre accounts set-aside 99T0002 --reason WHY")
        await desk.press("enter")
        assert api.asked_for("POST", path) == [], "nothing is set aside without a reason"
        await desk.type("facture")
        await desk.press("enter")
        await desk.until(lambda: api.asked_for("POST", path) == [{"reason": "facture"}])
        await desk.press("j", "X")
        await desk.until_shown("This account is set aside already.")


async def test_everything_is_paused_from_the_fleet(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("P")
        await desk.until_shown("Pause every order", "$ registre pause site")
        await desk.type("inventaire")
        await desk.press("enter")
        await desk.until(lambda: bool(api.asked_for("PUT", "/api/pauses")))
        assert api.asked_for("PUT", "/api/pauses")[0] == {"scope": "site", "name": "", "reason": "inventaire"}
