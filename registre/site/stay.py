"""One session's stay in a cell: its context and its page, and when each is replaced.

Invariant: a context is replaced between two jobs only, and its successor is ready before it is let go; cookies are kept, so
nobody signs in again. Everything here runs on the host's loop, but for what says otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from playwright.async_api import BrowserContext, Page, StorageState

from registre.errors import BrowserFailed
from registre.site.cell import Cell, Seated
from registre.site.host import BrowserHost
from registre.site.profile import SiteProfile
from registre.site.tab import Tab
from registre.site.trace import JobTrace
from registre.site.translate import FOREIGN, first_line

log = logging.getLogger(__name__)

Prepare = Callable[[Page], None]


class Stay:
    """Life: `enter`, then for each job `move` if the context `is_stale` and `begin_job`, at last `leave`.

    `prepare` is given each new page; `clock` counts seconds.
    """

    def __init__(
        self,
        host: BrowserHost,
        guest: Seated,
        profile: SiteProfile,
        base_url: str,
        prepare: Prepare,
        clock: Callable[[], float],
    ) -> None:
        self.cell: Cell | None = None
        self.tab: Tab | None = None
        self.trace = JobTrace()
        self._host = host
        self._guest = guest
        self._profile = profile
        self._base_url = base_url
        self._prepare = prepare
        self._clock = clock
        self._context: BrowserContext | None = None
        self._generation = 0
        self._since = 0.0
        self._jobs_of_page = 0
        self._jobs_of_context = 0

    async def enter(self, state: StorageState | None) -> None:
        """Take a context and a page. BrowserFailed if none can be had."""
        self.cell, context = await self._host.seat(self._guest, state)
        self._settle(context)
        self._open(await context.new_page())

    @property
    def is_stale(self) -> bool:
        """Whether the context has served long enough, or its cell has grown too large. From any thread."""
        limits = self._profile.session
        if self._context is None or self.cell is None:
            return False
        old = self._jobs_of_context >= limits.jobs_per_context or self._clock() - self._since >= limits.context_age
        return old or self.cell.retiring

    async def move(self) -> None:
        """Into a new context; of another cell if this one is to be emptied. The old one stays when no other can be had."""
        cell, context, generation = self.cell, self._context, self._generation
        if cell is None or context is None:
            raise BrowserFailed("The session is closed.")
        traced = self.trace.is_on
        await self.trace.stop()  # it would write down the cookies
        try:
            new_cell, successor = await self._successor(cell, await context.storage_state())
        except (*FOREIGN, BrowserFailed) as error:
            log.warning("a context could not be replaced, and is used further: %s", first_line(error))
            self._since, self._jobs_of_context = self._clock(), 0  # not tried again at each job
        else:
            self.cell, (successor_context, page) = new_cell, successor
            self._settle(successor_context)
            self._open(page)
            try:
                if cell.generation == generation:
                    await self._close(context)
            except FOREIGN:
                self._host.heal_soon(cell)
            finally:
                if new_cell is not cell:
                    self._host.leave(self._guest, cell)
        if traced:
            await self.start_trace()

    async def _successor(self, cell: Cell, state: StorageState) -> tuple[Cell, tuple[BrowserContext, Page]]:
        new_cell, context = await self._host.reseat(self._guest, cell, state)
        try:
            return new_cell, (context, await context.new_page())
        except BaseException:
            if new_cell is not cell:
                self._host.leave(self._guest, new_cell)
            await self._close(context)
            raise

    async def begin_job(self) -> None:
        """A page that has served long enough is replaced; what was traced of the job before is thrown away."""
        if self._context is None or self.tab is None or self.cell is None:
            raise BrowserFailed("The session is closed.")
        await self.trace.next_job()
        if self._jobs_of_page >= self._profile.session.jobs_per_page:
            await self.tab.close()
            self._open(await self._context.new_page())
        self._jobs_of_page += 1
        self._jobs_of_context += 1
        self._host.count_job(self.cell)

    async def start_trace(self) -> None:
        """From now on, until a secret is to be typed."""
        if self._context is not None and self.cell is not None and self.cell.folders:
            await self.trace.start(self._context, self.cell.folders[0])

    async def storage_state(self) -> StorageState | None:
        return None if self._context is None else await self._context.storage_state()

    def abandon(self) -> None:
        """The context is gone with its browser: nothing to wait for when the session leaves. From any thread."""
        self._context = None

    async def leave(self) -> None:
        """Free the context and the place. Foreign errors are kept."""
        cell, context = self.cell, self._context
        self._context = self.tab = None
        if cell is None:
            return
        try:
            if context is None:
                self._host.heal_soon(cell)
            elif cell.generation == self._generation:
                async with asyncio.timeout(self._profile.budgets.close):
                    await self.trace.stop()  # a context that closes is still written down, after its files were removed
                    await self._close(context)
            await self.trace.drop()
        except FOREIGN:
            self._host.heal_soon(cell)
        finally:
            self._host.leave(self._guest, cell)

    async def _close(self, context: BrowserContext) -> None:
        async with asyncio.timeout(self._profile.budgets.close):
            await context.close()

    def _settle(self, context: BrowserContext) -> None:
        assert self.cell is not None
        self._context = context
        self._generation = self.cell.generation
        self._since = self._clock()
        self._jobs_of_context = 0

    def _open(self, page: Page) -> None:
        """The site's last answer was to the session, not to the page."""
        self._prepare(page)
        answered_at = self.tab.answered_at if self.tab else None
        self.tab = Tab(page, self._profile, self._base_url, self._clock)
        self.tab.answered_at = answered_at
        self._jobs_of_page = 0
