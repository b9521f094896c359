"""The driver's trace of one context: a chunk for each job, kept only of a job that failed.

Invariant: nothing is recorded while a secret is typed: whoever signs in stops it before, and starts it after. It is help for
people, so an error of it is never one of the job.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import uuid4

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError


class JobTrace:
    """Life: `start`, `next_job` before each job, `take` when one failed, `stop`. On the host's loop."""

    def __init__(self) -> None:
        self._context: BrowserContext | None = None
        self._folder = Path()
        self._name = ""

    @property
    def is_on(self) -> bool:
        return self._context is not None

    async def start(self, context: BrowserContext, folder: Path) -> None:
        """`folder` is where the browser of `context` keeps its artifacts."""
        await self.stop()
        name = f"trace-{uuid4()}"
        with contextlib.suppress(PlaywrightError):
            # Without snapshots: the DOM before and after each step costs 26 to 39 % of a job's processor time, and with it come
            # all requests of the context, of every job it did. Without, it is lost in the noise of a shared machine, at most 9 %
            # (twin without latency, Python, driver and browser together, medians of 96 jobs each: 907 ms a job, 905 untraced).
            await context.tracing.start(name=name, snapshots=False, screenshots=False, sources=False)
            self._context, self._folder, self._name = context, folder, name

    async def next_job(self) -> None:
        """Throw away what was recorded, and go on: by an end and a new start, since the driver goes on writing a chunk that is
        merely given up, so that its file comes back after it was removed."""
        if self._context is not None:
            await self.start(self._context, self._folder)

    async def take(self, path: Path) -> bool:
        """Write what was recorded of this job to `path`, as it is: not for anybody's eyes. False when there is nothing."""
        if self._context is None:
            return False
        with contextlib.suppress(PlaywrightError):
            await self._context.tracing.stop_chunk(path=path)
            await self._context.tracing.start_chunk()
        return path.is_file()

    async def stop(self) -> None:
        """End it, and throw away what was recorded."""
        context, self._context = self._context, None
        if context is not None:
            with contextlib.suppress(PlaywrightError):
                await context.tracing.stop()
            await self._sweep()

    async def drop(self) -> None:
        """The context is closed, and with it what recorded."""
        self._context = None
        await self._sweep()

    async def _sweep(self) -> None:
        """Playwright leaves chunks that nobody wants on the disk until its browser ends: 50 kB a job."""

        def remove() -> None:
            for chunk in self._folder.glob(f"{self._name}*.trace"):
                chunk.unlink(missing_ok=True)

        if self._name:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(remove)
