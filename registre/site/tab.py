"""A tab: one Playwright page, with what every screen needs: open, press, look, and the last answer's status.

Invariant: a click that brings a page is awaited by the navigation it starts; nothing is reloaded or asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar
from urllib.parse import urljoin

from playwright.async_api import Download, Frame, Locator, Page, Request, Response
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.errors import BrowserFailed, LayoutChanged, SiteUnavailable
from registre.site.pages.result import FACTS_SCRIPT, PageFacts, PageKind, Verdict, classify, facts_question, read_facts
from registre.site.permits import Permit
from registre.site.profile import SiteProfile
from registre.site.translate import network_error

T = TypeVar("T")


class PageCut(PlaywrightError):
    """The connection ended within a page: what came of it proves nothing."""


class Tab:
    """One page of a context.

    `status` is the last document's HTTP status, None before any answered; `stays_connected` tells that its connection
    was left open; `pages_asked` counts the documents asked for, redirections not counted. `keep_download` is set by
    whoever waits for a file and says of each download whether it is that one, `permit` by whoever works on the page.
    `answered_at` is when, by `clock`, the site last answered for a document, a frame or a file; None before it did.
    """

    def __init__(
        self, page: Page, profile: SiteProfile, base_url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.page = page
        self.profile = profile
        self.permit: Permit | None = None
        self.status: int | None = None
        self.stays_connected = False
        self.pages_asked = 0
        self.answered_at: float | None = None
        self._clock = clock
        self._navigation: Request | None = None
        self._cut = asyncio.Event()
        self._base_url = base_url
        self.keep_download: Callable[[Download], bool] | None = None
        self._question = facts_question(profile)
        page.on("request", self._note_navigation)
        page.on("requestfailed", self._note_failure)
        page.on("response", self._note_answer)
        page.on("download", self.take_download)

    async def take_download(self, download: Download) -> None:
        """Every download of this page, and of pages it opens: kept by whoever waits for one, else removed at once."""
        if self.keep_download is None or not self.keep_download(download):
            with contextlib.suppress(PlaywrightError):
                await download.cancel()
                await download.delete()

    def _note_navigation(self, request: Request) -> None:
        if self._is_page(request):
            self._navigation = request
            self.pages_asked += request.redirected_from is None
            self._cut.clear()

    def _note_failure(self, request: Request) -> None:
        if request == self._navigation:
            self._cut.set()

    def _note_answer(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self.answered_at = self._clock()
        if self._is_page(response.request):
            self.status = response.status
            self.stays_connected = response.headers.get("connection", "").lower() != "close"

    def _is_page(self, request: Request) -> bool:
        with contextlib.suppress(PlaywrightError):
            return request.is_navigation_request() and request.frame == self.page.main_frame
        return False

    @contextlib.asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """While the site makes us wait, others may work on their pages."""
        if self.permit is None:
            yield
            return
        async with self.permit.lent(self.profile.budgets.operation):
            yield

    def address(self, path: str) -> str:
        return urljoin(self._base_url, path)

    async def open(self, path: str) -> Verdict:
        """Open a page of the free part. SiteUnavailable when it is away, failing or in maintenance."""
        try:
            async with self.waiting():
                await self.page.goto(self.address(path), wait_until="commit")
                await self.arrive()
        except PlaywrightTimeout as error:
            seconds = self.profile.budgets.operation
            raise SiteUnavailable(f"The site did not answer within {seconds:g} s.") from error
        except PlaywrightError as error:
            raise self._unavailable(error) from error
        return await self.look_at_free_page()

    async def look_at_free_page(self) -> Verdict:
        """What the page is, before anything was submitted: failures of the site are nobody's fault."""
        try:
            verdict = await self.look()
        except PageCut as error:
            raise self._unavailable(error) from error
        if verdict.kind is PageKind.SERVER_ERROR:
            raise SiteUnavailable(f"The site answered {self.status}.")
        if verdict.kind in (PageKind.MAINTENANCE, PageKind.CLOSED):
            raise away(verdict)
        if verdict.kind is PageKind.LOST:
            raise SiteUnavailable("The connection to the site was lost.")
        return verdict

    async def arrive(self) -> None:
        """Until the page that was committed is read to its end. PageCut when it has none."""
        await self.unless_cut(self.page.wait_for_load_state("domcontentloaded"))

    async def unless_cut(self, wait: Coroutine[Any, Any, T]) -> T:
        """Wait; PageCut as soon as the page's connection ends within it, or its navigation fails."""
        waiting, cut = asyncio.create_task(wait), asyncio.create_task(self._cut.wait())
        try:
            await asyncio.wait({waiting, cut}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise PageCut("the connection ended before the page did")
            return await waiting
        finally:
            for task in (waiting, cut):
                task.cancel()
            await asyncio.gather(waiting, cut, return_exceptions=True)

    def refuse_cut(self) -> None:
        """SiteUnavailable when the connection of the page that is shown ended within it: what is missing of it says nothing."""
        if self._cut.is_set():
            raise SiteUnavailable("The connection to the site was lost in the middle of a page.")

    def _unavailable(self, error: PlaywrightError) -> Exception:
        if isinstance(error, PageCut):
            return SiteUnavailable("The connection to the site was lost in the middle of a page.")
        code = network_error(error)
        if code is None:
            return error
        if code == "net::ERR_HTTP_RESPONSE_CODE_FAILURE":
            return SiteUnavailable(f"The site answered {self.status or 'an error'} and no page.")
        return SiteUnavailable(f"The site cannot be reached ({code}).")

    async def look(self) -> Verdict:
        """Classify the page that is shown. One that is still coming, or is replaced while it is read, is read again.

        PageCut when the page ends before its end.
        """
        for _ in range(3):
            try:
                facts = await self.facts()
                if not facts.reading:
                    return classify(facts, self.profile)
                await self.arrive()
            except PageCut:
                raise
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
        async with self.waiting():
            async with self.page.expect_navigation(wait_until="commit", timeout=patience_seconds * 1000):
                await button.click(no_wait_after=True)
            await self.arrive()

    async def close(self) -> None:
        await self.page.close()


def away(verdict: Verdict) -> SiteUnavailable:
    """The error a notice stands for, in the site's words."""
    state = "in maintenance" if verdict.kind is PageKind.MAINTENANCE else "closed"
    return SiteUnavailable(f"The site is {state}: {verdict.sentence}", said=verdict.sentence)
