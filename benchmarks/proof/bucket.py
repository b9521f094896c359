"""The buckets of a Supabase project, as a stand-in on loopback, with a weather of their own.

Invariant: what an upload was answered with is what the bucket holds: a refused one left nothing.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path

from litestar.types import HTTPScope, Receive, Send

from tests.supabase.server import StandIn

SLOW_SECONDS = 2.0


class Mood(StrEnum):
    FINE = "fine"
    FAILING = "failing"
    """Every request is a 503."""
    SLOW = "slow"


class Bucket(StandIn):
    """`with Bucket() as bucket: bucket.mood = Mood.SLOW`. Any thread may change the mood."""

    def __init__(self) -> None:
        super().__init__()
        self.mood = Mood.FINE

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        if self.mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if self.mood is Mood.FAILING:
            await self._fail(503, send)
        else:
            await super().__call__(scope, receive, send)

    def copy_to(self, folder: Path) -> None:
        """Everything it holds, as files: bucket, then key."""
        for name, stored in self.storage.buckets.items():
            for key, (content, _) in stored.objects.items():
                file = folder / name / key
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
