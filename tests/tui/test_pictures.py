"""Each view as it is drawn, held against the picture kept in tests/tui/pictures: one SVG for each view, size and state.

At work, empty and cut off show in every view; that the registry is closed or its site fails, in the fleet and in an order that
waits. REGISTRE_PICTURES=write draws them anew, to be looked at before they are kept. (pytest-textual-snapshot holds syrupy back
to a version that this pytest has left behind; what it does beyond this is a report.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registre.language import Language
from tests.tui.conftest import Desk, opened
from tests.tui.fake import FakeApi
from tests.tui.samples import account, at, overview, sign_in_test
from tui.start import without_addresses

pytestmark = pytest.mark.anyio

PICTURES = Path(__file__).parent / "pictures"
SMALL, LARGE = (80, 24), (160, 50)
SIZES = [pytest.param(SMALL, id="80x24"), pytest.param(LARGE, id="160x50")]
VIEWS = {"1": "fleet", "2": "queue", "3": "failures", "4": "batches", "5": "accounts", "6": "events", "7": "costs"}


def drawn(desk: Desk) -> str:
    """The screen as an SVG, without the addresses of fonts, and with short names in place of those that hash the whole."""
    picture = without_addresses(desk.app.export_screenshot(title="registre"))
    assert "url(http" not in picture, "a picture fetches nothing"
    return re.sub(r"terminal-\d+-", "t-", picture)


def hold(desk: Desk, name: str, size: tuple[int, int], tmp_path: Path) -> None:
    file, now = PICTURES / f"{name}.{size[0]}x{size[1]}.svg", drawn(desk)
    if os.environ.get("REGISTRE_PICTURES") == "write":
        file.write_text(now, "utf-8")
        return
    if file.read_text("utf-8") != now:
        (tmp_path / file.name).write_text(now, "utf-8")
        pytest.fail(f"{file.name} is drawn otherwise now, see {tmp_path / file.name}; REGISTRE_PICTURES=write keeps it")


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_at_work(api: FakeApi, size: tuple[int, int], tmp_path: Path) -> None:
    async with opened(api.busy(), size=size, spoken=Language.FRENCH) as desk:
        for key, name in VIEWS.items():
            await desk.press(key)
            desk.app._tick()
            await desk.settle()
            hold(desk, f"{name}-busy", size, tmp_path)
        desk.app.show_job(api.jobs[0]["extraction_id"])
        await desk.settle()
        hold(desk, "job-busy", size, tmp_path)
        await desk.press("escape", "2", "R")
        hold(desk, "box-retry", size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_without_anything(api: FakeApi, size: tuple[int, int], tmp_path: Path) -> None:
    async with opened(api, size=size, spoken=Language.FRENCH) as desk:
        for key, name in VIEWS.items():
            await desk.press(key)
            hold(desk, f"{name}-empty", size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
async def test_an_account_in_each_state(api: FakeApi, size: tuple[int, int], tmp_path: Path) -> None:
    api.busy().answers["/api/accounts"]["accounts"] = [
        account(1, test=sign_in_test("ok")),
        account(2, test=sign_in_test("unreachable", "The site answered 503.")),
        account(
            3, "set aside", None, reason="Le site a refusé le mot de passe.", test=sign_in_test("refused", "Refusé.")
        ),
        account(4, work="busy", test=sign_in_test()),
        account(5, "paused", reason="facture à vérifier"),
        account(6, "free", None),
        account(7, "inactive", None),
        account(8, work="error"),
    ]
    async with opened(api, size=size, spoken=Language.FRENCH) as desk:
        await desk.press("5", "j")
        hold(desk, "accounts-states", size, tmp_path)


def closed(api: FakeApi) -> None:
    gate = {
        "gate": "hours",
        "scope": "site",
        "name": "",
        "reason": "the registry is closed, or closes too soon, until 08:00",
        "until": at(-36000),
    }
    api.answers["/api/overview"] |= {
        "gates": {"closed": [gate], "pauses": []},
        "waiting_because": "the registry is closed, or closes too soon, until 08:00",
    }


def broken(api: FakeApi) -> None:
    gate = {
        "gate": "breaker",
        "scope": "site",
        "name": "",
        "reason": "the registry's site is failing (503); next try at 13:07",
        "until": at(-120),
    }
    frozen = {
        "gate": "frozen",
        "scope": "source",
        "name": "acte",
        "reason": "the form of acte is not as expected (a field is new); a person must look",
        "until": None,
    }
    api.answers["/api/overview"] |= {
        "gates": {"closed": [gate, frozen], "pauses": []},
        "waiting_because": "the registry's site is failing (503); next try at 13:07",
    }


def nothing(api: FakeApi) -> None:
    api.answers["/api/overview"] = overview()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "happened"), [("closed", closed), ("breaker", broken), ("nothing", nothing)])
async def test_the_fleet_in_each_state(
    api: FakeApi, name: str, happened: Callable[[Any], None], size: tuple[int, int], tmp_path: Path
) -> None:
    happened(api.busy())
    async with opened(api, size=size, spoken=Language.FRENCH) as desk:
        hold(desk, f"fleet-{name}", size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "happened"), [("closed", closed), ("breaker", broken)])
async def test_an_order_that_waits_for_a_gate(
    api: FakeApi, name: str, happened: Callable[[Any], None], size: tuple[int, int], tmp_path: Path
) -> None:
    happened(api.busy())
    order = api.jobs[1]
    path = f"/api/extractions/{order['extraction_id']}"
    api.answers[f"{path}/why"]["reason"] = api.answers["/api/overview"]["waiting_because"]
    for part, key in (("attempts", "attempts"), ("ledger", "lines"), ("events", "events"), ("log", "lines")):
        api.answers[f"{path}/{part}"] = {key: []}
    async with opened(api, size=size, spoken=Language.FRENCH) as desk:
        desk.app.show_job(order["extraction_id"])
        await desk.settle()
        hold(desk, f"job-{name}", size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_cut_off(api: FakeApi, size: tuple[int, int], tmp_path: Path) -> None:
    """What is shown is of before, and the banner says so."""
    async with opened(api.busy(), size=size, spoken=Language.FRENCH) as desk:
        for key in VIEWS:
            await desk.press(key)  # so that each knows what there was
        api.cut()
        await desk.until_shown("Coupé")
        desk.app.workers.cancel_group(desk.app, "follow")  # it would try again, and tell when
        desk.app.model.again_at = api.clock.now()
        for key, name in VIEWS.items():
            await desk.press(key)
            desk.app._complaint = ("", 0.0)
            desk.app._tick()
            await desk.settle()
            hold(desk, f"{name}-lost", size, tmp_path)


@pytest.mark.parametrize(("name", "more"), [("ascii", {"ascii_only": True}), ("light", {})])
async def test_the_fleet_in_other_dress(api: FakeApi, name: str, more: dict[str, Any], tmp_path: Path) -> None:
    async with opened(api.busy(), size=LARGE, spoken=Language.FRENCH, **more) as desk:
        if name == "light":
            await desk.press("ctrl+t")
        hold(desk, f"fleet-{name}", LARGE, tmp_path)


async def test_a_terminal_without_room(api: FakeApi, tmp_path: Path) -> None:
    async with opened(api.busy(), size=(40, 10), spoken=Language.FRENCH) as desk:
        hold(desk, "too-small", (40, 10), tmp_path)
