"""A tab: one Playwright page, with what every screen needs: open, press, look, and the last answer's status.

Invariant: a click that brings a page is awaited by the navigation it starts; nothing is reloaded or asked for again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from urllib.parse import urljoin

from playwright.async_api import Download, Frame, Locator, Page, Response
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.errors import BrowserFailed, LayoutChanged, SiteUnavailable
from registre.site.pages.result import FACTS_SCRIPT, PageFacts, PageKind, Verdict, classify, facts_question, read_facts
from registre.site.profile import SiteProfile
from registre.site.translate import network_error


class Tab:
    """One page of a context.

    `status` is the last document's HTTP status, None before any answered. `keep_download` is set by whoever waits for a
    file and says of each download whether it is that one.
    """

    def __init__(self, page: Page, profile: SiteProfile, base_url: str) -> None:
        self.page = page
        self.profile = profile
        self.status: int | None = None
        self._base_url = base_url
        self.keep_download: Callable[[Download], bool] | None = None
        self._question = facts_question(profile)
        page.on("response", self._note_status)
        page.on("download", self.take_download)

    async def take_download(self, download: Download) -> None:
        """Every download of this page, and of pages it opens: kept by whoever waits for one, else removed at once."""
        if self.keep_download is None or not self.keep_download(download):
            with contextlib.suppress(PlaywrightError):
                await download.cancel()
                await download.delete()

    def _note_status(self, response: Response) -> None:
        with contextlib.suppress(PlaywrightError):
            if response.request.is_navigation_request() and response.frame == self.page.main_frame:
                self.status = response.status

    def address(self, path: str) -> str:
        return urljoin(self._base_url, path)

    async def open(self, path: str) -> Verdict:
        """Open a page of the free part. SiteUnavailable when it is away, failing or in maintenance."""
        try:
            await self.page.goto(self.address(path), wait_until="domcontentloaded")
        except PlaywrightTimeout as error:
            seconds = self.profile.budgets.operation
            raise SiteUnavailable(f"The site did not answer within {seconds:g} s.") from error
        except PlaywrightError as error:
            raise self._unavailable(error) from error
        return await self.look_at_free_page()

    async def look_at_free_page(self) -> Verdict:
        """What the page is, before anything was submitted: failures of the site are nobody's fault."""
        verdict = await self.look()
        if verdict.kind is PageKind.SERVER_ERROR:
            raise SiteUnavailable(f"The site answered {self.status}.")
        if verdict.kind is PageKind.MAINTENANCE:
            raise SiteUnavailable(f"The site is in maintenance: {verdict.sentence}")
        return verdict

    def _unavailable(self, error: PlaywrightError) -> Exception:
        code = network_error(error)
        if code is None:
            return error
        if code == "net::ERR_HTTP_RESPONSE_CODE_FAILURE":
            return SiteUnavailable(f"The site answered {self.status or 'an error'} and no page.")
        return SiteUnavailable(f"The site cannot be reached ({code}).")

    async def look(self) -> Verdict:
        """Classify the page that is shown. A page that is replaced while it is read is read again."""
        for _ in range(3):
            try:
                return classify(await self.facts(), self.profile)
            except PlaywrightTimeout:
                raise
            except PlaywrightError as error:
                if "context was destroyed" not in str(error) and "navigat" not in str(error):
                    raise
                await self.page.wait_for_load_state("domcontentloaded")
        raise BrowserFailed("The page went on changing while it was read.")

    async def facts(self) -> PageFacts:
        answer = await self.page.evaluate(FACTS_SCRIPT, self._question)
        return read_facts(answer, self.status)

    async def first(self, selectors: Sequence[str], what: str, *, within: Frame | None = None) -> Locator:
        """The first of the selectors that finds something, in their order. LayoutChanged when none does."""
        place: Page | Frame = within or self.page
        for selector in selectors:
            found = place.locator(selector)
            if await found.count():
                return found.first
        raise LayoutChanged(f"The page has no {what}.", landmark=selectors[0])

    async def press(self, button: Locator, patience_seconds: float) -> None:
        """Click, and wait for the page the click brings. Foreign errors pass: what they mean depends on the click."""
        async with self.page.expect_navigation(wait_until="commit", timeout=patience_seconds * 1000):
            await button.click(no_wait_after=True)
        await self.page.wait_for_load_state("domcontentloaded")

    async def close(self) -> None:
        await self.page.close()
