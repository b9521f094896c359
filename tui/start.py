"""Opens the dashboard, once it is sure whom it speaks to.

Invariant: what a person must mend is told before the terminal is taken over, in one sentence.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from registre.language import Language
from tui.app import Dashboard
from tui.client import Client
from tui.model import Model


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
