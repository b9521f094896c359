"""The connection: lost, found again, flooded; and whom it speaks to."""

from __future__ import annotations

import time

import httpx
import pytest

from registre.errors import ConfigurationError, InvalidInput, NotFound, Refused, RegistreError, Unavailable
from tests.tui.conftest import opened
from tests.tui.fake import KEY, FakeApi
from tests.tui.samples import fact, job
from tui.app import TICKS_A_SECOND
from tui.client import Client
from tui.model import Link
from tui.widgets.sheet import Sheet
from tui.wire import Overview

pytestmark = pytest.mark.anyio

FLOOD = 5000


async def test_a_lost_connection_shows_a_banner_and_comes_back_where_it_was(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        api.push(fact(6, "gate.paused"))
        await desk.until(lambda: desk.app.model.heard == 1)
        api.cut()
        await desk.until_shown(
            "✗ cut off", "Cut off: The API at http://registre.test does not answer", "Trying again in"
        )
        assert "99T0001" in desk.text(), "what was known is still shown"
        await desk.press("2", "1")
        api.is_down = False
        await desk.press("f5")
        await desk.until_shown("● live")
        assert api.resumed_after[-1] == "6-0-6"
        assert "Cut off" not in desk.text()


async def test_a_key_that_is_revoked_meanwhile_is_told_and_not_fatal(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        api.refusals["GET", "/api/events"] = httpx.Response(401, json={"detail": "This key is unknown or revoked."})
        api.cut()
        api.is_down = False
        await desk.until_shown("refuses this key")


async def test_another_database_under_the_same_address_is_begun_anew(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        api.refusals["GET", "/api/events"] = httpx.Response(400, json={"detail": "it is no event's id"})
        api.cut()
        api.is_down = False
        histories = len(api.asked_for("GET", "/api/history"))
        await desk.press("f5")
        await desk.until(lambda: len(api.asked_for("GET", "/api/history")) > histories)
        api.refusals.clear()
        await desk.until_shown("● live")


async def test_a_flood_is_drawn_a_bounded_number_of_times_and_a_key_is_not_behind_it(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 000 events of a fleet at work, all at once: faster than any server tells them. How long a key takes meanwhile is measured
    in benchmarks/terminal; here, that it has its turn while most of the flood is still to come."""
    ids = [job(number)["extraction_id"] for number in range(40)]
    handled: list[int] = []
    move = Sheet.action_move

    def noted(sheet: Sheet, rows: int) -> None:
        handled.append(desk.app.model.heard)
        move(sheet, rows)

    monkeypatch.setattr(Sheet, "action_move", noted)
    async with opened(api.busy()) as desk:
        for mode in ("1", "6"):
            await desk.press(mode)
            handled.clear()
            painted, looked = desk.app.paints, len(api.asked_for("GET", "/api/overview"))
            begun, heard = time.monotonic(), desk.app.model.heard
            for start in range(0, FLOOD, 100):
                api.push(*(fact(10 + n, "job.step", ids[n % 40], step=f"step {n}") for n in range(start, start + 100)))
            desk.app.simulate_key("j")
            await desk.until(lambda heard=heard: desk.app.model.heard - heard == FLOOD)  # type: ignore[misc]
            await desk.settle()
            seconds = time.monotonic() - begun
            assert handled, "the key was lost"
            assert handled[0] - heard < FLOOD / 2, "the key waited behind the flood"
            assert desk.app.paints - painted <= seconds * TICKS_A_SECOND + 2
            assert len(api.asked_for("GET", "/api/overview")) - looked <= seconds + 2


async def test_an_unreadable_stream_is_a_sentence(api: FakeApi) -> None:
    api.refusals["GET", "/api/events"] = httpx.Response(200, text="hello", headers={"content-type": "text/plain"})
    client = Client("http://registre.test", KEY, transport=api.transport)
    with pytest.raises(ConfigurationError, match="is not the API of registre"):
        async for _ in client.events(None):
            pass
    await client.close()


@pytest.mark.parametrize(
    "url", ["", "registre", "ftp://registre.test", "http://", "http://user:secret@registre.test", "http://[::"]
)
async def test_what_is_no_address_is_told_before_anything_is_asked(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address of an API"):
        Client(url, KEY)


async def test_what_is_no_key_is_told_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as told:
        Client("http://registre.test", "clé secrète")
    assert "secrète" not in str(told.value)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            httpx.Response(401, json={"detail": "This key is unknown or revoked."}),
            ConfigurationError,
            "refuses this key",
        ),
        (httpx.Response(403, json={"detail": "This needs a key of the role admin."}), Refused, "the role admin"),
        (httpx.Response(404, json={"error": "Extraction job not found"}), NotFound, "Extraction job not found"),
        (httpx.Response(409, json={"detail": "It is being bought."}), Refused, "It is being bought."),
        (
            httpx.Response(400, json={"error": "Validation error", "details": [{"field": "text", "message": "no."}]}),
            InvalidInput,
            "text: no.",
        ),
        (httpx.Response(503, json={"detail": "The database is away."}), Unavailable, "The database is away."),
        (httpx.Response(502, text="<html>"), Unavailable, r"fails \(502\)"),
        (httpx.Response(302, headers={"location": "/login"}), ConfigurationError, "is not the API of registre"),
        (httpx.Response(200, text="<html>"), ConfigurationError, "is not the API of registre"),
        (httpx.Response(200, json={"at": "today"}), ConfigurationError, "answers otherwise than this version reads"),
        (httpx.Response(200, json=[]), ConfigurationError, "answers otherwise than this version reads"),
        (httpx.Response(500, json={"detail": "\x1b[2Jboom"}), Unavailable, r"\\x1b\[2Jboom"),
    ],
)
async def test_every_answer_that_is_none_is_one_sentence(
    api: FakeApi, answer: httpx.Response, kind: type[RegistreError], words: str
) -> None:
    api.refusals["GET", "/api/overview"] = answer
    client = Client("http://registre.test", KEY, transport=api.transport)
    with pytest.raises(kind, match=words) as told:
        await client.get("/api/overview", Overview)
    assert KEY not in str(told.value)
    await client.close()


async def test_an_api_of_another_version_is_refused_at_the_door(api: FakeApi) -> None:
    client = Client("http://registre.test", KEY, transport=api.transport)
    assert (await client.check()).name == "marie"
    api.version = "99.0.0"
    with pytest.raises(ConfigurationError, match=r"of version 99\.0\.0, this program of"):
        await client.check()
    api.refusals["GET", "/api"] = httpx.Response(404, json={"detail": "Not Found"})
    with pytest.raises(ConfigurationError, match="is not the API of registre"):
        await client.check()
    await client.close()


async def test_the_view_is_not_left_when_the_server_dies_under_a_question(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        api.refusals["GET", "/api/failures"] = httpx.Response(
            500, json={"detail": "registre failed; its log says how."}
        )
        await desk.press("3")
        await desk.until_shown("registre failed; its log says how.")
        api.clock.advance(10)
        await desk.until(lambda: "its log says how" not in desk.text())
        assert desk.app.model.link is Link.LIVE
