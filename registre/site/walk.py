"""From a filled form to the viewer: submit, choose from lists, confirm, wait.

Invariant: each page that answers is classified before anything is done on it; nothing is reloaded, gone back to or
pressed twice. What an error says of the money is in `RegistrySession.submit`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.document import DocumentRequest
from registre.errors import BrowserFailed, LayoutChanged, SessionExpired
from registre.ports import FilledForm, Step, ViewerReached
from registre.site.pages.confirmation import confirm_button
from registre.site.pages.plan_list import choose_plan
from registre.site.pages.result import PageKind, Verdict, is_lot_inactive, judge_sentence
from registre.site.pages.rows import ListRow, check_row, read_rows
from registre.site.pages.similar_list import choose_document
from registre.site.tab import PageCut, Tab, away
from registre.site.translate import network_error, without_call

_TOO_LATE = "The site did not answer in time after the submission."
_LOST = "The connection to the site was lost after the submission."

_SEEN_AT_MOST = 120

_HAS_LOADED = r"""
(ask) => {
  if (document.readyState === 'loading') return false;
  if (ask.selectors.some((selector) => document.querySelector(selector) !== null)) return false;
  const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, ' ');
  const text = ' ' + fold(document.body ? document.body.innerText : '') + ' ';
  return !ask.texts.some((mark) => text.includes(' ' + fold(mark).trim() + ' '));
}
"""


class Walk:
    """One submission, from the form's button to the viewer. Used once."""

    def __init__(self, tab: Tab, request: DocumentRequest, filled: FilledForm, on_step: Callable[[Step], None]) -> None:
        self._tab = tab
        self._request = request
        self._filled = filled
        self._on_step = on_step
        self._seen: set[PageKind] = set()
        self._notes: list[str] = []
        self._asked_before = 0
        self._deadline = asyncio.get_running_loop().time() + tab.profile.budgets.viewer

    async def run(self, button: Locator) -> ViewerReached:
        self._on_step(Step.SUBMITTING)
        await self._press(button)
        while True:
            verdict = await self._look()
            if self._tab.pages_asked > self._asked_before + 1:
                self._seen.add(PageKind.LOADING)  # a page between, gone before it was seen, went on by itself
            if verdict.kind is PageKind.VIEWER:
                return ViewerReached(tuple(self._notes))
            self._refuse_endings(verdict)
            if verdict.kind in self._seen and verdict.kind is not PageKind.LOADING:
                raise self._unexpected(verdict)
            self._seen.add(verdict.kind)
            await self._go_on(verdict)

    async def _look(self) -> Verdict:
        """What page it is now; reading has no time-out of its own, and a page about to be replaced may not answer."""
        try:
            async with asyncio.timeout(self._tab.profile.budgets.operation):
                return await self._tab.look()
        except (PlaywrightTimeout, TimeoutError) as error:
            raise BrowserFailed(_TOO_LATE) from error
        except PageCut as error:
            raise BrowserFailed(_LOST) from error

    async def _go_on(self, verdict: Verdict) -> None:
        match verdict.kind:
            case PageKind.SIMILAR_LIST:
                self._on_step(Step.CHOOSING)
                await self._choose_document()
            case PageKind.PLAN_LIST:
                self._on_step(Step.CHOOSING)
                await self._choose_plan()
            case PageKind.CONFIRMATION:
                self._on_step(Step.CONFIRMING)
                await self._press(await confirm_button(self._tab))
            case PageKind.LOADING:
                self._on_step(Step.WAITING_VIEWER)
                await self._wait()
            case _:
                raise self._unexpected(verdict)

    def _refuse_endings(self, verdict: Verdict) -> None:
        """The pages that end a submission. Once the document was loading, only a refusal proves nothing was bought."""
        kind, sentence = verdict.kind, verdict.sentence
        if kind is PageKind.FORM_ERROR or (kind in self._seen and sentence and kind is not PageKind.LOADING):
            raise judge_sentence(sentence, self._tab.profile)
        if kind is PageKind.SERVER_ERROR:
            raise BrowserFailed(f"The site answered {self._tab.status} after the submission.")
        if kind is PageKind.LOST:
            raise BrowserFailed(_LOST)
        gone = kind in (PageKind.LOGIN, PageKind.IDENTITY_QUESTION)
        shut = kind in (PageKind.MAINTENANCE, PageKind.CLOSED)
        if PageKind.LOADING in self._seen and (gone or shut):
            raise BrowserFailed(f"The document was loading, and the site showed a {kind} page instead.")
        if gone:
            raise SessionExpired("The site sent us back to its login page.")
        if shut:
            raise away(verdict)

    async def _choose_document(self) -> None:
        wanted = self._filled.acte_type.label if self._filled.acte_type else self._request.acte_type
        rows = await self._rows()
        row = choose_document(rows, self._request.number_normalized, wanted, self._tab.profile.result)
        await check_row(self._tab, row)
        await self._press(await self._list_button())

    async def _choose_plan(self) -> None:
        facts = await self._tab.facts()
        if is_lot_inactive(facts, self._tab.profile, self._request.source):
            self._notes.append(
                f"The lot {self._request.number} is inactive; the most recent plan of its list was taken."
            )
        row = choose_plan(await self._rows(), self._request.number_normalized)
        await check_row(self._tab, row)
        await self._press(await self._list_button())

    async def _rows(self) -> tuple[ListRow, ...]:
        rows = await read_rows(self._tab)
        if not rows:
            raise LayoutChanged("The list has nothing to choose from.", landmark=self._tab.profile.result.radio)
        return rows

    async def _list_button(self) -> Locator:
        return await self._tab.first(self._tab.profile.result.list_submit, "button that submits the choice")

    async def _press(self, button: Locator) -> None:
        """Click and be on the page that comes. Whatever goes wrong here leaves a purchase possible."""
        self._asked_before = self._tab.pages_asked
        try:
            await self._tab.press(button, self._left())
        except PlaywrightTimeout as error:
            raise BrowserFailed(_TOO_LATE) from error
        except PlaywrightError as error:
            if isinstance(error, PageCut) or network_error(error):
                raise BrowserFailed(_LOST) from error
            raise BrowserFailed(f"The page was lost after the submission: {without_call(error)}.") from error

    async def _wait(self) -> None:
        """Until the page is no longer the loading page; it replaces itself."""
        result = self._tab.profile.result
        ask = {"texts": list(result.loading_texts), "selectors": list(result.loading_selectors)}
        try:
            async with self._tab.waiting():
                loaded = self._tab.page.wait_for_function(
                    _HAS_LOADED, arg=ask, polling=100, timeout=self._left() * 1000
                )
                async with asyncio.timeout(self._left()):
                    await self._tab.unless_cut(loaded)
        except (PlaywrightTimeout, TimeoutError) as error:
            seconds = self._tab.profile.budgets.viewer
            raise BrowserFailed(f"The document was still loading after {seconds:g} s.") from error
        except PageCut as error:
            raise BrowserFailed(_LOST) from error

    def _left(self) -> float:
        return max(0.1, self._deadline - asyncio.get_running_loop().time())

    def _unexpected(self, verdict: Verdict) -> LayoutChanged:
        result, address = self._tab.profile.result, self._tab.page.url
        missed = {result.confirmation_url: result.confirm[0], result.plan_list_url: result.radio}
        landmark = next((landmark for mark, landmark in missed.items() if mark in address), None)
        if landmark and verdict.kind is PageKind.UNKNOWN:
            message = f"After the submission came a page without {landmark}."
        elif not verdict.sentence:
            message = f"After the submission came a page that was not expected ({verdict.kind})."
        else:
            seen = verdict.sentence[:_SEEN_AT_MOST]
            message = f"After the submission came a page that was not expected ({verdict.kind}): '{seen}'."
        return LayoutChanged(message, source=self._request.source, landmark=landmark)
