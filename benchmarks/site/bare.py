"""The other side, in a process of its own: the same walk as an able engineer scripts it with Playwright, and nothing around it.

One driver, one Chromium, one context and one page a session; every wait is for the navigation, element or download that the
step brings. No queue, ledger, spool, evidence or admission; options are chosen by codes known beforehand, nothing is read
back, and of a file only the header is looked at.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, async_playwright

from benchmarks.queue import wire

LOGIN = "Script/14_06_01-02/pf_14_06_01_reglr.asp"
FORMS = {
    "index": "Script/13_01_11/pf_13_01_11_02_indx_immbl.asp",
    "acte": "Script/13_01_11/pf_13_01_11_08_reqst.asp",
    "plan_cadastraux": "Script/13_01_11/pf_13_01_11_10_plan_cadst.asp",
}
SAVE = 'a[title="Sauvegarder ou imprimer le document"]'
DATE = r"(\d{4}-\d{2}-\d{2})"

Wish = dict[str, Any]


class Session:
    """One account, one page."""

    def __init__(self, base_url: str, page: Page) -> None:
        self._base_url = base_url
        self._page = page

    async def sign_in(self, username: str, password: str) -> None:
        page = self._page
        await page.goto(self._base_url + LOGIN, wait_until="domcontentloaded")
        await page.fill('input[name="txtVaCodeUtils"]', username)
        await page.fill('input[name="txtMotPasse"]', password)
        async with page.expect_navigation(wait_until="domcontentloaded"):
            await page.click('input[type="submit"][value="Soumettre"]')
        await page.goto(self._base_url + FORMS["index"], wait_until="domcontentloaded")
        await page.wait_for_selector("#selCircnFoncr")

    async def fetch(self, wish: Wish, target: Path) -> None:
        page = self._page
        await page.goto(self._base_url + FORMS[wish["source"]], wait_until="domcontentloaded")
        if wish["source"] == "acte":
            await page.select_option("#selCircnFoncr", wish["circonscription_code"])
            await page.select_option("#selTypeDocmn", wish["type_code"])
            await page.fill("#txtNoReqst", wish["number"])
            await self._press(page.locator('input[value="Rechercher"]'))
        else:
            for select in ("circonscription", "cadastre"):
                async with page.expect_navigation(wait_until="domcontentloaded"):
                    name = {"circonscription": "#selCircnFoncr", "cadastre": "#selCadst"}[select]
                    await page.select_option(name, wish[f"{select}_code"])
            await page.fill("#txtNumrtLot", wish["number"])
            await self._press(page.locator('input[name="btnSoumt"]'))
        await self._choose(wish)
        if "confr_demnd" in page.url:
            await self._press(page.locator("#btnConfr"))
        async with page.expect_download() as coming:
            await page.frame_locator('frame[name="menu"]').locator(SAVE).click()
        download = await coming.value
        await download.save_as(target)
        if not target.read_bytes().startswith(b"%PDF-"):
            raise RuntimeError(f"{wish['source']} {wish['number']} is no PDF")

    async def _press(self, button: Locator) -> None:
        async with self._page.expect_navigation(wait_until="domcontentloaded"):
            await button.click()

    async def _choose(self, wish: Wish) -> None:
        """The row of exactly this acte, or the most recent plan, when a list was offered."""
        page = self._page
        if wish["source"] == "acte":
            row = page.locator('tr:has(> td > input[name="optDocmn"])')
            if not await row.count():
                return
            cells = await row.evaluate_all("rows => rows.map(row => [row.cells[1].innerText, row.cells[2].innerText])")
            wanted = [wish["number"], wish["acte_type"]]
            found = [["".join(number.split()), kind.strip().replace("’", "'")] for number, kind in cells]
            await row.nth(found.index(wanted)).locator("input").check()
        elif "selct_plan_cadst" in page.url:
            dates = await page.locator('label[for^="optPlan"]').evaluate_all(
                f"labels => labels.map(label => label.innerText.match(/{DATE}/)[1])"
            )
            await page.locator('input[name="optPlan"]').nth(dates.index(max(dates))).check()
        else:
            return
        await self._press(page.locator('input[name="btnSoumt"]'))


async def open_sessions(command: dict[str, Any], browser: Browser) -> list[Session]:
    async def one(username: str, password: str) -> Session:
        context = await browser.new_context(locale="fr-CA", timezone_id="America/Toronto", accept_downloads=True)
        session = Session(command["base_url"], await context.new_page())
        await session.sign_in(username, password)
        return session

    return list(await asyncio.gather(*(one(*account) for account in command["accounts"])))


async def work(sessions: list[Session], wishes: list[Wish], folder: Path) -> float:
    """Seconds from now to the last file saved; each session takes the next when it is free."""
    began = time.time()
    waiting = deque(enumerate(wishes))

    async def turn(session: Session) -> None:
        while waiting:
            number, wish = waiting.popleft()
            await session.fetch(wish, folder / f"{number}.pdf")

    async with asyncio.TaskGroup() as group:
        for session in sessions:
            group.create_task(turn(session))
    return time.time() - began


async def serve(folder: Path) -> None:
    commands: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    wire.commands_into(commands)
    wire.say(ready=True)
    sessions: list[Session] = []
    async with AsyncExitStack() as stack:
        while command := await commands.get():
            if command["do"] == "open":
                playwright = await stack.enter_async_context(async_playwright())
                browser = await playwright.chromium.launch(
                    executable_path=command["chromium"], args=command["arguments"], chromium_sandbox=os.geteuid() != 0
                )
                stack.push_async_callback(browser.close)
                sessions = await open_sessions(command, browser)
                wire.say(ready=True)
            else:
                wire.say(seconds=await work(sessions, command["wishes"], folder))


def main(arguments: list[str]) -> int:
    asyncio.run(serve(Path(arguments[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
