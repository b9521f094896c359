"""The right to work on a page: out of a bounded number of them, and given back while the site makes us wait.

Invariant: who waits for the site keeps nobody from the processors; who works on a page does so among few.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Permit:
    """The right to work on a page, out of a bounded number of them; given back while the site makes us wait."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._held = False
        self._over = False

    async def take(self) -> None:
        """Wait for a place; none for work that has ended."""
        if self._over:
            return
        await self._places.acquire()
        self._held = True

    def give_back(self) -> None:
        if self._held:
            self._held = False
            self._places.release()

    def end(self) -> None:
        """The work has ended: whoever still has this permit can take no place with it, since nobody would give it back."""
        self._over = True
        self.give_back()

    @contextlib.asynccontextmanager
    async def lent(self, patience_seconds: float) -> AsyncIterator[None]:
        """Others may work meanwhile. Taken again afterwards, but never waited for longer than `patience_seconds`."""
        self.give_back()
        yield
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                await self.take()
