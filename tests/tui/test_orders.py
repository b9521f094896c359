"""What is done with one order and with many: looked at, followed, settled, marked, retried, cancelled."""

from __future__ import annotations

import httpx
import pytest

from tests.tui.conftest import opened
from tests.tui.fake import FakeApi
from tests.tui.samples import fact, log_line

pytestmark = pytest.mark.anyio

BULK = "/api/extractions/bulk"


async def test_enter_leads_to_the_order_and_escape_back(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("enter")
        await desk.until_shown("index 2 784 007", "intended", "evidence: /var/lib/registre/evidence/1", "job.leased")
        await desk.press("y")
        assert desk.app.clipboard == api.jobs[0]["extraction_id"]
        await desk.press("e")
        assert desk.app.clipboard == "/var/lib/registre/evidence/1"
        await desk.press("escape")
        await desk.until_shown("99T0003")


async def test_an_order_is_followed_while_it_is_looked_at(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("enter")
        running = api.jobs[0]
        await desk.until_shown("▶ in progress")
        running |= {"status": "Complété", "supabase_path": "index/here.pdf"}
        api.clock.advance(2)
        api.push(fact(9, "job.completed", running["extraction_id"]))
        await desk.until_shown("✓ completed", "index/here.pdf")
        await desk.press("Y")
        assert desk.app.clipboard == "index/here.pdf"


async def test_what_is_logged_about_an_order_is_followed_while_it_is_worked_on(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("enter")
        await desk.until_shown("W  bureau  saving", "again: the file is cut.", "I  bureau  index 2 784 007, attempt 1")
        path = f"/api/extractions/{api.jobs[0]['extraction_id']}/log"
        api.answers[path]["lines"].append(log_line(1, "ERROR", "no page came"))
        asked = len(api.asked_for("GET", path))
        api.clock.advance(2)
        await desk.pilot.pause()
        api.clock.advance(2)
        await desk.until_shown("E  bureau  no page came")
        assert len(api.asked_for("GET", path)) == asked + 1, "no event told of it"
        api.jobs[0] |= {"status": "Complété"}
        api.clock.advance(1)
        api.push(fact(9, "job.completed", api.jobs[0]["extraction_id"]))
        await desk.until_shown("✓ completed")
        asked = len(api.asked_for("GET", path))
        api.clock.advance(60)
        desk.app._tick()
        await desk.settle()
        assert len(api.asked_for("GET", path)) == asked


async def test_a_document_is_fetched_and_its_path_told(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = next(order for order in api.busy().jobs if order["status"] == "Complété")
    api.refusals["GET", f"/api/extractions/{done['extraction_id']}/document"] = httpx.Response(
        200, content=b"%PDF-1.7", headers={"content-disposition": 'attachment; filename="Index 2784004.pdf"'}
    )
    async with opened(api) as desk:
        desk.app.show_job(done["extraction_id"])
        await desk.settle()
        await desk.press("o")
        await desk.until(lambda: any("Index 2784004.pdf" in notice for notice in desk.notices()))
        assert desk.app.clipboard.endswith("Index 2784004.pdf")


async def test_an_ambiguous_purchase_is_settled_in_a_box(api: FakeApi) -> None:
    api.busy()
    api.jobs[2] |= {"error_kind": "ambiguous_purchase"}
    path = f"/api/extractions/{api.jobs[2]['extraction_id']}/settle"
    async with opened(api) as desk:
        desk.app.show_job(api.jobs[0]["extraction_id"])
        await desk.settle()
        await desk.press("S")
        await desk.until_shown("There is nothing to settle")
        await desk.press("escape")
        desk.app.show_job(api.jobs[2]["extraction_id"])
        await desk.settle()
        await desk.press("S")
        await desk.until_shown("Settle an ambiguous purchase", f"$ registre jobs rebuy {api.jobs[2]['extraction_id']}")
        await desk.pilot.click("#abandon-free")
        await desk.until(lambda: api.asked_for("POST", path) == [{"decision": "abandon", "billed": False}])


async def test_marked_orders_are_retried_in_a_box_that_names_number_and_cost(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("2", "space", "space")
        await desk.until_shown("2 marked", "◉")
        await desk.press("R")
        await desk.until_shown("Retry 2 orders", "$3.00 at most", "do registre jobs retry $id; done")
        await desk.press("escape")
        assert [body["dry_run"] for body in api.asked_for("POST", BULK)] == [True], "leaving the box changes nothing"
        await desk.press("R", "y")
        await desk.until(lambda: any("2 orders changed" in notice for notice in desk.notices()))
        asked = api.asked_for("POST", BULK)[-1]
        assert (asked["action"], asked["expected"], len(asked["ids"])) == ("retry", 2, 2)


async def test_a_box_does_nothing_when_enter_is_pressed_by_habit(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("2", "C", "enter")
        assert [body["dry_run"] for body in api.asked_for("POST", BULK)] == [True]


async def test_a_whole_listing_is_cancelled_by_its_filter_and_its_number(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("2", "slash")
        await desk.type("status=failed")
        await desk.press("enter")
        await desk.until_shown("/ status=failed", "1 to 1 of 1")
        await desk.press("a", "a")
        await desk.until_shown("the whole listing is meant")
        await desk.press("C")
        await desk.until_shown("Cancel 1 order")
        await desk.press("y")
        await desk.until(lambda: len(api.asked_for("POST", BULK)) == 2)
        asked = api.asked_for("POST", BULK)[-1]
        assert (asked["action"], asked["filter"], asked["expected"]) == ("cancel", {"status": "failed"}, 1)


async def test_everything_there_is_cannot_be_marked_without_a_filter(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("2", "a", "a")
        await desk.until_shown("Filter first")


async def test_a_refusal_of_the_server_is_told_in_its_own_words(api: FakeApi) -> None:
    api.busy().refusals["POST", BULK] = httpx.Response(
        409, json={"detail": "5 jobs were expected, and the choice now holds 6."}
    )
    async with opened(api) as desk:
        await desk.press("2", "R")
        await desk.until(lambda: any("the choice now holds 6" in notice for notice in desk.notices()))
