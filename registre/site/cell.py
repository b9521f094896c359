"""A cell: one Playwright driver and one Chromium, for about ten sessions.

Invariant: a cell that died costs its own sessions only; whatever it started is dead when it is closed or healed. Everything
here runs on the host's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import psutil
from playwright.async_api import Browser, BrowserContext, Playwright, StorageState, async_playwright
from playwright.async_api import Error as PlaywrightError

from registre.errors import BrowserFailed
from registre.site.profile import SiteProfile
from registre.site.translate import FOREIGN, first_line


class Cell:
    """Life: `start`, then `new_context` any number of times, `heal` when something looks dead, `close`.

    `generation` rises with each start; a context belongs to the generation it was made in, and dies with it.
    """

    def __init__(self, chromium: Path, profile: SiteProfile, starting: asyncio.Lock) -> None:
        """`starting` lets one driver start at a time, so that the new child of this process is the driver just started."""
        self.generation = 0
        self.sessions: set[object] = set()
        self.suspect = False
        self._chromium = chromium
        self._profile = profile
        self._budgets = profile.budgets
        self._starting = starting
        self._healing = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._processes: list[psutil.Process] = []
        self._folders: list[Path] = []

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of `driver` and `browser`, as far as they are known; for operators and tests."""
        return dict(zip(("driver", "browser"), (p.pid for p in self._processes), strict=False))

    async def start(self) -> None:
        """Start driver and Chromium. BrowserFailed when they do not come up; nothing is left of them then."""
        try:
            async with asyncio.timeout(self._budgets.start):
                await self._launch()
        except (*FOREIGN, OSError) as error:
            await self._kill()
            raise BrowserFailed(f"No browser could be started ({self._chromium.name}): {first_line(error)}.") from error
        except BaseException:
            await self._kill()
            raise
        self.generation += 1
        self.suspect = False

    async def _launch(self) -> None:
        async with self._starting:
            before = {child.pid for child in _children()}
            self._playwright = await async_playwright().start()
            self._processes = [c for c in _children() if c.pid not in before and _is_driver(c)][:1]
        downloads = Path(tempfile.mkdtemp(prefix="registre-downloads-"))
        self._folders = [downloads]
        self._browser = await self._launch_chromium(self._playwright, downloads)
        cdp = await self._browser.new_browser_cdp_session()
        answer = await cdp.send("SystemInfo.getProcessInfo")
        await cdp.detach()
        pid = next(p["id"] for p in answer["processInfo"] if p["type"] == "browser")
        process = psutil.Process(pid)
        self._processes.append(process)
        self._folders += _profile_folders(process)

    async def _launch_chromium(self, playwright: Playwright, downloads: Path) -> Browser:
        sandboxes = [False] if os.geteuid() == 0 else [True, False]
        for sandbox in sandboxes:
            try:
                return await playwright.chromium.launch(
                    executable_path=self._chromium,
                    chromium_sandbox=sandbox,
                    downloads_path=downloads,
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
                storage_state=state,
            )
        context.set_default_timeout(self._budgets.operation * 1000)
        context.set_default_navigation_timeout(self._budgets.operation * 1000)
        return context

    async def healthy(self) -> bool:
        """True when a new context answers. `is_connected()` is not asked: it lies when the driver died."""
        if self._browser is None or not all(_alive(p) for p in self._processes):
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
            if self.generation != seen_generation:
                return
            if await self.healthy():
                self.suspect = False
                return
            await self._kill()
            await self.start()

    async def close(self) -> None:
        """Close, and kill what does not close. Never raises."""
        async with self._healing:
            if self._browser is not None and all(_alive(p) for p in self._processes):
                with contextlib.suppress(*FOREIGN):
                    async with asyncio.timeout(self._budgets.close):
                        await self._browser.close()
            await self._kill()

    async def _kill(self) -> None:
        """Driver, browser and all they started, by pid; then whatever they left on the disk."""
        tree: dict[int, psutil.Process] = {}
        for process in self._processes:
            with contextlib.suppress(psutil.Error):
                tree |= {p.pid: p for p in (process, *process.children(recursive=True))}
        if self._playwright is not None and (not self._processes or _alive(self._processes[0])):
            with contextlib.suppress(*FOREIGN):
                async with asyncio.timeout(self._budgets.close):
                    await self._playwright.stop()
        for process in tree.values():
            with contextlib.suppress(psutil.Error):
                process.kill()
        await asyncio.to_thread(psutil.wait_procs, list(tree.values()), self._budgets.close)
        for folder in self._folders:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        self._playwright = self._browser = None
        self._processes, self._folders = [], []


def _children() -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process().children()
    return []


def _is_driver(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "run-driver" in process.cmdline()
    return False


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _profile_folders(browser: psutil.Process) -> list[Path]:
    """The temporary profile Playwright made for this browser; it stays behind when the driver is killed."""
    with contextlib.suppress(psutil.Error):
        for argument in browser.cmdline():
            name, _, value = argument.partition("=")
            if name == "--user-data-dir" and Path(value).is_relative_to(tempfile.gettempdir()):
                return [Path(value)]
    return []
