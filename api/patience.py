"""How many keys that open nothing one address may present before it has to wait.

Invariant: what is remembered is bounded, and forgotten after `PER_SECONDS`. Who may be asked to wait is the gatekeeper's to say:
a caller whose key opened here lately never is, so that a stranger behind the same proxy shuts nobody out.
"""

from __future__ import annotations

import math
import time

WRONG_KEYS = 20
PER_SECONDS = 60.0
MOST_ADDRESSES = 10_000


class Patience:
    """Counts by address. Used in the server's loop only."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def wait_seconds(self, address: str) -> int:
        """How long this address has to wait; 0 while it may try."""
        count, until = self._seen.get(address, (0, 0.0))
        left = until - time.monotonic()
        return math.ceil(left) if count >= WRONG_KEYS and left > 0 else 0

    def note_wrong(self, address: str) -> None:
        count, until = self._seen.get(address, (0, 0.0))
        now = time.monotonic()
        if now >= until:
            if len(self._seen) >= MOST_ADDRESSES:
                self._seen.clear()
            count, until = 0, now + PER_SECONDS
        self._seen[address] = count + 1, until
