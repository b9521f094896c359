"""A clock that a twin and a registry share."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time, and as much more as a test lets pass: loading pages still end by themselves."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def pass_time(self, seconds: float) -> None:
        self.ahead += seconds

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def seconds(self) -> float:
        return time.monotonic() + self.ahead
