"""How it is worked and drawn, whatever the view: commands, palette, help, rights, languages, themes, sizes, the mouse."""

from __future__ import annotations

import re

import pytest

from registre.language import Language
from tests.tui.conftest import opened
from tests.tui.fake import FakeApi

pytestmark = pytest.mark.anyio

BULK = "/api/extractions/bulk"


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
        for keys in (
            ("p",),
            ("P",),
            ("2", "R"),
            ("2", "C"),
            ("4", "A"),
            ("5", "n"),
            ("5", "U"),
            ("5", "t"),
            ("5", "X"),
        ):
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
