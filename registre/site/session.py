"""One account's session on the site: the port `RegistrySession` over one browser context.

Invariant: the thread that calls sees our errors only, within a budget; a session that failed is closed, never repaired.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from playwright.async_api import Dialog, Page, StorageState
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.account import Credentials
from registre.document import DocumentRequest, Source
from registre.errors import (
    Aborted,
    AccountError,
    BrowserFailed,
    DataError,
    DocumentError,
    LayoutChanged,
    RegistreError,
    SessionExpired,
    SiteUnavailable,
)
from registre.evidence import MAX_BYTES, signature
from registre.idleness import IdleEnd
from registre.ports import FilledForm, Step, ViewerReached
from registre.site import evidence
from registre.site.cell import Cell
from registre.site.host import BrowserHost
from registre.site.pages import departure
from registre.site.pages.acte_form import ActeForm
from registre.site.pages.form import SearchForm
from registre.site.pages.login import LoginPage
from registre.site.pages.lot_form import LotForm
from registre.site.pages.viewer import Viewer
from registre.site.permits import Permit
from registre.site.profile import SiteProfile
from registre.site.stay import Stay
from registre.site.tab import Tab
from registre.site.translate import FOREIGN, as_ours
from registre.site.walk import Walk
from registre.site.watch import FormWatch

T = TypeVar("T")

log = logging.getLogger(__name__)


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
        watch: FormWatch | None = None,
        evidence_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._profile = profile
        self._credentials = credentials
        self._on_step = on_step
        self._remember = remember
        self._watch = watch
        self._guard = threading.Lock()
        self._aborted = False
        self._closed = False
        self._current: Future[Any] | None = None
        self._evidence_bytes = evidence_bytes
        self._clock = clock
        self._stay = Stay(host, self, profile, base_url, _prepare, clock)
        self._permit: Permit | None = None
        self._has_cookies = False
        self._idle_end: IdleEnd | None = None
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
        await self._stay.enter(state)

    @property
    def _tab(self) -> Tab | None:
        return self._stay.tab

    @property
    def _cell(self) -> Cell | None:
        return self._stay.cell

    # -- the port -----------------------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        self._on_step(Step.SIGNING_IN)
        self._call(self._sign_in, self._profile.budgets.login, "signing in", secret=True)

    def fill(self, request: DocumentRequest) -> FilledForm:
        self._on_step(Step.FORM)
        budgets = self._profile.budgets
        if self._stay.is_stale:
            self._call(
                lambda _: self._stay.move(), budgets.start + 2 * budgets.open + budgets.close, "changing the context"
            )
        return self._call(lambda _: self._fill(request), budgets.fill, "filling the form")

    def submit(self, request: DocumentRequest) -> ViewerReached:
        budgets = self._profile.budgets
        return self._call(
            lambda _: self._submit(request), budgets.viewer + 2 * budgets.operation, "submitting the form"
        )

    def save(self, target: Path) -> None:
        self._on_step(Step.SAVING)
        budgets = self._profile.budgets
        self._call(lambda _: self._save(target), 2 * budgets.download + 2 * budgets.operation, "saving the document")

    def visit(self, work: Callable[[Tab], Coroutine[Any, Any, T]], budget: float, what: str) -> T:
        """Page work of the free part that is no order's, such as looking whether a form is as it should be."""
        return self._call(lambda _: work(self._the_tab), budget, what)

    def collect_evidence(self, folder: Path, label: str, error: Exception) -> Path | None:
        if self._tab is None or self._aborted or self._closed:
            return None
        budget, kind = self._profile.budgets.evidence, signature(error)
        try:
            return self._host.run(partial(self._collect, folder, label, kind), budget, "collecting evidence")
        except (RegistreError, OSError):
            place = evidence.place_of(folder, label, kind)
            return place if (place / f"{evidence.stem(label)}.html").is_file() else None

    @property
    def idle_seconds(self) -> float:
        tab = self._tab
        return 0.0 if tab is None or tab.answered_at is None else max(0.0, self._clock() - tab.answered_at)

    def idle_end(self) -> IdleEnd | None:
        end, self._idle_end = self._idle_end, None
        return end

    def keep_alive(self) -> None:
        self._call(lambda _: self._keep_alive(), self._profile.budgets.operation * 2, "keeping the session alive")

    def sign_out(self) -> bool:
        if self._closed:
            return False
        budget = self._profile.budgets.sign_out
        try:
            return self._call(lambda _: self._sign_out(), budget, "signing out", patience=budget)
        except (RegistreError, OSError) as error:
            if not self._aborted:
                log.info("the session was not signed out: %s", error)
            return False

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
            self._host.run(self._stay.leave, budgets.close * 2, "closing the session")

    # -- on the loop --------------------------------------------------------------------------------------------------

    async def _sign_in(self, permit: Permit) -> None:
        await self._stay.trace.stop()
        login = LoginPage(self._the_tab, self._watch)
        if not (self._has_cookies and await login.is_signed_in()):
            self._remember(None)
            await login.sign_in(self._credentials)
            self._remember(await self._stay.storage_state())
        await self._stay.start_trace()

    async def _keep_alive(self) -> None:
        self._filled = self._form = self._viewer = None
        with self._ending_idleness():
            await departure.open_index_form(self._the_tab)

    async def _sign_out(self) -> bool:
        self._filled = self._form = self._viewer = None
        try:
            with self._ending_idleness():
                await departure.open_index_form(self._the_tab)
            is_over = await departure.sign_out(self._the_tab)
        except SessionExpired:
            is_over = True
        if is_over:
            self._remember(None)
        return is_over

    @contextlib.contextmanager
    def _ending_idleness(self) -> Iterator[None]:
        """Around the first page after an idle time: what it answers tells whether the session has lived through it."""
        tab, idle = self._the_tab, self.idle_seconds
        asked_before = tab.pages_asked
        try:
            yield
        except SessionExpired:
            if tab.pages_asked == asked_before + 1:
                self._ended_idling(IdleEnd(idle, survived=False))
            raise
        except DataError:
            self._ended_idling(IdleEnd(idle, survived=True))
            raise
        self._ended_idling(IdleEnd(idle, survived=True))

    def _ended_idling(self, end: IdleEnd) -> None:
        """The first end not yet told stays: a job that signs in again opens a form twice, and only the first was waited for."""
        self._idle_end = self._idle_end or end

    async def _collect(self, folder: Path, label: str, kind: str) -> Path:
        """The trace is written where the browser keeps what goes with it, since passwords are in it until it is cleaned."""
        tab, cell, secrets = self._the_tab, self._cell, (self._credentials.password,)
        raw = cell.folders[0] / f"{uuid4()}.zip" if cell is not None and cell.folders else None
        try:
            traced = False
            if raw is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._profile.budgets.evidence / 2):
                        traced = await self._stay.trace.take(raw)
            return await evidence.collect(
                tab.page, folder, label, secrets,
                signature=kind, trace=raw if traced else None, max_bytes=self._evidence_bytes,
            )  # fmt: skip
        finally:
            if raw is not None:
                await asyncio.to_thread(raw.unlink, missing_ok=True)

    async def _fill(self, request: DocumentRequest) -> FilledForm:
        self._filled = self._form = self._viewer = None
        await self._stay.begin_job()
        form_profile = self._profile.forms[request.source]
        screen = ActeForm if request.source is Source.ACTE else LotForm
        form = screen(self._the_tab, request.source, form_profile, self._watch)
        with _of_source(request.source), self._ending_idleness():
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

    @property
    def _the_tab(self) -> Tab:
        tab = self._tab
        if tab is None:
            raise BrowserFailed("The session is closed.")
        tab.permit = self._permit
        return tab

    # -- the edge -----------------------------------------------------------------------------------------------------

    def _call(
        self,
        work: Callable[[Permit], Coroutine[Any, Any, T]],
        budget: float,
        what: str,
        *,
        patience: float | None = None,
        secret: bool = False,
    ) -> T:
        """Run page work and wait. `patience`: for a permit; `secret`: the foreign error is dropped whole, because it may hold
        what was typed."""
        patience = self._profile.budgets.admission if patience is None else patience

        async def admitted(permit: Permit) -> T:
            self._permit = permit
            if self._tab is not None:
                self._tab.permit = permit  # also for a screen that was opened under an earlier one
            return await work(permit)

        with self._guard:
            if self._aborted:
                raise Aborted("The work was interrupted.")
            if self._closed:
                raise BrowserFailed("The session is closed.")
            future = self._host.submit_page_work(admitted, budget, patience)
            self._current = future
        try:
            return future.result(self._host.grace(budget, patience))
        except (SessionExpired, AccountError):
            self._remember(None)
            raise
        except SiteUnavailable as error:
            if isinstance(error.__cause__, TimeoutError | PlaywrightTimeout) and not self._browser_answers():
                self._stay.abandon()
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


def _prepare(page: Page) -> None:
    page.on("dialog", _dismiss)


async def _dismiss(dialog: Dialog) -> None:
    with contextlib.suppress(*FOREIGN):
        await dialog.dismiss()
