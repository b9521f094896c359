"""A cell: one Playwright driver and one Chromium, for about ten sessions.

Invariant: a cell that died costs its own sessions only; whatever it started is dead when it is closed or healed.
Everything here runs on the host's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil
from playwright.async_api import Browser, BrowserContext, Playwright, StorageState, async_playwright
from playwright.async_api import Error as PlaywrightError

from registre.errors import BrowserFailed
from registre.site.processes import children, is_alive, is_driver, kill, on_death, profile_folder, with_descendants
from registre.site.profile import SiteProfile
from registre.site.scratch import Scratch
from registre.site.translate import FOREIGN, first_line

_GOODBYE_SECONDS = 1
"""For Playwright to notice that its driver is dead."""


class Seated(Protocol):
    """A session that lives in a cell."""

    def lose_browser(self) -> None:
        """Its browser or driver has died: nothing it waits for will come. On the loop."""


class Cell:
    """Life: `start`, then `new_context` any number of times, `heal` when something looks dead, `close`.

    `generation` rises with each start; a context belongs to the generation it was made in, and dies with it. `when_dead` is
    called on the loop as soon as driver or browser has died, after the sessions were told. A cell that is `retiring` has
    grown too large: it takes nobody in, and is closed when its last session has left. `jobs` counts those begun here.
    """

    def __init__(self, chromium: Path, profile: SiteProfile, reach: str, starting: asyncio.Lock) -> None:
        """`reach` is the argument of Chromium that says which hosts exist for it. `starting` lets one driver start at a time,
        so that this process's new child is the driver just started."""
        self.generation = 0
        self.sessions: set[Seated] = set()
        self.suspect = False
        self.when_dead: Callable[[Cell], None] = lambda _: None
        self.retiring = False
        self.jobs = 0
        self._closed = False
        self._chromium = chromium
        self._profile = profile
        self._reach = reach
        self._budgets = profile.budgets
        self._starting = starting
        self._healing = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._driver_process: psutil.Process | None = None
        self._browser_process: psutil.Process | None = None
        self._scratch: Scratch | None = None
        self._stop_watching: Callable[[], None] = lambda: None

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of `driver` and `browser`, as far as they are known; for operators and tests."""
        named = {"driver": self._driver_process, "browser": self._browser_process}
        return {name: process.pid for name, process in named.items() if process is not None}

    @property
    def folders(self) -> tuple[Path, ...]:
        """What this cell keeps on the disk: downloads on their way, the browser's profile."""
        return self._scratch.folders if self._scratch else ()

    @property
    def processes(self) -> list[psutil.Process]:
        """The driver and the browser, as far as they run."""
        return [p for p in (self._driver_process, self._browser_process) if p is not None]

    async def start(self, *, keep_driver: bool = False) -> None:
        """Start driver and Chromium, or Chromium alone. BrowserFailed when they do not come up; nothing is left of them then."""
        if not self._chromium.is_file():
            raise BrowserFailed(f"No browser could be started: there is no {self._chromium}.")
        try:
            async with asyncio.timeout(self._budgets.start):
                if not keep_driver:
                    await self._launch_driver()
                await self._launch_browser()
        except (*FOREIGN, OSError) as error:
            await self._kill()
            raise BrowserFailed(f"No browser could be started ({self._chromium.name}): {first_line(error)}.") from error
        except BaseException:
            await self._kill()
            raise
        self.generation += 1
        self.suspect = self.retiring = False
        self._stop_watching = on_death(self.processes, self._died)

    def _died(self) -> None:
        """Playwright ends the calls that a dead driver will not answer, but whoever waits for an event waits on."""
        self.suspect = True
        for session in tuple(self.sessions):
            session.lose_browser()
        self.when_dead(self)

    async def _launch_driver(self) -> None:
        async with self._starting:
            before = {child.pid for child in children()}
            try:
                self._playwright = await async_playwright().start()
            except Exception as error:  # a driver that dies while it starts is told by an exception of no class at all
                raise ConnectionError(first_line(error)) from error
            finally:
                started = (c for c in children() if c.pid not in before and is_driver(c))
                self._driver_process = next(started, None)

    async def _launch_browser(self) -> None:
        if self._playwright is None:
            raise ConnectionError("there is no driver")
        # Not in a thread: one that is given up meanwhile would leave a folder, and its lock, that nobody knows of.
        self._scratch = Scratch()
        self._browser = await self._launch_chromium(self._playwright, self._scratch.path)
        cdp = await self._browser.new_browser_cdp_session()
        answer = await cdp.send("SystemInfo.getProcessInfo")
        await cdp.detach()
        pid = next(p["id"] for p in answer["processInfo"] if p["type"] == "browser")
        self._browser_process = psutil.Process(pid)
        profile = profile_folder(self._browser_process)
        if profile:
            self._scratch.adopt_profile(profile)

    async def _launch_chromium(self, playwright: Playwright, folder: Path) -> Browser:
        sandboxes = [False] if os.geteuid() == 0 else [True, False]
        for sandbox in sandboxes:
            try:
                return await playwright.chromium.launch(
                    executable_path=self._chromium,
                    chromium_sandbox=sandbox,
                    args=[*self._profile.browser.arguments, self._reach],
                    downloads_path=folder,
                    artifacts_dir=folder,
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                    timeout=self._budgets.start * 1000,
                )
            except PlaywrightError as error:
                if not sandbox or "sandbox" not in str(error).lower():
                    raise
        raise AssertionError("unreachable: the last launch returns or raises")

    async def new_context(self, state: StorageState | None) -> BrowserContext:
        """A context of this generation, with an account's cookies if any. Raises foreign errors."""
        if self._browser is None:
            raise BrowserFailed("The browser is not running.")
        async with asyncio.timeout(self._budgets.open):
            context = await self._browser.new_context(
                locale=self._profile.locale,
                timezone_id=self._profile.timezone,
                accept_downloads=True,
                extra_http_headers=dict(self._profile.browser.headers),
                storage_state=state,
            )
        context.set_default_timeout(self._budgets.operation * 1000)
        context.set_default_navigation_timeout(self._budgets.operation * 1000)
        return context

    async def healthy(self) -> bool:
        """True when a new context answers. `is_connected()` is not asked: it lies when the driver died."""
        if self._browser is None or not all(map(is_alive, self.processes)):
            return False
        try:
            async with asyncio.timeout(self._budgets.probe):
                context = await self._browser.new_context()
                page = await context.new_page()
                await page.evaluate("1")
                await context.close()
        except FOREIGN:
            return False
        return True

    async def heal(self, seen_generation: int) -> None:
        """Replace what died. Single flight: whoever saw an older generation has nothing left to heal."""
        async with self._healing:
            if self.generation != seen_generation or self._closed:
                return
            if await self.healthy():
                self.suspect = False
                return
            if self._only_the_browser_is_dead():
                with contextlib.suppress(BrowserFailed):  # then nothing is left of the driver either
                    await self._bury_the_browser()
                    await self.start(keep_driver=True)
                    return
            await self._kill()
            await self.start()

    def _only_the_browser_is_dead(self) -> bool:
        """Its driver then serves the next one too: most of a start's time is the driver's."""
        driver, browser = self._driver_process, self._browser_process
        return driver is not None and browser is not None and is_alive(driver) and not is_alive(browser)

    async def _bury_the_browser(self) -> None:
        self._stop_watching()
        left = [p for p in with_descendants(self.processes) if p != self._driver_process]
        await asyncio.to_thread(kill, left, self._budgets.close)
        if self._scratch is not None:
            await asyncio.to_thread(self._scratch.remove)
        self._browser = self._scratch = self._browser_process = None

    async def close(self) -> None:
        """Close, and kill what does not close. Never raises."""
        async with self._healing:
            self._closed = True
            self._stop_watching()
            with contextlib.suppress(*FOREIGN):
                async with asyncio.timeout(self._budgets.close):
                    if self._browser is not None and all(map(is_alive, self.processes)):
                        await self._browser.close()
                    if self._playwright is not None and self._driver_process and is_alive(self._driver_process):
                        await self._playwright.stop()
                        self._playwright = None
            await self._kill()

    async def _kill(self) -> None:
        """Driver, browser and all they started, by pid; then whatever they left on the disk."""
        self._stop_watching()
        await asyncio.to_thread(kill, with_descendants(self.processes), self._budgets.close)
        if self._playwright is not None:
            with contextlib.suppress(*FOREIGN):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self._playwright.stop()
        if self._scratch is not None:
            await asyncio.to_thread(self._scratch.remove)
        self._playwright = self._browser = self._scratch = None
        self._driver_process = self._browser_process = None
