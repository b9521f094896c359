"""The browser host: one loop thread, and on it the cells that hold every session's browser.

Invariant: Playwright is touched on the loop thread only, and never without a budget; when `close` returns, nothing that
was started still runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import BrowserContext, StorageState

from registre.errors import BrowserFailed
from registre.site.cell import Cell, Seated
from registre.site.permits import Permit
from registre.site.processes import memory_of
from registre.site.profile import SiteProfile
from registre.site.scratch import sweep
from registre.site.translate import FOREIGN, as_ours, first_line

T = TypeVar("T")

log = logging.getLogger(__name__)

_GRACE_SECONDS = 5
"""How much later than its budget a call gives up even if the loop itself is stuck."""
WEIGH_EVERY = 25
"""Jobs of a cell between two looks at its memory; a look takes some 20 ms of another thread."""
_WORK_PER_CORE = 2.5
"""More page work in flight than this only lengthens the tail."""


def default_page_work() -> int:
    return max(2, int(_WORK_PER_CORE * (os.cpu_count() or 1)))


class BrowserHost:
    """Owns the loop thread and the cells. Thread-safe; the loop and the first cell start with the first session."""

    def __init__(
        self, *, chromium: Path, profile: SiteProfile, reach: str, sessions_per_cell: int, max_page_work: int
    ) -> None:
        """`reach` is the argument of Chromium that says which hosts exist for it."""
        self._chromium = chromium
        self._profile = profile
        self._reach = reach
        self._per_cell = sessions_per_cell
        self._guard = threading.Lock()
        self._closed = False
        self._cells: list[Cell] = []
        self._opening = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._places = asyncio.Semaphore(max_page_work)
        self._errands: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._turn, name="browser-host", daemon=True)

    def _turn(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(_note_stray)
        self._loop.run_forever()

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(self._cells)

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]], budget_seconds: float) -> Future[T]:
        """Start `work` on the loop from another thread, under a hard budget. BrowserFailed when the host is closed."""
        with self._guard:
            if self._closed:
                raise BrowserFailed("The browsers are closed.")
            if not self._thread.is_alive():
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(_capped(work, budget_seconds), self._loop)

    def submit_page_work(
        self, work: Callable[[Permit], Coroutine[Any, Any, T]], budget_seconds: float, patience_seconds: float
    ) -> Future[T]:
        """As `submit`, after a permit was had: that takes at most `patience_seconds`, and does not count against the budget."""

        async def admitted() -> T:
            permit = Permit(self._places)
            try:
                async with asyncio.timeout(patience_seconds):
                    await permit.take()
                return await asyncio.wait_for(work(permit), budget_seconds)
            finally:
                permit.end()

        return self.submit(admitted, budget_seconds + patience_seconds)

    def run(self, work: Callable[[], Coroutine[Any, Any, T]], budget_seconds: float, what: str) -> T:
        """Run `work` on the loop and wait for it; foreign errors become ours, named by `what` (a gerund)."""
        future = self.submit(work, budget_seconds)
        try:
            return future.result(budget_seconds + _GRACE_SECONDS)
        except FOREIGN as error:
            future.cancel()
            raise as_ours(error, what) from error

    @staticmethod
    def grace(budget_seconds: float, patience_seconds: float) -> float:
        """How long a thread should wait for page work with this budget before it takes the loop for stuck."""
        return patience_seconds + budget_seconds + _GRACE_SECONDS

    async def seat(self, session: Seated, state: StorageState | None) -> tuple[Cell, BrowserContext]:
        """A context for `session` in the emptiest cell, healed if it was dead. BrowserFailed if none can be had."""
        cell = await self._cell_for(session)
        try:
            return cell, await self._context_of(cell, state)
        except BaseException:
            cell.sessions.discard(session)
            raise

    async def _cell_for(self, session: Seated) -> Cell:
        async with self._opening:
            free = [cell for cell in self._cells if len(cell.sessions) < self._per_cell and not cell.retiring]
            cell = min(free, key=lambda c: len(c.sessions), default=None)
            if cell is None:
                if not self._cells:
                    await asyncio.to_thread(sweep)
                cell = Cell(self._chromium, self._profile, self._reach, self._starting)
                cell.when_dead = self.heal_soon
                await cell.start()
                self._cells.append(cell)
            cell.sessions.add(session)
            return cell

    async def _context_of(self, cell: Cell, state: StorageState | None) -> BrowserContext:
        generation = cell.generation
        if cell.suspect:
            await cell.heal(generation)
            generation = cell.generation
        try:
            return await cell.new_context(state)
        except (*FOREIGN, BrowserFailed):
            await cell.heal(generation)
        try:
            return await cell.new_context(state)
        except FOREIGN as error:
            cell.suspect = True
            raise as_ours(error, "opening a session") from error

    async def reseat(self, session: Seated, cell: Cell, state: StorageState) -> tuple[Cell, BrowserContext]:
        """Another context for a session of `cell`, there if it stays, else in another cell; the first is still to be left."""
        if cell.retiring:
            return await self.seat(session, state)
        return cell, await cell.new_context(state)

    def leave(self, session: Seated, cell: Cell) -> None:
        """Free the session's place; the last to leave a cell that retires ends it. On the loop."""
        cell.sessions.discard(session)
        if cell.retiring and not cell.sessions:
            self._later(self._end(cell))

    async def _end(self, cell: Cell) -> None:
        await cell.close()
        if cell in self._cells:
            self._cells.remove(cell)

    def count_job(self, cell: Cell) -> None:
        """A job begins in `cell`. From time to time its memory is looked at, without anybody waiting. On the loop."""
        cell.jobs += 1
        if cell.jobs % WEIGH_EVERY == 0 and not cell.retiring:
            self._later(self._weigh(cell))

    async def _weigh(self, cell: Cell) -> None:
        generation, limit = cell.generation, self._profile.session.cell_memory
        used = await asyncio.to_thread(memory_of, cell.processes) // 1_000_000
        if used > limit and cell.generation == generation:
            log.warning("a browser uses %d MB, more than %d: its sessions move to another one", used, limit)
            cell.retiring = True
            if not cell.sessions:
                await self._end(cell)

    def heal_soon(self, cell: Cell) -> None:
        """Look at the cell, and replace it if it is dead, without anybody waiting for it. On the loop."""
        cell.suspect = True

        async def errand() -> None:
            with contextlib.suppress(BrowserFailed, *FOREIGN):
                await cell.heal(cell.generation)

        self._later(errand())

    def _later(self, errand: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def close(self) -> None:
        """Stop every cell and the loop. Idempotent; returns within about three `close` budgets."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            started = self._thread.is_alive()
        if started:
            future = asyncio.run_coroutine_threadsafe(self._close_cells(), self._loop)
            with contextlib.suppress(*FOREIGN):
                future.result(self._profile.budgets.close * 4 + _GRACE_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_GRACE_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    async def _close_cells(self) -> None:
        errands = list(self._errands)
        for errand in errands:
            errand.cancel()
        await asyncio.gather(*errands, return_exceptions=True)
        async with self._opening:
            await asyncio.gather(*(cell.close() for cell in self._cells))
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()


def _note_stray(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What Playwright still awaited inside when its browser died ends with an error that nobody asks for: whoever waited for the
    page has had an error already. Anything else is a fault of ours and is told in full."""
    error = context.get("exception")
    # a driver that is gone is told by an exception of no class of its own
    if isinstance(error, FOREIGN) or type(error) is Exception:
        log.debug("left behind by a browser that ended: %s", first_line(error))
    else:
        loop.default_exception_handler(context)


async def _capped(work: Callable[[], Coroutine[Any, Any, T]], budget_seconds: float) -> T:
    return await asyncio.wait_for(work(), budget_seconds)
