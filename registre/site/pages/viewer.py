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
        """Save into `target`. `again` lets go of an answer that is still pending, or Chromium ignores the click for 20 s."""
        menu = await self._menu()
        if again:
            await menu.evaluate("() => window.stop()")
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
        """The frame named menu, loaded."""
        page, name = self._tab.page, self._profile.menu_frame
        try:
            await page.wait_for_function(
                "(name) => { const f = [...document.querySelectorAll('frame, iframe')].find((f) => f.name === name);"
                " return !!f && !!f.contentDocument && f.contentDocument.readyState !== 'loading'"
                " && f.contentWindow.location.href !== 'about:blank'; }",
                arg=name,
                polling=50,
            )
        except PlaywrightTimeout as error:
            raise DocumentError("The viewer's menu did not load.") from error
        frame = page.frame(name=name)
        if frame is None:
            raise DocumentError("The viewer has no menu.")
        return frame

    async def _save_link(self, menu: Frame) -> Locator:
        """The first variant of the link, in order, once any of them is there."""
        any_link = menu.locator(self._profile.save_links[0])
        for selector in self._profile.save_links[1:]:
            any_link = any_link.or_(menu.locator(selector))
        try:
            await any_link.first.wait_for(state="attached")
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

        def collect(download: Download) -> None:
            if download.url not in shown_inline and not came.done():
                came.set_result(download)

        def collect_from(popup: Page) -> None:
            popups.append(popup)
            popup.on("download", collect)

        page.on("download", collect)
        page.context.on("page", collect_from)
        try:
            async with asyncio.timeout(self._budgets.download):
                await link.click(no_wait_after=True)
                return await came
        except (TimeoutError, PlaywrightTimeout) as error:
            raise DocumentError(
                f"No document came within {self._budgets.download:g} s of asking to save it."
            ) from error
        finally:
            page.remove_listener("download", collect)
            page.context.remove_listener("page", collect_from)

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
