"""The dashboard over an API that the test sets, driven as by a keyboard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual._compositor import LayoutUpdate
from textual.pilot import Pilot
from textual.widgets import Input

from registre.language import Language
from tests.tui.fake import KEY, FakeApi
from tui.app import Dashboard
from tui.client import Client
from tui.model import Link, Model
from tui.screens.view import View

SECONDS = 20.0
Keys = Pilot[None]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


class Desk:
    """One open dashboard."""

    def __init__(self, app: Dashboard, pilot: Keys, api: FakeApi) -> None:
        self.app = app
        self.pilot = pilot
        self.api = api

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Into the field that has the focus, at once: a key costs a repaint of its own."""
        field = self.app.screen.focused
        assert isinstance(field, Input), field
        field.insert_text_at_cursor(text)
        await self.settle()

    async def settle(self) -> None:
        """Until nothing that was asked is unanswered and everything is drawn."""
        await self.pilot.pause()
        await self.until(lambda: not [w for w in self.app.workers if w.group in ("load", "do") and not w.is_finished])
        await self.pilot.pause()

    async def until(self, look: Callable[[], object]) -> None:
        end = time.monotonic() + SECONDS
        while not look():
            assert time.monotonic() < end, f"it never came: {self.text()}"
            await asyncio.sleep(0.01)

    async def until_shown(self, *words: str) -> None:
        await self.until(lambda: all(word in self.text() for word in words))

    @property
    def view(self) -> View:
        assert self.app.view is not None
        return self.app.view

    def text(self) -> str:
        """What is on the screen, as a person reads it; no-break spaces are spaces."""
        seen = self.app.screen._compositor.render_update(full=True, screen_stack=self.app._background_screens)
        assert isinstance(seen, LayoutUpdate)
        lines = ["".join(segment.text for segment in strip) for strip in seen.strips]
        return "\n".join(line.rstrip() for line in lines if line.strip()).replace("\xa0", " ").replace("\u202f", " ")

    def notices(self) -> list[str]:
        return [notice.message for notice in self.app._notifications]


@asynccontextmanager
async def opened(api: FakeApi, size: tuple[int, int] = (160, 50), **more: Any) -> AsyncIterator[Desk]:
    """The dashboard, once it shows the overview and the stream stands."""
    client = Client("http://registre.test", KEY, transport=api.transport)
    model = Model(caller=await client.check())
    more.setdefault("spoken", Language.ENGLISH)
    app = Dashboard(client, model, now=api.clock.now, monotonic=api.clock.monotonic, **more)
    try:
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, pilot, api)
            await desk.until(lambda: model.overview is not None and model.pulse is not None and model.hosts is not None)
            await desk.until(lambda: model.link is Link.LIVE)
            await desk.settle()
            app._tick()
            await pilot.pause()
            yield desk
            assert app.stumbles == []
    finally:
        await client.close()
