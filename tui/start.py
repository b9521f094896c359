"""Opens the dashboard, once it is sure whom it speaks to.

Invariant: what a person must mend is told before the terminal is taken over, in one sentence.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from registre.errors import InvalidInput, Unavailable
from registre.language import Language
from tui.app import VIEWS, Dashboard
from tui.client import Client
from tui.model import Link, Model

PATIENCE_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.05


async def run(
    address: str, key: str | None, *, spoken: Language, read_only: bool = False, ascii_only: bool = False
) -> None:
    """Until it is left. ConfigurationError, Unavailable: it was not opened."""
    client = Client(address, key)
    try:
        model = Model(caller=await client.check())
        app = Dashboard(client, model, spoken=spoken, read_only=read_only, ascii_only=ascii_only)
        with leaving_on_signals(app):
            await app.run_async()
    finally:
        await client.close()


async def picture(
    address: str, key: str | None, *, view: str, size: tuple[int, int], spoken: Language, ascii_only: bool
) -> str:
    """One view as an SVG, drawn without a terminal. InvalidInput for a view there is none of; errors as of `run`."""
    if view not in VIEWS:
        raise InvalidInput("view", f"'{view[:30]}' is none; one of {', '.join(VIEWS)} is expected.")
    client = Client(address, key)
    try:
        model = Model(caller=await client.check())
        app = Dashboard(client, model, spoken=spoken, read_only=True, ascii_only=ascii_only)
        async with app.run_test(size=size) as pilot:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (model.link is Link.LIVE and model.pulse is not None):
                    await asyncio.sleep(LOOK_EVERY_SECONDS)
                app.action_show_view(view)
                await pilot.pause()
                while any(worker.group == "load" and not worker.is_finished for worker in app.workers):
                    await asyncio.sleep(LOOK_EVERY_SECONDS)
                await pilot.pause()
            return without_addresses(app.export_screenshot(title=f"registre tui: {view}"))
    except TimeoutError:
        raise Unavailable(f"The API at {client.origin} did not answer in time.") from None
    finally:
        await client.close()


def without_addresses(picture: str) -> str:
    """An SVG that fetches nothing: fonts are the reader's own."""
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


@contextmanager
def leaving_on_signals(app: Dashboard) -> Iterator[None]:
    """Whoever ends the process gets the terminal back as it was."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, app.exit)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
