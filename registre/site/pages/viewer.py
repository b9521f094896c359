"""The viewer: a frameset whose menu saves the document.

Invariant: what is saved is a download this click started, complete, or nothing stands at the target.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from playwright.async_api import Download, Frame, Locator, Page
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.errors import DocumentError
from registre.site.tab import Tab
from registre.site.translate import first_line


class Viewer:
    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._profile = tab.profile.viewer
        self._budgets = tab.profile.budgets

    async def save(self, target: Path, *, again: bool) -> None:
        """Save into `target`. `again` lets go of a pending answer first, or Chromium ignores the click for some 20 s."""
        menu = await self._menu()
        if again:
            await self._refresh(menu)
        link = await self._save_link(menu)
        popups: list[Page] = []
        try:
            download = await self._download(link, popups)
            try:
                await self._keep(download, target)
            finally:
                with contextlib.suppress(PlaywrightError):
                    await download.delete()
        finally:
            for popup in popups:
                with contextlib.suppress(PlaywrightError):
                    await popup.close()

    async def _menu(self) -> Frame:
        """The frame named menu; its content may still be on its way."""
        name = self._profile.menu_frame  # the element has it at once; Playwright's frame only after its first page
        element = await self._tab.page.query_selector(f'frame[name="{name}"], iframe[name="{name}"]')
        frame = await element.content_frame() if element else None
        if frame is None:
            raise DocumentError("The viewer is no longer open.")
        return frame

    async def _refresh(self, menu: Frame) -> None:
        """Give up what the menu waits for; a menu that came without its link is asked for again (it is not the document)."""
        await menu.evaluate("() => window.stop()")
        if not await self._any_link(menu).count():
            frames = dict((await self._tab.facts()).frames)
            await menu.goto(frames[self._profile.menu_frame], wait_until="domcontentloaded")

    def _any_link(self, menu: Frame) -> Locator:
        first, *others = self._profile.save_links
        found = menu.locator(first)
        for selector in others:
            found = found.or_(menu.locator(selector))
        return found

    async def _save_link(self, menu: Frame) -> Locator:
        """The first variant of the link, in order, once any of them is there."""
        try:
            await self._any_link(menu).first.wait_for(state="attached")
        except PlaywrightTimeout as error:
            raise DocumentError("The viewer shows no link to save the document.") from error
        return await self._tab.first(self._profile.save_links, "link to save the document", within=menu)

    async def _download(self, link: Locator, popups: list[Page]) -> Download:
        """Click, and the download that follows: on this page, or on one it opens, which is added to `popups`."""
        page = self._tab.page
        shown_inline = {frame.url for frame in page.frames} | {
            address for _, address in (await self._tab.facts()).frames
        }
        came: asyncio.Future[Download] = asyncio.get_running_loop().create_future()

        def keep(download: Download) -> bool:
            if came.done() or download.url in shown_inline:
                return False
            came.set_result(download)
            return True

        def watch(popup: Page) -> None:
            popups.append(popup)
            popup.on("download", self._tab.take_download)

        self._tab.keep_download = keep
        page.context.on("page", watch)
        try:
            async with asyncio.timeout(self._budgets.download):
                await link.click(no_wait_after=True)
                return await came
        except (TimeoutError, PlaywrightTimeout) as error:
            raise DocumentError(
                f"No document came within {self._budgets.download:g} s of asking to save it."
            ) from error
        finally:
            self._tab.keep_download = None
            page.context.remove_listener("page", watch)

    async def _keep(self, download: Download, target: Path) -> None:
        try:
            async with asyncio.timeout(self._budgets.download):
                await download.save_as(target)
        except TimeoutError as error:
            with contextlib.suppress(PlaywrightError):
                await download.cancel()
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise DocumentError(f"The document did not come whole within {self._budgets.download:g} s.") from error
        except PlaywrightError as error:
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise DocumentError(f"The document did not come whole: {first_line(error)}.") from error
        if not await asyncio.to_thread(_has_content, target):
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise DocumentError("The file that came is empty.")


def _has_content(target: Path) -> bool:
    return target.is_file() and target.stat().st_size > 0
