"""The fleet, the queue, failures, batches, events and costs, over an API that is set."""

from __future__ import annotations

import pytest

from tests.tui.conftest import opened
from tests.tui.fake import FakeApi
from tests.tui.samples import BATCH, fact, job
from tui.screens.queue import PAGE

pytestmark = pytest.mark.anyio

BULK = "/api/extractions/bulk"


async def test_the_fleet_shows_each_account_its_order_and_its_step(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        text = desk.text()
        for words in (
            "▶ at work", "99T0001", "bureau", "index 2 784 007", "waiting for the viewer", "42 s", "15 min 00",
            "● signed in", "4 min 05", "✗ set aside", "99T0001  Aucun résultat pour ce lot.",
            "12 wait", "12 documents", "$19.50", "of $50.00", "1 ambiguous", "open until 22:00", "● database", "1 to deliver",
            "Why orders wait: every account is at work",
        ):  # fmt: skip
            assert words in text, words
        await desk.press("G")
        await desk.until_shown("99T0003  Le site a refusé le mot de passe.")


async def test_a_document_that_its_bucket_does_not_take_is_told_with_the_reason(api: FakeApi) -> None:
    api.answers["/api/undelivered"] = {
        "failing": [
            {
                "job_id": api.busy().jobs[0]["extraction_id"],
                "host": "bureau",
                "source": "index",
                "number": "2 784 007",
                "secured_at": "2026-12-01T13:05:00Z",
                "failures": 4,
                "failed_at": "2026-12-01T13:06:00Z",
                "reason": "The bucket index has no room left",
            }
        ]
    }
    async with opened(api) as desk:
        await desk.until_shown(
            "1 document not taken by its bucket", "index 2 784 007: The bucket index has no room left"
        )


async def test_alerts_stand_above_the_fleet_with_what_to_do(api: FakeApi) -> None:
    api.busy().answers["/api/alerts"] = {
        "alerts": [
            {
                "sentence": {"fr": f"Le compte {n} est mis de côté.", "en": f"The account {n} is set aside."},
                "to_do": {"fr": "Corrigez.", "en": "Mend it."},
            }
            for n in range(5)
        ]
    }
    async with opened(api) as desk:
        await desk.until_shown("5 alerts: The account 0 is set aside. Mend it.")
        assert "99T0001" in desk.text(), "the fleet is still there"


async def test_a_step_is_shown_as_the_stream_tells_it_and_the_clock_goes_on(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        api.push(fact(6, "job.step", api.jobs[0]["extraction_id"], step="saving the document"))
        await desk.until_shown("saving the document")
        api.clock.advance(20)
        await desk.until_shown("1 min 02")


async def test_the_filter_is_live_and_escape_takes_it_back(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("2", "slash")
        await desk.type("2784003")
        await desk.until_shown("1 to 1 of 1")
        await desk.press("escape")
        await desk.until_shown("1 to 7 of 7")
        await desk.press("slash")
        await desk.type("statut=rien")
        await desk.press("enter")
        await desk.until_shown("is no status")


async def test_pages_are_asked_for_by_cursor_and_the_whole_listing_is_sorted_by_the_server(api: FakeApi) -> None:
    api.busy().jobs = [job(number) for number in range(250)]
    async with opened(api) as desk:
        await desk.press("2")
        await desk.until_shown(f"1 to {PAGE} of 250", "newest first", "given ▼", "2 784 000")
        await desk.press("n")
        await desk.until_shown(f"{PAGE + 1} to {2 * PAGE} of 250", "2 784 100")
        await desk.press("n", "n")
        await desk.until_shown("201 to 250 of 250")
        await desk.press("b")
        await desk.until_shown(f"{PAGE + 1} to {2 * PAGE} of 250")
        await desk.press("space", "s")
        await desk.until_shown(f"1 to {PAGE} of 250", "oldest first", "given ▲", "2 784 249", "1 marked")
        asked = api.asked_for("GET", "/api/extractions")[-1]
        assert asked == {"limit": str(PAGE), "sort": "created_at"}, "from its other end, not from the page at hand"
        await desk.press("n")
        await desk.until_shown("2 784 149", f"{PAGE + 1} to {2 * PAGE} of 250")
        await desk.press("s")
        await desk.until_shown("newest first", "2 784 000")


async def test_a_page_is_arranged_by_its_columns(api: FakeApi) -> None:
    api.busy().jobs = [job(2, client="Bêta"), job(1, "Erreur", client="Alpha"), job(3, client="Gamma")]
    async with opened(api) as desk:
        await desk.press("2")
        for column, number in (
            ("status", "2 784 002"),
            ("number", "2 784 001"),
            ("client", "2 784 001"),
            ("cost", "2 784 002"),
        ):
            await desk.press("o")
            arrow = "▼" if column == "cost" else "▲"
            await desk.until_shown(f"{column} {arrow}", f"this page by {column}")
            first = next(line for line in desk.text().splitlines() if "2 784 00" in line)
            assert number in first, (column, first)
        await desk.press("o")
        await desk.until_shown("given ▼")
        assert "this page by" not in desk.text()


async def test_the_cursor_stays_on_its_order_when_others_come(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("2", "j", "j", "k", "j")
        assert desk.app.screen.focused is not None
        before = desk.view.listing().sheet.current
        assert before == api.jobs[2]["extraction_id"]
        api.jobs.insert(0, job(99, "En attente"))
        api.clock.advance(2)
        api.push(fact(8, "job.submitted", api.jobs[0]["extraction_id"]))
        await desk.until_shown("2 784 099")
        assert desk.view.listing().sheet.current == before


async def test_a_cause_leads_to_its_orders_and_all_of_them_are_retried(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("3")
        await desk.until_shown("not_found", "ambiguous_purchase", "requester", "operator: settle")
        await desk.press("R", "y")
        await desk.until(lambda: len(api.asked_for("POST", BULK)) == 2)
        assert api.asked_for("POST", BULK)[-1]["filter"] == {"status": "failed", "error_kind": "not_found"}
        await desk.press("enter")
        await desk.until_shown("/ status=failed kind=not_found")
        await desk.until(
            lambda: any(asked.get("error_kind") == "not_found" for asked in api.asked_for("GET", "/api/extractions"))
        )


async def test_a_batch_is_approved_and_what_is_left_of_another_cancelled(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("4")
        await desk.until_shown("Dossier 12", "17 / 30", "to be approved", "$22.50")
        await desk.press("A")
        await desk.until_shown("waits for nobody's approval")
        await desk.press("C")
        await desk.until_shown("13 orders have not ended", f"$ registre batches cancel {BATCH}")
        await desk.press("y")
        await desk.until(lambda: api.asked_for("POST", f"/api/batches/{BATCH}/cancel") == [{"expected": "13"}])
        await desk.press("j", "A")
        await desk.until_shown("30 orders begin", "$45.00 at most")
        await desk.press("y")
        await desk.until(lambda: bool(api.asked_for("POST", f"/api/batches/{BATCH[:-2]}02/approve")))
        await desk.press("y")
        assert desk.app.clipboard == BATCH[:-2] + "02"
        await desk.press("enter")
        await desk.until_shown(f"/ batch={BATCH[:-2]}02")


async def test_events_are_followed_held_and_searched(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("6")
        await desk.until_shown("5 events", "host.started", "job.failed")
        api.push(fact(6, "gate.paused", scope="site"))
        await desk.until_shown("gate.paused", "6 events")
        await desk.press("f")
        await desk.until_shown("held: f follows again")
        api.push(fact(7, "gate.resumed"))
        await desk.until(lambda: desk.app.model.heard == 2)
        await desk.settle()
        assert "gate.resumed" not in desk.text()
        await desk.press("f")
        await desk.until_shown("gate.resumed")
        await desk.press("slash")
        await desk.type("leased")
        await desk.press("enter")
        await desk.until_shown("1 event", "/ leased", "worker=bureau/99T0001")
        await desk.press("enter")
        await desk.until_shown("index 2 784 007")


async def test_costs_are_seen_by_day_by_account_and_on(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("7")
        await desk.until_shown("2026-11-26", "$18.00", "1 ($1.50)", "$19.50 / $50.00", "$30.50")
        await desk.press("b")
        await desk.until(lambda: api.asked_for("GET", "/api/costs")[-1] == {"by": "account"})
        await desk.press("y")
        assert desk.app.clipboard == "registre costs report --by account"
