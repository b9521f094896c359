"""What was asked of the twin, counted.

Invariant: counters only rise; they are for people and tests, nothing in the twin depends on them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Traffic:
    """Counts since the start. `refetches`: viewers billed again, because they were asked for again by the same request id."""

    paths: Counter[str] = field(default_factory=Counter)
    logins: Counter[str] = field(default_factory=Counter)
    logins_refused: Counter[str] = field(default_factory=Counter)
    sign_outs: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    refetches: int = 0
    downloads: int = 0
