"""One account's session on the site: the port `RegistrySession` over one browser context.

Invariant: the thread that calls sees our errors only, within a budget; a session that failed is closed, never repaired.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import BrowserContext, Dialog, StorageState
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.account import Credentials
from registre.document import DocumentRequest, Source
from registre.errors import (
    Aborted,
    AccountError,
    BrowserFailed,
    DocumentError,
    LayoutChanged,
    RegistreError,
    SessionExpired,
    SiteUnavailable,
)
from registre.evidence import signature
from registre.ports import FilledForm, Step, ViewerReached
from registre.site import evidence
from registre.site.cell import Cell
from registre.site.host import BrowserHost
from registre.site.pages.acte_form import ActeForm
from registre.site.pages.form import SearchForm
from registre.site.pages.login import LoginPage
from registre.site.pages.lot_form import LotForm
from registre.site.pages.viewer import Viewer
from registre.site.permits import Permit
from registre.site.profile import SiteProfile
from registre.site.tab import Tab
from registre.site.translate import FOREIGN, as_ours
from registre.site.walk import Walk

T = TypeVar("T")

log = logging.getLogger(__name__)

JOBS_PER_PAGE = 25
"""A page in use for ever grows about 4 MB a job; a new one in the same context costs some milliseconds."""


class SiteSession:
    """See `registre.ports.RegistrySession`. Made by `SiteRegistry.open_session`, which also keeps the cookies."""

    def __init__(
        self,
        *,
        host: BrowserHost,
        profile: SiteProfile,
        base_url: str,
        credentials: Credentials,
        on_step: Callable[[Step], None],
        remember: Callable[[StorageState | None], None],
    ) -> None:
        self._host = host
        self._profile = profile
        self._base_url = base_url
        self._credentials = credentials
        self._on_step = on_step
        self._remember = remember
        self._guard = threading.Lock()
        self._aborted = False
        self._closed = False
        self._current: Future[Any] | None = None
        self._cell: Cell | None = None
        self._generation = 0
        self._context: BrowserContext | None = None
        self._tab: Tab | None = None
        self._permit: Permit | None = None
        self._has_cookies = False
        self._jobs_of_page = 0
        self._form: SearchForm | None = None
        self._filled: FilledForm | None = None
        self._viewer: Viewer | None = None
        self._told_of_connections = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def start(self, state: StorageState | None) -> None:
        """Take a context and a page. On the loop; BrowserFailed if none can be had."""
        self._has_cookies = state is not None
        self._cell, self._context = await self._host.seat(self, state)
        self._generation = self._cell.generation
        await self._new_page()

    async def _new_page(self) -> None:
        if self._context is None:
            raise BrowserFailed("The session is closed.")
        page = await self._context.new_page()
        page.on("dialog", _dismiss)
        self._tab = Tab(page, self._profile, self._base_url)
        self._tab.permit = self._permit
        self._jobs_of_page = 0

    # -- the port -----------------------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        self._on_step(Step.SIGNING_IN)
        self._call(self._sign_in, self._profile.budgets.login, "signing in", secret=True)

    def fill(self, request: DocumentRequest) -> FilledForm:
        self._on_step(Step.FORM)
        return self._call(lambda _: self._fill(request), self._profile.budgets.fill, "filling the form")

    def submit(self, request: DocumentRequest) -> ViewerReached:
        budgets = self._profile.budgets
        return self._call(
            lambda _: self._submit(request), budgets.viewer + 2 * budgets.operation, "submitting the form"
        )

    def save(self, target: Path) -> None:
        self._on_step(Step.SAVING)
        budgets = self._profile.budgets
        self._call(lambda _: self._save(target), 2 * budgets.download + 2 * budgets.operation, "saving the document")

    def collect_evidence(self, folder: Path, label: str, error: Exception) -> Path | None:
        tab, secrets = self._tab, (self._credentials.password,)
        if tab is None or self._aborted or self._closed:
            return None
        budget, kind = self._profile.budgets.evidence, signature(error)
        collect = partial(evidence.collect, tab.page, folder, label, secrets, signature=kind)
        try:
            return self._host.run(collect, budget, "collecting evidence")
        except (RegistreError, OSError):
            place = evidence.place_of(folder, label, kind)
            return place if (place / f"{evidence.stem(label)}.html").is_file() else None

    def interrupt(self) -> None:
        with self._guard:
            self._aborted = True
            if self._current is not None:
                self._current.cancel()

    def lose_browser(self) -> None:
        with self._guard:
            if self._current is not None:
                self._current.cancel()

    def close(self) -> None:
        with self._guard:
            if self._closed:
                return
            self._closed = True
            if self._current is not None:
                self._current.cancel()
        budgets = self._profile.budgets
        with contextlib.suppress(RegistreError):
            self._host.run(self._leave, budgets.close * 2, "closing the session")

    # -- on the loop --------------------------------------------------------------------------------------------------

    async def _sign_in(self, permit: Permit) -> None:
        login = LoginPage(self._the_tab)
        if self._has_cookies and await login.is_signed_in():
            return
        self._remember(None)
        await login.sign_in(self._credentials)
        if self._context is not None:
            self._remember(await self._context.storage_state())

    async def _fill(self, request: DocumentRequest) -> FilledForm:
        self._filled = self._form = self._viewer = None
        if self._jobs_of_page >= JOBS_PER_PAGE:
            await self._the_tab.close()
            await self._new_page()
        self._jobs_of_page += 1
        form_profile = self._profile.forms[request.source]
        screen = ActeForm if request.source is Source.ACTE else LotForm
        form = screen(self._the_tab, request.source, form_profile)
        with _of_source(request.source):
            filled = await form.fill(request)
            # found missing now, it costs nothing; after the intent it would be a doubt about money
            await form.submit_button()
        if self._the_tab.stays_connected and not self._told_of_connections:
            self._told_of_connections = True
            log.warning(
                "the site keeps its connections open although asked not to; if one breaks, Chromium may repeat a request, "
                "and a document may be billed twice: compare with the site's invoices"
            )
        self._form, self._filled = form, filled
        return filled

    async def _submit(self, request: DocumentRequest) -> ViewerReached:
        form, filled = self._form, self._filled
        if form is None or filled is None or filled.number != request.number_normalized:
            raise BrowserFailed("The form was not filled for this order.")
        self._form = self._filled = None
        with _of_source(request.source):
            button = await form.submit_button()
            reached = await Walk(self._the_tab, request, filled, self._on_step).run(button)
        self._viewer = Viewer(self._the_tab)
        return reached

    async def _save(self, target: Path) -> None:
        if self._viewer is None:
            raise DocumentError("The viewer is no longer open.")
        await self._viewer.save(target)

    async def _leave(self) -> None:
        cell, context = self._cell, self._context
        self._context = self._tab = None
        if cell is None:
            return
        try:
            if context is None:
                self._host.heal_soon(cell)
            elif cell.generation == self._generation:
                async with asyncio.timeout(self._profile.budgets.close):
                    await context.close()
        except FOREIGN:
            self._host.heal_soon(cell)
        finally:
            self._host.leave(self, cell)

    @property
    def _the_tab(self) -> Tab:
        if self._tab is None:
            raise BrowserFailed("The session is closed.")
        return self._tab

    # -- the edge -----------------------------------------------------------------------------------------------------

    def _call(
        self, work: Callable[[Permit], Coroutine[Any, Any, T]], budget: float, what: str, *, secret: bool = False
    ) -> T:
        """Run page work and wait. `secret`: the foreign error is dropped whole, because it may hold what was typed."""

        async def admitted(permit: Permit) -> T:
            self._permit = permit
            if self._tab is not None:
                self._tab.permit = permit
            return await work(permit)

        with self._guard:
            if self._aborted:
                raise Aborted("The work was interrupted.")
            if self._closed:
                raise BrowserFailed("The session is closed.")
            future = self._host.submit_page_work(admitted, budget)
            self._current = future
        try:
            return future.result(self._host.grace(budget))
        except (SessionExpired, AccountError):
            self._remember(None)
            raise
        except SiteUnavailable as error:
            if isinstance(error.__cause__, TimeoutError | PlaywrightTimeout) and not self._browser_answers():
                self._context = None  # gone with its browser: nothing to wait for when the session is closed
                raise self._failed(BrowserFailed(f"The browser stopped answering while {what}."), what) from error
            raise
        except BrowserFailed as error:
            if self._failed(error, what) is error:
                raise
            raise self._failed(error, what) from None
        except FOREIGN as error:
            future.cancel()
            raise self._failed(as_ours(error, what), what) from (None if secret else error)
        finally:
            with self._guard:
                self._current = None

    def _failed(self, error: RegistreError, what: str) -> RegistreError:
        """The error as the caller shall see it; its cell is looked at before anyone else gets a session there."""
        if self._aborted:
            return Aborted(f"Interrupted while {what}.")
        if self._cell is not None:
            self._cell.suspect = True
        return error

    def _browser_answers(self) -> bool:
        """False when it was the browser, and not the site, that did not answer in time."""
        cell = self._cell
        try:
            return cell is not None and self._host.run(cell.healthy, self._profile.budgets.probe * 2, "probing")
        except BrowserFailed:
            return False


@contextlib.contextmanager
def _of_source(source: Source) -> Iterator[None]:
    """A landmark missed while an order of `source` was under way is that source's, whichever screen missed it."""
    try:
        yield
    except LayoutChanged as error:
        error.source = error.source or source
        raise


async def _dismiss(dialog: Dialog) -> None:
    with contextlib.suppress(*FOREIGN):
        await dialog.dismiss()
