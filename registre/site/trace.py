"""The driver's trace of one context: a chunk for each job, kept only of a job that failed.

Invariant: nothing is recorded while a secret is typed: whoever signs in stops it before, and starts it after. It is help for
people, so an error of it is never one of the job.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError


class JobTrace:
    """Life: `start`, `next_job` before each job, `take` when one failed, `stop`. On the host's loop."""

    def __init__(self) -> None:
        self._context: BrowserContext | None = None

    @property
    def is_on(self) -> bool:
        return self._context is not None

    async def start(self, context: BrowserContext) -> None:
        await self.stop()
        with contextlib.suppress(PlaywrightError):
            # Without snapshots: the DOM before and after each step costs 26 to 39 % of a job's processor time, and with it come
            # all requests of the context, of every job it did. Without, it is lost in the noise of a shared machine, at most 9 %
            # (twin without latency, Python, driver and browser together, medians of 96 jobs each: 907 ms a job, 905 untraced).
            await context.tracing.start(snapshots=False, screenshots=False, sources=False)
            self._context = context

    async def next_job(self) -> None:
        """Throw away what was recorded, and go on."""
        if self._context is not None:
            with contextlib.suppress(PlaywrightError):
                await self._context.tracing.stop_chunk()
                await self._context.tracing.start_chunk()

    async def take(self, path: Path) -> bool:
        """Write what was recorded of this job to `path`, passwords and cookies included; False when there is nothing."""
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
