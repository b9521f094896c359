"""Every view and every key, over an API that is set."""

from __future__ import annotations

import re

import httpx
import pytest

from registre.language import Language
from tests.tui.conftest import opened
from tests.tui.fake import BATCH, FakeApi, account, fact, job
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


async def test_a_step_is_shown_as_the_stream_tells_it_and_the_clock_goes_on(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        api.push(fact(6, "job.step", api.jobs[0]["extraction_id"], step="saving the document"))
        await desk.until_shown("saving the document")
        api.clock.advance(20)
        await desk.until_shown("1 min 02")


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


async def test_pages_are_asked_for_by_cursor_and_sorted_on_the_page(api: FakeApi) -> None:
    api.busy().jobs = [job(number) for number in range(250)]
    async with opened(api) as desk:
        await desk.press("2")
        await desk.until_shown(f"1 to {PAGE} of 250")
        await desk.press("n")
        await desk.until_shown(f"{PAGE + 1} to {2 * PAGE} of 250", "2 784 100")
        await desk.press("s")
        await desk.until_shown("this page by oldest", "2 784 199")
        await desk.press("n", "n")
        await desk.until_shown("201 to 250 of 250")
        await desk.press("b")
        await desk.until_shown(f"{PAGE + 1} to {2 * PAGE} of 250")


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
        await desk.press("y")
        await desk.until(lambda: bool(api.asked_for("POST", "/api/accounts/99T0003/restore")))
        await desk.press("t")
        assert desk.app.clipboard == "registre site check"


async def test_everything_is_paused_from_the_fleet(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("P")
        await desk.until_shown("Pause every order", "$ registre pause site")
        await desk.type("inventaire")
        await desk.press("enter")
        await desk.until(lambda: bool(api.asked_for("PUT", "/api/pauses")))
        assert api.asked_for("PUT", "/api/pauses")[0] == {"scope": "site", "name": "", "reason": "inventaire"}


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


async def test_commands_are_typed_after_a_colon(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        for text, shown in (
            ("queue status=failed", "/ status=failed"),
            ("flotte", "Why orders wait"),
            ("rien", "'rien' is no command"),
            ("job 7", "Give the order's whole id"),
            ("theme nowhere", "is no theme"),
            ("pause account", "Say what: site"),
            ('queue "', "A quotation mark is not closed."),
            ("langue fr", "Pourquoi ça attend"),
        ):
            await desk.press("colon")
            await desk.type(text)
            await desk.press("enter")
            await desk.until_shown(shown)
        await desk.press("colon")
        await desk.type("pause source acte")
        await desk.press("enter")
        await desk.until_shown("Mettre en pause acte", "registre pause source acte")


async def test_the_palette_has_the_same_commands(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.press("ctrl+p")
        await desk.type("spent")
        await desk.until_shown("what was spent and what may be")
        await desk.press("enter")
        await desk.until_shown("budget of")


async def test_help_lists_the_keys_of_the_view_and_what_the_key_may_not_do(api: FakeApi) -> None:
    api.role = "viewer"
    async with opened(api.busy()) as desk:
        await desk.press("2", "question_mark")
        await desk.until_shown("Keys of this view: Queue", "retry (not with your key)", "next page")
        await desk.press("escape", "R")
        await desk.until_shown("This needs a key of the role operator; yours is a viewer's.")
        assert "R retry" not in desk.text().splitlines()[-1]
        assert api.asked_for("POST", BULK) == []


async def test_read_only_changes_nothing_whatever_the_key(api: FakeApi) -> None:
    async with opened(api.busy(), read_only=True) as desk:
        await desk.until_shown("read only")
        for keys in (("p",), ("P",), ("2", "R"), ("2", "C"), ("4", "A"), ("5", "n"), ("5", "U")):
            await desk.press(*keys)
            await desk.until_shown("Nothing is changed with --read-only.")
        assert {method for method, *_ in api.asked} == {"GET"}


async def test_ascii_draws_no_other_character(api: FakeApi) -> None:
    api.busy().answers["/api/overview"]["accounts"][2]["reason"] = "refused"
    api.jobs[2]["error_message"] = "no result"
    async with opened(api, ascii_only=True) as desk:
        await desk.settle()
        text = desk.text()
        assert "> at work" in text
        assert {letter for letter in text if not letter.isascii()} == set()
        await desk.press("p")
        text = desk.text()
        assert "Pause 99T0001" in text
        assert {letter for letter in text if not letter.isascii()} == set()


async def test_no_color_leaves_greys(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(api.busy()) as desk:
        colours = set(re.findall(r"#([0-9a-f]{6})", desk.app.export_screenshot()))
        # the frame that is drawn around a picture has three coloured buttons, and a title
        coloured = {c for c in colours if len({c[:2], c[2:4], c[4:]}) > 1} - {"ff5f57", "febc2e", "28c840", "c5c8c6"}
        assert coloured == set()
        assert "▶ at work" in desk.text()


async def test_themes_are_two_for_the_colour_blind(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        assert desk.app.theme == "registre"
        await desk.press("ctrl+t")
        assert desk.app.theme == "registre-light"
        assert "▶ at work" in desk.text()


async def test_the_mouse_does_what_the_keys_do(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        line = desk.text().splitlines()[0]
        await desk.pilot.click("#top", offset=(line.index("Queue"), 0))
        await desk.until_shown("1 to 7 of 7")
        line = desk.text().splitlines()[-1]
        await desk.pilot.click("#keys", offset=(line.index("help"), 0))
        await desk.until_shown("Keys of this view: Queue")


async def test_hostile_texts_are_shown_and_not_obeyed(api: FakeApi) -> None:
    api.busy().jobs[1]["document_number"] = "[bold red]\x1b[2J"
    api.jobs[1]["client"] = "[@click=app.quit]x"
    async with opened(api) as desk:
        await desk.press("2")
        await desk.until_shown("[bold red]\\x1", "[@click=app")


@pytest.mark.parametrize("size", [(40, 10), (59, 40), (80, 15)])
async def test_a_terminal_that_is_too_small_says_so_and_recovers(api: FakeApi, size: tuple[int, int]) -> None:
    async with opened(api.busy(), size=size) as desk:
        assert f"This terminal has {size[0]} columns" in desk.text().replace("\n", " ")
        await desk.pilot.resize_terminal(80, 24)
        await desk.until_shown("99T0001")


async def test_french_is_the_first_language(api: FakeApi) -> None:
    async with opened(api.busy(), spoken=Language.FRENCH) as desk:
        await desk.until_shown("Flotte", "▶ au travail", "attend la visionneuse", "19,50 $", "ouvert jusqu'à 22:00")


async def test_q_leaves(api: FakeApi) -> None:
    async with opened(api.busy()) as desk:
        await desk.pilot.press("q")
        await desk.until(lambda: not desk.app.is_running)
        assert desk.app.return_code == 0
