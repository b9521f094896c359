"""Opens the dashboard, once it is sure whom it speaks to.

Invariant: what a person must mend is told before the terminal is taken over, in one sentence.
"""

from __future__ import annotations

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
        await Dashboard(client, model, spoken=spoken, read_only=read_only, ascii_only=ascii_only).run_async()
    finally:
        await client.close()
