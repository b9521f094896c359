"""What the breaker should be doing, from the failures and answers it was told of.

Invariant: nothing here asks the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FORGETS = timedelta(minutes=5)
PROBE = timedelta(seconds=120)
LONGEST_SECONDS = 900


@dataclass(slots=True)
class BreakerModel:
    """Opens after so many failures, each time for longer; then lets one job at a time through, until the site answers."""

    limit: int
    failures: int = 0
    failed_at: datetime | None = None
    trips: int = 0
    until: datetime | None = None
    probe_until: datetime | None = None

    def away(self, now: datetime) -> None:
        if self.failed_at is not None and now - self.failed_at > FORGETS:
            self.failures = 0
        self.failures += 1
        self.failed_at = now
        if not self.is_open(now) and (self.until is not None or self.failures >= self.limit):
            self.until = now + timedelta(seconds=min(LONGEST_SECONDS, 60 * 2**self.trips))
            self.trips += 1
            self.probe_until = None

    def answered(self) -> None:
        self.failures = self.trips = 0
        self.failed_at = self.until = self.probe_until = None

    def is_open(self, now: datetime) -> bool:
        return self.until is not None and self.until > now

    def room(self, now: datetime) -> int | None:
        """How many jobs one call may give; None when the breaker does not limit it."""
        if self.until is None:
            return None
        tries = self.probe_until is None or self.probe_until <= now
        return 1 if tries and not self.is_open(now) else 0

    def gave(self, jobs: int, now: datetime) -> None:
        if jobs and self.until is not None:
            self.probe_until = now + PROBE
