"""The viewer: a frameset whose menu saves the document.

Invariant: what is saved is a download this click started, complete, or nothing stands at the target. The viewer itself is
never asked for again: only its menu is, which is not the document.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from playwright.async_api import Download, Frame, Locator, Page
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.errors import DocumentError, SessionExpired, StoreUnavailable
from registre.site.tab import Tab
from registre.site.translate import FOREIGN, first_line

log = logging.getLogger(__name__)

_STOP_FRAME = "(name) => { if (window.frames[name]) window.frames[name].stop(); }"


class Viewer:
    """One open viewer; `save` may be called until it succeeds, and again after."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._profile = tab.profile.viewer
        self._budgets = tab.profile.budgets
        self._asked = False
        self._menu_spoilt = False

    async def save(self, target: Path) -> None:
        """Save into `target`. A second call first lets go of what the first left: an answer awaited, or a spoilt menu.

        While an answer is awaited Chromium ignores a click on its link for some 20 s.
        """
        menu = await self._menu()
        reloaded = self._menu_spoilt
        if self._menu_spoilt:
            await self._reload(menu)
        elif self._asked:
            await self._tab.page.evaluate(_STOP_FRAME, self._profile.menu_frame)
        self._asked = True
        link = await self._save_link(menu, reloaded=reloaded)
        popups: list[Page] = []
        try:
            download = await self._download(link, menu, popups)
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

    async def _reload(self, menu: Frame) -> None:
        """Ask for the menu again, by the frameset's own address of it."""
        frames = dict((await self._tab.facts()).frames)
        try:
            await menu.goto(frames[self._profile.menu_frame], wait_until="commit")
        except PlaywrightError as error:
            raise DocumentError("The viewer's menu did not come.") from error
        self._menu_spoilt = False

    def _any_link(self, menu: Frame) -> Locator:
        first, *others = self._profile.save_links
        found = menu.locator(first)
        for selector in others:
            found = found.or_(menu.locator(selector))
        return found

    async def _save_link(self, menu: Frame, *, reloaded: bool) -> Locator:
        """The first variant of the link, in order, once any of them is there."""
        login = menu.locator(self._tab.profile.login.password)
        try:
            async with self._tab.waiting():
                await self._any_link(menu).or_(login).first.wait_for(state="attached")
        except PlaywrightError as error:
            self._menu_spoilt = True
            raise DocumentError("The viewer shows no link to save the document.") from error
        if await login.count():
            self._menu_spoilt = True
            if reloaded:
                raise SessionExpired("The session ended while the document was open in the viewer.")
            raise DocumentError("The viewer shows the login page in the place of its menu.")
        return await self._tab.first(self._profile.save_links, "link to save the document", within=menu)

    async def _download(self, link: Locator, menu: Frame, popups: list[Page]) -> Download:
        """Click, and the download that follows: on this page, or on one it opens, which is added to `popups`.

        A page that comes into the menu in the download's place ends the wait.
        """
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

        async def look(frame: Frame) -> None:
            if frame != menu or came.done():
                return
            with contextlib.suppress(*FOREIGN):
                if await self._any_link(menu).count():
                    return  # only a fragment of the same page
            said = await self._said(menu)
            if not came.done():
                self._menu_spoilt = True
                came.set_exception(DocumentError(f"The site answered with {said}, not with a document."))

        self._tab.keep_download = keep
        page.context.on("page", watch)
        page.on("framenavigated", look)
        try:
            async with self._tab.waiting(), asyncio.timeout(self._budgets.download):
                await link.click(no_wait_after=True)
                return await came
        except (TimeoutError, PlaywrightTimeout) as error:
            raise DocumentError(
                f"No document came within {self._budgets.download:g} s of asking to save it."
            ) from error
        finally:
            self._tab.keep_download = None
            page.context.remove_listener("page", watch)
            page.remove_listener("framenavigated", look)
            if not came.cancel() and not came.cancelled():
                came.exception()  # asked for, so that nobody misses it when the click itself failed

    async def _said(self, menu: Frame) -> str:
        """What stands in the menu's place, for a person."""
        with contextlib.suppress(*FOREIGN):
            if await menu.locator(self._tab.profile.login.password).count():
                return "its login page"
            title = await menu.title()
            return f"the page '{title}'" if title else "a page"
        return "a page"

    async def _keep(self, download: Download, target: Path) -> None:
        try:
            async with self._tab.waiting(), asyncio.timeout(self._budgets.download):
                await download.save_as(target)
        except TimeoutError as error:
            with contextlib.suppress(PlaywrightError):
                await download.cancel()
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise DocumentError(f"The document did not come whole within {self._budgets.download:g} s.") from error
        except PlaywrightError as error:
            await asyncio.to_thread(target.unlink, missing_ok=True)
            said = first_line(error)
            if "ENOSPC" in said or "EDQUOT" in said:
                raise StoreUnavailable("The disk is full; the document could not be saved.") from error
            log.info("a download failed: %s", said)
            raise DocumentError("The document did not come whole.") from error
        if not await asyncio.to_thread(_has_content, target):
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise DocumentError("The file that came is empty.")


def _has_content(target: Path) -> bool:
    return target.is_file() and target.stat().st_size > 0
